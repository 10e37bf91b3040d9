"""Conversations: each outbound mail starts or continues one, replies and tickets join it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import insert, select, update

from backend.model.inbound import Route, TargetAction, TargetName
from backend.store.schema import threads as t

if TYPE_CHECKING:
    from datetime import datetime

    from backend.store.types import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """A conversation; ``route`` is where its replies go when their address names no target."""

    id: str
    tenant_id: str
    subject: str
    created_at: datetime
    route: Route | None = None


def add(tx: Tx, thread: Thread) -> None:
    """Insert a conversation."""
    route = thread.route
    tx.execute(
        insert(t).values(
            id=thread.id,
            tenant_id=thread.tenant_id,
            subject=thread.subject,
            created_at=thread.created_at,
            target=route.target.value if route else None,
            action=route.action.value if route else None,
            ref=route.ref if route else None,
        )
    )


def get(tx: Tx, thread_id: str) -> Thread | None:
    """Read a conversation."""
    row = tx.execute(select(t).where(t.c.id == thread_id)).one_or_none()
    if row is None:
        return None
    route = None
    if row.target:
        route = Route(
            target=TargetName(row.target),
            action=TargetAction(row.action),
            tenant_id=row.tenant_id,
            ref=row.ref or "",
        )
    return Thread(
        id=row.id,
        tenant_id=row.tenant_id,
        subject=row.subject,
        created_at=row.created_at,
        route=route,
    )


def set_route(tx: Tx, thread_id: str, route: Route) -> None:
    """Let later replies of a conversation follow this route."""
    tx.execute(
        update(t)
        .where(t.c.id == thread_id)
        .values(target=route.target.value, action=route.action.value, ref=route.ref)
    )
