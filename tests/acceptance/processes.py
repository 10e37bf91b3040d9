"""The program as its users start it: real processes, real signals, loopback only."""

from __future__ import annotations

import os
import queue
import shlex
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

READY_SECONDS = 40
LAST_LINE = "export RELAY_POLL_SECONDS="  # of the environment that the sandbox prints


class Running:
    """A started program whose standard output is read line by line."""

    def __init__(
        self,
        args: list[str],
        environ: Mapping[str, str],
        log: Path,
        *,
        program: Path | None = None,
        cwd: Path | None = None,
    ) -> None:
        self._log = log.open("ab")
        self.process = subprocess.Popen(
            [*([str(program)] if program else [sys.executable, "-m", "relay_console"]), *args],
            cwd=cwd,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def line(self, timeout: float = READY_SECONDS) -> str:
        """Give the next line; fails when none comes in time."""
        return self._lines.get(timeout=timeout)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal, wait for the end and give the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            code = self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
        self._log.close()
        return code

    def _read(self) -> None:
        assert self.process.stdout is not None
        try:
            for line in self.process.stdout:
                self._lines.put(line.rstrip("\n"))
        except ValueError:
            return  # closed by stop()


def clean_environ(home: Path) -> dict[str, str]:
    """Give an environment without the caller's settings, with homes of its own."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("RELAY_", "AWS_", "XDG_"))}
    for name in ("PSA_API_URL", "CRM_API_URL", "PORTAL_API_URL", "BUS_API_URL", "INTEGRATION_KEY"):
        kept.pop(name, None)
    folders = {"XDG_DATA_HOME": "data", "XDG_CONFIG_HOME": "config", "XDG_STATE_HOME": "state"}
    return {**kept, **{name: str(home / folder) for name, folder in folders.items()}}


@contextmanager
def running_sandbox(home: Path) -> Iterator[dict[str, str]]:
    """Run ``relay-console sandbox`` and give the environment it prints."""
    environ = clean_environ(home)
    sandbox = Running(["sandbox", "--folder", str(home / "box")], environ, home / "sandbox.log")
    try:
        lines = [sandbox.line()]
        while not lines[-1].startswith(LAST_LINE):
            lines.append(sandbox.line())
        printed = [shlex.split(line.removeprefix("export "))[0].partition("=") for line in lines]
        given = {name: value for name, _, value in printed}
        yield environ | given | {"RELAY_SEND_LIMITS": "none"}
    finally:
        sandbox.stop()


def serve(environ: Mapping[str, str], home: Path) -> Running:
    """Start ``relay-console serve`` and return once it listens."""
    server = Running(["serve"], environ, home / "serve.log")
    server.line()
    return server


def serve_at(environ: Mapping[str, str], home: Path) -> tuple[Running, str]:
    """Start ``relay-console serve`` on a free port and give its URL with it."""
    server = Running(["serve", "--port", "0"], environ, home / "serve.log")
    return server, server.line().split()[-1]
