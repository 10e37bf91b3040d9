"""The classifier on hand-written messages: each case is a message and what it must be."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from backend.inbound.screen_returns import read_news
from backend.mime.classify import classify, classify_raw
from backend.mime.parse import parse_with_tree
from backend.model.automated import Classification, Kind

CASES = Path(__file__).resolve().parents[1] / "golden" / "classify"
ANSWERS: dict[str, Any] = json.loads((CASES / "answers.json").read_text("utf-8"))
BOUNCES: list[dict[str, Any]] = json.loads((CASES / "bounces.json").read_text("utf-8"))
COMPLAINTS: list[dict[str, Any]] = json.loads((CASES / "complaints.json").read_text("utf-8"))
KINDS: list[dict[str, str]] = json.loads((CASES / "kinds.json").read_text("utf-8"))
PERSON = (
    "From: Sam <sam@corp.example>\nTo: desk@msp.example\nContent-Type: text/plain; charset=utf-8\n"
)


@pytest.mark.parametrize("case", sorted(CASES.glob("*.eml")), ids=lambda path: path.stem)
def test_a_message_is_taken_for_what_it_is(case: Path) -> None:
    want = json.loads(case.with_suffix(".json").read_text("utf-8"))
    found = classify_raw(case.read_bytes())

    assert found.kind == want["kind"], found.evidence
    assert found.evidence
    assert list(found.original_message_ids) == want.get("original_message_ids", [])
    recipients = [asdict(recipient) for recipient in found.recipients]
    wanted = want.get("recipients", [])
    assert len(recipients) == len(wanted), recipients
    for recipient, keys in zip(recipients, wanted, strict=True):
        assert {key: recipient[key] for key in keys} == keys
    if "complaint" in want:
        assert found.complaint is not None
        assert [found.complaint.feedback_type, list(found.complaint.recipients)] == want[
            "complaint"
        ]


def _classified(case: dict[str, Any]) -> Classification:
    head = case["head"]
    if "Content-Type:" not in head:
        head += "\nContent-Type: text/plain; charset=utf-8"
    return classify_raw(f"{head}\n\n{case['body']}\n".encode())


def test_bounces_of_many_systems_name_their_recipients_and_codes() -> None:
    """``bounces.json``: reports without machine-readable fields; pairs of address and code."""
    wrong = []
    for case in BOUNCES:
        found = _classified(case)
        named = [[r.address, r.status] for r in found.recipients]
        if found.kind is not Kind.BOUNCE or named != case["recipients"]:
            wrong.append((case["name"], found.kind.value, named, case["recipients"]))

    assert wrong == []


def test_complaints_of_many_providers_name_their_recipients() -> None:
    wrong = []
    for case in COMPLAINTS:
        found = _classified(case)
        said = found.complaint
        named = [said.feedback_type, *said.recipients] if said else []
        if named != case["complaint"]:
            wrong.append((case["name"], found.kind.value, named, case["complaint"]))

    assert wrong == []


def test_a_failure_report_of_a_server_is_no_recipient_s_complaint() -> None:
    """RFC 6591: it must not suppress who got the mail."""
    counted = {case["name"]: bool(read_news(_classified(case))) for case in COMPLAINTS}

    assert not counted["authentication failure"]
    assert counted["by the book"]


def test_an_inferred_code_suppresses_only_what_is_dead_for_good() -> None:
    hard = {
        r.status for case in BOUNCES for r in _classified(case).recipients if r.hard and r.inferred
    }

    assert hard == {"5.0.911", "5.0.912"}


def test_common_programs_and_the_people_who_write_like_them_are_told_apart() -> None:
    """``kinds.json``: the headers and body of a message, and its kind."""
    wrong = []
    for case in KINDS:
        found = _classified(case)
        if found.kind.value != case["kind"]:
            wrong.append((case["name"], case["kind"], found.kind.value, found.evidence))

    assert wrong == []


@pytest.mark.parametrize("language", sorted(ANSWERS["programs"]))
def test_the_words_of_a_program_before_the_subject_tell_an_automatic_answer(language: str) -> None:
    raw = f"{PERSON}Subject: {ANSWERS['programs'][language]}\n\n..."

    assert classify_raw(raw.encode()).kind is Kind.AUTO_REPLY


@pytest.mark.parametrize("language", sorted(ANSWERS["absences"]))
def test_words_of_absence_in_subject_and_body_together_tell_an_automatic_answer(
    language: str,
) -> None:
    subject, body = ANSWERS["absences"][language]
    letter = f"{PERSON}Subject: {subject}\n\n{body}\n"

    assert classify_raw(letter.encode()).kind is Kind.AUTO_REPLY


@pytest.mark.parametrize("language", sorted(ANSWERS["absences"]))
def test_a_person_who_forwards_an_absence_stays_a_person(language: str) -> None:
    subject, body = ANSWERS["absences"][language]
    letter = f"{PERSON}Subject: Fwd: {subject}\n\n{body}\n"

    assert classify_raw(letter.encode()).kind is Kind.HUMAN


def test_one_parse_serves_the_reader_and_the_classifier() -> None:
    raw = next(iter(sorted(CASES.glob("01-*.eml")))).read_bytes()
    mail, tree = parse_with_tree(raw)

    assert mail.subject == "Undelivered Mail Returned to Sender"
    assert classify(tree) == classify_raw(raw)


def test_a_message_beyond_the_limits_is_judged_by_its_headers() -> None:
    raw = b"Auto-Submitted: auto-replied\nSubject: x\n" + b"X-Filler: y\n" * 1_001 + b"\nbody"

    assert classify_raw(raw).kind is Kind.AUTO_REPLY
