"""The query language of the log: what each line means, and what is said of a wrong one."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.model.log import LogCursor, LogQuery
from backend.model.log_words import LOG_KEYS, read_log_query
from backend.model.query_words import MAX_LINE, QueryError
from backend.model.tenant import Tenant

NOW = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TENANTS = [
    Tenant(id=f"ten_{n}", name=name, created_at=NOW)
    for n, name in enumerate(("Acme Dental", "Globex", "Grove"), 1)
]
CASES = json.loads((Path(__file__).parents[1] / "golden/log/queries.json").read_text())


def told(query: LogQuery) -> dict[str, Any]:
    """Give what a query says, without what it leaves open."""
    terms = [
        f"{'not ' if term.negated else ''}{term.field} {' '.join(term.values)}"
        for term in query.terms
    ]
    found = {
        "tenant_id": query.tenant_id,
        "direction": query.direction and query.direction.value,
        "since": query.since and query.since.isoformat(),
        "until": query.until and query.until.isoformat(),
        "terms": terms,
    }
    return {name: value for name, value in found.items() if value}


@pytest.mark.parametrize("case", CASES, ids=[case["line"] for case in CASES])
def test_a_line_means_what_is_written_down(case: dict[str, Any]) -> None:
    if "reads" in case:
        assert told(read_log_query(case["line"], NOW, TENANTS)) == case["reads"]
        return
    with pytest.raises(QueryError) as caught:
        read_log_query(case["line"], NOW, TENANTS)
    assert case["wrong"] in str(caught.value)
    assert [caught.value.start, caught.value.length] == case["at"]


def test_the_place_of_a_fault_is_drawn_below_the_line() -> None:
    with pytest.raises(QueryError) as caught:
        read_log_query("printer dir:up", NOW, TENANTS)

    assert caught.value.picture == "printer dir:up\n        ^^^^^^"
    assert caught.value.field == "dir"
    assert "(at character 9)" in str(caught.value)


def test_who_sees_one_tenant_has_no_word_for_others() -> None:
    assert told(read_log_query("tenant:acme", NOW)) == {"terms": ["text tenant:acme"]}


def test_a_line_too_long_and_one_of_too_many_words_are_refused() -> None:
    for line in ("x" * (MAX_LINE + 1), "x " * 41):
        with pytest.raises(QueryError, match="a query has at most"):
            read_log_query(line, NOW)


@given(st.text(max_size=80))
def test_any_line_is_read_or_refused_with_a_place_in_it(line: str) -> None:
    wrong: list[QueryError] = []
    try:
        read_log_query(line, NOW, TENANTS)
    except QueryError as error:
        wrong.append(error)

    assert all(0 <= error.start <= len(line) and error.length >= 1 for error in wrong)


@given(
    st.sampled_from(sorted(LOG_KEYS)),
    st.text(st.characters(exclude_characters="\0"), min_size=1, max_size=20),
)
def test_what_is_quoted_is_only_text(key: str, value: str) -> None:
    word = f"{key}:{value}".replace("\\", "\\\\").replace('"', '\\"')

    (term,) = read_log_query(f'"{word}"', NOW, TENANTS).terms

    assert (term.field, term.values) == ("text", (f"{key}:{value}".casefold(),))


@given(st.integers(0, 7_000_000_000_000), st.text())
def test_a_cursor_survives_the_wire(millis: int, key: str) -> None:
    cursor = LogCursor(at=EPOCH + timedelta(milliseconds=millis), id="msg_01", key=key)

    assert LogCursor.read(str(cursor)) == cursor
