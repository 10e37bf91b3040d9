"""Notices as AWS sends them, in every wrapping, read or refused; the cases are files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.errors import InvalidInputError
from backend.inbound.sources.notices import Ignored, Inline, read_notice

if TYPE_CHECKING:
    from backend.model.inbound import Arrival

CASES = sorted((Path(__file__).parents[1] / "golden/inbound/notices").glob("*.json"))


def _shown(found: Arrival | Inline, expected: dict[str, Any]) -> dict[str, Any]:
    arrival = found.arrival if isinstance(found, Inline) else found
    verdicts = arrival.verdicts
    names = ("spam", "virus", "spf", "dkim", "dmarc")
    shown: dict[str, Any] = {
        "source": arrival.source,
        "blob_key": arrival.blob_key,
        "recipients": list(arrival.recipients),
        "envelope_from": arrival.envelope_from,
        "verdicts": [getattr(verdicts, name).value for name in names],
        "received_at": arrival.received_at.isoformat(),
        "dmarc_policy": verdicts.dmarc_policy,
        "size": arrival.size,
        "raw": found.raw.decode() if isinstance(found, Inline) else "",
    }
    return {key: shown[key] for key in expected}


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_every_golden_notice_is_read_as_written_down(path: Path) -> None:
    case = json.loads(path.read_text(encoding="utf-8"))
    expect = case["expect"]
    if "error" in expect:
        with pytest.raises(InvalidInputError, match=expect["error"]):
            read_notice(case["notice"], bucket="relay-inbound")
        return
    found = read_notice(case["notice"], bucket="relay-inbound")
    if "ignored" in expect:
        assert isinstance(found, Ignored)
        assert expect["ignored"] in found.reason
        return
    assert not isinstance(found, Ignored)
    assert [_shown(a, e) for a, e in zip(found, expect["arrivals"], strict=True)] == (
        expect["arrivals"]
    )


def test_there_are_golden_notices() -> None:
    assert len(CASES) >= 25


@given(st.text() | st.recursive(st.none() | st.text(), st.lists).map(json.dumps))
def test_rubbish_is_refused_with_a_sentence(body: str) -> None:
    with pytest.raises(InvalidInputError, match=r"^notice: "):
        read_notice(body, bucket="relay-inbound")
