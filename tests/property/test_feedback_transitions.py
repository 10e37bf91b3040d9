"""The transition table: complete, and blind to order and repetition."""

from __future__ import annotations

from functools import reduce
from itertools import product
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.feedback.transitions import RANK, TRANSITIONS
from backend.model.feedback import EventKind as K
from backend.model.outbound import RecipientStatus as S

if TYPE_CHECKING:
    import random


def after(start: S, events: list[K]) -> S:
    return reduce(lambda status, event: TRANSITIONS[status, event], events, start)


@given(st.lists(st.sampled_from(list(K))), st.randoms(use_true_random=False))
def test_any_order_and_any_repetition_end_in_the_same_status(
    events: list[K], chance: random.Random
) -> None:
    mixed = events + events[: len(events) // 2]
    chance.shuffle(mixed)

    assert after(S.QUEUED, mixed) is after(S.QUEUED, sorted(set(events)))


def test_every_status_and_kind_has_its_entry_and_its_rank() -> None:
    assert set(TRANSITIONS) == set(product(S, K))
    assert sorted(RANK) == sorted(S)


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([K.SEND], S.SENT),
        ([K.OPEN], S.SENT),
        ([K.SEND, K.DELIVERY_DELAY], S.DELAYED),
        ([K.DELIVERY, K.DELIVERY_DELAY], S.DELIVERED),
        ([K.DELIVERY, K.BOUNCE], S.BOUNCED),
        ([K.DELIVERY, K.COMPLAINT], S.COMPLAINED),
        ([K.BOUNCE, K.OPEN], S.BOUNCED),
        ([K.COMPLAINT, K.BOUNCE], S.COMPLAINED),
        ([K.SEND, K.REJECT], S.REJECTED),
        ([K.SUBSCRIPTION], S.QUEUED),
    ],
)
def test_the_worst_and_last_news_wins(events: list[K], expected: S) -> None:
    assert after(S.QUEUED, events) is expected


def test_a_mail_given_up_too_early_is_sent_after_all_when_ses_says_so() -> None:
    assert after(S.FAILED, [K.SEND]) is S.SENT


def test_a_suppressed_recipient_is_moved_by_nothing() -> None:
    assert after(S.SUPPRESSED, list(K)) is S.SUPPRESSED
