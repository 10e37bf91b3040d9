"""When to send, in words and in ISO 8601: the cases of tests/golden/when."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backend.errors import InvalidInputError
from backend.outbound.when import MAX_LENGTH, read_when

NOW = datetime(2026, 11, 20, 10, 30, tzinfo=UTC)
CASES = Path(__file__).parents[1] / "golden" / "when" / "cases.txt"


def cases() -> list[tuple[str, str]]:
    lines = CASES.read_text(encoding="utf-8").splitlines()
    pairs = [line.split(" | ") for line in lines if line and not line.startswith("#")]
    return [(said, meant) for said, meant in pairs]


def test_every_phrase_means_the_moment_the_table_says_or_is_refused_in_its_words() -> None:
    wrong = []
    for said, meant in cases():
        try:
            got = read_when(said, NOW).isoformat().replace("+00:00", "Z")
        except InvalidInputError as error:
            got = f"! {error}"
        if got != meant and not (meant.startswith("! ") and meant[2:] in got):
            wrong.append((said, meant, got))

    assert len(cases()) > 80
    assert wrong == []


def test_the_sentence_of_a_refusal_says_which_forms_are_taken() -> None:
    with pytest.raises(InvalidInputError, match=r"2026-11-20T21:00:00Z, or words such as") as bad:
        read_when("whenever", NOW)
    assert bad.value.field == "scheduled_at"
    with pytest.raises(InvalidInputError, match="is empty"):
        read_when("  ", NOW)


def test_a_local_time_that_summer_time_skips_or_repeats_has_the_offset_of_before() -> None:
    spring = datetime(2026, 3, 28, tzinfo=UTC)
    autumn = datetime(2026, 10, 24, tzinfo=UTC)

    assert read_when("2026-03-29 at 2:30 Europe/Berlin", spring).hour == 1
    assert read_when("2026-10-25 at 2:30 Europe/Berlin", autumn).hour == 0


def test_a_date_without_a_year_is_the_next_one() -> None:
    december = datetime(2026, 12, 20, tzinfo=UTC)

    assert read_when("jan 2 at 9am", december) == datetime(2027, 1, 2, 9, tzinfo=UTC)


@pytest.mark.parametrize("bad", ["in " + "1 h " * 24, "a " * 49, "in 1" + "1" * 90, "at " * 33])
def test_no_phrase_takes_long_to_read(bad: str) -> None:
    began = time.thread_time()
    with pytest.raises(InvalidInputError):
        read_when(bad[:MAX_LENGTH] + "x" * (MAX_LENGTH - len(bad)), NOW)

    assert time.thread_time() - began < 0.2
