"""Sliding windows: never more than the limit in any span, and the wait that is told is true."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.errors import InvalidInputError
from backend.model.limits import (
    NO_LIMITS,
    STANDARD,
    SendLimits,
    Window,
    read_limits,
    write_limits,
)
from backend.outbound.windows import Usage, allowance, blocked, charge, counted

START = 1_790_000_000_123  # no round moment


def send(limits: SendLimits, used: Usage, now: int, n: int = 1) -> tuple[Usage, bool]:
    if blocked([(limits, used)], n, now) is not None:
        return used, False
    return charge(limits, used, n, now), True


@given(
    steps=st.lists(st.integers(0, 2_500), min_size=1, max_size=120),
    start=st.integers(START, START + 200_000),
)
def test_no_span_as_long_as_a_window_ever_holds_more_than_its_limit(
    steps: list[int], start: int
) -> None:
    limits, now = SendLimits(second=3, minute=20), start
    used: Usage = {}
    passed: list[int] = []
    for step in steps:
        now += step
        used, ok = send(limits, used, now)
        passed += [now] if ok else []
        if not ok:  # and nobody is kept out for longer than a window and a twentieth of it
            second = [at for at in passed if at > now - 1_050]
            minute = [at for at in passed if at > now - 63_000]
            assert len(second) >= 3 or len(minute) >= 20

    for first in passed:
        assert sum(first <= at < first + 1_000 for at in passed) <= 3
        assert sum(first <= at < first + 60_000 for at in passed) <= 20


@given(steps=st.lists(st.integers(0, 400), min_size=4, max_size=60), n=st.integers(1, 12))
def test_the_wait_that_is_told_is_exactly_when_it_passes(steps: list[int], n: int) -> None:
    limits, now = SendLimits(second=5, minute=30), START
    used: Usage = {}
    for step in steps:
        now += step
        used, _ = send(limits, used, now)
    wait = blocked([(limits, used)], n, now)
    if wait is None:
        return
    free = now + round(wait.seconds * 1000)

    assert blocked([(limits, used)], n, free) is None
    assert blocked([(limits, used)], n, free - 1) is not None


def test_of_a_hundred_at_once_exactly_ten_pass_and_a_second_later_ten_more() -> None:
    used: Usage = {}
    rounds = []
    for now in (START, START + 999, START + 1_050):
        passed = 0
        for _ in range(100):
            used, ok = send(STANDARD, used, now)
            passed += ok
        rounds.append(passed)

    assert rounds == [10, 0, 10]


@pytest.mark.parametrize(("window", "limit"), [("minute", 100), ("hour", 2_000), ("day", 40_000)])
def test_every_window_counts_although_the_shorter_ones_are_free(window: str, limit: int) -> None:
    used: Usage = {}
    for step in range(limit // 10):
        used = charge(STANDARD, used, 10, START + step)
    own = SendLimits(**{window: limit})

    full = blocked([(own, used)], 1, START + 5_000)
    assert full is not None
    assert (full.window, full.limit) == (Window(window), limit)
    assert Window(window).seconds * 0.9 < full.seconds + 5 <= Window(window).seconds * 1.05


def test_a_batch_beyond_the_second_closes_it_for_as_long_as_it_would_have_taken() -> None:
    used, ok = send(STANDARD, {}, START, 50)
    assert ok

    assert not send(STANDARD, used, START + 4_900)[1]
    assert send(STANDARD, used, START + 5_050)[1]
    assert not send(STANDARD, charge(STANDARD, {}, 1, START), START, 50)[1], "only when it is free"


def test_a_batch_beyond_a_longer_window_never_passes() -> None:
    full = blocked([(SendLimits(second=10, minute=40), {})], 50, START)

    assert full is not None
    assert full.window is Window.MINUTE
    assert math.isinf(full.seconds)


def test_the_key_and_the_tenant_both_count_and_the_longer_wait_is_told() -> None:
    key = charge(NO_LIMITS, {}, 5, START)
    both = [(STANDARD, charge(NO_LIMITS, {}, 10, START)), (SendLimits(hour=5), key)]

    full = blocked(both, 1, START)
    assert full is not None
    assert (full.window, full.limit) == (Window.HOUR, 5)


def test_the_headers_tell_the_tightest_window_and_every_limit() -> None:
    used = charge(STANDARD, {}, 4, START)
    told = allowance([(STANDARD, used), (SendLimits(minute=50), used)], START)
    fresh = allowance([(STANDARD, {})], START)

    assert told is not None
    assert fresh is not None
    assert (told.limit, told.remaining, told.reset) == (10, 6, 2)
    assert told.policy == "10;w=1, 50;w=60, 2000;w=3600, 40000;w=86400"
    assert (fresh.limit, fresh.remaining, fresh.reset) == (10, 10, 1)
    assert allowance([(NO_LIMITS, {})], START) is None


def test_a_clock_that_was_ahead_locks_nobody_out_for_long() -> None:
    ahead = charge(STANDARD, {}, 10, START + 3_600_000)

    assert counted(ahead, START)[Window.SECOND] == 0
    assert counted(ahead, START)[Window.DAY] == 10
    assert send(SendLimits(second=10, minute=10), ahead, START)[1]


def test_what_is_kept_stays_small_however_much_is_sent() -> None:
    used: Usage = {}
    for step in range(5_000):
        used = charge(NO_LIMITS, used, 1, START + step * 37_000)

    assert sum(len(slices) for slices in used.values()) <= 4 * 21


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("10/s 100/min 2000/h 40000/day", "10/second 100/minute 2000/hour 40000/day"),
        ("5/second, 7/d", "5/second 7/day"),
        ("none", "none"),
        ("", "none"),
    ],
)
def test_limits_are_read_as_they_are_written(text: str, written: str) -> None:
    assert write_limits(read_limits(text)) == written
    assert read_limits(written) == read_limits(text)


@pytest.mark.parametrize("text", ["10", "ten/s", "0/s", "-1/s", "10/week", "10/s/s", "²/s"])
def test_what_is_no_limit_is_named(text: str) -> None:
    with pytest.raises(InvalidInputError, match="is not a limit; write 10/s"):
        read_limits(text)
