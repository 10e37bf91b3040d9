"""Sending and receiving domains of tenants; a name belongs to one tenant only."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, insert, select, update

from backend.errors import InvalidInputError, NotFoundError
from backend.model.auto_response import AutoResponse
from backend.model.tenant import CatchAll, Domain, DomainStatus
from backend.store.schema import domains as t

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Row

    from backend.store.types import Tx


def add(tx: Tx, domain: Domain) -> None:
    """Insert a domain; raises InvalidInputError when some tenant has it already."""
    if by_name(tx, domain.name) is not None:
        raise InvalidInputError(
            f"name: the domain {domain.name} is registered already", field="name"
        )
    tx.execute(
        insert(t).values(
            id=domain.id,
            tenant_id=domain.tenant_id,
            name=domain.name.lower(),
            status=domain.status.value,
            inbound_enabled=domain.inbound_enabled,
            dkim_tokens=list(domain.dkim_tokens),
            signing_zone=domain.signing_zone,
            mail_from=domain.mail_from,
            created_at=domain.created_at,
            checked_at=domain.checked_at,
            ticket_from=list(domain.ticket_from),
            reply_prefix=domain.reply_prefix,
            catch_all=domain.catch_all.value,
            auto_response=asdict(domain.auto_response),
        )
    )


def remove(tx: Tx, domain_id: str) -> None:
    """Delete a domain; mail and threads keep its name."""
    tx.execute(delete(t).where(t.c.id == domain_id))


def get(tx: Tx, domain_id: str) -> Domain | None:
    """Read a domain by its id."""
    return _one(tx, t.c.id == domain_id)


def by_name(tx: Tx, name: str) -> Domain | None:
    """Read a domain by its name, whichever tenant has it."""
    row = tx.execute(_BY_NAME, {"of_name": name.lower()}).one_or_none()
    return None if row is None else _domain(row)


def by_names(tx: Tx, names: Collection[str]) -> dict[str, Domain]:
    """Read several domains by their lower case names, whichever tenants have them."""
    return {row.name: _domain(row) for row in tx.execute(select(t).where(t.c.name.in_(names)))}


def all_by_name(tx: Tx) -> list[Domain]:
    """Give every domain, by name."""
    return [_domain(row) for row in tx.execute(select(t).order_by(t.c.name))]


def of_tenant(tx: Tx, tenant_id: str) -> list[Domain]:
    """Give the domains of one tenant, by name."""
    rows = tx.execute(select(t).where(t.c.tenant_id == tenant_id).order_by(t.c.name))
    return [_domain(row) for row in rows]


def save_state(
    tx: Tx,
    domain_id: str,
    status: DomainStatus,
    dkim_tokens: Sequence[str],
    mail_from: str,
    checked_at: datetime,
    *,
    signing_zone: str | None = None,
) -> None:
    """Record what SES said of a domain; no ``signing_zone`` keeps the known one.

    Raises NotFoundError when the domain is gone.
    """
    values: dict[str, object] = {
        "status": status.value,
        "dkim_tokens": list(dkim_tokens),
        "mail_from": mail_from,
        "checked_at": checked_at,
    }
    if signing_zone is not None:
        values["signing_zone"] = signing_zone
    if tx.execute(update(t).where(t.c.id == domain_id).values(values)).rowcount == 0:
        raise NotFoundError(f"there is no domain {domain_id}")


def save_routing(tx: Tx, domain: Domain) -> None:
    """Write what a domain does with the mail it receives; raises NotFoundError when it is gone."""
    values = {
        "inbound_enabled": domain.inbound_enabled,
        "ticket_from": list(domain.ticket_from),
        "reply_prefix": domain.reply_prefix,
        "catch_all": domain.catch_all.value,
        "auto_response": asdict(domain.auto_response),
    }
    if tx.execute(update(t).where(t.c.id == domain.id).values(values)).rowcount == 0:
        raise NotFoundError(f"there is no domain {domain.name}")


_BY_NAME = select(t).where(t.c.name == bindparam("of_name"))


def _one(tx: Tx, which: ColumnElement[bool]) -> Domain | None:
    row = tx.execute(select(t).where(which)).one_or_none()
    return None if row is None else _domain(row)


def _domain(row: Row[Any]) -> Domain:
    return Domain(
        id=row.id,
        tenant_id=row.tenant_id,
        name=row.name,
        status=DomainStatus(row.status),
        inbound_enabled=row.inbound_enabled,
        dkim_tokens=tuple(row.dkim_tokens),
        signing_zone=row.signing_zone,
        mail_from=row.mail_from,
        created_at=row.created_at,
        checked_at=row.checked_at,
        ticket_from=tuple(row.ticket_from),
        reply_prefix=row.reply_prefix,
        catch_all=CatchAll(row.catch_all),
        auto_response=AutoResponse(**(row.auto_response or {})),
    )
