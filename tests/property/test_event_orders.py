"""Every order of every set of SES events ends alike, copies included."""

from __future__ import annotations

from itertools import combinations, permutations

from backend.feedback.transitions import TRANSITIONS
from backend.model.feedback import EventKind
from backend.model.outbound import RecipientStatus

K = EventKind
KINDS = (K.SEND, K.DELIVERY, K.DELIVERY_DELAY, K.BOUNCE, K.COMPLAINT, K.OPEN, K.CLICK)


def _end(order: tuple[EventKind, ...]) -> RecipientStatus:
    status = RecipientStatus.QUEUED
    for kind in order:
        status = TRANSITIONS[status, kind]
    return status


def test_every_order_of_every_set_with_copies_has_one_end() -> None:
    seen = 0
    for size in range(1, len(KINDS) + 1):
        for kinds in combinations(KINDS, size):
            ends = set()
            for order in permutations(kinds):
                # once plain, once with every event repeated late, once each one twice in a row
                ends |= {
                    _end(order),
                    _end((*order, *order)),
                    _end(tuple(kind for kind in order for _ in range(2))),
                }
                seen += 1
            assert len(ends) == 1, (kinds, ends)
    assert seen == 13_699
