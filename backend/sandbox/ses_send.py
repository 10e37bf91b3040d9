"""SendEmail: take or refuse a mail, strike with the faults on order, foretell its events."""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from backend.sandbox import ses_events
from backend.sandbox.accepted import mail_object
from backend.sandbox.faults import PAUSES, SEND_FAULTS, FaultKind
from backend.sandbox.outcomes import SIMULATOR, OutcomeKind, Outcomes, outcomes_for
from backend.sandbox.ses_call import SesError, not_found
from backend.sandbox.ses_draft import read_draft
from backend.sandbox.wsgi_server import DropConnectionError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backend.sandbox.accepted import Accepted, Draft
    from backend.sandbox.emitter import Emitter
    from backend.sandbox.faults import Faults
    from backend.sandbox.ses_call import Call
    from backend.sandbox.ses_state import SesState

EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
# The same in base64, as an attachment travels, from the first whole group of three bytes.
EICAR_BASE64 = b"WDVPIVAlQEFQWzRcUFpYNTQoUF4pN0NDKTd9JEVJQ0FS"

_REFUSALS = {
    FaultKind.THROTTLE: ("TooManyRequestsException", 429, "Maximum sending rate exceeded."),
    FaultKind.DAILY_QUOTA: ("TooManyRequestsException", 429, "Daily message quota exceeded."),
    FaultKind.SERVER_ERROR: ("InternalServiceErrorException", 500, "The sandbox was told to fail."),
    FaultKind.PAUSED: ("SendingPausedException", 400, "Sending is paused for this account."),
    FaultKind.SUSPENDED: ("AccountSuspendedException", 400, "The account is suspended."),
}
_REASONS = {OutcomeKind.BOUNCE: "BOUNCE", OutcomeKind.COMPLAINT: "COMPLAINT"}
_NOT_SENT = frozenset({OutcomeKind.REJECT, OutcomeKind.RENDERING_FAILURE})
_LINK = re.compile(rb"https?://[^\s\"'<>]+")


class Sending:
    """The sending half of our SES."""

    def __init__(self, state: SesState, faults: Faults, emitter: Emitter) -> None:
        self._state = state
        self._faults = faults
        self._emitter = emitter
        self.rules: dict[str, Outcomes] = {}

    @property
    def paused(self) -> bool:
        """Whether the account was told to refuse mail."""
        return self._faults.ordered(PAUSES)

    def send_email(self, call: Call) -> dict[str, Any]:
        """Answer SendEmail; raises SesError, or DropConnectionError after the mail was taken."""
        fault = self._faults.draw(SEND_FAULTS)
        if fault is not None and fault.kind in _REFUSALS:
            raise SesError(*_REFUSALS[fault.kind])
        draft = read_draft(call.body)
        self._check(draft)
        mail = self._state.accept(draft)
        self._foretell(mail)
        if fault is not None:
            raise DropConnectionError(reset=fault.kind is FaultKind.RESET)
        return {"MessageId": mail.message_id}

    def _check(self, draft: Draft) -> None:
        state = self._state
        if not state.may_send(draft.sender):
            raise SesError(
                "MessageRejected",
                400,
                "Email address is not verified. The following identities failed the check in "
                f"region {state.settings.region.upper()}: {draft.sender}",
            )
        if draft.configuration_set and draft.configuration_set not in state.sets:
            raise not_found(f"Configuration set <{draft.configuration_set}> does not exist.")
        limit = state.settings.max_send_rate
        # QUIRK(SES): quotas count recipients; one mail may exceed the rate when none was sent.
        sent = state.sent_within(1.0) if state.settings.enforce_rate else 0
        if sent and sent + len(draft.recipients) > limit:
            raise SesError(*_REFUSALS[FaultKind.THROTTLE])

    def _foretell(self, mail: Accepted) -> None:
        groups = list(self._groups(mail))
        if not all(kind in _NOT_SENT for _, outcomes in groups for kind, _ in outcomes):
            self._emit(mail, ses_events.send_event(), after=self._pause())
        for recipients, outcomes in groups:
            after = self._pause()
            for kind, subtype in outcomes:
                after += self._pause()
                self._emit_outcome(mail, kind, subtype, recipients, after)

    def _groups(self, mail: Accepted) -> Iterator[tuple[list[str], Outcomes]]:
        """Put recipients at one domain with one fate together, as one event reports them."""
        if EICAR in mail.draft.raw or EICAR_BASE64 in mail.draft.raw:
            yield list(mail.draft.recipients), ((OutcomeKind.REJECT, ""),)
            return
        groups: dict[tuple[str, Outcomes], list[str]] = defaultdict(list)
        for recipient in mail.draft.recipients:
            outcomes = outcomes_for(recipient, self.rules)
            if self._state.is_suppressed(recipient):
                outcomes = ((OutcomeKind.BOUNCE, "OnAccountSuppressionList"),)
            groups[(recipient.lower().rpartition("@")[2], outcomes)].append(recipient)
        for (_, outcomes), recipients in groups.items():
            yield recipients, outcomes

    def _emit_outcome(
        self, mail: Accepted, kind: OutcomeKind, subtype: str, recipients: list[str], after: float
    ) -> None:
        self._learn(kind, subtype, recipients)
        if kind is OutcomeKind.CLICK and not subtype and (link := _LINK.search(mail.draft.raw)):
            subtype = link.group().decode("ascii", "replace")
        if kind is OutcomeKind.COMPLAINT:
            # The provider hides who complained: SES names everyone at that domain.
            domain = recipients[0].lower().rpartition("@")[2]
            recipients = [
                who for who in mail.draft.recipients if who.lower().endswith(f"@{domain}")
            ]
        at = self._state.clock.now() + timedelta(seconds=after)
        event = ses_events.outcome_event(
            kind, subtype, recipients, at=at, feedback_id=self._feedback_id()
        )
        self._emit(mail, event, after=after)

    def _learn(self, kind: OutcomeKind, subtype: str, recipients: list[str]) -> None:
        # SES puts hard bounces and complaints on the account's list, but not the simulator's.
        hard = kind is OutcomeKind.BOUNCE and subtype in {"", "NoEmail"}
        if not hard and not (kind is OutcomeKind.COMPLAINT and subtype != "not-spam"):
            return
        for recipient in recipients:
            if not recipient.lower().endswith(f"@{SIMULATOR}"):
                self._state.suppress(recipient, _REASONS[kind])

    def _emit(self, mail: Accepted, event: dict[str, Any], *, after: float) -> None:
        wanted = str(event["eventType"]).upper().replace(" ", "_")
        wanted = "DELIVERY_DELAY" if wanted == "DELIVERYDELAY" else wanted
        state = self._state
        about = mail_object(mail, region=state.settings.region, account=state.account)
        body = event | {"mail": about}
        destinations = state.sets.get(mail.draft.configuration_set, {})
        for destination in list(destinations.values()):
            topic = (destination.get("SnsDestination") or {}).get("TopicArn")
            if topic and destination["Enabled"] and wanted in destination["MatchingEventTypes"]:
                self._emitter.schedule("events", topic, body, after=after)

    def _pause(self) -> float:
        return self._state.rng.uniform(*self._state.settings.event_seconds)

    def _feedback_id(self) -> str:
        return f"0100{self._state.rng.getrandbits(160):040x}-000000"
