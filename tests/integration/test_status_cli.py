"""``relay-console status``: what it tells of an account that may not send, and of lost answers."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from backend.errors import RefusedError, RelayError, SendingPausedError, UnknownOutcomeError
from backend.model.outbound import OnUnknown
from backend.model.webhooks import Endpoint, WebhookStyle
from backend.outbound.accept import accept
from backend.store import webhooks
from relay_console.cli.main import cli
from relay_console.cli.opening import Common
from tests.outbound_world import DRAFT, TENANT, make_world

if TYPE_CHECKING:
    from pathlib import Path

    from backend.store.engine import Database
    from tests.settable import CountingIds, SettableClock


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def say(db: Database, *arguments: str) -> str:
    """Run a command on the database and give what it wrote."""
    database = db.url.removeprefix("sqlite:///")
    runner = CliRunner()
    done = runner.invoke(cli, [*arguments, "--database", database], obj=Common())
    if done.exception is not None:
        raise done.exception
    return done.output


def test_a_paused_account_is_told_with_its_reason_and_next_try(
    db: Database, clock: SettableClock, ids: CountingIds
) -> None:
    async def refuse() -> None:
        world = await make_world(db, clock, ids)
        await accept(world.outbound, TENANT, DRAFT)
        world.transport.answers = [SendingPausedError("AWS answered: paused for a review")]
        await world.work()

    assert "Queue  empty" in say(db, "status")
    asyncio.run(refuse())
    words, told = say(db, "status"), json.loads(say(db, "status", "--json"))
    assert "Sending  paused: SES has paused sending" in words
    assert "AWS answered: paused for a review" in words
    assert "2026-03-02 09:01:00Z, after 0 so far" in words
    assert "50,000" in words
    assert (told["sending"]["state"], told["sandbox"]) == ("paused", False)
    assert [one["due"] for one in told["queue"] if one["kind"] == "send"] == [1]


def test_what_failed_is_told_with_its_error_and_tried_again_when_asked(
    db: Database, clock: SettableClock, ids: CountingIds
) -> None:
    async def lose() -> str:
        world = await make_world(db, clock, ids)
        draft = replace(DRAFT, on_unknown=OnUnknown.HOLD)
        mail = (await accept(world.outbound, TENANT, draft)).email_id
        world.transport.answers = [UnknownOutcomeError("read timeout")]
        await world.work()
        clock.advance(timedelta(minutes=3))
        await world.work()
        await set_up_webhook(db, clock)
        return mail

    assert "Failed" not in say(db, "status")
    asyncio.run(lose())
    words, told = say(db, "status"), json.loads(say(db, "status", "--json"))
    assert "it is held" in words
    assert "status retry-dead WORK" in words
    assert "https://hooks.example/in" in words
    assert "answered 410 Gone" in words
    (trouble,) = told["troubles"]
    assert (trouble["kind"], trouble["dead"], trouble["count"]) == ("send", True, 1)
    assert [one["enabled"] for one in told["webhooks"]] == [False]

    assert say(db, "status", "retry-dead", "send") == "1 of send is tried again\n"
    assert json.loads(say(db, "status", "retry-dead", "send", "--json"))["revived"] == 0
    assert json.loads(say(db, "status", "--json"))["troubles"] == []


async def set_up_webhook(db: Database, clock: SettableClock) -> None:
    """Add an endpoint that was switched off because it was gone."""
    endpoint = Endpoint(
        id="whk_1",
        tenant_id=TENANT,
        url="https://hooks.example/in",
        style=WebhookStyle.RELAY,
        created_at=clock.now(),
        updated_at=clock.now(),
        enabled=False,
        disabled_reason="it answered 410 Gone",
    )
    await db.write(webhooks.add, endpoint, "whsec_x")


def test_a_person_decides_about_mail_whose_answer_was_lost(
    db: Database, clock: SettableClock, ids: CountingIds
) -> None:
    async def lose() -> list[str]:
        world = await make_world(db, clock, ids)
        draft = replace(DRAFT, on_unknown=OnUnknown.HOLD)
        mail = [(await accept(world.outbound, TENANT, draft)).email_id for _ in range(2)]
        world.transport.answers = [UnknownOutcomeError("read timeout"), RefusedError("no")]
        await world.work()
        clock.advance(timedelta(minutes=3))
        await world.work()
        return mail

    lost, refused = asyncio.run(lose())
    again = json.loads(say(db, "status", "send-again", lost, "--json"))
    assert (again["status"], again["possible_duplicate"]) == ("queued", True)
    with pytest.raises(RelayError, match="is failed, not unknown"):
        say(db, "status", "give-up", refused)
