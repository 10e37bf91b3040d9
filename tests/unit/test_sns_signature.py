"""SNS envelopes: which signatures, certificates, topics and moments are believed."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from backend.aws.sns import SnsVerifier
from backend.aws.sns_signature import UnverifiedNoticeError, is_certificate_url, read_message
from backend.errors import InvalidInputError, ServiceUnavailableError
from tests.settable import START, SettableClock
from tests.sns_world import CERTIFICATE_URL, REGION, TOPIC, Signer

if TYPE_CHECKING:
    from collections.abc import Callable


class Fetched:
    """Gives one certificate for every URL and counts how often it was asked."""

    def __init__(self, signer: Signer) -> None:
        self.signer = signer
        self.asked: list[str] = []

    async def __call__(self, url: str) -> bytes:
        self.asked.append(url)
        return self.signer.certificate


@pytest.fixture(scope="module")
def signer() -> Signer:
    return Signer()


@pytest.fixture
def fetched(signer: Signer) -> Fetched:
    return Fetched(signer)


@pytest.fixture
def verifier(fetched: Fetched, clock: SettableClock) -> SnsVerifier:
    return SnsVerifier(fetched, clock, region=REGION, topics=[TOPIC])


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("subject", [None, "Amazon S3 Notification"])
async def test_a_signed_notification_is_believed_under_both_versions(
    verifier: SnsVerifier, signer: Signer, version: str, subject: str | None
) -> None:
    body = signer.notification("the text\nwith lines \u20ac", version=version, subject=subject)

    message = await verifier.verify(body)

    assert (message.type, message.message) == ("Notification", "the text\nwith lines \u20ac")


async def test_a_subscription_confirmation_is_believed_with_its_token(
    verifier: SnsVerifier, signer: Signer
) -> None:
    message = await verifier.verify(signer.confirmation("t" * 64))

    assert (message.type, message.token) == ("SubscriptionConfirmation", "t" * 64)


async def test_the_certificate_is_fetched_once(
    verifier: SnsVerifier, signer: Signer, fetched: Fetched
) -> None:
    for text in ("a", "b", "c"):
        await verifier.verify(signer.notification(text))

    assert fetched.asked == [CERTIFICATE_URL]


TAMPERED: dict[str, Any] = {
    "Message": "something else",
    "MessageId": "another",
    "Subject": "a subject that was not there",
    "Timestamp": "2026-03-02T09:00:00.001Z",
    "Signature": base64.b64encode(b"x" * 256).decode(),
    "SignatureVersion": "2",
}


@pytest.mark.parametrize("field", TAMPERED)
async def test_a_tampered_field_of_a_notification_is_seen(
    verifier: SnsVerifier, signer: Signer, field: str
) -> None:
    body = json.loads(signer.notification("text", version="1")) | {field: TAMPERED[field]}

    with pytest.raises(UnverifiedNoticeError, match="signature"):
        await verifier.verify(json.dumps(body).encode())


@pytest.mark.parametrize("field", ["Message", "MessageId", "SubscribeURL", "Token"])
async def test_a_tampered_field_of_a_confirmation_is_seen(
    verifier: SnsVerifier, signer: Signer, field: str
) -> None:
    body = json.loads(signer.confirmation("token")) | {field: "other"}

    with pytest.raises(UnverifiedNoticeError, match="signature"):
        await verifier.verify(json.dumps(body).encode())


async def test_a_notification_dressed_as_a_confirmation_is_seen(
    verifier: SnsVerifier, signer: Signer
) -> None:
    body = json.loads(signer.notification("text")) | {"Type": "SubscriptionConfirmation"}

    with pytest.raises(UnverifiedNoticeError):
        await verifier.verify(json.dumps(body | {"Token": "t", "SubscribeURL": "u"}).encode())


async def test_a_signature_by_another_key_is_seen_and_its_certificate_not_kept(
    verifier: SnsVerifier, signer: Signer, fetched: Fetched
) -> None:
    fetched.signer = Signer()
    with pytest.raises(UnverifiedNoticeError):
        await verifier.verify(signer.notification("text"))
    fetched.signer = signer

    assert (await verifier.verify(signer.notification("text"))).message == "text"


async def test_another_topic_is_refused_before_anything_is_fetched(
    verifier: SnsVerifier, signer: Signer, fetched: Fetched
) -> None:
    with pytest.raises(UnverifiedNoticeError, match="RELAY_SNS_TOPIC_ARNS"):
        await verifier.verify(signer.notification("text", topic=TOPIC + "2"))

    assert fetched.asked == []


@pytest.mark.parametrize(
    ("age", "believed"),
    [
        (timedelta(minutes=59), True),
        (timedelta(minutes=61), False),
        (timedelta(minutes=-14), True),
        (timedelta(minutes=-16), False),
        (timedelta(days=400), False),
    ],
)
async def test_a_message_is_believed_for_an_hour(
    verifier: SnsVerifier, signer: Signer, age: timedelta, believed: bool
) -> None:
    body = signer.notification("text", at=START - age)

    if believed:
        assert (await verifier.verify(body)).message == "text"
    else:
        with pytest.raises(UnverifiedNoticeError, match="Timestamp"):
            await verifier.verify(body)


async def test_an_expired_certificate_signs_nothing(
    signer: Signer, fetched: Fetched, clock: SettableClock
) -> None:
    verifier = SnsVerifier(fetched, clock, region=REGION, topics=[TOPIC])
    later = clock.advance(timedelta(days=4000))

    with pytest.raises(UnverifiedNoticeError, match="not valid at present"):
        await verifier.verify(signer.notification("text", at=later))


def test_a_certificate_without_an_rsa_key_signs_nothing(signer: Signer) -> None:
    from backend.aws.sns_signature import check_signature

    other = Signer(ec.generate_private_key(ec.SECP256R1()))
    with pytest.raises(UnverifiedNoticeError, match="no RSA key"):
        check_signature(read_message(signer.notification("text")), other.certificate, now=START)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda body: body | {"SignatureVersion": "3"},
        lambda body: body | {"SigningCertURL": "https://sns.evil.example/x.pem"},
        lambda body: body | {"Signature": "not base64!"},
        lambda body: body | {"Timestamp": "yesterday"},
    ],
)
async def test_what_cannot_be_checked_is_not_believed(
    verifier: SnsVerifier,
    signer: Signer,
    spoil: Callable[[dict[str, Any]], dict[str, Any]],
) -> None:
    body = spoil(json.loads(signer.notification("text")))

    with pytest.raises(UnverifiedNoticeError):
        await verifier.verify(json.dumps(body).encode())


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"notificationType": "Received"}', b'{"Type": "Evil"}', b"\xff"]
)
async def test_raw_delivery_and_rubbish_are_no_sns_messages(
    verifier: SnsVerifier, body: bytes
) -> None:
    with pytest.raises(InvalidInputError, match="raw message delivery"):
        await verifier.verify(body)


async def test_without_the_certificate_the_answer_is_try_again(
    signer: Signer, clock: SettableClock
) -> None:
    async def away(_url: str) -> bytes:
        raise ServiceUnavailableError("SNS did not answer")

    with pytest.raises(ServiceUnavailableError):
        await SnsVerifier(away, clock, region=REGION, topics=[TOPIC]).verify(
            signer.notification("text")
        )


NAME = "SimpleNotificationService-" + "0123456789abcdef" * 2 + ".pem"
HOSTILE = [
    f"http://sns.us-east-1.amazonaws.com/{NAME}",
    f"https://sns.us-east-1.amazonaws.com:443/{NAME}",
    f"https://sns.us-east-1.amazonaws.com:8443/{NAME}",
    f"https://sns.us-west-2.amazonaws.com/{NAME}",
    f"https://sns.us-east-1.amazonaws.com.cn/{NAME}",
    f"https://sns.us-east-1.amazonaws.com.evil.example/{NAME}",
    f"https://sns.us-east-1.amazonaws.com@evil.example/{NAME}",
    f"https://user:pw@sns.us-east-1.amazonaws.com/{NAME}",
    f"https://evil.example/sns.us-east-1.amazonaws.com/{NAME}",
    f"https://evil.example#sns.us-east-1.amazonaws.com/{NAME}",
    f"https://evil.example\\@sns.us-east-1.amazonaws.com/{NAME}",
    f"https://sns.s3-us-east-1.amazonaws.com/{NAME}",
    f"https://sns.s3.us-east-1.amazonaws.com/{NAME}",
    f"https://snsxus-east-1.amazonaws.com/{NAME}",
    f"https://s3.us-east-1.amazonaws.com/sns/{NAME}",
    f"https://sns.us-east-1.amazonaws.com/a/../{NAME}",
    f"https://sns.us-east-1.amazonaws.com//{NAME}",
    f"https://sns.us-east-1.amazonaws.com/{NAME}?x=1",
    f"https://sns.us-east-1.amazonaws.com/{NAME}#x",
    f"https://sns.us-east-1.amazonaws.com/{NAME}\n",
    f" https://sns.us-east-1.amazonaws.com/{NAME}",
    f"HTTPS://SNS.US-EAST-1.AMAZONAWS.COM/{NAME}",
    f"https://sns.us-east-1.amazonaws.com/{NAME.upper()}",
    "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0.pem",
    f"https://sns.us-east-1.amazonaws.com/{NAME}.evil",
    "https://sns.us-east-1.amazonaws.com/evil.pem",
    "file:///etc/passwd",
    "",
]


@pytest.mark.parametrize("url", HOSTILE)
def test_a_certificate_comes_from_nowhere_else(url: str) -> None:
    assert not is_certificate_url(url, "us-east-1")


def test_a_certificate_comes_from_sns_of_the_configured_region() -> None:
    assert is_certificate_url(f"https://sns.us-east-1.amazonaws.com/{NAME}", "us-east-1")
    assert is_certificate_url(f"https://sns.us-gov-west-1.amazonaws.com/{NAME}", "us-gov-west-1")
    assert is_certificate_url(f"https://sns.cn-north-1.amazonaws.com.cn/{NAME}", "cn-north-1")
    assert not is_certificate_url(f"https://sns.cn-north-1.amazonaws.com/{NAME}", "cn-north-1")


@pytest.mark.parametrize("region", ["", ".*", "s3-us-east-1", "us-east-1.evil.example/x?"])
def test_a_region_that_is_none_has_no_certificates(region: str) -> None:
    assert not is_certificate_url(f"https://sns.{region}.amazonaws.com/{NAME}", region)
