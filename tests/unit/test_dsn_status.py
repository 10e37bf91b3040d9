"""Status codes: where they are found in diagnostics, and which of two is to be believed."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.mime import dsn, dsn_status
from backend.mime.dsn_inferred import inferred_status
from backend.model.automated import BounceReason

DIAGNOSTICS = Path(__file__).resolve().parents[1] / "golden" / "classify" / "diagnostics.list"


@pytest.mark.parametrize(
    ("said", "code", "reply"),
    [
        ("550 5.1.1 <a@b.example>... User unknown", "5.1.1", "550"),
        ("smtp;550-5.7.26 unauthenticated", "5.7.26", "550"),
        ("host mx[192.0.2.1] said: 452-4.2.2 full (in reply to RCPT)", "4.2.2", "452"),
        ("Sorry, no host. (#5.1.2)", "5.1.2", ""),
        ("554 554 5.7.1 blocked", "5.7.1", "554"),
        ("connect to 192.5.1.1 port 25: refused", "", ""),
        ("running Postfix 2.5.1.2 beta", "", ""),
        ("554 4.4.7 Message expired after 421 4.4.2 dropped", "4.4.2", "554"),
        ("554 5.0.0 Service unavailable", "5.0.0", "554"),
        ("nothing", "", ""),
    ],
)
def test_codes_are_found_and_addresses_are_not_taken_for_them(
    said: str, code: str, reply: str
) -> None:
    assert (dsn_status.enhanced(said), dsn_status.reply_code(said)) == (code, reply)


@pytest.mark.parametrize(
    ("stated", "said", "chosen"),
    [
        ("5.1.1", "", "5.1.1"),
        ("", "5.2.2", "5.2.2"),
        ("5.0.0", "5.7.1", "5.7.1"),
        ("5.1.1", "5.0.0", "5.1.1"),
        ("4.4.7", "4.7.1", "4.7.1"),
        ("5.1.1", "5.2.2", "5.2.2"),
        ("5.1.1", "2.6.0", "5.1.1"),
    ],
)
def test_the_refusing_host_is_believed_unless_it_says_less(
    stated: str, said: str, chosen: str
) -> None:
    assert dsn_status.choose(stated, said) == chosen


@pytest.mark.parametrize(
    ("said", "why", "status"),
    [
        ("550 user unknown", BounceReason.USER_UNKNOWN, "5.0.911"),
        ("452 mailbox full", BounceReason.MAILBOX_FULL, "4.0.922"),
        ("552 quota exceeded", BounceReason.MAILBOX_FULL, "5.0.922"),
        ("Domain does not exist", BounceReason.HOST_UNKNOWN, "5.0.912"),
        ("connection timed out", BounceReason.NETWORK, "5.0.944"),
        ("554 message size exceeds limit", BounceReason.TOO_BIG, "5.0.934"),
        ("550 relaying denied", BounceReason.NO_RELAY, "5.0.909"),
        ("550 daily sending quota exceeded", BounceReason.RATE, "5.0.946"),
        ("550 no PTR record found", BounceReason.NO_REVERSE_DNS, "5.0.973"),
        ("451 try later", BounceReason.UNDEFINED, "4.0.901"),
        ("", BounceReason.UNDEFINED, "5.0.900"),
        ("retry timeout exceeded", BounceReason.EXPIRED, "4.0.947"),
        ("gave up after 20 attempts", BounceReason.EXPIRED, "5.0.947"),
        ("procmail: command died", BounceReason.SYSTEM, "5.0.939"),
        ("after end of data: 550 user unknown", BounceReason.FILTERED, "5.0.910"),
        ("after end of data: 450 user unknown", BounceReason.FILTERED, "4.0.924"),
        (
            ">>> RCPT To:<a@b.example>\n<<< 550 user unknown\n>>> DATA\n<<< 503 first RCPT",
            BounceReason.USER_UNKNOWN,
            "5.0.911",
        ),
    ],
)
def test_words_give_a_reason_and_an_inferred_status(
    said: str, why: BounceReason, status: str
) -> None:
    found = dsn.assess("a@b.example", stated="", diagnostic=said)

    assert (found.reason, found.status, found.inferred) == (why, status, True)


@pytest.mark.parametrize(
    ("stated", "said"),
    [("5.0.0", "user unknown"), ("5.1.1", "mailbox full"), ("", "550 5.7.1 mailbox full")],
)
def test_a_stated_status_is_never_replaced_by_an_inferred_one(stated: str, said: str) -> None:
    found = dsn.assess("a@b.example", stated=stated, diagnostic=said)

    assert (found.status, found.inferred) == (stated or "5.7.1", False)


def test_the_words_of_many_systems_and_languages_give_their_reason() -> None:
    """Each line of the golden list: the reason, "!" before it when it is hard, and the words."""
    wrong = []
    for line in DIAGNOSTICS.read_text("utf-8").splitlines():
        if line.startswith("#"):
            continue
        wanted, said = line.split("\t")
        found = dsn.assess("nobody@corp.example", stated="", diagnostic=said)
        if f"{'!' if found.hard else ''}{found.reason.value}" != wanted:
            wrong.append((wanted, found.reason.value, said))

    assert wrong == []


def test_only_a_dead_address_is_hard() -> None:
    def hard(said: str, action: str = "failed") -> bool:
        return dsn.assess("a@b.example", stated="", diagnostic=said, action=action).hard

    assert hard("550 user unknown")
    assert not hard("450 user unknown")
    assert not hard("550 user unknown", "delayed")
    assert not hard("550 mailbox full")
    assert not hard("550 spam rejected")


def test_every_reason_has_an_inferred_code_that_is_no_registered_one() -> None:
    for why in BounceReason:
        status = inferred_status(why, class_="", said="")

        assert dsn_status.tidy_code(status) == status
        assert status == "2.0.0" or status[1:5] == ".0.9"


def test_groups_without_a_blank_line_between_them_are_told_apart() -> None:
    found = dsn.read_status(
        "Reporting-MTA: dns; m\n\nFinal-Recipient: rfc822; a@b.example\nAction: failed\n"
        "Status: 5.1.1\nFinal-Recipient: rfc822; c@d.example\nAction: failed\nStatus: 5.2.2\n"
    )

    assert [(r.address, r.status) for r in found] == [
        ("a@b.example", "5.1.1"),
        ("c@d.example", "5.2.2"),
    ]


def test_a_folded_diagnostic_is_read_whole() -> None:
    found = dsn.read_status(
        "Final-Recipient: rfc822;<a@b.example>\nAction: failed\nDiagnostic-Code: smtp; 550\n"
        "\t5.2.1 mailbox\n disabled\n"
    )

    assert [(r.status, r.diagnostic) for r in found] == [("5.2.1", "550 5.2.1 mailbox disabled")]
