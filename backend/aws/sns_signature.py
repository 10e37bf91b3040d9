"""The envelope and signature of an SNS message over HTTP, checked without a network. Pure.

ses.md 8; https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
"""

from __future__ import annotations

import base64
import binascii
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from backend.errors import AuthenticationError, InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

REPLAY_WINDOW = timedelta(hours=1)
AHEAD = timedelta(minutes=15)  # how far a clock may be off
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": (
        "Message",
        "MessageId",
        "SubscribeURL",
        "Timestamp",
        "Token",
        "TopicArn",
        "Type",
    ),
}
_SIGNED["UnsubscribeConfirmation"] = _SIGNED["SubscriptionConfirmation"]


class UnverifiedNoticeError(AuthenticationError):
    """A message that claims to come from SNS was not shown to."""


class SnsMessage(BaseModel):
    """An envelope as posted; every text is kept as it came, for the signature is over it."""

    type: Literal["Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation"] = Field(
        alias="Type"
    )
    message_id: str = Field(alias="MessageId", min_length=1, max_length=200)
    topic_arn: str = Field(alias="TopicArn", min_length=1, max_length=300)
    message: str = Field(alias="Message")
    subject: str | None = Field(default=None, alias="Subject")
    timestamp: str = Field(alias="Timestamp", max_length=40)
    signature_version: str = Field(alias="SignatureVersion", max_length=4)
    signature: str = Field(alias="Signature", max_length=4096)
    signing_cert_url: str = Field(alias="SigningCertURL", max_length=300)
    subscribe_url: str | None = Field(default=None, alias="SubscribeURL")
    token: str | None = Field(default=None, alias="Token", max_length=1000)

    def string_to_sign(self) -> bytes:
        """Give what was signed: each key and value on a line of its own, absent ones left out."""
        values = self.model_dump(by_alias=True)
        lines = ((key, values[key]) for key in _SIGNED[self.type])
        return "".join(f"{key}\n{value}\n" for key, value in lines if value is not None).encode()


class _Moment(BaseModel):
    at: AwareDatetime


def read_message(body: bytes) -> SnsMessage:
    """Read an envelope; raises InvalidInputError, also for raw message delivery."""
    try:
        return SnsMessage.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "body"
        raise InvalidInputError(
            f"{where}: {first['msg'].lower()}; only signed SNS messages are taken here, so turn"
            " raw message delivery off for this subscription",
            field=where,
        ) from None


def check_claims(
    message: SnsMessage, *, topics: Collection[str], region: str, now: datetime
) -> None:
    """Check topic, time and certificate address, all before anything is fetched.

    Raises UnverifiedNoticeError.
    """
    if message.topic_arn not in topics:
        raise UnverifiedNoticeError(
            f"the topic {message.topic_arn[:100]!r} may not post here; RELAY_SNS_TOPIC_ARNS lists"
            " those that may"
        )
    try:
        at = _Moment.model_validate({"at": message.timestamp}).at
    except ValidationError:
        raise UnverifiedNoticeError("Timestamp: this is no moment in time") from None
    if not now - REPLAY_WINDOW <= at <= now + AHEAD:
        raise UnverifiedNoticeError("Timestamp: the message is more than an hour old, or of later")
    if not is_certificate_url(message.signing_cert_url, region):
        raise UnverifiedNoticeError(
            f"SigningCertURL: not an address of SNS in {region}, the configured region"
        )


def is_certificate_url(url: str, region: str) -> bool:
    """Tell whether a URL is exactly where SNS of this one region keeps its certificates.

    QUIRK(SNS): a pattern ``sns.<anything>.amazonaws.com`` also matches buckets of strangers.
    """
    if not _REGION.fullmatch(region):
        return False
    host = f"sns.{region}.amazonaws.com" + (".cn" if region.startswith("cn-") else "")
    wanted = rf"https://{re.escape(host)}/SimpleNotificationService-[0-9a-f]{{32}}\.pem"
    return re.fullmatch(wanted, url, re.ASCII) is not None


def check_signature(message: SnsMessage, certificate: bytes, *, now: datetime) -> None:
    """Check the signature, version 1 (SHA-1) or 2 (SHA-256), against a PEM certificate.

    Raises UnverifiedNoticeError.
    """
    algorithm = _algorithm(message.signature_version)
    try:
        signature = base64.b64decode(message.signature, validate=True)
        found = x509.load_pem_x509_certificate(certificate)
    except (binascii.Error, ValueError):
        raise UnverifiedNoticeError("the signature or its certificate cannot be read") from None
    if not found.not_valid_before_utc <= now <= found.not_valid_after_utc:
        raise UnverifiedNoticeError("the certificate of the signature is not valid at present")
    key = found.public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise UnverifiedNoticeError("the certificate of the signature holds no RSA key")
    try:
        key.verify(signature, message.string_to_sign(), padding.PKCS1v15(), algorithm)
    except InvalidSignature:
        raise UnverifiedNoticeError("the signature does not belong to this message") from None


def _algorithm(version: str) -> hashes.HashAlgorithm:
    if version == "2":
        return hashes.SHA256()
    if version == "1":
        return hashes.SHA1()  # noqa: S303  # what SNS signs with unless a topic says otherwise
    raise UnverifiedNoticeError(f"SignatureVersion: {version!r} is not known; 1 and 2 are")
