"""What SES makes of a mail it receives: added headers, verdicts, the notification. No I/O.

A mail may order its own verdicts: ``X-Sandbox-Spam: FAIL`` and the same for Virus, Spf, Dkim and
Dmarc; ``ABSENT`` leaves the verdict out. ``X-Sandbox-Dmarc-Policy`` is reported on a DMARC failure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from backend.sandbox import mail_headers
from backend.sandbox.accepted import stamp
from backend.sandbox.ses_send import EICAR, EICAR_BASE64

if TYPE_CHECKING:
    from datetime import datetime

# https://spamassassin.apache.org/gtube/: the string every spam filter calls spam.
GTUBE = b"XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
_CHECKS = ("spam", "virus", "spf", "dkim", "dmarc")


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A mail at the SMTP door; ``sender`` is '' for a bounce."""

    id: str
    at: datetime
    sender: str
    recipients: tuple[str, ...]
    raw: bytes
    peer: str
    helo: str
    region: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """Where the raw mail went and which topic hears of it."""

    bucket: str
    key: str
    topic_arn: str


def verdicts(raw: bytes) -> dict[str, str]:
    """Judge a mail: PASS unless a test string or a header of its own says otherwise."""
    headers = mail_headers.read_headers(raw)
    found = dict.fromkeys(_CHECKS, "PASS")
    if GTUBE in raw:
        found["spam"] = "FAIL"
    if EICAR in raw or EICAR_BASE64 in raw:
        found["virus"] = "FAIL"
    for check in _CHECKS:
        if ordered := mail_headers.first(headers, f"X-Sandbox-{check}").upper():
            found[check] = ordered
    return {check: verdict for check, verdict in found.items() if verdict != "ABSENT"}


def stamped(arrival: Arrival, judged: dict[str, str]) -> bytes:
    """Give the mail as SES stores it, with the headers SES puts first."""
    date = arrival.at.strftime("%a, %d %b %Y %H:%M:%S +0000 (UTC)")
    host = f"inbound-smtp.{arrival.region}.amazonaws.com"
    checks = "; ".join(f"{name}={judged.get(name, 'none').lower()}" for name in _CHECKS[2:])
    domain = arrival.sender.rpartition("@")[2]
    fields = [
        f"Return-Path: <{arrival.sender}>",
        (
            f"Received: from {arrival.helo} ({arrival.helo} [{arrival.peer}])\r\n"
            f" by {host} with SMTP id {arrival.id}\r\n"
            f" for {arrival.recipients[0]};\r\n {date}"
        ),
        f"X-SES-Spam-Verdict: {judged.get('spam', 'DISABLED')}",
        f"X-SES-Virus-Verdict: {judged.get('virus', 'DISABLED')}",
        (
            f"Received-SPF: {judged.get('spf', 'none').lower()} (spfCheck: sandbox) "
            f"client-ip={arrival.peer}; envelope-from={arrival.sender}; helo={arrival.helo};"
        ),
        f"Authentication-Results: amazonses.com;\r\n {checks}; header.from={domain};",
        f"X-SES-RECEIPT: {arrival.id}",
    ]
    return mail_headers.replace_fields(
        arrival.raw, frozenset(), [field.encode("ascii", "replace") for field in fields]
    )


def notification(
    arrival: Arrival, stored: Storage, judged: dict[str, str], raw: bytes
) -> dict[str, Any]:
    """Give the notification of an S3 action (ses.md section 9.2), about the mail as stored."""
    headers = mail_headers.read_headers(raw)
    receipt: dict[str, Any] = {
        "timestamp": stamp(arrival.at),
        "processingTimeMillis": 42,
        "recipients": list(arrival.recipients),
        **{f"{check}Verdict": {"status": verdict} for check, verdict in judged.items()},
        "action": {
            "type": "S3",
            "topicArn": stored.topic_arn,
            "bucketName": stored.bucket,
            "objectKeyPrefix": stored.key.removesuffix(arrival.id),
            "objectKey": stored.key,
        },
    }
    if judged.get("dmarc") == "FAIL":
        policy = mail_headers.first(headers, "X-Sandbox-Dmarc-Policy").lower()
        receipt["dmarcPolicy"] = policy or "none"
    named = [who for name in ("To", "Cc") for who in mail_headers.addresses(headers, name)]
    about = mail_headers.common(headers, mail_headers.first(headers, "Message-ID"))
    return {
        "notificationType": "Received",
        "receipt": receipt,
        "mail": {
            "timestamp": stamp(arrival.at),
            "source": arrival.sender,
            "messageId": arrival.id,
            "destination": named,
            **mail_headers.report(headers),
            "commonHeaders": about,
        },
    }
