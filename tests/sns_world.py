"""Messages as SNS signs them, by a key and a certificate made here."""

from __future__ import annotations

import base64
import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from tests.settable import START

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec

REGION = "us-east-1"
TOPIC = "arn:aws:sns:us-east-1:123456789012:inbound"
CERTIFICATE_URL = (
    "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-" + "0" * 32 + ".pem"
)
_YEARS = timedelta(days=3650)


class Signer:
    """SNS's own key: makes bodies as SNS posts them."""

    def __init__(self, key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | None = None) -> None:
        self._key = key or rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(START - _YEARS)
            .not_valid_after(START + _YEARS)
            .sign(self._key, hashes.SHA256())
        )
        self.certificate = made.public_bytes(serialization.Encoding.PEM)

    def notification(
        self,
        message: str,
        *,
        version: str = "2",
        subject: str | None = None,
        topic: str = TOPIC,
        message_id: str = "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        at: datetime = START,
    ) -> bytes:
        """Give the body of a signed notification."""
        body = {
            "Type": "Notification",
            "MessageId": message_id,
            "TopicArn": topic,
            "Message": message,
            "Timestamp": _moment(at),
            "UnsubscribeURL": "https://sns.us-east-1.amazonaws.com/?Action=Unsubscribe",
        }
        if subject is not None:
            body["Subject"] = subject
        keys = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
        return self._signed(body, keys, version)

    def confirmation(self, token: str, *, topic: str = TOPIC, at: datetime = START) -> bytes:
        """Give the body of a signed subscription confirmation."""
        body = {
            "Type": "SubscriptionConfirmation",
            "MessageId": "165545c9-2a5c-472c-8df2-7ff2be2b3b1b",
            "Token": token,
            "TopicArn": topic,
            "Message": "You have chosen to subscribe to the topic.",
            "SubscribeURL": "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription",
            "Timestamp": _moment(at),
        }
        keys = (
            "Message",
            "MessageId",
            "SubscribeURL",
            "Timestamp",
            "Token",
            "TopicArn",
            "Type",
        )
        return self._signed(body, keys, "2")

    def _signed(self, body: dict[str, str], keys: tuple[str, ...], version: str) -> bytes:
        text = "".join(f"{key}\n{body[key]}\n" for key in keys if key in body)
        digest = hashes.SHA256() if version == "2" else hashes.SHA1()  # noqa: S303  # as SNS does
        if not isinstance(self._key, rsa.RSAPrivateKey):
            raise TypeError("only an RSA key signs messages")
        signature = self._key.sign(text.encode(), padding.PKCS1v15(), digest)
        return json.dumps(
            body
            | {
                "SignatureVersion": version,
                "Signature": base64.b64encode(signature).decode(),
                "SigningCertURL": CERTIFICATE_URL,
            }
        ).encode()


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
