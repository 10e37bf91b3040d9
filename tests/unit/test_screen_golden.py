"""Every case of tests/golden/screen: a raw message, what is known of it, what screening says."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from backend.inbound.loops import OwnMail
from backend.inbound.screen import Known, screen
from backend.inbound.screen_admin import read_policy
from backend.inbound.screen_facts import read_mail
from backend.inbound.sender_lists import decide_sender
from backend.model.inbound import InboundMessage, InboundStatus, Reason, ScanVerdict, ScanVerdicts
from backend.model.screening import ListEntry, ListKind

CASES = sorted((Path(__file__).parents[1] / "golden" / "screen").glob("*.json"))
AT = datetime(2026, 3, 2, 9, tzinfo=UTC)


def verdicts(values: dict[str, str]) -> ScanVerdicts:
    given = dict(values)
    policy = given.pop("dmarc_policy", "")
    return ScanVerdicts(**{k: ScanVerdict(v) for k, v in given.items()}, dmarc_policy=policy)


def entry(values: dict[str, str]) -> ListEntry:
    return ListEntry(
        id="lst_1",
        tenant_id=values["tenant_id"],
        kind=ListKind(values["kind"]),
        pattern=values["pattern"],
        created_at=AT,
    )


def known(case: dict[str, Any], from_address: str) -> Known:
    given = case["known"]
    entries = [entry(values) for values in given.get("entries", [])]
    return replace(
        Known(inbound_domain="relay.example"),
        authserv_id=given.get("authserv_id", ""),
        policy=read_policy(given.get("policy", {})),
        entry=decide_sender(from_address, case["envelope_from"], entries),
        own=OwnMail(**given.get("own", {})),
        sender_count=given.get("sender_count", 0),
        sender_limit=given.get("sender_limit", 0),
        waived=frozenset(map(Reason, given.get("waived", []))),
    )


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_message_is_screened_as_its_case_says(path: Path) -> None:
    case = json.loads(path.read_text())
    mail = read_mail("\r\n".join(case["mail"]).encode("utf-8"))
    message = InboundMessage(
        id="inb_1",
        tenant_id=case["tenant_id"],
        source="ses",
        blob_key="k",
        recipient=case["recipient"],
        envelope_from=case["envelope_from"],
        status=InboundStatus.RECEIVED,
        reason=Reason.STORED,
        received_at=AT,
        size=1,
        verdicts=verdicts(case["verdicts"]),
    )

    found = screen(message, mail, known(case, mail.from_address))

    told: dict[str, str] = {}
    for step in found.steps:
        told |= step.evidence
    expected = case["expect"]
    assert (found.stopped.value if found.stopped else None) == expected["status"]
    assert [step.reason.value for step in found.steps] == expected["reasons"]
    assert expected["evidence"].items() <= told.items()


def test_there_are_cases() -> None:
    assert len(CASES) >= 60
