"""What the desk shows: tickets, contacts, activities and all it has received, as JSON values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import or_, select

from backend.desk.tables import contacts, entries, received, tickets
from backend.errors import NotFoundError

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Row

    from backend.store.types import Tx

PAGE = 1000


def list_tickets(tx: Tx) -> list[dict[str, Any]]:
    """Give the newest tickets, newest first."""
    newest = select(tickets).order_by(tickets.c.serial.desc()).limit(PAGE)
    return [_json(row) for row in tx.execute(newest)]


def show_ticket(tx: Tx, ref: str) -> dict[str, Any]:
    """Give one ticket, by id or number, with its notes and replies; raises NotFoundError."""
    same = or_(tickets.c.id == ref, tickets.c.number == ref.upper())
    row = tx.execute(select(tickets).where(same)).first()
    if row is None:
        raise NotFoundError(f"there is no ticket {ref}")
    return _json(row) | {
        "notes": _entries(tx, "note", row.id),
        "replies": _entries(tx, "reply", row.id),
    }


def list_contacts(tx: Tx) -> list[dict[str, Any]]:
    """Give every contact, by id."""
    return [_json(row) for row in tx.execute(select(contacts).order_by(contacts.c.id))]


def list_activities(tx: Tx) -> list[dict[str, Any]]:
    """Give the newest activities, newest first."""
    return _entries(tx, "activity", None)


def list_received(tx: Tx, after: int) -> list[dict[str, Any]]:
    """Give everything received after a sequence number, oldest first; nothing is left out."""
    rows = tx.execute(select(received).where(received.c.seq > after).order_by(received.c.seq))
    return [_json(row) for row in rows]


def _entries(tx: Tx, kind: str, parent_id: str | None) -> list[dict[str, Any]]:
    found = select(entries).where(entries.c.kind == kind)
    if parent_id is not None:
        found = found.where(entries.c.parent_id == parent_id)
    newest = found.order_by(entries.c.created_at.desc(), entries.c.id.desc()).limit(PAGE)
    return [_json(row) for row in tx.execute(newest)]


def _json(row: Row[Any]) -> dict[str, Any]:
    values = dict(row._mapping)  # noqa: SLF001  # SQLAlchemy's public name for the row as a map
    for name in ("at", "created_at", "sla_due_at"):
        moment: datetime | None = values.get(name)
        if moment is not None:
            values[name] = moment.isoformat(timespec="milliseconds")
    if "repeats" in values:
        del values["body_hash"]
    return values
