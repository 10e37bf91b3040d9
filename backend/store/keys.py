"""API keys as they are kept: the SHA-256 of the secret, never the secret."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, or_, select, update

from backend.errors import NotFoundError
from backend.model.tenant import ApiKey, Scope
from backend.store.schema import api_keys as t

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Row

    from backend.store.types import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredKey:
    """A key with the hash its secret must have, in hex."""

    key: ApiKey
    hash: str


def add(tx: Tx, stored: StoredKey) -> None:
    """Insert a key."""
    key = stored.key
    tx.execute(
        insert(t).values(
            id=key.id,
            tenant_id=key.tenant_id,
            name=key.name,
            hash=stored.hash,
            last4=key.last4,
            scopes=sorted(scope.value for scope in key.scopes),
            created_at=key.created_at,
            expires_at=key.expires_at,
            revoked_at=key.revoked_at,
            last_used_at=key.last_used_at,
            domains=sorted(key.domains),
            any_tenant=key.any_tenant,
            replaced_by=key.replaced_by,
        )
    )


def get(tx: Tx, key_id: str) -> StoredKey | None:
    """Read a key, live or not."""
    row = tx.execute(select(t).where(t.c.id == key_id)).one_or_none()
    return None if row is None else StoredKey(key=_key(row), hash=row.hash)


def of_tenant(tx: Tx, tenant_id: str) -> list[ApiKey]:
    """Give the keys of a tenant, newest first, revoked ones as well."""
    rows = tx.execute(
        select(t).where(t.c.tenant_id == tenant_id).order_by(t.c.created_at.desc(), t.c.id)
    )
    return [_key(row) for row in rows]


def revoke(tx: Tx, key_id: str, at: datetime) -> None:
    """End a key's life; the first moment stays. Raises NotFoundError."""
    if get(tx, key_id) is None:
        raise NotFoundError(f"there is no API key {key_id}")
    tx.execute(update(t).where(t.c.id == key_id, t.c.revoked_at.is_(None)).values(revoked_at=at))


def rename(tx: Tx, key_id: str, name: str) -> None:
    """Call a key otherwise."""
    tx.execute(update(t).where(t.c.id == key_id).values(name=name))


def replace_by(tx: Tx, key_id: str, successor: str, *, ends: datetime) -> None:
    """Note which key takes a key's place, and when the old one ends."""
    tx.execute(update(t).where(t.c.id == key_id).values(replaced_by=successor, expires_at=ends))


def ending(tx: Tx, after: datetime, until: datetime, tenant_id: str | None = None) -> list[ApiKey]:
    """Give the live keys that end in this time and have no successor, soonest first."""
    which = [
        t.c.revoked_at.is_(None),
        t.c.replaced_by.is_(None),
        t.c.expires_at > after,
        t.c.expires_at <= until,
    ]
    if tenant_id is not None:
        which.append(t.c.tenant_id == tenant_id)
    return [_key(row) for row in tx.execute(select(t).where(*which).order_by(t.c.expires_at))]


def touch(tx: Tx, key_id: str, at: datetime, *, unless_after: datetime) -> None:
    """Record the use of a key, unless a later one than ``unless_after`` is known."""
    stale = or_(t.c.last_used_at.is_(None), t.c.last_used_at <= unless_after)
    tx.execute(update(t).where(t.c.id == key_id, stale).values(last_used_at=at))


def _key(row: Row[Any]) -> ApiKey:
    return ApiKey(
        id=row.id,
        tenant_id=row.tenant_id,
        name=row.name,
        last4=row.last4,
        scopes=frozenset(Scope(scope) for scope in row.scopes),
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
        domains=frozenset(row.domains or ()),
        any_tenant=row.any_tenant,
        replaced_by=row.replaced_by,
    )
