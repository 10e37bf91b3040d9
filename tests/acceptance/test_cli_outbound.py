"""Rate limits and scheduled mail on the command line."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from backend.store import domains, tenants
from backend.store.engine import Database, open_database
from relay_console.cli.exits import Exit
from tests.acceptance.cli import Shell
from tests.outbound_world import TENANT, _tenants

if TYPE_CHECKING:
    from pathlib import Path


def office(home: Path) -> Shell:
    """Give a shell whose database has two tenants with a verified domain each."""
    path = home / "relay.db"
    db: Database = open_database(f"sqlite:///{path}")
    asyncio.run(db.write(_tenants))
    assert asyncio.run(db.read(tenants.get, TENANT)) is not None
    assert asyncio.run(db.read(domains.by_name, "acme.example")) is not None
    db.close()
    return Shell(home=home, extra={"RELAY_DATABASE": str(path)})


def test_limits_are_set_and_shown_and_hold_for_the_command_line_too(tmp_path: Path) -> None:
    shell = office(tmp_path)
    mail = ["--tenant", TENANT, "--from", "a@acme.example", "--to", "b@x.example"]
    mail += ["--subject", "Hello", "--text", "Hi"]
    made = shell.run("limits", "set", "1/min 50/h", "--tenant", TENANT, "--json").json
    first = shell.run("send", *mail)
    second = shell.run("send", *mail)
    (shown,) = shell.run("limits", "show", "--tenant", TENANT, "--json").json_lines

    assert made["holds"] == {"second": 10, "minute": 1, "hour": 50, "day": 40000}
    assert (first.code, second.code) == (Exit.OK, Exit.UNAVAILABLE)
    assert "the rate limit of 1 per minute is reached" in second.err
    assert [shown["used"][window] for window in ("minute", "hour", "day")] == [1, 1, 1]


def test_a_mail_is_scheduled_moved_and_called_off(tmp_path: Path) -> None:
    shell = office(tmp_path)
    mail = ["--tenant", TENANT, "--from", "a@acme.example", "--to", "b@x.example"]
    mail += ["--cc", "c@x.example", "--subject", "Hello", "--text", "Hi", "--at", "in 2 hours"]
    sent = shell.run("send", *mail, "--json").json
    moved = shell.run("reschedule", sent["email_id"], "tomorrow at 9am", "--json").json
    gone = shell.run("cancel", sent["email_id"]).out
    late = shell.run("reschedule", sent["email_id"], "in 1 hour")

    assert sent["status"] == moved["status"] == "scheduled"
    assert moved["scheduled_at"].endswith("T09:00:00Z")
    assert gone.startswith(f"{sent['email_id']} canceled")
    assert (late.code, "was called off" in late.err) == (Exit.FAILED, True)
