"""The wait between tries."""

from __future__ import annotations

from datetime import timedelta

import pytest

from backend.queue.backoff import BASE, CAP, LONGEST, delay


@pytest.mark.parametrize("attempt", range(1, 8))
def test_the_wait_doubles_less_up_to_a_half(attempt: int) -> None:
    full = BASE * 2 ** (attempt - 1)

    assert full / 2 <= delay("send:msg_1", attempt) <= full


def test_the_wait_never_exceeds_the_cap() -> None:
    assert CAP / 2 <= delay("send:msg_1", 10_000) <= CAP


def test_the_same_item_and_attempt_wait_the_same() -> None:
    assert delay("send:msg_1", 3) == delay("send:msg_1", 3)


def test_items_that_failed_together_come_back_apart() -> None:
    assert len({delay(f"send:msg_{n}", 5) for n in range(100)}) > 90


def test_what_the_other_side_asked_for_is_honoured() -> None:
    assert timedelta(seconds=120) <= delay("a", 1, retry_after=120) <= timedelta(seconds=132)


@pytest.mark.parametrize("asked", [0, -5, 0.001])
def test_the_other_side_cannot_make_us_hurry(asked: float) -> None:
    assert delay("a", 1, retry_after=asked) >= BASE


def test_the_other_side_cannot_put_us_off_for_ever() -> None:
    assert delay("a", 1, retry_after=1e12) <= LONGEST * 1.1
