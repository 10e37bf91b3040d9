"""The pipeline and the reference implementation of its targets agree on docs/targets.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from backend.desk.server import Desk, DeskSettings
from backend.inbound.quarantine_desk import QuarantineDesk
from backend.inbound.targets import HttpTargets
from backend.model.inbound import InboundStatus, Reason, TargetName
from backend.model.quarantine import Release, Reroute
from backend.ports import TargetRequest
from backend.store.blobs import FolderBlobs
from tests.integration.inbound_world import KEY, SHARED, LoopbackTarget, World, mail
from tests.integration.quarantine_world import with_file

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from backend.store.engine import Database
    from tests.settable import CountingIds, SettableClock


@pytest.fixture
async def world(
    db: Database, clock: SettableClock, ids: CountingIds, tmp_path: Path
) -> AsyncIterator[World]:
    desk = Desk(
        DeskSettings(
            folder=tmp_path / "desk",
            integration_key=KEY,
            tickets=("1042",),
            contacts={"c-7": "jo@client.example"},
        )
    )
    at = await desk.start()
    urls = {
        TargetName.PSA: at.psa_url,
        TargetName.CRM: at.crm_url,
        TargetName.PORTAL: at.portal_url,
    }
    async with httpx.AsyncClient() as client:
        blobs = FolderBlobs(tmp_path / "blobs")
        made = World(db, clock, ids, blobs, LoopbackTarget(), client, urls)
        await made.settle_tenants()
        yield made
    await desk.stop()


@pytest.mark.parametrize(
    "recipient",
    [f"ticket+1042@{SHARED}", f"crm+c-7@{SHARED}", f"portal+1042@{SHARED}", "support@acme.example"],
)
async def test_the_desk_takes_what_each_pattern_sends(world: World, recipient: str) -> None:
    row = await world.receive(mail(), recipient)

    assert (row.status, row.reason) == (InboundStatus.FORWARDED, Reason.DELIVERED)
    assert row.external_id


async def test_a_ticket_the_desk_does_not_know_is_held_with_its_sentence(world: World) -> None:
    row = await world.receive(mail(), f"ticket+9999@{SHARED}")

    assert (row.status, row.reason) == (InboundStatus.HELD, Reason.TARGET_REFUSED)
    assert (await world.steps(row.id))[-2].evidence["answer"]


async def test_the_same_key_makes_one_ticket_and_names_it_again(world: World) -> None:
    row = await world.receive(mail(), "support@acme.example")
    again = TargetRequest(
        path="/tickets",
        body={"inbound_id": row.id, "tenant_id": "acme", "subject": "x", "description": "y"},
        idempotency_key=f"{row.id}/psa",
    )

    receipt = await HttpTargets(world.urls, KEY, world.client, world.clock).call(
        TargetName.PSA, again
    )

    assert receipt.external_id == row.external_id


async def test_what_a_person_sends_on_the_desk_takes_without_the_unsafe_file(world: World) -> None:
    desk = QuarantineDesk(world.inbound, lambda: None)
    unsafe = await world.receive(with_file("run.bat"), "support@acme.example")
    unknown = await world.receive(mail(), f"ticket+9999@{SHARED}")
    known_ticket = Reroute(target=TargetName.PSA, ref="1042")

    await desk.release([unsafe.id], Release(), actor="sam")
    await desk.reroute([unknown.id], known_ticket, actor="sam")
    await world.work()

    for one in (unsafe, unknown):
        row = await world.row(one.id)
        assert (row.status, row.reason) == (InboundStatus.FORWARDED, Reason.DELIVERED)
