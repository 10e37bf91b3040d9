"""Tenants, domains and keys on the command line, and the door they open."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import httpx
import pytest

from relay_console.cli.exits import Exit
from tests.acceptance.cli import Shell
from tests.acceptance.processes import Running, clean_environ

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(home=tmp_path, extra={"RELAY_DATABASE": str(tmp_path / "relay.db")})


def test_a_tenant_that_was_added_is_listed(shell: Shell) -> None:
    added = shell.run("tenants", "add", "Northwind IT", "--json").json

    listed = shell.run("tenants", "list", "--json").json_lines

    assert listed == [added]
    assert added["name"] == "Northwind IT"


def test_a_tenant_without_a_name_is_refused(shell: Shell) -> None:
    answer = shell.run("tenants", "add", "")

    assert (answer.code, answer.out) == (Exit.INVALID_INPUT, "")


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A shell whose database has one tenant."""
    home = tmp_path_factory.mktemp("office")
    shell = Shell(home=home, extra={"RELAY_DATABASE": str(home / "relay.db")})
    shell.run("tenants", "add", "Northwind IT")
    return shell


def test_a_key_shows_its_secret_once(office: Shell) -> None:
    made = office.run("keys", "create", "site", "--scope", "send", "--json").json
    listed = office.run("keys", "list", "--json")

    assert made["key"]["scopes"] == ["send"]
    assert made["secret"].endswith(made["key"]["last4"])
    assert made["secret"] not in listed.out
    assert made["key"]["id"] in [key["id"] for key in listed.json_lines]


def test_only_the_secret_goes_to_a_pipe(office: Shell) -> None:
    answer = office.run("keys", "create", "site")

    assert len(answer.out.split()) == 1
    assert "not shown again" in answer.err


def test_with_two_tenants_one_must_be_named(shell: Shell) -> None:
    for name in ("One", "Two"):
        shell.run("tenants", "add", name)

    answer = shell.run("keys", "list")

    assert answer.code == Exit.NOT_FOUND
    assert "--tenant" in answer.err
    assert shell.run("keys", "list", "--tenant", "Two").code == Exit.OK


def test_an_empty_list_is_no_error(shell: Shell) -> None:
    assert shell.run("domains", "list", "--json").out == ""
    assert shell.run("domains", "list").out.split() == ["DOMAIN", "STATUS", "INBOUND", "TENANT"]


def test_serve_writes_its_url_and_drains_at_sigterm(tmp_path: Path) -> None:
    environ = clean_environ(tmp_path)
    server = Running(["serve", "--port", "0"], environ, tmp_path / "serve.log")

    url = server.line()
    answered = httpx.get(f"{url}/health", timeout=5).status_code
    code = server.stop(signal.SIGTERM)

    assert url.startswith("http://127.0.0.1:")
    assert answered < 500
    assert code == Exit.OK


def test_serve_says_that_its_port_is_taken(tmp_path: Path) -> None:
    shell = Shell(home=tmp_path)
    server = Running(["serve", "--port", "0"], shell.environ, tmp_path / "serve.log")
    port = server.line().rpartition(":")[2]

    answer = shell.run("serve", "--port", port)
    server.stop()

    assert answer.code == Exit.CONFIGURATION
    assert f"relay-console: cannot listen on 127.0.0.1 port {port}" in answer.err
