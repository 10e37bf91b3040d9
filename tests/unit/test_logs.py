"""The log: one line for each event, nobody's address, nobody's secret, nothing a terminal obeys."""

from __future__ import annotations

import json
import logging
import stat
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from backend.logs import configure_logging, console_log, mask_addresses

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """Take our handler away again: the stream it writes to is this test's own."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield
    for handler in set(root.handlers) - set(before):
        root.removeHandler(handler)
        handler.close()
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log file that everything from info up goes to."""
    path = tmp_path / "state" / "console.log"
    configure_logging("info", path)
    return path


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_the_file_and_its_folder_are_for_the_user_alone(log: Path) -> None:
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert stat.S_IMODE(log.parent.stat().st_mode) == 0o700


def test_an_event_is_one_json_line_with_time_level_and_name(log: Path) -> None:
    structlog.get_logger("relay").info("mail.sent", email_id="msg_1", attempt=2)

    (line,) = lines(log)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "level": "info",
        "logger": "relay",
        "event": "mail.sent",
        "email_id": "msg_1",
        "attempt": 2,
    }


def test_the_standard_module_goes_the_same_way(log: Path) -> None:
    logging.getLogger("library").warning("no answer from %s", "eve@example.com")

    (line,) = lines(log)
    assert (line["level"], line["event"]) == ("warning", "no answer from e***@example.com")


def test_addresses_are_masked_wherever_they_stand(log: Path) -> None:
    structlog.get_logger().info("to ann@example.com", to=["bob@example.com"], by={"x": "c@d.org"})

    (line,) = lines(log)
    assert line["event"] == "to a***@example.com"
    assert line["to"] == ["b***@example.com"]
    assert line["by"] == {"x": "c***@d.org"}


@pytest.mark.parametrize("name", ["body", "html", "raw", "api_secret", "Authorization", "token"])
def test_bodies_and_secrets_are_withheld_by_name(log: Path, name: str) -> None:
    structlog.get_logger().info("e", **{name.lower(): "hush"})

    assert "hush" not in log.read_text(encoding="utf-8")


def test_a_traceback_stays_on_one_line_and_is_masked(log: Path) -> None:
    try:
        int("bad\nmail for dan@example.com")
    except ValueError:
        logging.getLogger("loop").exception("failed")

    (line,) = lines(log)
    assert "Traceback" in line["exception"]
    assert "d***@example.com" in line["exception"]
    assert "dan@" not in line["exception"]


@pytest.mark.parametrize("hostile", ["\x1b]0;owned\x07", "\x9b2J", "a\nlevel=error", "\u202egpj"])
def test_nothing_a_terminal_would_obey_reaches_the_file(log: Path, hostile: str) -> None:
    structlog.get_logger().info("subject", subject=hostile)

    written = log.read_text(encoding="utf-8")
    assert written.isascii()
    assert written.rstrip("\n").isprintable()
    assert lines(log)[0]["subject"] == hostile


def test_less_than_the_level_is_not_written(log: Path) -> None:
    structlog.get_logger().debug("chatter")
    logging.getLogger("botocore").info("PUT with a signature")

    assert log.read_text(encoding="utf-8") == ""


def test_a_log_that_grew_large_is_put_aside_at_the_next_start(tmp_path: Path) -> None:
    path = tmp_path / "console.log"
    path.write_bytes(b"x" * 5_000_001)

    configure_logging("info", path)

    assert path.read_bytes() == b""
    assert path.with_name("console.log.1").stat().st_size == 5_000_001


def test_on_a_terminal_an_event_is_a_line_to_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import sys

    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    configure_logging("info")
    structlog.get_logger("relay").info("mail.sent", subject="\x1b[2J", to="ann@example.com")

    line = capsys.readouterr().err
    assert " info    mail.sent logger=relay " in line
    assert line.endswith("subject=\\x1b[2J to=a***@example.com\n")


def test_the_console_logs_below_the_state_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))

    assert console_log() == tmp_path / "relay-console" / "console.log"


def test_a_message_id_keeps_its_domain_only() -> None:
    assert mask_addresses("<0100abc-1@email.amazonses.com>") == "<0***@email.amazonses.com>"
