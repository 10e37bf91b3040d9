"""API keys ``rly_<id>_<secret>``: issue, check, revoke.

The secret is 32 random bytes, so SHA-256 is enough at rest: there is nothing to guess. It is seen
once, in the answer to ``issue``.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from hmac import compare_digest
from typing import TYPE_CHECKING

from backend.errors import AuthenticationError, InvalidInputError, NotFoundError
from backend.model.tenant import ApiKey, IssuedKey
from backend.store import audit, keys, tenants
from backend.store.audit import AuditEntry

if TYPE_CHECKING:
    from datetime import datetime

    from backend.model.tenant import Scope
    from backend.ports import Clock, Ids
    from backend.store.engine import Database
    from backend.store.types import Tx

PREFIX = "rly"
TOUCH_EVERY = timedelta(minutes=1)
MAX_NAME = 100
_REFUSED = "the API key is not a live one; use a key from `relay-console keys`"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyWish:
    """What is asked of a new key; ``expires_at`` None means it does not expire."""

    tenant_id: str
    name: str
    scopes: frozenset[Scope]
    expires_at: datetime | None = None


class Keys:
    """The keys of all tenants in one database."""

    def __init__(self, db: Database, clock: Clock, ids: Ids) -> None:
        self._db = db
        self._clock = clock
        self._ids = ids

    async def issue(self, wish: KeyWish, *, actor: str) -> IssuedKey:
        """Make a key and give it with its secret; raises InvalidInputError, NotFoundError."""
        now = self._clock.now()
        _check(wish, now)
        issued = _make(wish, now)
        entry = AuditEntry(
            id=self._ids.new("aud"),
            at=now,
            actor=actor,
            action="key.issued",
            subject=issued.key.id,
            tenant_id=wish.tenant_id,
            detail={"name": wish.name, "scopes": " ".join(sorted(wish.scopes))},
        )
        await self._db.write(_save, issued, entry)
        return issued

    async def revoke(self, key_id: str, *, actor: str) -> ApiKey:
        """End a key's life now and give it; raises NotFoundError."""
        now = self._clock.now()
        entry = AuditEntry(
            id=self._ids.new("aud"), at=now, actor=actor, action="key.revoked", subject=key_id
        )
        return await self._db.write(_revoke, entry)

    async def authenticate(self, secret: str) -> ApiKey:
        """Give the live key of a secret and note its use; raises AuthenticationError."""
        now = self._clock.now()
        key = await self._db.read(authenticate, secret, now)
        if key.last_used_at is None or now - key.last_used_at >= TOUCH_EVERY:
            # the one write an authentication may cost, at most once a minute and key
            await self._db.write(keys.touch, key.id, now, unless_after=now - TOUCH_EVERY)
        return key


def authenticate(tx: Tx, secret: str, now: datetime) -> ApiKey:
    """Give the live key of a secret, writing nothing; raises AuthenticationError.

    The answer is the same whether the id, the secret or the time is wrong.
    """
    prefix, _, rest = secret.partition("_")
    key_id, _, _ = rest.partition("_")
    stored = keys.get(tx, key_id) if prefix == PREFIX else None
    right = compare_digest(hash_secret(secret), stored.hash if stored else "")
    if stored is None or not right or not _is_live(stored.key, now):
        raise AuthenticationError(_REFUSED)
    return stored.key


def hash_secret(secret: str) -> str:
    """Give the form under which a whole key is kept: SHA-256 in hex."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _is_live(key: ApiKey, now: datetime) -> bool:
    return key.revoked_at is None and (key.expires_at is None or now < key.expires_at)


def _check(wish: KeyWish, now: datetime) -> None:
    if not wish.name.strip() or len(wish.name) > MAX_NAME:
        raise InvalidInputError(
            f"name: a key needs a name of 1 to {MAX_NAME} characters", field="name"
        )
    if not wish.scopes:
        raise InvalidInputError(
            "scopes: a key needs at least one scope, such as send", field="scopes"
        )
    if wish.expires_at is not None and wish.expires_at <= now:
        raise InvalidInputError(
            "expires_at: this moment has passed; give a later one", field="expires_at"
        )


def _make(wish: KeyWish, now: datetime) -> IssuedKey:
    key_id = base64.b32encode(secrets.token_bytes(5)).decode().lower()
    secret = f"{PREFIX}_{key_id}_{secrets.token_urlsafe(32)}"
    key = ApiKey(
        id=key_id,
        tenant_id=wish.tenant_id,
        name=wish.name.strip(),
        last4=secret[-4:],
        scopes=wish.scopes,
        created_at=now,
        expires_at=wish.expires_at,
    )
    return IssuedKey(key=key, secret=secret)


def _save(tx: Tx, issued: IssuedKey, entry: AuditEntry) -> None:
    if tenants.get(tx, issued.key.tenant_id) is None:
        raise NotFoundError(f"there is no tenant {issued.key.tenant_id}")
    keys.add(tx, keys.StoredKey(key=issued.key, hash=hash_secret(issued.secret)))
    audit.add(tx, entry)


def _revoke(tx: Tx, entry: AuditEntry) -> ApiKey:
    keys.revoke(tx, entry.subject, entry.at)
    stored = keys.get(tx, entry.subject)
    if stored is None:
        raise NotFoundError(f"there is no API key {entry.subject}")
    audit.add(tx, entry)
    return stored.key
