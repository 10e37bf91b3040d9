"""Answers kept under the caller's Idempotency-Key, so that asking twice acts once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from backend.store.schema import idempotency as t

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from backend.store.types import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A key in use: who used it, for a body with which hash, when."""

    tenant_id: str
    key: str
    body_hash: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What was answered before, to a body with this hash."""

    body_hash: str
    answer: Mapping[str, Any]


def claim(tx: Tx, wanted: Claim, *, expired: datetime) -> Kept | None:
    """Take a key for the work of this transaction; give what it holds if it is taken already.

    Keys claimed before ``expired`` are free again. The claim goes with the transaction: work
    that fails leaves the key free. On PostgreSQL a second claim waits for the first to commit.
    """
    same = (t.c.tenant_id == wanted.tenant_id, t.c.key == wanted.key)
    tx.execute(delete(t).where(*same, t.c.created_at < expired))
    insert = postgresql.insert if tx.dialect.name == "postgresql" else sqlite.insert
    row = insert(t).values(
        tenant_id=wanted.tenant_id,
        key=wanted.key,
        body_hash=wanted.body_hash,
        answer={},
        created_at=wanted.at,
    )
    fresh = row.on_conflict_do_nothing().returning(t.c.key)
    if tx.execute(fresh).one_or_none() is not None:
        return None
    held = tx.execute(select(t).where(*same)).one()
    return Kept(body_hash=held.body_hash, answer=held.answer)


def keep(tx: Tx, claimed: Claim, answer: Mapping[str, Any]) -> None:
    """Store the answer under a key claimed in this transaction."""
    tx.execute(
        update(t)
        .where(t.c.tenant_id == claimed.tenant_id, t.c.key == claimed.key)
        .values(answer=dict(answer))
    )


def forget(tx: Tx, before: datetime) -> int:
    """Remove the answers kept since before a moment; give how many."""
    return tx.execute(delete(t).where(t.c.created_at < before)).rowcount
