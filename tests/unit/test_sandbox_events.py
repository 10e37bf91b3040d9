"""The JSON of each event, kept as files: other tests may read them as what SES says."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from backend.errors import InvalidInputError
from backend.sandbox import ses_events
from backend.sandbox.accepted import Accepted, Draft, as_sent, mail_object, wire_id
from backend.sandbox.mail_headers import read_headers, split_head
from backend.sandbox.outcomes import OutcomeKind, outcomes_for, read_outcomes

GOLDEN = Path(__file__).parent.parent / "golden" / "ses_events"
AT = datetime(2026, 11, 20, 10, 0, 0, 250_000, tzinfo=UTC)
CASES = {path.stem: json.loads(path.read_text()) for path in sorted(GOLDEN.glob("*.json"))}

# The fields ses.md section 7 gives for the object of each event.
FIELDS: dict[str, tuple[str, set[str]]] = {
    "Send": ("send", set()),
    "Delivery": (
        "delivery",
        {"timestamp", "processingTimeMillis", "recipients", "smtpResponse", "reportingMTA"},
    ),
    "Bounce": (
        "bounce",
        {"bounceType", "bounceSubType", "bouncedRecipients", "timestamp", "feedbackId"},
    ),
    "Complaint": (
        "complaint",
        {"complainedRecipients", "timestamp", "feedbackId", "complaintSubType"},
    ),
    "Reject": ("reject", {"reason"}),
    "Open": ("open", {"ipAddress", "timestamp", "userAgent"}),
    "Click": ("click", {"ipAddress", "timestamp", "userAgent", "link", "linkTags"}),
    "Rendering Failure": ("failure", {"templateName", "errorMessage"}),
    "DeliveryDelay": (
        "deliveryDelay",
        {"delayType", "delayedRecipients", "expirationTime", "timestamp"},
    ),
}


def a_mail() -> Accepted:
    raw = (
        b"From: Desk <desk@client.example>\r\nTo: kim@customer.example\r\n"
        b"Subject: =?utf-8?q?caf=C3=A9?=\r\nX-Relay-Attempt:\r\n att_1\r\n\r\nHello\r\n"
    )
    draft = Draft(
        sender="desk@client.example",
        recipients=("kim@customer.example",),
        raw=raw,
        tags={"relay-attempt": "att_1"},
        configuration_set="relay",
    )
    wire = wire_id("0100-1", "us-east-1")
    return Accepted(
        number=1,
        message_id="0100-1",
        wire_id=wire,
        at=AT,
        draft=draft,
        headers=tuple(read_headers(raw)),
        raw=as_sent(raw, wire, AT),
    )


def event(word: str) -> dict[str, Any]:
    about = mail_object(a_mail(), region="us-east-1", account="123456789012")
    if word == "send":
        return ses_events.send_event() | {"mail": about}
    ((kind, subtype),) = read_outcomes([word])
    who = ["kim@customer.example"]
    found = ses_events.outcome_event(kind, subtype, who, at=AT, feedback_id="0100-feedback")
    return found | {"mail": about}


@pytest.mark.parametrize("case", CASES)
def test_the_event_is_the_one_in_the_file(case: str) -> None:
    assert event(CASES[case]["outcome"]) == CASES[case]["event"]


@pytest.mark.parametrize("case", CASES)
def test_the_event_holds_the_fields_of_the_reference(case: str) -> None:
    found = CASES[case]["event"]
    key, fields = FIELDS[found["eventType"]]

    assert set(found) == {"eventType", "mail", key}
    assert fields <= set(found[key])


def test_every_outcome_has_a_file() -> None:
    words = {str(case["outcome"]).partition(":")[0] for case in CASES.values()}

    assert words == {"send", *OutcomeKind}


def test_a_folded_header_is_read_as_one_line() -> None:
    assert read_headers(b"A: one\r\n two\r\nB:three\n\nbody: no") == [
        ("A", "one two"),
        ("B", "three"),
    ]


@pytest.mark.parametrize("raw", [b"", b"no header at all", b"\r\n\r\n", b" odd\r\nA: b\r\n\r\n"])
def test_a_headless_mail_is_all_body(raw: bytes) -> None:
    fields, rest = split_head(raw)

    assert fields == []
    assert rest == raw


def test_the_wire_id_names_the_region_but_for_the_first() -> None:
    assert wire_id("x", "us-east-1") == "<x@email.amazonses.com>"
    assert wire_id("x", "eu-west-1") == "<x@eu-west-1.amazonses.com>"


def test_an_unknown_outcome_is_named() -> None:
    with pytest.raises(InvalidInputError, match="'vanish' is not known"):
        read_outcomes(["delivery", "vanish"])


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("anyone@any.example", ["delivery"]),
        ("Kim@Rule.example", ["bounce:NoEmail"]),
        ("other@rule.example", ["delay", "delivery"]),
        ("success@simulator.amazonses.com", ["delivery"]),
        ("bounce+label@simulator.amazonses.com", ["bounce"]),
        ("complaint@SIMULATOR.amazonses.com", ["delivery", "complaint"]),
        ("ooto@simulator.amazonses.com", ["delivery", "ooto"]),
        ("suppressionlist@simulator.amazonses.com", ["bounce:OnAccountSuppressionList"]),
        ("unheard-of@simulator.amazonses.com", ["bounce"]),
    ],
)
def test_an_address_has_its_outcomes(address: str, words: list[str]) -> None:
    rules = {
        "kim@rule.example": read_outcomes(["bounce:NoEmail"]),
        "@rule.example": read_outcomes(["delay", "delivery"]),
    }

    assert outcomes_for(address, rules) == read_outcomes(words)
