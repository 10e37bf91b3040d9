"""API keys over a real database."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, text

from backend.access.keys import Keys
from backend.errors import AuthenticationError, InvalidInputError, NotFoundError
from backend.model.tenant import KeyWish, Scope, Tenant
from backend.store import audit, keys, tenants
from backend.store.schema import api_keys

if TYPE_CHECKING:
    from backend.store.engine import Database
    from backend.store.types import Tx
    from tests.settable import CountingIds, SettableClock

SEND = frozenset({Scope.SEND})


@pytest.fixture
async def access(any_db: Database, clock: SettableClock, ids: CountingIds) -> Keys:
    await any_db.write(tenants.add, Tenant(id="ten_1", name="Acme", created_at=clock.now()))
    return Keys(any_db, clock, ids)


def wish(**changed: object) -> KeyWish:
    values: dict[str, object] = {"tenant_id": "ten_1", "name": "ci", "scopes": SEND} | changed
    return KeyWish(**values)  # type: ignore[arg-type]  # each test changes one field


async def test_an_issued_key_opens_and_is_its_tenants(access: Keys) -> None:
    issued = await access.issue(wish(), actor="jo")
    found = await access.authenticate(issued.secret)

    assert (found.id, found.tenant_id, found.scopes) == (issued.key.id, "ten_1", SEND)
    assert issued.secret.startswith(f"rly_{issued.key.id}_")
    assert issued.key.last4 == issued.secret[-4:]


async def test_the_secret_is_nowhere_in_the_database(access: Keys, any_db: Database) -> None:
    issued = await access.issue(wish(), actor="jo")
    random_part = issued.secret.split("_", 2)[2]

    def everything(tx: Tx) -> str:
        rows = [str(tuple(row)) for row in tx.execute(select(api_keys))]
        return "".join([*rows, *(str(row) for row in tx.execute(text("SELECT * FROM audit")))])

    assert random_part not in await any_db.read(everything)


async def test_no_two_keys_are_alike(access: Keys) -> None:
    issued = [await access.issue(wish(), actor="jo") for _ in range(20)]

    assert len({one.secret for one in issued}) == 20
    assert len({one.key.id for one in issued}) == 20


@pytest.mark.parametrize(
    "spoil",
    [
        lambda s: "",
        lambda s: s[:-1],
        lambda s: s + "x",
        lambda s: s[:-1] + ("A" if s[-1] != "A" else "B"),
        lambda s: s.upper(),
        lambda s: s.replace("rly_", "key_"),
        lambda s: "rly_zzzzzzzz_" + s.split("_", 2)[2],
        lambda s: "ключ",
        lambda s: "rly__",
    ],
)
async def test_any_other_secret_is_refused_with_one_and_the_same_sentence(
    access: Keys, spoil: object
) -> None:
    issued = await access.issue(wish(), actor="jo")
    assert callable(spoil)

    with pytest.raises(AuthenticationError, match="not a live one"):
        await access.authenticate(spoil(issued.secret))


async def test_a_key_ends_at_its_expiry(access: Keys, clock: SettableClock) -> None:
    issued = await access.issue(wish(expires_at=clock.now() + timedelta(hours=1)), actor="jo")
    clock.advance(3599)
    assert (await access.authenticate(issued.secret)).id == issued.key.id
    clock.advance(1)

    with pytest.raises(AuthenticationError):
        await access.authenticate(issued.secret)


async def test_a_revoked_key_opens_no_more_and_the_audit_says_who_did_it(
    access: Keys, any_db: Database
) -> None:
    issued = await access.issue(wish(), actor="jo")
    revoked = await access.revoke(issued.key.id, actor="sam")

    assert revoked.revoked_at is not None
    with pytest.raises(AuthenticationError):
        await access.authenticate(issued.secret)
    entries = await any_db.read(audit.newest, 2)
    assert {(e.actor, e.action, e.subject) for e in entries} == {
        ("sam", "key.revoked", issued.key.id),
        ("jo", "key.issued", issued.key.id),
    }


async def test_last_use_is_written_at_most_once_a_minute(
    access: Keys, any_db: Database, clock: SettableClock
) -> None:
    issued = await access.issue(wish(), actor="jo")

    async def last_used() -> object:
        stored = await any_db.read(keys.get, issued.key.id)
        return stored and stored.key.last_used_at

    first = clock.now()
    await access.authenticate(issued.secret)
    clock.advance(59)
    await access.authenticate(issued.secret)
    assert await last_used() == first
    clock.advance(1)
    await access.authenticate(issued.secret)
    assert await last_used() == clock.now()


@pytest.mark.parametrize(
    ("changed", "field"),
    [({"name": " "}, "name"), ({"name": "x" * 101}, "name"), ({"scopes": frozenset()}, "scopes")],
)
async def test_a_bad_wish_is_refused_naming_the_field(
    access: Keys, changed: dict[str, object], field: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        await access.issue(wish(**changed), actor="jo")

    assert caught.value.field == field


async def test_a_key_cannot_expire_in_the_past(access: Keys, clock: SettableClock) -> None:
    with pytest.raises(InvalidInputError, match="has passed"):
        await access.issue(wish(expires_at=clock.now()), actor="jo")


async def test_there_is_no_key_without_a_tenant(access: Keys) -> None:
    with pytest.raises(NotFoundError):
        await access.issue(wish(tenant_id="ten_9"), actor="jo")


async def test_revoking_what_is_not_there_is_told(access: Keys) -> None:
    with pytest.raises(NotFoundError):
        await access.revoke("nope", actor="jo")
