"""The verbs of rate limits: show what holds and what is used, and set it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from backend.errors import ForbiddenError, NotFoundError
from backend.model.limits import LimitState, SendLimits, Window, write_limits
from backend.outbound.windows import counted
from backend.store import audit, keys, limits, tenants
from backend.store.audit import AuditEntry
from backend.store.types import to_millis

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from backend.outbound.context import Outbound
    from backend.store.types import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """Whose limits, and what holds for those without any of their own."""

    tenant_id: str
    key_id: str
    standard: SendLimits
    now: datetime
    only_lower: bool = False


class LimitsDesk:
    """How much tenants and keys may hand in; every verb may raise a RelayError."""

    def __init__(self, outbound: Outbound) -> None:
        self._outbound = outbound
        self._db = outbound.db

    async def show(self, tenant_id: str) -> Sequence[LimitState]:
        """Give the state of a tenant and of each key that has sent or has limits of its own."""
        return await self._db.read(_show, self._asked(tenant_id, ""))

    async def set(
        self,
        tenant_id: str,
        own: SendLimits,
        *,
        actor: str,
        key_id: str = "",
        only_lower: bool = False,
    ) -> LimitState:
        """Set the limits of a tenant, or of one key; a window left None follows the level above.

        Raises NotFoundError for an unknown tenant or another tenant's key, and ForbiddenError when
        a window would take more than now and ``only_lower`` forbids that.
        """
        outbound = self._outbound
        asked = replace(self._asked(tenant_id, key_id), only_lower=only_lower)
        entry = AuditEntry(
            id=outbound.ids.new("aud"),
            at=asked.now,
            actor=actor,
            action="limits.set",
            subject=key_id or tenant_id,
            tenant_id=tenant_id,
            detail={"limits": write_limits(own)},
        )
        return await self._db.write(_set, asked, own, entry)

    def _asked(self, tenant_id: str, key_id: str) -> _Asked:
        return _Asked(
            tenant_id=tenant_id,
            key_id=key_id,
            standard=self._outbound.settings.limits,
            now=self._outbound.clock.now(),
        )


def _show(tx: Tx, asked: _Asked) -> list[LimitState]:
    if tenants.get(tx, asked.tenant_id) is None:
        raise NotFoundError(f"there is no tenant {asked.tenant_id}")
    owners = limits.keys_of(tx, asked.tenant_id)
    named = dict.fromkeys(["", *(key_id for _, key_id in owners)])
    return [_state(tx, asked, key_id) for key_id in named]


def _set(tx: Tx, asked: _Asked, own: SendLimits, entry: AuditEntry) -> LimitState:
    if tenants.get(tx, asked.tenant_id) is None:
        raise NotFoundError(f"there is no tenant {asked.tenant_id}")
    if asked.key_id:
        stored = keys.get(tx, asked.key_id)
        if stored is None or stored.key.tenant_id != asked.tenant_id:
            raise NotFoundError(f"this tenant has no API key {asked.key_id}")
    before = _state(tx, asked, asked.key_id)
    limits.set_own(tx, (asked.tenant_id, asked.key_id), own, asked.now)
    after = _state(tx, asked, asked.key_id)
    if asked.only_lower:
        _check_lower(before.holds, after.holds)
    audit.add(tx, entry)
    return after


def _check_lower(before: SendLimits, after: SendLimits) -> None:
    for window in Window:
        most, wanted = before.of(window), after.of(window)
        if most is not None and (wanted is None or wanted > most):
            raise ForbiddenError(
                f"limits.{window.value}: {most} holds; this API key may lower limits, not raise"
                " them: ask who runs the server"
            )


def _state(tx: Tx, asked: _Asked, key_id: str) -> LimitState:
    found = limits.get(tx, (asked.tenant_id, key_id))
    above = asked.standard
    if key_id:
        above = limits.get(tx, (asked.tenant_id, "")).own.or_else(above)
    return LimitState(
        tenant_id=asked.tenant_id,
        key_id=key_id,
        own=found.own,
        holds=found.own.or_else(above),
        used=counted(found.used, to_millis(asked.now)),
    )
