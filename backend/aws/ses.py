"""SES v2: sending, the state of the account, and sending domains."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from backend.clock import SystemClock
from backend.errors import RefusedError
from backend.faultpoints import FaultPoint, faultpoint
from backend.model.tenant import DomainStatus
from backend.model.views import AccountState
from backend.ports import Identity

if TYPE_CHECKING:
    from backend.aws.client import Clients
    from backend.ports import Clock, OutgoingMail

_STATUS = {"SUCCESS": DomainStatus.VERIFIED, "FAILED": DomainStatus.FAILED}


class SesTransport:
    """Hands mail to SES, once per call; fulfils ports.MailTransport."""

    def __init__(self, clients: Clients, *, clock: Clock | None = None) -> None:
        self._clients = clients
        self._clock = clock or SystemClock()

    async def send(self, mail: OutgoingMail) -> str:
        """Send once, never retrying, and give the SES MessageId; raises as the port says."""
        return await self._clients.call(partial(self._send, mail), sending=True)

    async def account(self) -> AccountState:
        """Ask GetAccount; callers cache it, SES allows one call a second."""
        answer = await self._clients.call(lambda: self._clients.service("sesv2").get_account())
        quota = answer.get("SendQuota", {})
        return AccountState(
            sending_enabled=answer.get("SendingEnabled", False),
            production_access=answer.get("ProductionAccessEnabled", False),
            enforcement=answer.get("EnforcementStatus", ""),
            max_send_rate=quota.get("MaxSendRate", 0.0),
            max_24_hour_send=quota.get("Max24HourSend", 0.0),
            sent_last_24_hours=quota.get("SentLast24Hours", 0.0),
            fetched_at=self._clock.now(),
        )

    def _send(self, mail: OutgoingMail) -> str:
        request = _request(mail)
        faultpoint(FaultPoint.SEND_BEFORE_CALL)
        answer = self._clients.sender().send_email(**request)
        return str(answer["MessageId"])


class SesIdentities:
    """Registers and reads sending domains; fulfils ports.Identities.

    With ``mail_from_label`` set, each new domain gets ``label.domain`` as its MAIL FROM domain.
    """

    def __init__(self, clients: Clients, *, mail_from_label: str = "") -> None:
        self._clients = clients
        self._label = mail_from_label

    async def create(self, domain: str) -> Identity:
        """Register a domain; one that exists already is simply read."""
        return await self._clients.call(partial(self._create, domain))

    async def get(self, domain: str) -> Identity:
        """Read a domain; raises NotFoundError."""
        return await self._clients.call(partial(self._get, domain))

    def _create(self, domain: str) -> Identity:
        client = self._clients.service("sesv2")
        try:
            client.create_email_identity(EmailIdentity=domain)
        except client.exceptions.AlreadyExistsException:
            return self._get(domain)
        if self._label:
            client.put_email_identity_mail_from_attributes(
                EmailIdentity=domain, MailFromDomain=f"{self._label}.{domain}"
            )
        return self._get(domain)

    def _get(self, domain: str) -> Identity:
        answer = self._clients.service("sesv2").get_email_identity(EmailIdentity=domain)
        dkim = answer.get("DkimAttributes", {})
        return Identity(
            domain=domain,
            status=_status(answer),
            dkim_tokens=tuple(dkim.get("Tokens", ())),
            signing_hosted_zone=dkim.get("SigningHostedZone", "dkim.amazonses.com"),
            mail_from_domain=answer.get("MailFromAttributes", {}).get("MailFromDomain", ""),
        )


def _request(mail: OutgoingMail) -> dict[str, Any]:
    lists = (("ToAddresses", mail.to), ("CcAddresses", mail.cc), ("BccAddresses", mail.bcc))
    destination = {name: list(addresses) for name, addresses in lists if addresses}
    if not destination:
        raise RefusedError("the mail has no recipient, so SES was not asked")
    request: dict[str, Any] = {
        "FromEmailAddress": mail.sender,
        "Destination": destination,
        "Content": {"Raw": {"Data": mail.raw}},
        "EmailTags": [{"Name": name, "Value": value} for name, value in mail.tags.items()],
    }
    if mail.configuration_set:
        request["ConfigurationSetName"] = mail.configuration_set
    return request


def _status(answer: dict[str, Any]) -> DomainStatus:
    if answer.get("VerifiedForSendingStatus"):
        return DomainStatus.VERIFIED
    return _STATUS.get(answer.get("VerificationStatus", ""), DomainStatus.PENDING)
