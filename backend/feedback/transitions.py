"""How an event moves one recipient: the whole table, made from one ranking. No I/O.

SES promises no order and no single delivery, so the outcome must not depend on either: each kind
of event stands for a status, and the higher one of the two always wins. A late bounce or
complaint therefore beats delivered, and nothing beats them back.
"""

from __future__ import annotations

from itertools import product

from backend.model.feedback import EventKind
from backend.model.outbound import RecipientStatus

_S = RecipientStatus

RANK = (
    _S.QUEUED,
    _S.FAILED,  # we gave up; any sign that SES has the mail after all is the truth
    _S.SENT,
    _S.DELAYED,
    _S.REJECTED,
    _S.DELIVERED,
    _S.BOUNCED,
    _S.COMPLAINED,
    _S.CANCELED,  # as the next
    _S.SUPPRESSED,  # never part of the call to SES, so no event can be about it
)
"""Statuses from the least to the most final."""

NEVER_MAILED = frozenset({_S.CANCELED, _S.SUPPRESSED})
"""Whom SES was never asked to mail: no event is about them."""

STANDS_FOR = {
    EventKind.SEND: _S.SENT,
    EventKind.DELIVERY_DELAY: _S.DELAYED,
    EventKind.DELIVERY: _S.DELIVERED,
    EventKind.BOUNCE: _S.BOUNCED,
    EventKind.COMPLAINT: _S.COMPLAINED,
    EventKind.REJECT: _S.REJECTED,
    EventKind.RENDERING_FAILURE: _S.REJECTED,
    # whoever opened it, SES had it; which of several recipients did is not told
    EventKind.OPEN: _S.SENT,
    EventKind.CLICK: _S.SENT,
}
"""What a kind of event says of a recipient; a changed subscription says nothing."""

TRANSITIONS: dict[tuple[RecipientStatus, EventKind], RecipientStatus] = {
    (status, kind): max(status, STANDS_FOR.get(kind, status), key=RANK.index)
    for status, kind in product(RecipientStatus, EventKind)
}
"""The status after an event, for every status and kind."""


def is_absence_note(kind: EventKind, subtype: str, diagnostic: str) -> bool:
    """Tell whether a "bounce" is an out-of-office answer: the mail did arrive.

    QUIRK(SES): it reports one as Transient/General, without a diagnostic.
    """
    return kind is EventKind.BOUNCE and subtype == "Transient/General" and not diagnostic


def is_praise(kind: EventKind, subtype: str) -> bool:
    """Tell whether a "complaint" is the opposite of one: not-spam (RFC 5965 section 7.3)."""
    return kind is EventKind.COMPLAINT and "not-spam" in subtype.split("/")
