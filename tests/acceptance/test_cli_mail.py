"""A mail on the command line, from send to show, and a reply, against local AWS and a server."""

from __future__ import annotations

import select
import signal
import smtplib
import time
from typing import TYPE_CHECKING, Any

import pytest

from relay_console.cli.exits import Exit
from tests.acceptance.cli import Shell
from tests.acceptance.processes import running_sandbox, serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

DEADLINE = 30
TENANT = "Northwind Dental"
SENDER = "notify@northwind.example"
HOSTILE = "[@click=app.quit]x[/] \x1b]52;c;aGk=\x07"


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A shell that has read what the sandbox printed; a server runs beside it."""
    home = tmp_path_factory.mktemp("cli")
    with running_sandbox(home) as environ:
        server = serve(environ, home)
        yield Shell(home=home, extra=environ)
        assert server.stop(signal.SIGTERM) == Exit.OK


def eventually(ask: Callable[[], Any]) -> Any:
    """Ask again until the answer is true or the deadline has passed; give the last answer."""
    end = time.monotonic() + DEADLINE
    while not (answer := ask()) and time.monotonic() < end:
        select.select([], [], [], 0.2)
    return answer


def send(shell: Shell, *more: str, subject: str = "Hello") -> Any:
    head = ["--tenant", TENANT, "--from", SENDER, "--subject", subject]
    return shell.run("send", *head, *more)


def test_a_mail_is_accepted_sent_and_shown_as_delivered(shell: Shell) -> None:
    accepted = send(shell, "--to", "ann@customers.example", "--text", "Hi", "--json").json

    def delivered() -> Any:
        detail = shell.run("show", accepted["email_id"], "--json").json
        return detail if detail["email"]["status"] == "delivered" else None

    detail = eventually(delivered)
    assert detail is not None
    assert [entry["kind"] for entry in detail["timeline"]][-1] == "delivery"
    assert len(detail["attempts"]) == 1


def test_show_writes_the_timeline_for_people(shell: Shell) -> None:
    accepted = send(shell, "--to", "bob@customers.example", "--text", "Hi", "--json").json
    eventually(lambda: "delivery" in shell.run("show", accepted["email_id"]).out)

    out = shell.run("show", accepted["email_id"]).out
    assert out.startswith(f"{accepted['email_id']}  delivered: ")
    assert [
        head for head in ("Recipients", "Timeline", "Attempts") if f"\n{head}\n" not in out
    ] == []


def test_the_same_idempotency_key_sends_nothing_new(shell: Shell) -> None:
    mail = ("--to", "cid@customers.example", "--text", "Hi", "--idempotency-key", "k1", "--json")

    first, again = send(shell, *mail).json, send(shell, *mail).json

    assert again["email_id"] == first["email_id"]
    assert (first["replayed"], again["replayed"]) == (False, True)


def test_another_mail_under_the_same_key_is_refused(shell: Shell) -> None:
    key = ("--to", "cid@customers.example", "--idempotency-key", "k2", "--text")

    assert send(shell, *key, "one").code == Exit.OK
    assert send(shell, *key, "two").code == Exit.INVALID_INPUT


def test_the_text_may_come_from_standard_input_and_files_are_attached(
    shell: Shell, tmp_path: Path
) -> None:
    (tmp_path / "terms.txt").write_text("x" * 100, encoding="utf-8")
    head = ["--tenant", TENANT, "--from", SENDER, "--subject", "s", "--to", "d@customers.example"]
    files = ["--text-file", "-", "--attach", str(tmp_path / "terms.txt")]

    answer = shell.run("send", *head, *files, stdin="From a pipe\n")

    assert answer.code == Exit.OK
    assert answer.out.startswith("msg_")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--to", "not an address", "--text", "x"], Exit.INVALID_INPUT),
        (
            ["--to", "a@customers.example", "--text", "x", "--from", "a@un.example"],
            Exit.INVALID_INPUT,
        ),
        (["--to", "a@customers.example", "--text", "x", "--tenant", "Nobody"], Exit.NOT_FOUND),
        (["--to", "a@customers.example", "--text", "x", "--text-file", "-"], Exit.USAGE),
        (["--text", "x"], Exit.USAGE),
    ],
    ids=["address", "domain", "tenant", "two bodies", "no recipient"],
)
def test_wrong_mail_is_refused_with_its_code(
    shell: Shell, arguments: list[str], code: Exit
) -> None:
    answer = send(shell, *arguments)

    assert (answer.code, answer.out) == (code, "")
    assert "Traceback" not in answer.err


def test_logs_finds_mail_and_shows_hostile_text_as_text(shell: Shell) -> None:
    """A subject cannot be sent with control characters, but it can be received with them."""
    receive(shell, subject=HOSTILE, recipient="support@northwind.example")

    found = eventually(lambda: shell.run("logs", "dir:in", "@click", "--json").json_lines)
    table = shell.run("logs", "dir:in", "@click").out

    assert found[0]["direction"] == "in"
    assert "[@click=app.quit]x[/]" in table
    assert "\x1b" not in table
    assert "\x07" not in table


def test_logs_says_which_filter_word_is_wrong(shell: Shell) -> None:
    answer = shell.run("logs", "status:nonsense")

    assert answer.code == Exit.INVALID_INPUT
    assert "status:nonsense" in answer.err


def test_an_unrouted_message_waits_is_explained_and_can_be_processed_again(shell: Shell) -> None:
    receive(shell, subject="lost", recipient="nobody@northwind.example")

    def waiting() -> Any:
        listed = shell.run("quarantine", "list", "--json").json_lines
        return [message for message in listed if message["subject"] == "lost"]

    (message,) = eventually(waiting)
    out = shell.run("explain", message["id"]).out
    again = shell.run("reprocess", message["id"], "--json").json

    assert message["status"] == "unrouted"
    assert out.startswith(f"{message['id']}  unrouted: ")
    assert "\nExplanation\n" in out
    assert "  route" in out
    assert again == {"asked": 1, "queued": 1}


@pytest.mark.parametrize("message_id", ["msg_nothing", "inb_nothing", "nothing"])
def test_a_message_that_is_not_there_is_not_found(shell: Shell, message_id: str) -> None:
    answer = shell.run("show", message_id)

    assert (answer.code, answer.out) == (Exit.NOT_FOUND, "")
    assert message_id in answer.err


def receive(shell: Shell, *, subject: str, recipient: str) -> None:
    """Hand a message to the SMTP door, as a client of a tenant would."""
    host, _, port = shell.environ["RELAY_SMTP"].partition(":")
    head = f"From: eve@customers.example\r\nTo: {recipient}\r\nSubject: {subject}\r\n"
    with smtplib.SMTP(host, int(port), timeout=10) as door:
        door.sendmail("eve@customers.example", [recipient], f"{head}\r\nHelp\r\n")


@pytest.mark.parametrize("time", ["first", "second"])
def test_the_doctor_sends_a_test_and_sees_it_arrive(shell: Shell, time: str) -> None:
    answer = shell.run("doctor", "--send-test", "--timeout", "20", "--json")
    checks = {check["name"]: check for check in answer.json}

    assert answer.code == Exit.OK
    assert checks["test to success@"]["verdict"] == "ok", checks
    assert checks["test to bounce@"]["verdict"] == "ok", checks
    assert checks["SES account"]["verdict"] in ("ok", "warning")


def test_compliance_shows_rates_and_holds_a_tenant_back(shell: Shell) -> None:
    braked = shell.run("compliance", "brake", TENANT, "--reason", "on request", "--json").json
    report = shell.run("compliance", "--json").json
    shown = shell.run("compliance")
    released = shell.run("compliance", "release", TENANT, "--json").json

    assert [one["reason"] for one in report["brakes"]] == ["on request"]
    assert braked["tenant_id"] == released["tenant_id"]
    assert "more until 5 %" in shown.out
    assert shown.code == Exit.OK
