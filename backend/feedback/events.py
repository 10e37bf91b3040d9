"""Read one SES sending event from the body of an SQS message (facts: ses.md sections 7 and 8).

Both shapes are taken: an SNS envelope, whose Message is a string, and raw delivery. So are both
names of the kind: eventType (event publishing) and notificationType (identity notices). No I/O.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from email.utils import parseaddr
from typing import Annotated, Any, TypeAlias

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from backend.errors import InvalidInputError
from backend.model.address import address_key, ascii_domain
from backend.model.feedback import EventKind, FeedbackEvent, RecipientNews
from backend.model.storable import storable

ATTEMPT_TAG = "relay-attempt"
ATTEMPT_HEADER = "x-relay-attempt"
# SES writes "Rendering Failure" with a space; letters alone tell the kinds apart
_KINDS = {kind.value.replace("_", ""): kind for kind in EventKind}
_OBJECTS = {
    EventKind.DELIVERY_DELAY: "deliveryDelay",
    EventKind.RENDERING_FAILURE: "failure",
}
_DETAIL = 500
_SEEN = (EventKind.OPEN, EventKind.CLICK)
_NO = frozenset({"", "false", "no", "none", "0", "human", "unknown"})


_Text: TypeAlias = Annotated[
    str, BeforeValidator(lambda said: storable(said) if isinstance(said, str) else said)
]


class _Json(BaseModel):
    """Part of an event; fields SES may add later are ignored, null is as if it were not there."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        return {name: value for name, value in data.items() if value is not None}


class _Header(_Json):
    name: _Text = ""
    value: _Text = ""


class _Mail(_Json):
    """The mail an event is about."""

    message_id: _Text = Field(alias="messageId", min_length=1, max_length=200)
    timestamp: datetime
    destination: list[_Text] = []
    headers: list[_Header] | None = None
    tags: dict[Any, Any] | None = None


class _Who(_Json):
    """A recipient as bounces, complaints and delays name one."""

    email_address: _Text = Field(alias="emailAddress")
    status: _Text | None = None
    diagnostic_code: _Text | None = Field(default=None, alias="diagnosticCode")


class _About(_Json):
    """The object of any of the ten kinds: each uses some of the fields."""

    timestamp: datetime | None = None
    feedback_id: _Text | None = Field(default=None, alias="feedbackId")
    recipients: list[_Text] = []
    bounced: list[_Who] = Field(default=[], alias="bouncedRecipients")
    complained: list[_Who] = Field(default=[], alias="complainedRecipients")
    delayed: list[_Who] = Field(default=[], alias="delayedRecipients")
    smtp_response: _Text | None = Field(default=None, alias="smtpResponse")
    bounce_type: _Text | None = Field(default=None, alias="bounceType")
    bounce_subtype: _Text | None = Field(default=None, alias="bounceSubType")
    complaint_subtype: _Text | None = Field(default=None, alias="complaintSubType")
    complaint_type: _Text | None = Field(default=None, alias="complaintFeedbackType")
    delay_type: _Text | None = Field(default=None, alias="delayType")
    reason: _Text | None = None
    error_message: _Text | None = Field(default=None, alias="errorMessage")
    link: _Text | None = None

    @property
    def subtype(self) -> str:
        """``Permanent/General``, ``abuse``, ``MailboxFull``: whichever of them is there."""
        parts = (self.bounce_type, self.bounce_subtype, self.complaint_subtype)
        return "/".join(filter(None, (*parts, self.complaint_type, self.delay_type)))


def read_event(body: str, *, notice_id: str) -> FeedbackEvent | None:
    """Read an event; None for what SNS says of itself, such as a subscription confirmed.

    Raises InvalidInputError for anything that is not an SES event.
    """
    outer = _object(body)
    source_id = notice_id
    if "Type" in outer and "TopicArn" in outer:
        if outer["Type"] != "Notification":
            return None
        source_id = storable(str(outer.get("MessageId") or notice_id))
        outer = _object(outer.get("Message"))
    kind = _kind(outer)
    try:
        mail = _Mail.model_validate(outer.get("mail"))
        about = _About.model_validate(outer.get(_OBJECTS.get(kind, kind.value)) or {})
        occurred_at = _moment(about.timestamp or mail.timestamp)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise InvalidInputError(f"event {source_id[:200]}: {where}: {first['msg']}") from None
    except OverflowError:
        raise InvalidInputError(f"event {source_id[:200]}: timestamp: out of range") from None
    return FeedbackEvent(
        source_id=source_id[:200],
        kind=kind,
        ses_message_id=mail.message_id,
        attempt_id=_attempt_id(mail),
        occurred_at=occurred_at,
        recipients=_recipients(kind, mail, about),
        subtype=about.subtype,
        feedback_id=about.feedback_id or "",
        detail=(about.reason or about.error_message or about.link or about.subtype)[:_DETAIL],
        automated=kind in _SEEN and _is_automated(outer.get(kind.value)),
    )


def _object(text: object) -> dict[str, Any]:
    # QUIRK(moto): its canned samples carry Message as an object, AWS always as a string
    if isinstance(text, dict):
        return text
    try:
        value = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise InvalidInputError("the notice is not a JSON object; is the queue fed by SES?")
    return value


def _kind(event: dict[str, Any]) -> EventKind:
    name = event.get("eventType") or event.get("notificationType")
    kind = _KINDS.get("".join(filter(str.isalpha, str(name))).lower())
    if kind is None:
        raise InvalidInputError(f"the notice is of kind {str(name)[:40]!r}, not an SES event")
    return kind


def _attempt_id(mail: _Mail) -> str | None:
    tagged = (mail.tags or {}).get(ATTEMPT_TAG)
    if isinstance(tagged, list) and tagged:
        return storable(str(tagged[0]))
    named = (h.value.strip() for h in mail.headers or () if h.name.lower() == ATTEMPT_HEADER)
    return next(named, None)


def _is_automated(about: object) -> bool:
    """Tell whether an open or click is said to be a machine's.

    Since August 2026 SES flags these; under which name is not documented (ses.md section 7), so any
    member that speaks of automation or bots counts, a boolean or a word.
    """
    said = about.items() if isinstance(about, dict) else ()
    return any(
        value is True or (isinstance(value, str) and value.strip().lower() not in _NO)
        for name, value in said
        if "automated" in name.lower() or "bot" in name.lower()
    )


def _recipients(kind: EventKind, mail: _Mail, about: _About) -> tuple[RecipientNews, ...]:
    """Name who the event is about; nobody when it is about the whole mail."""
    named = about.bounced or about.complained or about.delayed
    if named:
        return _merged(
            RecipientNews(
                address=_bare(who.email_address),
                detail=(who.diagnostic_code or "")[:_DETAIL],
                status=who.status or "",
                spelling=_spelling(who.email_address),
            )
            for who in named
        )
    if about.recipients:
        detail = (about.smtp_response or "")[:_DETAIL]
        return _merged(RecipientNews(address=_bare(a), detail=detail) for a in about.recipients)
    # opens and clicks do not say who; with one recipient it can be nobody else
    if kind in _SEEN and len(mail.destination) == 1:
        return (RecipientNews(address=_bare(mail.destination[0])),)
    return ()


def _merged(news: Any) -> tuple[RecipientNews, ...]:
    return tuple({item.address: item for item in news}.values())


def _bare(address: str) -> str:
    """Give the address alone: SES repeats it as the sender wrote it, name and all."""
    key = address_key(parseaddr(address)[1] or address)[:320]
    local, at, host = key.rpartition("@")
    return f"{local}{at}{ascii_domain(host) or host}"


def _spelling(address: str) -> str:
    bare = (parseaddr(address)[1] or address).strip()[:320]
    return bare if bare != bare.lower() else ""


def _moment(value: datetime) -> datetime:
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
