"""The intake ledger: announcements by their id, and objects that held a mail we had already."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from backend.store.schema import inbound as t
from backend.store.schema_arrivals import inbound_duplicates, source_events
from backend.store.schema_jobs import inbound_gone

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Column, Select, Table
    from sqlalchemy.dialects.postgresql import Insert as PgInsert
    from sqlalchemy.dialects.sqlite import Insert as SqliteInsert

    from backend.store.types import Tx

MANY = 500  # keys a statement may name; SQLite's limit is far higher, PostgreSQL's plan is not


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceEvent:
    """One announcement and what came of it; ``outcome`` is a word of docs/inbound.md."""

    source: str
    event_id: str
    outcome: str
    seen_at: datetime
    inbound_ids: tuple[str, ...] = ()
    detail: str = ""
    metadata: Mapping[str, object] = field(default_factory=dict)


def add_event(tx: Tx, event: SourceEvent) -> bool:
    """Record an announcement; False when one with its id is recorded already."""
    row = _into(tx, source_events).values(
        source=event.source,
        event_id=event.event_id,
        outcome=event.outcome,
        inbound_ids=list(event.inbound_ids),
        detail=event.detail,
        metadata=dict(event.metadata),
        seen_at=event.seen_at,
    )
    done = row.on_conflict_do_nothing().returning(source_events.c.event_id)
    return tx.execute(done).first() is not None


def event(tx: Tx, source: str, event_id: str) -> SourceEvent | None:
    """Read an announcement."""
    mine = (source_events.c.source == source, source_events.c.event_id == event_id)
    row = tx.execute(select(source_events).where(*mine)).one_or_none()
    if row is None:
        return None
    return SourceEvent(
        source=row.source,
        event_id=row.event_id,
        outcome=row.outcome,
        seen_at=row.seen_at,
        inbound_ids=tuple(row.inbound_ids),
        detail=row.detail,
        metadata=row.metadata,
    )


def has_events(tx: Tx, before: datetime) -> bool:
    """Tell whether an announcement was seen before a moment."""
    old = select(source_events.c.event_id).where(source_events.c.seen_at < before).limit(1)
    return tx.execute(old).first() is not None


def forget_events(tx: Tx, before: datetime) -> int:
    """Delete the announcements seen before a moment; give how many."""
    return tx.execute(delete(source_events).where(source_events.c.seen_at < before)).rowcount


def add_duplicate(
    tx: Tx, blob_key: str, recipient: str, *, inbound_id: str, source: str, at: datetime
) -> None:
    """Record that an object held, for this recipient, the mail ``inbound_id``."""
    row = _into(tx, inbound_duplicates).values(
        blob_key=blob_key, recipient=recipient, inbound_id=inbound_id, source=source, seen_at=at
    )
    tx.execute(row.on_conflict_do_nothing())


def duplicates_of(tx: Tx, inbound_id: str) -> list[tuple[str, str]]:
    """Give ``(source, blob key)`` of the other objects that held this mail, oldest first."""
    d = inbound_duplicates
    rows = select(d.c.source, d.c.blob_key).where(d.c.inbound_id == inbound_id)
    return [(row.source, row.blob_key) for row in tx.execute(rows.order_by(d.c.seen_at))]


def known_recipients(tx: Tx, blob_keys: Collection[str]) -> dict[str, dict[str, str]]:
    """Give, by object and recipient, the message it was taken in as or a duplicate of.

    It may have been deleted since by retention: it is not taken in again.
    """
    known: dict[str, dict[str, str]] = {key: {} for key in blob_keys}
    for query in _KNOWN:
        for row in tx.execute(query, {"keys": list(known)}):
            known[row.blob_key][row.recipient] = row.inbound_id
    return known


def known_blobs(tx: Tx, keys: Sequence[str]) -> set[str]:
    """Give those of the objects that were taken in or found to be duplicates, ever."""
    columns = (t.c.blob_key, inbound_duplicates.c.blob_key, inbound_gone.c.blob_key)
    found: set[str] = set()
    for start in range(0, len(keys), MANY):
        some = keys[start : start + MANY]
        for column in columns:
            found.update(tx.execute(select(column).where(column.in_(some))).scalars())
    return found


def twin(tx: Tx, blob_key: str, recipient: str, content_key: str | None) -> tuple[str, bool]:
    """Give the message that stands where a new one would, and whether it is the same object."""
    same = (t.c.blob_key == blob_key) & (t.c.recipient == recipient)
    either = or_(same, t.c.content_key == content_key) if content_key else same
    rows = tx.execute(select(t.c.id, t.c.blob_key).where(either)).all()
    own = next((row.id for row in rows if row.blob_key == blob_key), None)
    return (own, True) if own is not None else (rows[0].id, False)


def collision(tx: Tx, tenant_id: str, message_id: str, content_sha256: str) -> str | None:
    """Find a message of the tenant with this Message-ID and other content."""
    of = {"of_message": message_id, "of_tenant": tenant_id, "of_content": content_sha256}
    return tx.execute(_COLLISION, of).scalar_one_or_none()


def _known(table: Table, inbound_id: Column[Any]) -> Select[tuple[Any, ...]]:
    c = table.c
    columns = (c.blob_key, c.recipient, inbound_id.label("inbound_id"))
    return select(*columns).where(c.blob_key.in_(bindparam("keys", expanding=True)))


_KNOWN = (  # what stands here goes before what is gone
    _known(inbound_gone, inbound_gone.c.inbound_id),
    _known(inbound_duplicates, inbound_duplicates.c.inbound_id),
    _known(t, t.c.id),
)
_COLLISION = (
    select(t.c.id)
    .where(
        t.c.message_id == bindparam("of_message"),
        t.c.tenant_id == bindparam("of_tenant"),
        t.c.content_sha256 != "",
        t.c.content_sha256 != bindparam("of_content"),
    )
    .order_by(t.c.id)
    .limit(1)
)


def _into(tx: Tx, table: Table) -> PgInsert | SqliteInsert:
    into = postgresql.insert if tx.dialect.name == "postgresql" else sqlite.insert
    return into(table)
