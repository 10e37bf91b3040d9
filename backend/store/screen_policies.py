"""The screening policy of each tenant, as plain data; a tenant without one has the common one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select
from sqlalchemy.dialects import postgresql, sqlite

from backend.model.automated import Kind
from backend.model.screening import ClassAct, DmarcWeight, ScreenPolicy, Weight
from backend.store.schema_screening import screen_policies as t

if TYPE_CHECKING:
    from datetime import datetime

    from backend.store.types import Tx


def get(tx: Tx, tenant_id: str) -> ScreenPolicy:
    """Give the policy in force for a tenant: its own, else that of tenant "", else the default."""
    found = {row.tenant_id: row.data for row in tx.execute(_GET, {"of_tenant": tenant_id})}
    data = found.get(tenant_id, found.get(""))
    return ScreenPolicy() if data is None else _policy(data)


_GET = select(t).where(t.c.tenant_id.in_(["", bindparam("of_tenant")]))


def put(tx: Tx, tenant_id: str, policy: ScreenPolicy, at: datetime) -> None:
    """Write the policy of a tenant, or with "" that of all without one of their own."""
    insert = postgresql.insert if tx.dialect.name == "postgresql" else sqlite.insert
    values = {"data": as_data(policy), "updated_at": at}
    row = insert(t).values(tenant_id=tenant_id, **values)
    tx.execute(row.on_conflict_do_update(index_elements=[t.c.tenant_id], set_=values))


def as_data(policy: ScreenPolicy) -> dict[str, Any]:
    """Give a policy as JSON knows it."""
    return {
        "spam_failed": policy.spam_failed.value,
        "spam_undecided": policy.spam_undecided.value,
        "dmarc_failed": policy.dmarc_failed.value,
        "spf_and_dkim_failed": policy.spf_and_dkim_failed.value,
        "encrypted_archive": policy.encrypted_archive.value,
        "blocked_extensions": sorted(policy.blocked_extensions),
        "allowed_extensions": sorted(policy.allowed_extensions),
        "blocked_types": sorted(policy.blocked_types),
        "max_attachment_bytes": policy.max_attachment_bytes,
        "max_attachments_bytes": policy.max_attachments_bytes,
        "classes": {
            kind.value: {target: act.value for target, act in acts.items()}
            for kind, acts in policy.classes.items()
        },
    }


def _policy(data: dict[str, Any]) -> ScreenPolicy:
    return ScreenPolicy(
        spam_failed=Weight(data["spam_failed"]),
        spam_undecided=Weight(data["spam_undecided"]),
        dmarc_failed=DmarcWeight(data["dmarc_failed"]),
        spf_and_dkim_failed=Weight(data["spf_and_dkim_failed"]),
        encrypted_archive=Weight(data["encrypted_archive"]),
        blocked_extensions=frozenset(data["blocked_extensions"]),
        allowed_extensions=frozenset(data["allowed_extensions"]),
        blocked_types=frozenset(data["blocked_types"]),
        max_attachment_bytes=data["max_attachment_bytes"],
        max_attachments_bytes=data["max_attachments_bytes"],
        classes={
            Kind(kind): {target: ClassAct(act) for target, act in acts.items()}
            for kind, acts in data["classes"].items()
        },
    )
