"""What a message claims, what its subject says and who its sender is."""

from __future__ import annotations

import pytest

from backend.inbound.match_claims import MAX_IDS, TokenClaim, read_claims, ses_id
from backend.inbound.match_subject import base_subject, same_subject, ticket_numbers
from backend.inbound.match_trust import Standing, read_sender
from backend.model.inbound import ParsedMail, ScanVerdict, ScanVerdicts
from backend.model.matching import MatchBy
from backend.model.screening import MailFacts
from backend.reply_tokens import ReplyTokens

TOKEN = ReplyTokens(current="k").make(
    tenant_id="t", domain="a.example", email_id=f"msg_{'0123456789' * 2}abcdef"
)


@pytest.mark.parametrize(
    ("subject", "numbers"),
    [
        ("Re: Printer [Ticket #ABC-1234]", ("ABC-1234",)),
        ("[ticket #abc-1234] [TICKET #ABC-1234]", ("ABC-1234",)),
        ("[Ticket # 7] and [Ticket #X_9]", ("7", "X_9")),
        ("Ticket #ABC-1234", ()),
        ("[Ticket #]", ()),
        ("[Ticket #ABC-1234", ()),
        ("[xTicket #ABC-1234]", ()),
        ("[Ticket #A B]", ()),
        ("[Ticket #" + "9" * 500, ()),
    ],
)
def test_only_a_whole_bracket_names_a_ticket(subject: str, numbers: tuple[str, ...]) -> None:
    assert ticket_numbers(subject) == numbers


def test_a_subject_full_of_numbers_costs_ten_look_ups() -> None:
    assert len(ticket_numbers(" ".join(f"[Ticket #{n}]" for n in range(100)))) == 10


@pytest.mark.parametrize(
    "subject",
    [
        "Re: Printer broken",
        "RE: AW: Re[2]: Fwd: Printer  broken",
        "SV: [EXTERNAL] Printer broken [Ticket #ABC-1]",
        "回复\uff1aPrinter broken",
        "PRINTER BROKEN",
    ],
)
def test_marks_of_answers_are_no_part_of_a_subject(subject: str) -> None:
    assert base_subject(subject) == "printer broken"


@pytest.mark.parametrize(
    ("subject", "same"),
    [("Re: Printer", True), ("", True), ("Re: Printer (was: fax)", True), ("Invoice", False)],
)
def test_a_new_subject_is_told_from_the_old_one(subject: str, same: bool) -> None:
    assert same_subject(subject, ("Printer", "")) is same


@pytest.mark.parametrize(
    ("message_id", "known_as"),
    [
        ("0100-a@email.amazonses.com", "0100-a"),
        ("0100-A@eu-west-1.amazonses.com", "0100-a"),
        ("0100-a@amazonses.com", "0100-a"),
        ("0100-a@email.amazonses.co", ""),
        ("0100-a@email.amazonses.com.evil.example", ""),
        ("0100-a@evilamazonses.com", ""),
        ("0100-a", ""),
    ],
)
def test_an_id_of_ses_is_known_by_its_domain(message_id: str, known_as: str) -> None:
    assert ses_id(message_id) == known_as


def test_references_are_read_from_the_nearest_parent_back() -> None:
    claims = read_claims("a@b.example", ParsedMail(references=("root@x", "mid@x", "near@x")))

    assert claims.references == ("near@x", "mid@x", "root@x")


def test_of_endless_references_the_nearest_and_the_root_are_kept() -> None:
    long = tuple(f"{n}@x" for n in range(1000))

    found = read_claims("a@b.example", ParsedMail(references=long, in_reply_to=long))

    assert len(found.references) == len(found.in_reply_to) == MAX_IDS
    assert (found.references[0], found.references[-1]) == ("999@x", "0@x")


@pytest.mark.parametrize("message_id", ["", "@", "no at sign", "@x"])
def test_what_is_no_id_claims_nothing(message_id: str) -> None:
    claims = read_claims("a@b.example", ParsedMail(in_reply_to=(message_id,)))

    assert (claims.in_reply_to, claims.tokens) == ((), ()) or message_id == "@x"


@pytest.mark.parametrize(
    ("recipient", "text"),
    [
        (f"reply+{TOKEN}@a.example", TOKEN),
        (f"Reply+{TOKEN.upper()}@A.EXAMPLE", TOKEN),
        (f"reply-{TOKEN}@a.example", TOKEN),
        (f"{TOKEN}@a.example", TOKEN),
        ("reply+rubbish@a.example", "rubbish"),
        ("reply+@a.example", ""),
    ],
)
def test_an_address_may_hold_a_token_good_or_bad(recipient: str, text: str) -> None:
    claims = read_claims(recipient, ParsedMail())

    assert claims.tokens == (TokenClaim(by=MatchBy.TOKEN_ADDRESS, text=text, domain="a.example"),)


@pytest.mark.parametrize(
    "recipient", ["reply@a.example", "reply-me@a.example", "support@a.example"]
)
def test_an_ordinary_address_holds_none(recipient: str) -> None:
    assert read_claims(recipient, ParsedMail()).tokens == ()


def test_a_token_in_a_header_is_read_with_or_without_its_address() -> None:
    for value in (TOKEN, TOKEN.upper(), f"reply+{TOKEN}@a.example"):
        claims = read_claims("a@b.example", ParsedMail(facts=MailFacts(reply_token=value)))

        assert [(claim.by, claim.text) for claim in claims.tokens] == [
            (MatchBy.TOKEN_HEADER, TOKEN)
        ]


@pytest.mark.parametrize(
    ("sender", "standing"),
    [
        ("Ann@Client.Example", Standing.PARTICIPANT),
        ("bob@client.example", Standing.COLLEAGUE),
        ("bob@sub.client.example", Standing.STRANGER),
        ("kim@gmail.com", Standing.PARTICIPANT),
        ("other@gmail.com", Standing.STRANGER),
        ("nobody", Standing.STRANGER),
        ("", Standing.STRANGER),
    ],
)
def test_neighbours_count_unless_their_domain_is_everybodys(
    sender: str, standing: Standing
) -> None:
    people = frozenset({"ann@client.example", "kim@gmail.com"})

    assert read_sender(sender, ScanVerdicts()).standing(people) is standing


@pytest.mark.parametrize(
    ("dmarc", "spf", "dkim", "proven"),
    [
        (ScanVerdict.FAIL, ScanVerdict.PASS, ScanVerdict.PASS, False),
        (ScanVerdict.GRAY, ScanVerdict.FAIL, ScanVerdict.FAIL, False),
        (ScanVerdict.PASS, ScanVerdict.FAIL, ScanVerdict.FAIL, True),
        (ScanVerdict.GRAY, ScanVerdict.PASS, ScanVerdict.FAIL, True),
        (ScanVerdict.UNVERIFIED, ScanVerdict.UNVERIFIED, ScanVerdict.UNVERIFIED, True),
        (ScanVerdict.PROCESSING_FAILED, ScanVerdict.GRAY, ScanVerdict.FAIL, True),
    ],
)
def test_only_a_failed_check_speaks_against_a_sender(
    dmarc: ScanVerdict, spf: ScanVerdict, dkim: ScanVerdict, proven: bool
) -> None:
    verdicts = ScanVerdicts(dmarc=dmarc, spf=spf, dkim=dkim)

    assert read_sender("a@b.example", verdicts).proven is proven
