"""A mail handed to the SMTP door is in S3, and its notice in SQS, as SES receiving does it."""

from __future__ import annotations

import asyncio
import base64
import smtplib
from typing import TYPE_CHECKING

import pytest

from backend.aws.s3 import S3Blobs
from backend.sandbox.receipt import GTUBE
from backend.sandbox.ses_send import EICAR

if TYPE_CHECKING:
    from tests.integration.aws.reading import Reader


def letter(subject: str, *more: str, body: bytes = b"Hello.") -> bytes:
    head = [
        "From: Kim <kim@customer.example>",
        "To: Help <help@client.example>, other@elsewhere.example",
        "Cc: boss@client.example",
        f"Subject: {subject}",
        "Message-ID: <one@customer.example>",
        *more,
    ]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body + b"\r\n"


async def test_the_250_means_that_s3_and_sqs_have_the_mail(world: Reader) -> None:
    code, text = await asyncio.to_thread(
        world.hand_in, letter("first"), "help@client.example", "ticket+9@relay.example"
    )
    notice = await world.receipt_of("first")
    action = notice["receipt"]["action"]
    stored = await S3Blobs(world.clients, action["bucketName"]).get(action["objectKey"])

    assert code == 250
    assert notice["mail"]["messageId"] in text.decode()
    assert notice["notificationType"] == "Received"
    assert notice["receipt"]["recipients"] == ["help@client.example", "ticket+9@relay.example"]
    assert action["objectKey"] == notice["mail"]["messageId"]
    assert stored.endswith(letter("first"))


async def test_ses_puts_its_own_headers_first(world: Reader) -> None:
    await asyncio.to_thread(world.hand_in, letter("headers"), "help@client.example")
    notice = await world.receipt_of("headers")
    names = [header["name"] for header in notice["mail"]["headers"]]
    received = notice["mail"]["headers"][1]["value"]

    assert names[:4] == ["Return-Path", "Received", "X-SES-Spam-Verdict", "X-SES-Virus-Verdict"]
    assert "for help@client.example;" in received
    assert "by inbound-smtp.us-east-1.amazonaws.com" in received
    assert "mx.customer.example" in received


async def test_the_notice_tells_envelope_and_headers_apart(world: Reader) -> None:
    await asyncio.to_thread(
        world.hand_in, letter("blind"), "help@client.example", sender="b+1@list.example"
    )
    mail = (await world.receipt_of("blind"))["mail"]

    assert mail["source"] == "b+1@list.example"
    assert mail["destination"] == [
        "help@client.example",
        "other@elsewhere.example",
        "boss@client.example",
    ]
    assert mail["commonHeaders"]["from"] == ["Kim <kim@customer.example>"]
    assert mail["commonHeaders"]["messageId"] == "<one@customer.example>"


async def test_a_bounce_has_no_sender(world: Reader) -> None:
    await asyncio.to_thread(world.hand_in, letter("dsn"), "help@client.example", sender="")
    notice = await world.receipt_of("dsn")

    assert notice["mail"]["source"] == ""
    assert notice["mail"]["headers"][0] == {"name": "Return-Path", "value": "<>"}


async def test_an_ordinary_mail_passes_every_check(world: Reader) -> None:
    await asyncio.to_thread(world.hand_in, letter("clean"), "help@client.example")
    receipt = (await world.receipt_of("clean"))["receipt"]

    for check in ("spam", "virus", "spf", "dkim", "dmarc"):
        assert receipt[f"{check}Verdict"] == {"status": "PASS"}
    assert "dmarcPolicy" not in receipt


@pytest.mark.parametrize(
    ("subject", "more", "body", "verdict", "status"),
    [
        ("gtube", "X-None: 1", GTUBE, "spamVerdict", "FAIL"),
        ("eicar", "X-None: 1", EICAR, "virusVerdict", "FAIL"),
        ("eicar64", "X-None: 1", base64.b64encode(EICAR), "virusVerdict", "FAIL"),
        ("ordered", "X-Sandbox-Spam: FAIL", b"x", "spamVerdict", "FAIL"),
        ("grey", "X-Sandbox-Spf: gray", b"x", "spfVerdict", "GRAY"),
        ("broken", "X-Sandbox-Dkim: PROCESSING_FAILED", b"x", "dkimVerdict", "PROCESSING_FAILED"),
    ],
)
async def test_verdicts_can_be_provoked(  # one parameter per column
    world: Reader, subject: str, more: str, body: bytes, verdict: str, status: str
) -> None:
    raw = letter(subject, more, body=body)
    await asyncio.to_thread(world.hand_in, raw, "help@client.example")

    assert (await world.receipt_of(subject))["receipt"][verdict] == {"status": status}


async def test_a_dmarc_failure_tells_the_policy(world: Reader) -> None:
    orders = ("X-Sandbox-Dmarc: FAIL", "X-Sandbox-Dmarc-Policy: reject", "X-Sandbox-Virus: ABSENT")
    await asyncio.to_thread(world.hand_in, letter("dmarc", *orders), "help@client.example")
    receipt = (await world.receipt_of("dmarc"))["receipt"]

    assert receipt["dmarcVerdict"] == {"status": "FAIL"}
    assert receipt["dmarcPolicy"] == "reject"
    assert "virusVerdict" not in receipt


async def test_a_domain_that_does_not_receive_is_refused_until_it_does(world: Reader) -> None:
    def offer() -> int:
        with smtplib.SMTP(world.at.smtp_host, world.at.smtp_port, timeout=5) as client:
            client.ehlo()
            client.mail("kim@customer.example")
            return client.rcpt("help@later.example")[0]

    assert await asyncio.to_thread(offer) == 550
    world.control("domains", name="later.example", receiving=True)
    assert await asyncio.to_thread(offer) == 250


async def test_the_door_states_its_limits(world: Reader) -> None:
    def greet() -> dict[str, str]:
        with smtplib.SMTP(world.at.smtp_host, world.at.smtp_port, timeout=5) as client:
            client.ehlo()
            return client.esmtp_features

    features = await asyncio.to_thread(greet)

    assert features["size"] == str(40 * 1024 * 1024)
    assert "8bitmime" in features
    assert "smtputf8" not in features


async def test_eight_bit_bytes_and_long_lines_arrive_unchanged(world: Reader) -> None:
    body = "Grüße ".encode("latin-1") + b"x" * 20_000 + b"\r\n.leading dot\r\n\xff\xfe"
    await asyncio.to_thread(world.hand_in, letter("bytes", body=body), "help@client.example")
    key = (await world.receipt_of("bytes"))["receipt"]["action"]["objectKey"]

    assert (await S3Blobs(world.clients, world.at.inbound_bucket).get(key)).endswith(body + b"\r\n")


async def test_headers_above_ten_kilobytes_are_cut_in_the_notice(world: Reader) -> None:
    more = [f"X-Long-{n}: {'y' * 900}" for n in range(20)]
    await asyncio.to_thread(world.hand_in, letter("long", *more), "help@client.example")
    mail = (await world.receipt_of("long"))["mail"]

    assert mail["headersTruncated"]
    assert sum(len(h["name"]) + len(h["value"]) for h in mail["headers"]) <= 10_240


async def test_a_notice_of_inbound_mail_can_be_lost(world: Reader) -> None:
    world.control("faults", kind="drop", channel="inbound")
    code, text = await asyncio.to_thread(world.hand_in, letter("lost"), "help@client.example")
    key = text.decode().split()[-1]

    assert code == 250
    assert await S3Blobs(world.clients, world.at.inbound_bucket).get(key)
    await asyncio.to_thread(world.hand_in, letter("found"), "help@client.example")
    await world.receipt_of("found")
    assert all(n["mail"]["commonHeaders"]["subject"] != "lost" for n in world.receipts)
