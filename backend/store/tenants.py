"""Tenants: the clients of the MSP, to whom every other row belongs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, or_, select

from backend.errors import InvalidInputError
from backend.model.tenant import Tenant
from backend.store.schema import tenants as t

if TYPE_CHECKING:
    from sqlalchemy import Row

    from backend.store.types import Tx


def add(tx: Tx, tenant: Tenant) -> None:
    """Insert a tenant; raises InvalidInputError when its name, in any case, is taken."""
    if _by_name(tx, tenant.name) is not None:
        raise InvalidInputError(
            f"name: there is a tenant named {tenant.name!r} already; choose another name",
            field="name",
        )
    tx.execute(insert(t).values(id=tenant.id, name=tenant.name, created_at=tenant.created_at))


def get(tx: Tx, tenant_id: str) -> Tenant | None:
    """Read a tenant by its id."""
    row = tx.execute(select(t).where(t.c.id == tenant_id)).one_or_none()
    return None if row is None else _tenant(row)


def find(tx: Tx, id_or_name: str) -> Tenant | None:
    """Read a tenant by its id or its name; the case of a name does not matter."""
    return get(tx, id_or_name) or _by_name(tx, id_or_name)


def all_by_name(tx: Tx) -> list[Tenant]:
    """Give every tenant, by name regardless of case."""
    return [_tenant(row) for row in tx.execute(select(t).order_by(func.lower(t.c.name), t.c.id))]


def _by_name(tx: Tx, name: str) -> Tenant | None:
    # SQLite's lower() knows ASCII only, hence the exact form as well
    same = or_(t.c.name == name, func.lower(t.c.name) == name.lower())
    row = tx.execute(select(t).where(same).order_by(t.c.id).limit(1)).one_or_none()
    return None if row is None else _tenant(row)


def _tenant(row: Row[Any]) -> Tenant:
    return Tenant(id=row.id, name=row.name, created_at=row.created_at)
