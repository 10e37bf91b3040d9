"""How the command line fails: one sentence, a code from the table, no traceback."""

from __future__ import annotations

import fcntl
import os
import select
import signal
import subprocess
import termios
from pathlib import Path

import pytest

from backend import errors
from relay_console.cli.exits import Exit, exit_for
from tests.acceptance.cli import PROGRAM, Answer, Shell


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(home=tmp_path)


def assert_one_sentence(answer: Answer, code: Exit, *words: str) -> None:
    assert answer.code == code
    assert answer.out == ""
    assert answer.err.startswith("relay-console: ")
    assert answer.err.count("\n") == 1
    assert [word for word in words if word not in answer.err] == []


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.NotFoundError("no"), Exit.NOT_FOUND),
        (errors.InvalidInputError("no"), Exit.INVALID_INPUT),
        (errors.DomainNotVerifiedError("no"), Exit.INVALID_INPUT),
        (errors.AllSuppressedError("no"), Exit.INVALID_INPUT),
        (errors.IdempotencyConflictError("no"), Exit.INVALID_INPUT),
        (errors.AuthenticationError("no"), Exit.NOT_ALLOWED),
        (errors.ForbiddenError("no"), Exit.NOT_ALLOWED),
        (errors.ThrottledError("no"), Exit.UNAVAILABLE),
        (errors.DatabaseBusyError("no"), Exit.UNAVAILABLE),
        (errors.ConfigError("no"), Exit.CONFIGURATION),
        (errors.SchemaTooNewError("no"), Exit.CONFIGURATION),
        (errors.RefusedError("no"), Exit.FAILED),
        (errors.UnknownOutcomeError("no"), Exit.FAILED),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_error_has_its_exit_code(error: errors.RelayError, code: Exit) -> None:
    assert exit_for(error) is code


def test_an_unknown_setting_is_named(shell: Shell, tmp_path: Path) -> None:
    answer = Shell(home=tmp_path, extra={"RELAY_PORT": "1"}).run_process("logs")

    assert_one_sentence(answer, Exit.CONFIGURATION, "RELAY_PORT")


def test_a_wrong_value_is_named(tmp_path: Path) -> None:
    answer = Shell(home=tmp_path, extra={"RELAY_API_PORT": "many"}).run("serve")

    assert_one_sentence(answer, Exit.CONFIGURATION, "RELAY_API_PORT")


HOSTILE = "\x1b[31mx\x1b]0;t\x07\u202e\x9b"


@pytest.mark.parametrize(
    "words",
    [
        ("show", HOSTILE),
        ("explain", HOSTILE),
        ("jobs", "show", HOSTILE),
        ("webhooks", "test", HOSTILE),
        ("webhooks", "deliveries", HOSTILE),
        ("keys", "revoke", HOSTILE),
        ("rules", "remove", HOSTILE),
        ("domains", "remove", HOSTILE, "--yes"),
        ("tenants", "add", HOSTILE),
        ("usage", "--tenant", HOSTILE),
        ("inbound", "ingest", f"/{HOSTILE}"),
        ("logs", "--output", f"/proc/{HOSTILE}/x"),
        ("config", f"--{HOSTILE}"),
        (HOSTILE,),
    ],
    ids=lambda words: words[0] if words[0] != HOSTILE else "a command",
)
def test_no_error_repeats_what_a_terminal_would_obey(shell: Shell, words: tuple[str, ...]) -> None:
    answer = shell.run(*words)

    assert answer.code not in (0, None)
    assert "Traceback" not in answer.err
    assert answer.err
    assert not set("\x1b\x07\x9b\u202e") & set(answer.out + answer.err)


def test_an_argument_that_is_no_text_is_named_as_that(shell: Shell) -> None:
    answer = shell.run("show", "msg_\udc9b")

    assert_one_sentence(answer, Exit.USAGE, "not UTF-8")


def test_a_database_of_another_kind_is_refused_and_no_file_appears(tmp_path: Path) -> None:
    answer = Shell(home=tmp_path).run("--database", "mysql://there/x", "tenants", "list")

    assert_one_sentence(answer, Exit.CONFIGURATION, "postgresql:// URL")


def test_an_unknown_name_in_the_file_is_named_with_the_file(tmp_path: Path) -> None:
    shell = Shell(home=tmp_path)
    place = Path(shell.run("config", "locate", "--json").json["config"])
    place.parent.mkdir(parents=True)
    place.write_text('databse = "x.db"\n')

    assert_one_sentence(
        shell.run("tenants", "list"), Exit.CONFIGURATION, "databse is not a setting"
    )


def test_without_a_tenant_the_advice_is_to_add_one(tmp_path: Path) -> None:
    assert_one_sentence(Shell(home=tmp_path).run("limits", "show"), Exit.NOT_FOUND, "tenants add")


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    answer = Shell(home=tmp_path, extra={"RELAY_PORT": "1"}).run_process("--debug", "logs")

    assert answer.code == 1
    assert "Traceback" in answer.err
    assert "ConfigError" in answer.err


def test_an_unknown_command_is_a_usage_error(shell: Shell) -> None:
    answer = shell.run("nonsense")

    assert answer.code == Exit.USAGE
    assert "No such command 'nonsense'" in answer.err


def test_the_console_says_that_it_needs_a_terminal(shell: Shell) -> None:
    assert_one_sentence(shell.run(), Exit.CONFIGURATION, "needs a terminal")
    assert_one_sentence(shell.run("demo"), Exit.CONFIGURATION, "needs a terminal")


def test_json_of_the_demo_needs_headless(shell: Shell) -> None:
    answer = shell.run("demo", "--json")

    assert answer.code == Exit.USAGE
    assert "--headless" in answer.err


def test_a_reader_that_goes_away_is_no_error_to_talk_about(shell: Shell) -> None:
    read, write = os.pipe()
    os.close(read)
    ended = subprocess.run(
        [*PROGRAM, "config"], env=shell.environ, stdout=write, stderr=subprocess.PIPE, check=False
    )
    os.close(write)

    assert (ended.returncode, ended.stderr) == (Exit.FAILED, b"")


def test_ctrl_c_gives_130_and_says_nothing(shell: Shell) -> None:
    # it reads the mail from a pipe that stays open, so it still runs when the signal comes
    head = ["--from", "a@b.example", "--to", "c@d.example", "--subject", "s"]
    with subprocess.Popen(
        [*PROGRAM, "send", *head, "--text-file", "-"],
        env=shell.environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        os.write(process.stdin.fileno(), b"half a mail")
        wait_until_drained(process.stdin.fileno())
        process.send_signal(signal.SIGINT)
        err = process.stderr.read()

    assert (process.returncode, err.strip()) == (Exit.INTERRUPTED, b"")


def wait_until_drained(pipe: int) -> None:
    """Wait until the other end has read all that a pipe holds."""
    waiting = b""
    for _ in range(400):
        waiting = fcntl.ioctl(pipe, termios.FIONREAD, b"\0" * 4)
        if not any(waiting):
            return
        select.select([], [], [], 0.05)
    pytest.fail(f"the command does not read its input: {waiting!r}")
