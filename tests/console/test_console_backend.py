"""The console over the real backend: a database on disk, and every word of the protocol."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

import pytest

from backend import Backend, InboundQuery, SuppressionQuery, load_config, open_backend
from relay_console.service import Service
from tests.console.driving import until_shown, write
from tests.console.world import World

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from pathlib import Path

    from relay_console.app import RelayApp

VERBS = sorted(
    name for name, verb in vars(Service).items() if not name.startswith("_") and callable(verb)
)


@pytest.fixture
async def backend(sqlite_url: str, tmp_path: Path) -> AsyncGenerator[Backend]:
    """An open backend without loops, with one tenant and one suppression."""
    path = sqlite_url.removeprefix("sqlite:///")
    environ = {"XDG_CONFIG_HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)}
    config = load_config(environ, database=path)
    async with open_backend(config, workers=False) as opened:
        tenant = await opened.add_tenant("Harbour Dental", actor="test")
        await opened.add_suppression(tenant.id, "old@client.example", detail="", actor="test")
        yield opened


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("kind", [Backend, World])
def test_both_services_have_every_verb_with_its_arguments(kind: type, verb: str) -> None:
    wanted = inspect.signature(getattr(Service, verb)).parameters
    given = inspect.signature(getattr(kind, verb)).parameters
    assert list(given)[: len(wanted)] == list(wanted)


async def test_suppressions_are_added_removed_and_restored_in_the_database(
    make_app: Callable[..., RelayApp], backend: Backend
) -> None:
    async with make_app(backend).run_test(size=(80, 24), notifications=True) as pilot:
        await pilot.press("2")
        await until_shown(pilot, "1 suppressed address")
        await pilot.press("a")
        await until_shown(pilot, "Tenant (tab")
        await write(pilot, "new@client.example")
        await until_shown(pilot, "2 suppressed addresses")
        await pilot.press("g", "space", "space", "D")
        await until_shown(pilot, "Take 2 addresses off")
        await pilot.press("y")
        await until_shown(pilot, "No address is suppressed.")
        await pilot.press("u")
        await until_shown(pilot, "2 suppressed addresses")
    entries = await backend.suppressions(SuppressionQuery(), 0, 10)
    by = {entry.address: entry.created_by for entry in entries}
    assert by == {"new@client.example": "sam@ops", "old@client.example": "test"}


async def test_what_another_writes_comes_up_by_itself(
    make_app: Callable[..., RelayApp], backend: Backend
) -> None:
    tenant = (await backend.tenants())[0]
    async with make_app(backend).run_test(size=(80, 24)) as pilot:
        await pilot.press("2")
        await until_shown(pilot, "1 suppressed address")
        await backend.add_suppression(tenant.id, "x@y.example", detail="", actor="another")
        await until_shown(pilot, "2 suppressed addresses")


async def test_a_bad_address_is_answered_with_the_sentence_of_the_backend(
    make_app: Callable[..., RelayApp], backend: Backend
) -> None:
    async with make_app(backend).run_test(size=(120, 40), notifications=True) as pilot:
        await pilot.press("2")
        await until_shown(pilot, "1 suppressed address")
        await pilot.press("a")
        await until_shown(pilot, "Tenant (tab")
        await write(pilot, "nonsense")
        await until_shown(pilot, "is no address or domain")


async def test_empty_areas_of_a_new_database_say_what_to_do(
    make_app: Callable[..., RelayApp], backend: Backend
) -> None:
    assert await backend.count_inbound(InboundQuery()) == 0
    async with make_app(backend).run_test(size=(80, 24)) as pilot:
        for key, advice in (
            ("1", "No mail yet."),
            ("3", "No domain yet."),
            ("4", "Nothing waits for a person."),
            ("5", "No mail went out in this time."),
        ):
            await pilot.press(key)
            await until_shown(pilot, advice)
