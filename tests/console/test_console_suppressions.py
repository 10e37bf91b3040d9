"""The Suppressions screen over the real backend: whole domains, review, and files."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from backend import (
    Backend,
    SuppressionQuery,
    SuppressionState,
    load_config,
    open_backend,
)
from relay_console.viewmodel.filters import suppression_query
from tests.console.driving import until_shown, write
from tests.console.world import NOW, TENANTS

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from pathlib import Path

    from relay_console.app import RelayApp
    from tests.console.world import World

SIZE = (120, 40)


@pytest.fixture
async def backend(sqlite_url: str, tmp_path: Path) -> AsyncGenerator[Backend]:
    """An open backend without loops, with one tenant."""
    path = sqlite_url.removeprefix("sqlite:///")
    environ = {"XDG_CONFIG_HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)}
    async with open_backend(load_config(environ, database=path), workers=False) as opened:
        await opened.add_tenant("Harbour Dental", actor="test")
        yield opened


async def test_a_domain_is_suppressed_for_every_tenant_and_some_days(
    make_app: Callable[..., RelayApp], backend: Backend
) -> None:
    async with make_app(backend).run_test(size=SIZE, notifications=True) as pilot:
        await pilot.press("2")
        await until_shown(pilot, "No address is suppressed.")
        await pilot.press("a")
        await until_shown(pilot, "For how many days")
        await pilot.press(*"*.spam.example", "tab", *"asked", "tab", *"7x", "tab", "enter", "down")
        await pilot.press("enter", "shift+tab", "enter")
        await until_shown(pilot, "1 suppressed address")
        await until_shown(pilot, "every tenant")
    (entry,) = await backend.suppressions(SuppressionQuery(), 0, 9)
    assert (entry.address, entry.note) == ("*.spam.example", "asked")
    assert entry.expires_at is not None
    assert timedelta(days=6) < entry.expires_at - NOW


async def test_a_file_is_imported_after_a_look_exported_and_undone(
    make_app: Callable[..., RelayApp], backend: Backend, tmp_path: Path
) -> None:
    file, copy = tmp_path / "list.csv", tmp_path / "copy.jsonl"
    file.write_text("a@in.example\nbroken line\nb@in.example\n", encoding="utf-8")
    async with make_app(backend).run_test(size=SIZE, notifications=True) as pilot:
        await pilot.press("2")
        await until_shown(pilot, "No address is suppressed.")
        await pilot.press("i")
        await until_shown(pilot, "Import a list")
        await write(pilot, str(file))
        await until_shown(pilot, "Import 2 entries?")
        await until_shown(pilot, "1 bad line")
        await pilot.press("y")
        await until_shown(pilot, "2 suppressed addresses")
        await pilot.press("e")
        await until_shown(pilot, "Export what the filter shows")
        await write(pilot, str(copy))
        await until_shown(pilot, "Written to")
        await pilot.press("u")
        await until_shown(pilot, "No address is suppressed.")
        await pilot.press("i")
        await until_shown(pilot, "Import a list")
        await write(pilot, str(tmp_path / "missing.csv"))
        await until_shown(pilot, "No such file or directory")
    assert len(copy.read_text(encoding="utf-8").splitlines()) == 2
    assert copy.stat().st_mode & 0o777 == 0o600


async def test_a_complaint_that_waits_is_shown_on_its_own_and_accepted(
    make_app: Callable[..., RelayApp], world: World
) -> None:
    first = next(iter(world.suppressed.values()))
    world.suppressed[first.id] = replace(first, state=SuppressionState.REVIEW, tenant_id="")
    async with make_app(world).run_test(size=SIZE, notifications=True) as pilot:
        await pilot.press("2")
        await until_shown(pilot, "23 suppressed addresses")
        await pilot.press("slash")
        await write(pilot, "state:review")
        await until_shown(pilot, "every tenant")
        await pilot.press("Y")
        await until_shown(pilot, "after review?")
        await pilot.press("y")
        await until_shown(pilot, "Nothing fits this filter")
    assert ("accept", first.id, "sam@ops") in world.calls


def test_a_filter_of_suppressions_reads_every_word() -> None:
    query = suppression_query("reason:bou scope:global kind:dom state:rev Ann", TENANTS)

    assert (query.reason, query.kind, query.state) == ("bounce", "domain", "review")
    assert (query.tenant_id, query.text) == ("", "Ann")
