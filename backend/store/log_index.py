"""The search index of the log: which words are put in, and when.

A loop (analytics/indexer.py) reads the changes (store/log_changes.py) and writes the index in
batches, because FTS5 writes out a whole segment at every savepoint: per mail that would cost more
than the mail. A search looks at what waits as well, so it never lags behind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, false, func, insert, select, update

from backend.store.emails import recipients_of
from backend.store.schema import emails, inbound
from backend.store.schema_log import SLOTS, log_changes, log_search
from backend.store.types import to_millis

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from backend.model.outbound import Recipient
    from backend.store.types import Tx

SUBJECT = "\x02"
"""Stands before the subject, which is the last line."""
TAG = "\n#"
"""Begins the line ``#name=value``; the tag of a received mail has no value."""
KEPT = 20_000
"""Rows of changes kept for those who follow the log."""


def index_some(tx: Tx, limit: int) -> int:
    """Write the words of at most ``limit`` waiting changes into the index; give how many."""
    seen = select(log_changes.c.seq, log_changes.c.mail_id)
    rows = tx.execute(
        seen.where(log_changes.c.indexed == false()).order_by(log_changes.c.seq).limit(limit)
    ).all()
    if not rows:
        return 0
    texts = words_of(tx, {row.mail_id for row in rows})
    for mail_id, (at, words) in texts.items():
        _put(tx, mail_id, at, words)
    seqs = [row.seq for row in rows]
    tx.execute(update(log_changes).where(log_changes.c.seq.in_(seqs)).values(indexed=True))
    trim(tx)
    return len(rows)


def trim(tx: Tx) -> None:
    """Drop old changes that the index holds."""
    newest = tx.execute(select(func.max(log_changes.c.seq))).scalar() or 0
    old = delete(log_changes).where(log_changes.c.indexed, log_changes.c.seq < newest - KEPT)
    tx.execute(old)


def forget(tx: Tx, mails: Mapping[str, datetime]) -> None:
    """Take mails, each with its moment in the log, out of the index: they were removed."""
    for mail_id, at in mails.items():
        place = _places(tx, at).get(mail_id)
        if place is not None:
            tx.execute(delete(log_search).where(log_search.c.rowid == place))


def words_of(tx: Tx, mail_ids: Collection[str]) -> dict[str, tuple[datetime, str]]:
    """Give the moment and the words of these mails; those that are gone are left out."""
    columns = (emails.c.id, emails.c.created_at, emails.c.sender, emails.c.subject, emails.c.tags)
    sent = tx.execute(select(*columns).where(emails.c.id.in_(mail_ids))).all()
    to = recipients_of(tx, [row.id for row in sent])
    found = {
        row.id: (
            row.created_at,
            _words([row.sender, *_addresses(to[row.id])], _pairs(row.tags), row.subject),
        )
        for row in sent
    }
    t = inbound.c
    columns_in = (t.id, t.received_at, t.from_address, t.envelope_from, t.from_name, t.recipient)
    received = select(*columns_in, t.subject, t.tags).where(t.id.in_(mail_ids))
    for row in tx.execute(received):
        people = [row.from_address or row.envelope_from, row.from_name, row.recipient]
        tags = [f"{tag}=" for tag in row.tags]
        found[row.id] = (row.received_at, _words(people, tags, row.subject))
    return found


def _addresses(people: Iterable[Recipient]) -> list[str]:
    return [one.address for one in people]


def _pairs(tags: Mapping[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in tags.items()]


def _words(people: Iterable[str], tags: Sequence[str], subject: str) -> str:
    lines = [*(_line(one) for one in people), *(f"#{_line(tag)}" for tag in tags)]
    return ("\n" + "\n".join(lines) + "\n" + SUBJECT + _line(subject)).casefold()


def _line(text: str) -> str:
    """Give text without line breaks and NUL, which would end or forge a line."""
    return text.translate({0: " ", 2: " ", 10: " ", 13: " "})


def _put(tx: Tx, mail_id: str, at: datetime, words: str) -> None:
    places = _places(tx, at)
    place = places.get(mail_id)
    if place is not None:
        tx.execute(delete(log_search).where(log_search.c.rowid == place))
    else:
        place = max(places.values(), default=to_millis(at) * SLOTS - 1) + 1
    tx.execute(insert(log_search).values(rowid=place, id=mail_id, words=words))


def _places(tx: Tx, at: datetime) -> dict[str, int]:
    first = to_millis(at) * SLOTS
    rows = select(log_search.c.id, log_search.c.rowid).where(
        log_search.c.rowid >= first, log_search.c.rowid < first + SLOTS
    )
    return {row.id: row.rowid for row in tx.execute(rows)}
