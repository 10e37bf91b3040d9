"""``relay-console templates`` from the first draft to a test mail, in this process."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from backend.model.tenant import Domain, DomainStatus, Tenant
from backend.store import domains, tenants
from backend.store.engine import open_database
from relay_console.cli.main import cli
from relay_console.cli.opening import Common

if TYPE_CHECKING:
    from pathlib import Path

    from tests.settable import SettableClock


@pytest.fixture
def shell(sqlite_url: str, clock: SettableClock) -> Any:
    """Run a command against a database with one tenant and one verified domain."""
    now = clock.now()
    domain = Domain(
        id="dom_1",
        tenant_id="ten_1",
        name="acme.example",
        status=DomainStatus.VERIFIED,
        inbound_enabled=False,
        dkim_tokens=(),
        mail_from="",
        created_at=now,
    )

    async def settle() -> None:
        db = open_database(sqlite_url)
        await db.write(tenants.add, Tenant(id="ten_1", name="Acme", created_at=now))
        await db.write(domains.add, domain)
        db.close()

    asyncio.run(settle())

    def run(*words: str) -> str:
        common = Common(database=sqlite_url.removeprefix("sqlite:///"))
        answer = CliRunner().invoke(cli, words, obj=common, catch_exceptions=False)
        assert answer.exit_code == 0, answer.output
        return answer.output

    return run


def test_a_template_is_written_tried_sent_and_rolled_back(shell: Any, tmp_path: Path) -> None:
    text = tmp_path / "opened.txt"
    text.write_text("{{title}} for {{who}}", encoding="utf-8")
    made = json.loads(
        shell(
            "templates", "add", "Opened", "--subject", "#{{n}}", "--text", str(text),
            "--from", "help@acme.example", "--variable", "n:number", "--variable",
            "who=customer", "--json",
        )
    )  # fmt: skip
    preview = json.loads(shell("templates", "preview", "Opened", "--set", "n=7", "--json"))
    sent = json.loads(
        shell("templates", "test", "Opened", "--to", "me@acme.example", "--set", "n=7", "--json")
    )
    shell("templates", "publish", "Opened")
    edited = shell("templates", "edit", "Opened", "--subject", "New #{{n}}", "--note", "nicer")
    back = shell("templates", "publish", "Opened", "--version", "1")
    shown = shell("templates", "show", "Opened")
    told = shell("templates", "versions", "Opened")
    listed = [
        json.loads(line) for line in shell("templates", "versions", "Opened", "--json").splitlines()
    ]

    assert made["version"]["number"] == 1
    assert (preview["subject"], preview["text"]) == ("#7", "{{title}} for customer")
    assert preview["missing"] == ["title"]
    assert sent["status"] == "queued"
    assert "version 2; version 1 is sent" in edited
    assert "version 1; version 1 is sent" in back
    assert "2 of 2; version 1 is sent" in shown
    assert "nicer" in shown
    assert "nicer" in told
    assert [(one["number"], one["note"]) for one in listed] == [(2, "nicer"), (1, "")]
    assert "Opened" in shell("templates", "list")
