"""A tenant that may send, on a real database, with a transport whose answers a test writes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from backend.errors import RelayError
from backend.model.outbound import EmailDraft
from backend.model.tenant import Domain, DomainStatus, Tenant
from backend.model.views import AccountState
from backend.model.work import WorkKind
from backend.outbound import hold
from backend.outbound.context import Outbound, OutboundSettings
from backend.outbound.decide import Patience
from backend.outbound.send import process
from backend.store import domains, emails, tenants
from tests.settable import START

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backend.model.outbound import Email
    from backend.model.work import WorkItem
    from backend.ports import OutgoingMail
    from backend.store.engine import Database
    from backend.store.types import Tx
    from tests.settable import CountingIds, SettableClock

TENANT = "ten_1"
OTHER_TENANT = "ten_2"
DRAFT = EmailDraft(
    sender="Help Desk <help@acme.example>",
    to=("Ann@client.example",),
    subject="Your ticket",
    text="It is mended.",
)
ACCOUNT = AccountState(
    sending_enabled=True,
    production_access=True,
    enforcement="HEALTHY",
    max_send_rate=1000.0,
    max_24_hour_send=50_000.0,
    sent_last_24_hours=0.0,
    fetched_at=START,
)


class ScriptedTransport:
    """Implements ports.MailTransport for fault tables: gives or raises the next answer."""

    def __init__(self, clock: SettableClock) -> None:
        self._clock = clock
        self.answers: list[Exception | str] = []
        self.account_answers: list[AccountState | RelayError] = []
        self.mails: list[OutgoingMail] = []
        self.account_calls = 0

    async def send(self, mail: OutgoingMail) -> str:
        """Take the mail and answer as told, by default with a new id."""
        self.mails.append(mail)
        answer = self.answers.pop(0) if self.answers else f"ses-{len(self.mails)}"
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def account(self) -> AccountState:
        """Answer as told, by default with a healthy account."""
        self.account_calls += 1
        answer = self.account_answers.pop(0) if self.account_answers else ACCOUNT
        if isinstance(answer, RelayError):
            raise answer
        return replace(answer, fetched_at=self._clock.now())


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The parts a test of the outbound way works with."""

    db: Database
    clock: SettableClock
    ids: CountingIds
    transport: ScriptedTransport
    outbound: Outbound

    async def claim(self, limit: int = 100) -> list[WorkItem]:
        """Claim the SEND items that are due."""
        return await self.db.write(
            hold.claim,
            [WorkKind.SEND],
            "test",
            now=self.clock.now(),
            lease=timedelta(seconds=30),
            limit=limit,
        )

    async def work(self) -> int:
        """Do every SEND item that is due, once; give how many there were."""
        claimed = await self.claim()
        for item in claimed:
            await process(item, self.outbound)
        return len(claimed)

    async def email(self, email_id: str) -> Email:
        """Read a mail that must be there."""
        email = await self.db.read(emails.get, email_id)
        assert email is not None
        return email

    async def statuses(self, email_id: str) -> Sequence[str]:
        """Give the statuses of a mail's recipients."""
        return [recipient.status.value for recipient in (await self.email(email_id)).recipients]


async def make_world(db: Database, clock: SettableClock, ids: CountingIds) -> World:
    """Set up two tenants, each with a verified domain, and one domain that is pending."""
    await db.write(_tenants)
    transport = ScriptedTransport(clock)
    settings = OutboundSettings(
        configuration_set="relay-events",
        patience=Patience(unknown_wait=timedelta(seconds=120), retry_for=timedelta(hours=24)),
    )
    outbound = Outbound(db=db, transport=transport, clock=clock, ids=ids, settings=settings)
    return World(db=db, clock=clock, ids=ids, transport=transport, outbound=outbound)


def _tenants(tx: Tx) -> None:
    owners = ((TENANT, "acme.example"), (OTHER_TENANT, "globex.example"))
    for tenant_id, domain in owners:
        tenants.add(tx, Tenant(id=tenant_id, name=domain, created_at=START))
        domains.add(tx, _domain(tenant_id, domain, DomainStatus.VERIFIED))
    domains.add(tx, _domain(TENANT, "pending.example", DomainStatus.PENDING))


def _domain(tenant_id: str, name: str, status: DomainStatus) -> Domain:
    return Domain(
        id=f"dom_{name}",
        tenant_id=tenant_id,
        name=name,
        status=status,
        inbound_enabled=False,
        dkim_tokens=(),
        mail_from="",
        created_at=START,
    )
