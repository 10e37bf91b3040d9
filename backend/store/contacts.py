"""Contacts of tenants: which mail address a target knows by which id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, insert, select, update

from backend.store.schema_threads import contacts as t

if TYPE_CHECKING:
    from datetime import datetime

    from backend.store.types import Tx


def learn(tx: Tx, tenant_id: str, address: str, contact_id: str, now: datetime) -> None:
    """Remember under which id the tenant's targets know an address; the last word counts."""
    mine = (t.c.tenant_id == tenant_id, t.c.address == address.lower())
    values = {"contact_id": contact_id, "updated_at": now}
    if tx.execute(update(t).where(*mine).values(values)).rowcount == 0:
        tx.execute(insert(t).values(tenant_id=tenant_id, address=address.lower(), **values))


def find(tx: Tx, tenant_id: str, address: str) -> str | None:
    """Give the contact id of an address, None when the tenant has no such contact."""
    of = {"of_tenant": tenant_id, "of_address": address.strip().lower()}
    return tx.execute(_FIND, of).scalar()


_FIND = select(t.c.contact_id).where(
    t.c.tenant_id == bindparam("of_tenant"), t.c.address == bindparam("of_address")
)
