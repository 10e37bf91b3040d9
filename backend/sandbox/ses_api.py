"""Our SES v2: account, identities, configuration sets and suppressions, by REST-JSON route.

Answers hold the members of botocore's service model; a test validates each against it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from backend.aws.provision import EVENT_TYPES
from backend.sandbox.ses_call import (
    Call,
    SesError,
    already_exists,
    answer,
    answer_error,
    bad_request,
    not_found,
    read_call,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

    from backend.sandbox.ses_send import Sending
    from backend.sandbox.ses_state import IdentityRecord, SesState

_EVENT_TYPES = frozenset(EVENT_TYPES)
_PAGE = 100
_DAY_SECONDS = 86_400.0


class SesApi:
    """A WSGI application for everything below ``/v2/email``."""

    def __init__(self, state: SesState, sending: Sending) -> None:
        self._state = state
        self._sending = sending
        email = "/v2/email"
        one = f"{email}/identities/([^/]+)"
        sets = f"{email}/configuration-sets"
        into = f"{sets}/([^/]+)/event-destinations"
        held = f"{email}/suppression/addresses"
        self._routes: list[tuple[str, re.Pattern[str], str, Callable[..., dict[str, Any]]]] = [
            (method, re.compile(path), name, function)
            for method, path, name, function in (
                ("POST", f"{email}/outbound-emails", "SendEmail", sending.send_email),
                ("GET", f"{email}/account", "GetAccount", self._account),
                ("POST", f"{email}/identities", "CreateEmailIdentity", self._create_identity),
                # QUIRK(SES): lists identities by POST in new models and by GET in old ones.
                ("POST", f"{email}/list-identities", "ListEmailIdentities", self._identities),
                ("GET", f"{email}/identities", "ListEmailIdentities", self._identities),
                ("GET", one, "GetEmailIdentity", self._identity),
                ("DELETE", one, "DeleteEmailIdentity", self._delete_identity),
                ("PUT", f"{one}/mail-from", "PutEmailIdentityMailFromAttributes", self._mail_from),
                ("PUT", f"{one}/dkim", "PutEmailIdentityDkimAttributes", self._dkim),
                ("POST", sets, "CreateConfigurationSet", self._create_set),
                ("GET", f"{sets}/([^/]+)", "GetConfigurationSet", self._set),
                ("POST", into, "CreateConfigurationSetEventDestination", self._add_destination),
                ("GET", into, "GetConfigurationSetEventDestinations", self._destinations),
                ("PUT", held, "PutSuppressedDestination", self._suppress),
                ("GET", held, "ListSuppressedDestinations", self._suppressions),
                ("GET", f"{held}/([^/]+)", "GetSuppressedDestination", self._suppression),
                ("DELETE", f"{held}/([^/]+)", "DeleteSuppressedDestination", self._unsuppress),
            )
        ]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one call; an error of SES becomes its REST-JSON form."""
        try:
            return answer(start_response, self._dispatch(read_call(environ)))
        except SesError as error:
            return answer_error(start_response, error)

    def _dispatch(self, call: Call) -> dict[str, Any]:
        for method, pattern, name, function in self._routes:
            if method == call.method and (found := pattern.fullmatch(call.path)):
                with self._state.lock:
                    self._state.calls[name] = self._state.calls.get(name, 0) + 1
                return function(call, *(unquote(part) for part in found.groups()))
        raise SesError(
            "UnknownOperationException", 404, f"the sandbox has no {call.method} {call.path}"
        )

    def _account(self, _: Call) -> dict[str, Any]:
        settings = self._state.settings
        return {
            "DedicatedIpAutoWarmupEnabled": False,
            "EnforcementStatus": "SHUTDOWN" if self._sending.paused else "HEALTHY",
            "ProductionAccessEnabled": True,
            "SendQuota": {
                "Max24HourSend": settings.max_24_hour_send,
                "MaxSendRate": settings.max_send_rate,
                "SentLast24Hours": float(self._state.sent_within(_DAY_SECONDS)),
            },
            "SendingEnabled": not self._sending.paused,
            "SuppressionAttributes": {"SuppressedReasons": ["BOUNCE", "COMPLAINT"]},
            "VdmAttributes": {"VdmEnabled": "DISABLED"},
        }

    def _create_identity(self, call: Call) -> dict[str, Any]:
        name = str(call.body.get("EmailIdentity", "")).strip().lower()
        if not re.fullmatch(r"([^@\s]+@)?[a-z0-9-]+(\.[a-z0-9-]+)+", name):
            raise bad_request(f"Identity {name!r} is not a domain or an address.")
        if name in self._state.identities:
            raise already_exists(f"Email identity {name} already exist.")
        record = self._state.add_identity(name, verified=False)
        record.configuration_set = str(call.body.get("ConfigurationSetName") or "")
        return {
            "IdentityType": "DOMAIN" if record.is_domain else "EMAIL_ADDRESS",
            "VerifiedForSendingStatus": self._state.is_verified(record),
            "DkimAttributes": self._dkim_attributes(record),
        }

    def _identities(self, call: Call) -> dict[str, Any]:
        records = sorted(self._state.identities.values(), key=lambda record: record.name)
        size = int(call.body.get("PageSize") or call.first("PageSize") or _PAGE)
        start = int(call.body.get("NextToken") or call.first("NextToken") or 0)
        page: dict[str, Any] = {
            "EmailIdentities": [
                {
                    "IdentityType": "DOMAIN" if record.is_domain else "EMAIL_ADDRESS",
                    "IdentityName": record.name,
                    "SendingEnabled": self._state.is_verified(record),
                    "VerificationStatus": self._status(record),
                }
                for record in records[start : start + size]
            ]
        }
        return page | ({"NextToken": str(start + size)} if start + size < len(records) else {})

    def _identity(self, _: Call, name: str) -> dict[str, Any]:
        record = self._find(name)
        verified = self._state.is_verified(record)
        info: dict[str, Any] = {"LastCheckedTimestamp": self._state.clock.now().timestamp()}
        if verified:
            info["LastSuccessTimestamp"] = info["LastCheckedTimestamp"]
        else:
            info["ErrorType"] = "HOST_NOT_FOUND"
        found: dict[str, Any] = {
            "IdentityType": "DOMAIN" if record.is_domain else "EMAIL_ADDRESS",
            "FeedbackForwardingStatus": True,
            "VerifiedForSendingStatus": verified,
            "VerificationStatus": self._status(record),
            "VerificationInfo": info,
            "DkimAttributes": self._dkim_attributes(record),
            "Policies": {},
            "Tags": [],
        }
        if record.mail_from:
            found["MailFromAttributes"] = {
                "MailFromDomain": record.mail_from,
                "MailFromDomainStatus": self._status(record),
                "BehaviorOnMxFailure": record.on_mx_failure,
            }
        if record.configuration_set:
            found["ConfigurationSetName"] = record.configuration_set
        return found

    def _delete_identity(self, _: Call, name: str) -> dict[str, Any]:
        self._find(name)
        del self._state.identities[name.lower()]
        return {}

    def _mail_from(self, call: Call, name: str) -> dict[str, Any]:
        record = self._find(name)
        domain = str(call.body.get("MailFromDomain") or "").lower()
        if domain and not domain.endswith(f".{record.name}"):
            raise bad_request(
                f"Provided MAIL-FROM domain <{domain}> is not subdomain of the domain."
            )
        record.mail_from = domain
        record.on_mx_failure = call.body.get("BehaviorOnMxFailure") or "USE_DEFAULT_VALUE"
        return {}

    def _dkim(self, call: Call, name: str) -> dict[str, Any]:
        self._find(name).signing = bool(call.body.get("SigningEnabled"))
        return {}

    def _create_set(self, call: Call) -> dict[str, Any]:
        name = str(call.body.get("ConfigurationSetName", ""))
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name):
            raise bad_request(f"Configuration set name {name[:64]!r} is not valid.")
        if name in self._state.sets:
            raise already_exists(f"Configuration set <{name}> already exists.")
        self._state.sets[name] = {}
        return {}

    def _set(self, _: Call, name: str) -> dict[str, Any]:
        self._find_set(name)
        return {
            "ConfigurationSetName": name,
            "SendingOptions": {"SendingEnabled": True},
            "ReputationOptions": {"ReputationMetricsEnabled": False},
            "Tags": [],
        }

    def _add_destination(self, call: Call, name: str) -> dict[str, Any]:
        destinations = self._find_set(name)
        label = str(call.body.get("EventDestinationName", ""))
        wanted = dict(call.body.get("EventDestination") or {})
        types = wanted.get("MatchingEventTypes") or []
        if label in destinations:
            raise already_exists(f"Event destination <{label}> already exists.")
        if not label or not types or not set(types) <= _EVENT_TYPES:
            raise bad_request("An event destination needs a name and matching event types.")
        destinations[label] = {"Name": label, "Enabled": False} | wanted
        return {}

    def _destinations(self, _: Call, name: str) -> dict[str, Any]:
        return {"EventDestinations": list(self._find_set(name).values())}

    def _suppress(self, call: Call) -> dict[str, Any]:
        address = str(call.body.get("EmailAddress", ""))
        reason = str(call.body.get("Reason", ""))
        if "@" not in address or reason not in {"BOUNCE", "COMPLAINT"}:
            raise bad_request("A suppression needs an address and the reason BOUNCE or COMPLAINT.")
        self._state.suppress(address, reason)
        return {}

    def _suppressions(self, call: Call) -> dict[str, Any]:
        reasons = set(call.query.get("Reason", ())) | set(call.query.get("Reasons", ()))
        size = int(call.first("PageSize", str(_PAGE)))
        start = int(call.first("NextToken", "0"))
        with self._state.lock:
            held = [
                record
                for record in self._state.suppressed.values()
                if not reasons or record.reason in reasons
            ]
        page: dict[str, Any] = {
            "SuppressedDestinationSummaries": [
                {
                    "EmailAddress": record.address,
                    "Reason": record.reason,
                    "LastUpdateTime": record.at.timestamp(),
                }
                for record in held[start : start + size]
            ]
        }
        return page | ({"NextToken": str(start + size)} if start + size < len(held) else {})

    def _suppression(self, _: Call, address: str) -> dict[str, Any]:
        # QUIRK(SES): addresses are kept as spelt, and found by exact spelling only.
        record = self._state.suppressed.get(address)
        if record is None:
            raise not_found(f"Email address {address} does not exist on your suppression list.")
        return {
            "SuppressedDestination": {
                "EmailAddress": record.address,
                "Reason": record.reason,
                "LastUpdateTime": record.at.timestamp(),
            }
        }

    def _unsuppress(self, _: Call, address: str) -> dict[str, Any]:
        if self._state.suppressed.pop(address, None) is None:
            raise not_found(f"Email address {address} does not exist on your suppression list.")
        return {}

    def _find(self, name: str) -> IdentityRecord:
        record = self._state.identities.get(name.lower())
        if record is None:
            raise not_found(f"Email identity {name} does not exist.")
        return record

    def _find_set(self, name: str) -> dict[str, dict[str, Any]]:
        if name not in self._state.sets:
            raise not_found(f"Configuration set <{name}> does not exist.")
        return self._state.sets[name]

    def _status(self, record: IdentityRecord) -> str:
        return "SUCCESS" if self._state.is_verified(record) else "PENDING"

    def _dkim_attributes(self, record: IdentityRecord) -> dict[str, Any]:
        if not record.is_domain:
            return {"SigningEnabled": False, "Status": "NOT_STARTED"}
        return {
            "SigningEnabled": record.signing,
            "Status": self._status(record),
            "Tokens": record.tokens(),
            "SigningHostedZone": "dkim.amazonses.com",
            "SigningAttributesOrigin": "AWS_SES",
            "NextSigningKeyLength": "RSA_2048_BIT",
            "CurrentSigningKeyLength": "RSA_2048_BIT",
            "LastKeyGenerationTimestamp": record.created_at.timestamp(),
        }
