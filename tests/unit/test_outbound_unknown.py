"""A mail whose answer was lost: how long its SEND event is waited for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from backend.model.outbound import Attempt, AttemptState, GaveUp, OnUnknown, Unknown
from backend.outbound.decide import Patience, while_unknown

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
WAIT = timedelta(seconds=120)
LOST = Attempt(id="att_1", email_id="msg_1", number=1, state=AttemptState.SENDING, started_at=NOON)


def patience(listening_since: datetime) -> Patience:
    return Patience(
        unknown_wait=WAIT, retry_for=timedelta(hours=24), listening_since=listening_since
    )


def test_the_event_is_waited_for_from_the_moment_of_the_call() -> None:
    early = patience(NOON - timedelta(hours=1))
    found = while_unknown([LOST], NOON + timedelta(seconds=119), early, OnUnknown.RETRY)
    assert isinstance(found, Unknown)
    assert found.at == NOON + WAIT
    assert while_unknown([LOST], NOON + WAIT, early, OnUnknown.RETRY) is None


def test_a_restarted_process_listens_for_the_whole_wait_before_it_sends_again() -> None:
    restarted = NOON + timedelta(minutes=30)
    found = while_unknown(
        [LOST], restarted + timedelta(seconds=1), patience(restarted), OnUnknown.RETRY
    )
    assert isinstance(found, Unknown)
    assert found.at == restarted + WAIT
    assert while_unknown([LOST], restarted + WAIT, patience(restarted), OnUnknown.RETRY) is None


def test_after_a_day_without_an_event_it_is_given_up() -> None:
    late = while_unknown([LOST], NOON + timedelta(hours=25), patience(NOON), OnUnknown.RETRY)
    assert isinstance(late, GaveUp)
