"""What an SQS message says of received mail: SES receipt notices and S3 events, pure.

Three shapes come: a SES notice or an S3 event wrapped by SNS, the same with "raw message delivery"
(no wrapper), and an S3 event sent to SQS directly. ses.md 8 and 9.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote_plus

from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from backend.errors import InvalidInputError
from backend.inbound.sources.own_keys import INLINE
from backend.model.inbound import Arrival, ScanVerdict, ScanVerdicts

if TYPE_CHECKING:
    from collections.abc import Sequence

SOURCE_SES = "ses"
SOURCE_S3 = "s3"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """A notice that asks for nothing, such as the test event of S3; it may be acknowledged."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Inline:
    """An arrival whose raw bytes came in the notice itself (SNSAction); they must be stored."""

    arrival: Arrival
    raw: bytes


class _Status(BaseModel):
    status: str = ""


class _Action(BaseModel):
    type: str = ""
    bucket_name: str = Field(default="", alias="bucketName")
    object_key: str = Field(default="", alias="objectKey")
    encoding: str = ""


class _Receipt(BaseModel):
    timestamp: AwareDatetime
    recipients: list[str] = Field(min_length=1)
    spam: _Status = Field(default_factory=_Status, alias="spamVerdict")
    virus: _Status = Field(default_factory=_Status, alias="virusVerdict")
    spf: _Status = Field(default_factory=_Status, alias="spfVerdict")
    dkim: _Status = Field(default_factory=_Status, alias="dkimVerdict")
    dmarc: _Status = Field(default_factory=_Status, alias="dmarcVerdict")
    dmarc_policy: str = Field(default="", alias="dmarcPolicy")
    action: _Action


class _Mail(BaseModel):
    message_id: str = Field(min_length=1, alias="messageId")
    source: str = ""


class _SesNotice(BaseModel):
    receipt: _Receipt
    mail: _Mail
    content: str | None = None


class _Bucket(BaseModel):
    name: str


class _Object(BaseModel):
    key: str = Field(min_length=1)
    size: int = 0


class _S3(BaseModel):
    bucket: _Bucket
    object: _Object


class _Record(BaseModel):
    event_source: str = Field(default="", alias="eventSource")
    event_name: str = Field(default="", alias="eventName")
    event_time: AwareDatetime = Field(alias="eventTime")
    s3: _S3


class _Envelope(BaseModel):
    """Any notice: the keys that tell the shapes apart."""

    type: str = Field(default="", alias="Type")
    message: str | None = Field(default=None, alias="Message")
    event: str = Field(default="", alias="Event")
    notification_type: str = Field(default="", alias="notificationType")
    records: list[dict[str, Any]] | None = Field(default=None, alias="Records")


_Shape = TypeVar("_Shape", bound=BaseModel)


def read_notice(body: str, *, bucket: str) -> list[Arrival | Inline] | Ignored:
    """Give what arrived, or why nothing did; ``bucket`` is the only one we take mail from.

    Raises InvalidInputError with one sentence when the notice is not one of ours or is broken.
    """
    envelope = _read(_Envelope, body)
    if envelope.message is not None and envelope.type:
        if envelope.type != "Notification":
            return Ignored(reason=f"an SNS {envelope.type[:40]}, not a notification")
        body = envelope.message
        envelope = _read(_Envelope, body)
    if envelope.event == "s3:TestEvent":
        return Ignored(reason="the test event S3 sends when notification is set up")
    if envelope.notification_type == "AMAZON_SES_SETUP_NOTIFICATION":
        return Ignored(reason="the notice SES sends when a rule is set up")
    if envelope.notification_type == "Received":
        return _from_ses(_read(_SesNotice, body), bucket)
    if envelope.records is not None:
        return _from_s3(envelope.records, bucket)
    raise InvalidInputError("notice: neither a SES receipt notice nor an S3 event", field="notice")


def _from_ses(notice: _SesNotice, bucket: str) -> list[Arrival | Inline] | Ignored:
    action = notice.receipt.action
    if action.type.upper() == "S3":
        _same_bucket(action.bucket_name, bucket)
        # an empty key would be a broken rule; SES names the object after the message
        return [_arrival(notice, action.object_key or notice.mail.message_id)]
    if notice.content is not None:
        raw = _content(notice.content, action.encoding)
        return [Inline(arrival=_arrival(notice, INLINE + notice.mail.message_id), raw=raw)]
    raise InvalidInputError(
        f"notice: the rule action {action.type[:40]!r} stores no mail; use S3Action", field="notice"
    )


def _arrival(notice: _SesNotice, key: str) -> Arrival:
    receipt = notice.receipt
    return Arrival(
        source=SOURCE_SES,
        blob_key=key,
        recipients=tuple(dict.fromkeys(receipt.recipients)),
        received_at=receipt.timestamp,
        envelope_from="" if notice.mail.source == "<>" else notice.mail.source,
        verdicts=ScanVerdicts(
            spam=_verdict(receipt.spam),
            virus=_verdict(receipt.virus),
            spf=_verdict(receipt.spf),
            dkim=_verdict(receipt.dkim),
            dmarc=_verdict(receipt.dmarc),
            dmarc_policy=receipt.dmarc_policy.lower(),
        ),
    )


def _verdict(found: _Status) -> ScanVerdict:
    """Map a status of SES; what is absent, disabled or new is neither pass nor fail."""
    try:
        return ScanVerdict(found.status.lower())
    except ValueError:
        return ScanVerdict.UNVERIFIED


def _content(content: str, encoding: str) -> bytes:
    """Give the raw mail of an SNSAction; without a stated encoding base64 is recognised."""
    if encoding.lower() == "base64" or (not encoding and ":" not in content[:2000]):
        try:
            return base64.b64decode(content, validate=False)
        except binascii.Error as error:
            raise InvalidInputError(
                f"notice: content is not base64: {error}", field="notice"
            ) from error
    return content.encode("utf-8", "replace")


def _from_s3(records: Sequence[dict[str, Any]], bucket: str) -> list[Arrival | Inline] | Ignored:
    found: list[Arrival | Inline] = []
    for values in records:
        record = _record(values)
        if not record.event_name.removeprefix("s3:").startswith("ObjectCreated:"):
            continue
        _same_bucket(record.s3.bucket.name, bucket)
        key = unquote_plus(record.s3.object.key)
        # what SES writes to test its right to write
        if key.rpartition("/")[2] == "AMAZON_SES_SETUP_NOTIFICATION":
            continue
        found.append(_s3_arrival(record, key))
    return found or Ignored(reason="an S3 event about no new mail")


def _s3_arrival(record: _Record, key: str) -> Arrival:
    return Arrival(
        source=SOURCE_S3,
        blob_key=key,
        recipients=(),
        received_at=record.event_time,
        size=record.s3.object.size,
    )


def _record(values: dict[str, Any]) -> _Record:
    try:
        return _Record.model_validate(values)
    except ValidationError as error:
        raise _broken(error) from None


def _same_bucket(named: str, ours: str) -> None:
    if named != ours:
        raise InvalidInputError(
            f"notice: the bucket {named[:63]!r} is not the inbound bucket {ours!r}; "
            "correct the receipt rule or RELAY_INBOUND_BUCKET",
            field="notice",
        )


def _broken(error: ValidationError) -> InvalidInputError:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"]) or "body"
    return InvalidInputError(f"notice: {where}: {first['msg']}", field="notice")


def _read(shape: type[_Shape], body: str) -> _Shape:
    try:
        return shape.model_validate_json(body)
    except ValidationError as error:
        raise _broken(error) from None
