"""What people change about screening: lists, policies, breakers; each with its audit line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from backend.errors import InvalidInputError, NotFoundError
from backend.model.automated import Kind
from backend.model.inbound import TargetName
from backend.model.patterns import read_pattern
from backend.model.screening import (
    EVERY_TARGET,
    ClassAct,
    DmarcWeight,
    ListEntry,
    RateScope,
    ScreenPolicy,
    Weight,
)
from backend.store import audit, breakers, screen_policies, sender_lists, tenants
from backend.store.audit import AuditEntry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from backend.inbound.screen_context import ScreenSettings
    from backend.model.screening import ListKind, ListWish, OpenBreaker
    from backend.ports import Clock, Ids
    from backend.store.engine import Database
    from backend.store.types import Tx

MAX_NOTE = 500
_TARGETS = frozenset({EVERY_TARGET, *(target.value for target in TargetName)})


class _PolicyForm(BaseModel):
    """A policy as it comes from outside; what is left out has its default."""

    model_config = ConfigDict(extra="forbid")

    spam_failed: Weight = Weight.QUARANTINE
    spam_undecided: Weight = Weight.NOTE
    dmarc_failed: DmarcWeight = DmarcWeight.POLICY
    spf_and_dkim_failed: Weight = Weight.QUARANTINE
    encrypted_archive: Weight = Weight.NOTE
    blocked_extensions: list[str] = Field(default=[], max_length=200)
    allowed_extensions: list[str] = Field(default=[], max_length=200)
    blocked_types: list[str] = Field(default=[], max_length=200)
    max_attachment_bytes: int | None = Field(default=None, ge=0)
    max_attachments_bytes: int | None = Field(default=None, ge=0)
    classes: dict[Kind, dict[str, ClassAct]] = {}


def read_policy(values: Mapping[str, object]) -> ScreenPolicy:
    """Read a policy from plain values; raises InvalidInputError naming the field."""
    try:
        form = _PolicyForm.model_validate(dict(values))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise InvalidInputError(f"{where}: {first['msg']}", field=where) from None
    for target in (name for acts in form.classes.values() for name in acts):
        if target not in _TARGETS:
            raise InvalidInputError(
                f"classes: {target[:40]!r} is no target; use psa, crm, portal or *", field="classes"
            )
    plain = form.model_dump()
    for name in ("blocked_extensions", "allowed_extensions", "blocked_types"):
        plain[name] = frozenset(value.strip().lower().lstrip(".") for value in plain[name])
    return ScreenPolicy(**plain)


class ScreenAdmin:
    """The verbs of the facade about screening."""

    def __init__(self, db: Database, clock: Clock, ids: Ids, settings: ScreenSettings) -> None:
        self._db = db
        self._clock = clock
        self._ids = ids
        self._settings = settings

    async def entries(self, kind: ListKind, tenant_id: str | None = None) -> Sequence[ListEntry]:
        """Give a list by pattern; tenant "" is the common list, None all lists together."""
        return await self._db.read(sender_lists.entries, kind, tenant_id)

    async def add(self, wish: ListWish, *, actor: str) -> ListEntry:
        """Put a sender on a list; an entry of the same pattern is replaced.

        Raises InvalidInputError and, for an unknown tenant, NotFoundError.
        """
        now = self._clock.now()
        if len(wish.note) > MAX_NOTE:
            raise InvalidInputError(f"note: more than {MAX_NOTE} characters", field="note")
        if wish.expires_at is not None and wish.expires_at <= now:
            raise InvalidInputError(
                "expires: the moment is past; give a later one", field="expires"
            )
        entry = ListEntry(
            id=self._ids.new("lst"),
            tenant_id=wish.tenant_id,
            kind=wish.kind,
            pattern=read_pattern(wish.pattern),
            created_at=now,
            created_by=actor,
            note=wish.note,
            expires_at=wish.expires_at,
        )
        note = self._note(f"list.{wish.kind.value}.add", entry, actor)
        await self._db.write(put_entry, entry, note)
        return entry

    async def remove(
        self, kind: ListKind, pattern: str, *, tenant_id: str = "", actor: str
    ) -> ListEntry:
        """Take a sender, named by pattern or entry id, off a list; raises NotFoundError."""
        found = await self._db.read(_find, kind, pattern, tenant_id)
        if found is None:
            whose = f"of tenant {tenant_id}" if tenant_id else "of every tenant"
            raise NotFoundError(f"{pattern[:100]!r} is not on the {kind.value} list {whose}")
        note = self._note(f"list.{kind.value}.remove", found, actor)
        await self._db.write(_remove_entry, found.id, note)
        return found

    async def policy(self, tenant_id: str) -> ScreenPolicy:
        """Give the policy in force for a tenant."""
        return await self._db.read(screen_policies.get, tenant_id)

    async def set_policy(
        self, tenant_id: str, values: Mapping[str, object], *, actor: str
    ) -> ScreenPolicy:
        """Write the whole policy of a tenant, or with "" the common one."""
        policy = read_policy(values)
        data = {name: str(value) for name, value in screen_policies.as_data(policy).items()}
        note = AuditEntry(
            id=self._ids.new("aud"),
            at=self._clock.now(),
            actor=actor,
            action="screen.policy",
            subject=tenant_id or "every tenant",
            tenant_id=tenant_id,
            detail=data,
        )
        await self._db.write(_put_policy, tenant_id, policy, note)
        return policy

    async def breakers(self) -> Sequence[OpenBreaker]:
        """Give the senders and conversations whose mail is kept back at present."""
        since = self._clock.now() - self._settings.window
        limits = {
            RateScope.SENDER: self._settings.sender_limit,
            RateScope.THREAD: self._settings.thread_limit,
        }
        found: list[OpenBreaker] = []
        for scope, limit in limits.items():
            if limit:
                found += await self._db.read(breakers.over, scope, limit, since)
        return found

    async def reset_breaker(self, breaker: OpenBreaker, *, actor: str) -> int:
        """Let mail pass again at once; give how many messages had been counted."""
        note = AuditEntry(
            id=self._ids.new("aud"),
            at=self._clock.now(),
            actor=actor,
            action="breaker.reset",
            subject=breaker.key,
            tenant_id=breaker.tenant_id,
            detail={"scope": breaker.scope.value, "count": str(breaker.count)},
        )
        return await self._db.write(_reset, breaker, note)

    def _note(self, action: str, entry: ListEntry, actor: str) -> AuditEntry:
        until = entry.expires_at.isoformat() if entry.expires_at else ""
        return AuditEntry(
            id=self._ids.new("aud"),
            at=self._clock.now(),
            actor=actor,
            action=action,
            subject=entry.id,
            tenant_id=entry.tenant_id,
            detail={"pattern": entry.pattern, "note": entry.note, "expires_at": until},
        )


def put_entry(tx: Tx, entry: ListEntry, note: AuditEntry) -> None:
    """Write an entry and its audit line; raises NotFoundError for an unknown tenant."""
    if entry.tenant_id and tenants.get(tx, entry.tenant_id) is None:
        raise NotFoundError(f"there is no tenant {entry.tenant_id}")
    sender_lists.put(tx, entry)
    audit.add(tx, note)


def _find(tx: Tx, kind: ListKind, pattern: str, tenant_id: str) -> ListEntry | None:
    by_id = sender_lists.get(tx, pattern.strip())
    if by_id is not None and by_id.kind is kind:
        return by_id
    return sender_lists.find(tx, kind, read_pattern(pattern), tenant_id)


def _remove_entry(tx: Tx, entry_id: str, note: AuditEntry) -> None:
    sender_lists.remove(tx, entry_id)
    audit.add(tx, note)


def _put_policy(tx: Tx, tenant_id: str, policy: ScreenPolicy, note: AuditEntry) -> None:
    if tenant_id and tenants.get(tx, tenant_id) is None:
        raise NotFoundError(f"there is no tenant {tenant_id}")
    screen_policies.put(tx, tenant_id, policy, note.at)
    audit.add(tx, note)


def _reset(tx: Tx, breaker: OpenBreaker, note: AuditEntry) -> int:
    audit.add(tx, note)
    return breakers.reset(tx, breaker.tenant_id, breaker.scope, breaker.key)
