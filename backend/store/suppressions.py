"""The suppression list: at most one entry per tenant and address or domain.

An entry stays when another for the same comes, unless it has expired, waits for review, ends
sooner, or came by an import and the other has a cause of its own; or SES tells of a complaint where
it told of a bounce before, so that the list does not depend on the order in which it tells.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, or_, select

from backend.model.suppression import (
    Suppression,
    SuppressionKind,
    SuppressionReason,
    SuppressionState,
)
from backend.store.schema_suppressions import suppressions as t
from backend.store.types import to_millis

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from typing import Any

    from sqlalchemy import ColumnElement

    from backend.model.views import SuppressionQuery
    from backend.store.types import Tx

_COLUMNS = tuple(column.name for column in t.columns)
_LISTED = ", ".join(_COLUMNS)
_PUT = (
    f"INSERT INTO suppressions ({_LISTED}) VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608  # names of our own table
    " ON CONFLICT (address, tenant_id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS)
    + " WHERE suppressions.expires_at <= ?"
    " OR (excluded.state = 'active' AND (suppressions.state = 'review'"
    "  OR (excluded.import_id IS NULL AND (suppressions.import_id IS NOT NULL"
    "   OR suppressions.expires_at < excluded.expires_at"
    "   OR (suppressions.reason = 'bounce' AND excluded.reason = 'complaint'"
    "    AND suppressions.source_event_id <> '' AND excluded.source_event_id <> '')"
    "   OR (suppressions.expires_at IS NOT NULL AND excluded.expires_at IS NULL)))))"
)
_MATCHING = {
    "sqlite": f"SELECT {_LISTED} FROM suppressions"  # noqa: S608  # as above
    " WHERE address IN (SELECT value FROM json_each(?)) AND tenant_id IN ('', ?)",
    "postgresql": f"SELECT {_LISTED} FROM suppressions"  # noqa: S608  # as above
    " WHERE address = ANY(%s) AND tenant_id IN ('', %s)",
}


def _in_words_of(tx: Tx, statement: str) -> str:
    return statement.replace("?", "%s") if tx.dialect.name == "postgresql" else statement


def matching(tx: Tx, tenant_id: str, values: Sequence[str]) -> list[Suppression]:
    """Give a tenant's and the common entries of these addresses and domains, expired ones too.

    This is the check of every mail: one prepared statement and one index, whatever their number.
    """
    name = tx.dialect.name
    wanted = json.dumps(values) if name == "sqlite" else list(values)
    rows = tx.exec_driver_sql(_MATCHING[name], (wanted, tenant_id))
    return [_from_raw(row) for row in rows]


def find(tx: Tx, tenant_id: str, addresses: Collection[str]) -> dict[str, Suppression]:
    """Give the entries of this very tenant for these addresses or domains, by them."""
    wanted = t.c.address.in_(list(addresses))
    rows = tx.execute(select(t).where(wanted, t.c.tenant_id == tenant_id))
    return {row.address: _suppression(row) for row in rows}


def is_refused(tx: Tx, address: str, now: datetime) -> bool:
    """Tell whether any tenant still holds an address because it bounced or complained."""
    real = [SuppressionReason.BOUNCE.value, SuppressionReason.COMPLAINT.value]
    which = (
        t.c.address == address,
        t.c.state == SuppressionState.ACTIVE.value,
        t.c.reason.in_(real),
        or_(t.c.expires_at.is_(None), t.c.expires_at > now),
    )
    return tx.execute(select(t.c.id).where(*which).limit(1)).first() is not None


def get(tx: Tx, suppression_id: str) -> Suppression | None:
    """Read an entry."""
    row = tx.execute(select(t).where(t.c.id == suppression_id)).one_or_none()
    return None if row is None else _suppression(row)


def insert(tx: Tx, suppression: Suppression, *, now: datetime | None = None) -> bool:
    """Put an entry on the list; False when one that is there already stays instead.

    ``now`` is when it is written, if that is not its ``created_at``.
    """
    values = _raw(suppression, now or suppression.created_at)
    statement = _in_words_of(tx, _PUT + " RETURNING id")
    return tx.exec_driver_sql(statement, values).one_or_none() is not None


def insert_many(tx: Tx, entries: Iterable[Suppression], now: datetime) -> int:
    """Put entries on the list in the order given; tell how many of them are on it now."""
    rows = [_raw(entry, now) for entry in entries]
    return tx.exec_driver_sql(_in_words_of(tx, _PUT), rows).rowcount if rows else 0


def remove(tx: Tx, suppression_id: str) -> Suppression | None:
    """Take an entry off the list and give it; None when it is not there."""
    entry = get(tx, suppression_id)
    if entry is not None:
        tx.execute(delete(t).where(t.c.id == suppression_id))
    return entry


def count(tx: Tx, query: SuppressionQuery) -> int:
    """Count the entries a query means."""
    return tx.execute(select(func.count()).select_from(t).where(*_meant(query))).scalar_one()


def page(tx: Tx, query: SuppressionQuery, start: int, size: int) -> list[Suppression]:
    """Give at most ``size`` entries from position ``start``, newest first."""
    rows = select(t).where(*_meant(query)).order_by(t.c.id.desc())
    return [_suppression(row) for row in tx.execute(rows.offset(start).limit(size))]


def older(tx: Tx, query: SuppressionQuery, than: str, size: int) -> list[Suppression]:
    """Give at most ``size`` entries older than an id, newest first; "" begins at the newest."""
    rows = select(t).where(*_meant(query)).order_by(t.c.id.desc()).limit(size)
    if than:
        rows = rows.where(t.c.id < than)
    return [_suppression(row) for row in tx.execute(rows)]


def newer(tx: Tx, query: SuppressionQuery, than: str, size: int) -> list[Suppression]:
    """Give the ``size`` entries next newer than an id, newest first."""
    rows = select(t).where(*_meant(query), t.c.id > than).order_by(t.c.id).limit(size)
    return [_suppression(row) for row in tx.execute(rows)][::-1]


def _meant(query: SuppressionQuery) -> list[ColumnElement[bool]]:
    meant: list[ColumnElement[bool]] = [t.c.state == query.state.value]
    if query.tenant_id is not None:
        meant.append(t.c.tenant_id == query.tenant_id)
    if query.reason is not None:
        meant.append(t.c.reason == query.reason.value)
    if query.reasons:
        meant.append(t.c.reason.in_([reason.value for reason in query.reasons]))
    if query.kind is not None:
        named = t.c.address.contains("@")
        meant.append(named if query.kind is SuppressionKind.ADDRESS else ~named)
    if query.import_id:
        meant.append(t.c.import_id == query.import_id)
    if query.live_at is not None:
        meant.append(or_(t.c.expires_at.is_(None), t.c.expires_at > query.live_at))
    if text := query.text.strip().lower():
        meant.append(t.c.address.contains(text, autoescape=True))
    return meant


def _raw(entry: Suppression, now: datetime) -> tuple[Any, ...]:
    """Give the columns in their order, and the moment by which an older entry has expired."""
    return (
        entry.id,
        entry.tenant_id,
        entry.address,
        entry.reason.value,
        entry.state.value,
        entry.detail,
        entry.note,
        entry.source_email_id,
        entry.source_event_id,
        entry.import_id,
        entry.spelling,
        entry.created_by,
        to_millis(entry.created_at),
        None if entry.expires_at is None else to_millis(entry.expires_at),
        to_millis(now),
    )


def _from_raw(row: Any) -> Suppression:
    return _suppression(row, _moment(row.created_at), _moment(row.expires_at))


def _moment(millis: int | None) -> datetime | None:
    return None if millis is None else datetime.fromtimestamp(millis / 1000, tz=UTC)


def _suppression(
    row: Any, created_at: datetime | None = None, expires_at: datetime | None = None
) -> Suppression:
    return Suppression(
        id=row.id,
        tenant_id=row.tenant_id,
        address=row.address,
        reason=SuppressionReason(row.reason),
        created_at=created_at or row.created_at,
        detail=row.detail,
        source_email_id=row.source_email_id,
        created_by=row.created_by,
        note=row.note,
        expires_at=expires_at if created_at is not None else row.expires_at,
        source_event_id=row.source_event_id,
        state=SuppressionState(row.state),
        import_id=row.import_id,
        spelling=row.spelling,
    )
