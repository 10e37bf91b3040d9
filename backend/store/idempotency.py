"""Answers kept under the caller's Idempotency-Key, so that asking twice acts once."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select, text, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from backend.store.schema import idempotency as t

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from datetime import datetime

    from sqlalchemy import Executable, Table

    from backend.store.types import Tx

Claim = tuple[str, str]
"""A tenant and the key it gave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What was answered to a body with this hash, and when."""

    claim: Claim
    body_hash: str
    answer: Mapping[str, Any]
    at: datetime


def claim(tx: Tx, claims: Collection[Claim]) -> frozenset[Claim]:
    """Take keys for this transaction; give those that another one holds at this moment.

    On SQLite a writer is alone, so there are none. Nobody ever waits for a key.
    """
    if tx.dialect.name == "sqlite":
        return frozenset()
    return frozenset(
        one for one in claims if not tx.execute(_TRY_LOCK, {"number": _number(one)}).scalar_one()
    )


def find(tx: Tx, claims: Collection[Claim], *, since: datetime) -> dict[Claim, Kept]:
    """Give what is kept under these keys; what was kept before ``since`` has expired."""
    if not claims:
        return {}
    same = tuple_(t.c.tenant_id, t.c.key).in_(list(claims))
    return {
        (row.tenant_id, row.key): Kept(
            claim=(row.tenant_id, row.key),
            body_hash=row.body_hash,
            answer=row.answer,
            at=row.created_at,
        )
        for row in tx.execute(select(t).where(same, t.c.created_at >= since))
    }


def keep(tx: Tx, answers: Iterable[Kept]) -> None:
    """Keep answers under keys claimed in this transaction, in place of expired ones."""
    rows = [
        {
            "tenant_id": kept.claim[0],
            "key": kept.claim[1],
            "body_hash": kept.body_hash,
            "answer": dict(kept.answer),
            "created_at": kept.at,
        }
        for kept in answers
    ]
    if rows:
        tx.execute(_KEEP[tx.dialect.name], rows)


def forget(tx: Tx, before: datetime) -> int:
    """Remove the answers kept since before a moment; give how many."""
    return tx.execute(delete(t).where(t.c.created_at < before)).rowcount


def _number(one: Claim) -> int:
    """Give the 64 bits by which PostgreSQL knows a lock."""
    digest = sha256("\n".join(("idempotency", *one)).encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def _keeping(into: Callable[[Table], postgresql.Insert | sqlite.Insert]) -> Executable:
    row = into(t)
    columns = ("body_hash", "answer", "created_at")
    changed = {name: row.excluded[name] for name in columns}
    return row.on_conflict_do_update(index_elements=list(t.primary_key), set_=changed)


_KEEP = {"postgresql": _keeping(postgresql.insert), "sqlite": _keeping(sqlite.insert)}
_TRY_LOCK = text("SELECT pg_try_advisory_xact_lock(:number)")
