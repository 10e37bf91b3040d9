"""The audit of the demo: mail left out on its way is not lost, and what is lost is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from backend.demo import places, settle
from backend.demo.ledger import Fate
from backend.demo.session import Demo, DemoSettings, open_demo
from backend.demo.witness import mail_at_ses
from backend.model.views import SuppressionQuery
from tests.waiting import until_async

if TYPE_CHECKING:
    from pathlib import Path

TENANT = places.CLIENTS[2]
READER = places.COMPLAINERS[1]


@pytest.mark.timeout(60)
async def test_a_complaint_that_overtakes_a_mail_loses_nothing_and_a_miss_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settle, "SETTLE_SECONDS", 1)
    settings = DemoSettings(folder=tmp_path, quiet=True)
    async with open_demo(settings) as demo, demo._world._http:
        backend, world = demo.backend, demo._world
        (tenant,) = [one for one in await backend.tenants() if one.name == TENANT.name]
        await world._notice_to(TENANT, READER)
        await until_async(lambda: is_at_ses(demo))
        await backend.compliance.brake(tenant.id, reason="a slow queue", actor="test")
        await world._notice_to(TENANT, READER)  # accepted, and waits
        await until_async(lambda: is_suppressed(demo))
        world.ledger.outbound["out-999999"] = Fate.SENT  # the API never told of this one
        world.ledger.inbound["in-999999@world.example"] = Fate.FORWARDED

        summary = await demo.finish()

    assert set(world.ledger.outbound.values()) == {Fate.SPARED, Fate.SENT}
    assert (summary.as_json()["lost"], summary.as_json()["duplicates"]) == (2, 0)
    assert summary.as_json()["suppressed"] == 1
    assert [(one.marker, one.way, one.what, one.stood) for one in summary.astray] == [
        ("out-999999", "out", "lost", "the program has no such mail"),
        ("in-999999@world.example", "in", "lost", "the program has no such message"),
    ]


async def is_at_ses(demo: Demo) -> bool:
    world = demo._world
    return bool(await mail_at_ses(world._http, world.doors.aws_endpoint, 0))


async def is_suppressed(demo: Demo) -> bool:
    return bool(await demo.backend.suppressions(SuppressionQuery(text=READER), 0, 10))
