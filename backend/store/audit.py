"""The audit log: who did what to which row, written with the change itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import insert, select

from backend.store.schema import audit as t

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from backend.ports import Ids
    from backend.store.types import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One act of a person: ``actor`` is the OS or SSH user, ``subject`` the id acted upon."""

    id: str
    at: datetime
    actor: str
    action: str
    subject: str
    tenant_id: str = ""
    detail: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """Who acts, and when; ``ids`` for the rows it adds. ``actor`` is the OS, SSH or API user."""

    actor: str
    at: datetime
    ids: Ids

    def entry(
        self,
        action: str,
        subject: str,
        *,
        tenant_id: str = "",
        detail: Mapping[str, str] | None = None,
    ) -> AuditEntry:
        """Make the audit entry of something this hand does to ``subject``."""
        return AuditEntry(
            id=self.ids.new("aud"),
            at=self.at,
            actor=self.actor,
            action=action,
            subject=subject,
            tenant_id=tenant_id,
            detail=detail or {},
        )


def add(tx: Tx, entry: AuditEntry) -> None:
    """Write an entry; there is no way to change or remove one."""
    tx.execute(
        insert(t).values(
            id=entry.id,
            at=entry.at,
            actor=entry.actor,
            action=entry.action,
            tenant_id=entry.tenant_id,
            subject=entry.subject,
            detail=dict(entry.detail),
        )
    )


def newest(tx: Tx, limit: int) -> list[AuditEntry]:
    """Give the latest entries, newest first."""
    rows = tx.execute(select(t).order_by(t.c.id.desc()).limit(limit))
    return [
        AuditEntry(
            id=row.id,
            at=row.at,
            actor=row.actor,
            action=row.action,
            subject=row.subject,
            tenant_id=row.tenant_id,
            detail=row.detail,
        )
        for row in rows
    ]
