"""API keys ``rly_<id>_<secret>``: issue, check, rotate, revoke.

The secret is 32 random bytes, so SHA-256 is enough at rest: there is nothing to guess. It is seen
once, in the answer to ``issue``.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import replace
from datetime import timedelta
from hmac import compare_digest
from typing import TYPE_CHECKING

from backend.errors import AuthenticationError, ForbiddenError, InvalidInputError, NotFoundError
from backend.model.limits import NO_LIMITS
from backend.model.tenant import ApiKey, IssuedKey, KeyWish
from backend.store import audit, domains, keys, limits, tenants
from backend.store.audit import AuditEntry

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from backend.ports import Clock, Ids
    from backend.store.engine import Database
    from backend.store.types import Tx

PREFIX = "rly"
TOUCH_EVERY = timedelta(minutes=1)
FRESH = timedelta(seconds=1)
MOST_KNOWN = 1_000
OVERLAP = timedelta(hours=24)
MAX_OVERLAP = timedelta(days=30)
MAX_NAME = 100
_REFUSED = "the API key is not a live one; use a key from `relay-console keys`"


class Keys:
    """The keys of all tenants in one database."""

    def __init__(self, db: Database, clock: Clock, ids: Ids) -> None:
        self._db = db
        self._clock = clock
        self._ids = ids
        self._known: dict[str, tuple[ApiKey, datetime]] = {}
        """By the hash of the secret: keys looked up within the last second."""

    async def issue(self, wish: KeyWish, *, actor: str, by: ApiKey | None = None) -> IssuedKey:
        """Make a key and give it with its secret; ``by`` is the key that asks, if one does.

        Raises InvalidInputError, NotFoundError, and ForbiddenError for more than ``by`` may.
        """
        now = self._clock.now()
        _check(wish, now)
        issued = _make(wish if by is None else _within(wish, by, now), now)
        entry = AuditEntry(
            id=self._ids.new("aud"),
            at=now,
            actor=actor,
            action="key.issued",
            subject=issued.key.id,
            tenant_id=wish.tenant_id,
            detail={"name": wish.name, "scopes": " ".join(sorted(wish.scopes))},
        )
        await self._db.write(_save, issued, entry, by)
        return issued

    async def rotate(
        self,
        key_id: str,
        *,
        actor: str,
        overlap: timedelta = OVERLAP,
        by: ApiKey | None = None,
    ) -> IssuedKey:
        """Make a successor with the same rights; the old key stays good for ``overlap``.

        A key that would end keeps its span: the successor lives as long as the old one was to.
        Raises NotFoundError, InvalidInputError for a key that is dead or rotated already, and
        ForbiddenError for one that may more than ``by``, the key that asks.
        """
        if not timedelta() <= overlap <= MAX_OVERLAP:
            raise InvalidInputError(f"overlap: give 0 to {MAX_OVERLAP.days} days", field="overlap")
        act = self._act("key.rotated", key_id, actor)
        issued = await self._db.write(_rotate, act, overlap, by)
        self._known.clear()
        return issued

    async def rename(
        self, key_id: str, name: str, *, actor: str, by: ApiKey | None = None
    ) -> ApiKey:
        """Call a key otherwise and give it; raises NotFoundError, InvalidInputError."""
        _check_name(name)
        act = replace(self._act("key.renamed", key_id, actor), detail={"name": name.strip()})
        renamed = await self._db.write(_rename, act, by)
        self._known.clear()
        return renamed

    async def revoke(self, key_id: str, *, actor: str, by: ApiKey | None = None) -> ApiKey:
        """End a key's life now and give it; raises NotFoundError, also across tenants."""
        revoked = await self._db.write(_revoke, self._act("key.revoked", key_id, actor), by)
        self._known.clear()
        return revoked

    async def ending(self, within: timedelta, tenant_id: str | None = None) -> Sequence[ApiKey]:
        """Give the live keys that end soon and have no successor, soonest first."""
        now = self._clock.now()
        return await self._db.read(keys.ending, now, now + within, tenant_id)

    def _act(self, action: str, key_id: str, actor: str) -> AuditEntry:
        return AuditEntry(
            id=self._ids.new("aud"),
            at=self._clock.now(),
            actor=actor,
            action=action,
            subject=key_id,
        )

    async def authenticate(self, secret: str) -> ApiKey:
        """Give the live key of a secret and note its use; raises AuthenticationError.

        A key is looked up once a second: what another process revokes is refused from then on.
        """
        now = self._clock.now()
        digest = hash_secret(secret)
        known = self._known.get(digest)
        if known is None or not timedelta() <= now - known[1] < FRESH:
            known = (await self._db.read_gathered(look_up, secret), now)
            self._remember(digest, *known)
        key = known[0]
        if not _is_live(key, now):
            raise AuthenticationError(_REFUSED)
        if key.last_used_at is None or now - key.last_used_at >= TOUCH_EVERY:
            self._remember(digest, replace(key, last_used_at=now), known[1])
            # the one write an authentication may cost, at most once a minute and key
            await self._db.write(keys.touch, key.id, now, unless_after=now - TOUCH_EVERY)
        return key

    def _remember(self, digest: str, key: ApiKey, at: datetime) -> None:
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        self._known[digest] = (key, at)


def look_up(tx: Tx, secrets: Sequence[str]) -> Sequence[ApiKey | AuthenticationError]:
    """Give the key of each secret, live or not, those asked for twice by one look."""
    found: dict[str, ApiKey | AuthenticationError] = {}
    for secret in secrets:
        if secret not in found:
            found[secret] = _key_of(tx, secret) or AuthenticationError(_REFUSED)
    return [found[secret] for secret in secrets]


def _key_of(tx: Tx, secret: str) -> ApiKey | None:
    """Give the key of a secret; the answer is the same whether its id or the rest is wrong."""
    prefix, _, rest = secret.partition("_")
    key_id, _, _ = rest.partition("_")
    stored = keys.get(tx, key_id) if prefix == PREFIX else None
    right = compare_digest(hash_secret(secret), stored.hash if stored else "")
    return stored.key if stored is not None and right else None


def hash_secret(secret: str) -> str:
    """Give the form under which a whole key is kept: SHA-256 in hex."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _is_live(key: ApiKey, now: datetime) -> bool:
    return key.revoked_at is None and (key.expires_at is None or now < key.expires_at)


def _check(wish: KeyWish, now: datetime) -> None:
    _check_name(wish.name)
    if not wish.scopes:
        raise InvalidInputError(
            "scopes: a key needs at least one scope, such as send", field="scopes"
        )
    if wish.expires_at is not None and wish.expires_at <= now:
        raise InvalidInputError(
            "expires_at: this moment has passed; give a later one", field="expires_at"
        )


def _check_name(name: str) -> None:
    if not name.strip() or len(name) > MAX_NAME:
        raise InvalidInputError(
            f"name: a key needs a name of 1 to {MAX_NAME} characters", field="name"
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
        domains=wish.domains,
        any_tenant=wish.any_tenant,
    )
    return IssuedKey(key=key, secret=secret)


def _within(wish: KeyWish, by: ApiKey, now: datetime) -> KeyWish:
    """Give a wish, ended when the key that asks may make no key for good; see ``_must_cover``."""
    if by.expires_at is None or wish.expires_at is not None:
        return wish
    return replace(wish, expires_at=now + _span(by))


def _save(tx: Tx, issued: IssuedKey, entry: AuditEntry, by: ApiKey | None) -> None:
    key = issued.key
    _must_cover(tx, by, key)
    if tenants.get(tx, key.tenant_id) is None:
        raise NotFoundError(f"there is no tenant {key.tenant_id}")
    for name in sorted(key.domains):
        domain = domains.by_name(tx, name)
        if domain is None or (domain.tenant_id != key.tenant_id and not key.any_tenant):
            raise InvalidInputError(
                f"domains: {name[:100]!r} is not a domain of this tenant; add it first",
                field="domains",
            )
    keys.add(tx, keys.StoredKey(key=key, hash=hash_secret(issued.secret)))
    audit.add(tx, entry)


def _rotate(tx: Tx, entry: AuditEntry, overlap: timedelta, by: ApiKey | None) -> IssuedKey:
    old = _known(tx, entry.subject, by)
    _must_cover(tx, by, old)
    if not _is_live(old, entry.at):
        raise InvalidInputError(
            f"key: {old.id} is not live any more; create a new one", field="key"
        )
    if old.replaced_by is not None:
        raise InvalidInputError(
            f"key: {old.id} was rotated already; rotate {old.replaced_by}", field="key"
        )
    wish = KeyWish(
        tenant_id=old.tenant_id,
        name=old.name,
        scopes=old.scopes,
        expires_at=entry.at + _span(old) if old.expires_at else None,
        domains=old.domains,
        any_tenant=old.any_tenant,
    )
    issued = _make(wish, entry.at)
    keys.add(tx, keys.StoredKey(key=issued.key, hash=hash_secret(issued.secret)))
    limits.hand_down(tx, (old.tenant_id, old.id), (old.tenant_id, issued.key.id), entry.at)
    ends = entry.at + overlap
    keys.replace_by(tx, old.id, issued.key.id, ends=min(ends, old.expires_at or ends))
    detail = {"successor": issued.key.id, "overlap_seconds": str(int(overlap.total_seconds()))}
    audit.add(tx, replace(entry, tenant_id=old.tenant_id, detail=detail))
    return issued


def _rename(tx: Tx, entry: AuditEntry, by: ApiKey | None) -> ApiKey:
    key = _within_reach(tx, entry.subject, by)
    keys.rename(tx, key.id, entry.detail["name"])
    audit.add(tx, replace(entry, tenant_id=key.tenant_id))
    return _known(tx, key.id, None)


def _revoke(tx: Tx, entry: AuditEntry, by: ApiKey | None) -> ApiKey:
    key = _within_reach(tx, entry.subject, by)
    keys.revoke(tx, key.id, entry.at)
    audit.add(tx, replace(entry, tenant_id=key.tenant_id))
    return _known(tx, key.id, None)


def _within_reach(tx: Tx, key_id: str, by: ApiKey | None) -> ApiKey:
    """Give a key to be changed; raises as ``_known``, and ForbiddenError for domains of others."""
    key = _known(tx, key_id, by)
    if by is not None and not by.covers(key.domains):
        raise _beyond(by, "change keys")
    return key


def _must_cover(tx: Tx, by: ApiKey | None, other: ApiKey) -> None:
    """Raise ForbiddenError when a key asks for the secret of one that may more than itself.

    More is: to send from elsewhere, to live longer, or to send past the limits of this very key.
    """
    if by is None or by.id == other.id:
        return
    if not by.covers(other.domains):
        raise _beyond(by, "make keys")
    if _span(other) > _span(by):
        raise ForbiddenError("expires_at: this API key makes no key that lives longer than itself")
    if limits.get(tx, (by.tenant_id, by.id)).own != NO_LIMITS:
        raise ForbiddenError("this API key has rate limits of its own, so it makes no other keys")


def _span(key: ApiKey) -> timedelta:
    """Give how long a key lives in all."""
    return key.expires_at - key.created_at if key.expires_at else timedelta.max


def _beyond(by: ApiKey, what: str) -> ForbiddenError:
    allowed = ", ".join(sorted(by.domains))
    return ForbiddenError(f"domains: this API key may {what} for {allowed} only")


def _known(tx: Tx, key_id: str, by: ApiKey | None) -> ApiKey:
    stored = keys.get(tx, key_id)
    if stored is None or (by is not None and not by.governs(stored.key)):
        raise NotFoundError(f"there is no API key {key_id[:40]}")
    return stored.key
