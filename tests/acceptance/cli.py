"""Running a command of relay-console to its end, with folders of its own."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import os
import subprocess
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import structlog

from relay_console.cli.main import main
from tests.acceptance.processes import clean_environ

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

PROGRAM = [sys.executable, "-m", "relay_console"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How a command ended and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON object it wrote."""
        return json.loads(self.out)

    @property
    def json_lines(self) -> list[Any]:
        """The JSON objects it wrote, one a line."""
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """An environment in which nothing of the machine's own settings is left."""

    home: Path
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def environ(self) -> dict[str, str]:
        """The variables of a command run here."""
        return clean_environ(self.home) | dict(self.extra)

    def run(self, *arguments: str, stdin: str = "") -> Answer:
        """Run a command to its end inside this process: starting one takes a second of work.

        It gets the entry point, streams, variables and event loop that a process would give it,
        but no terminal and no signals; what needs those, or a cold start, takes ``run_process``.
        """
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return _run_here(arguments, self.environ, stdin)
        with ThreadPoolExecutor(1) as thread:  # the command brings a loop of its own
            return thread.submit(_run_here, arguments, self.environ, stdin).result()

    def run_process(self, *arguments: str, stdin: str = "", seconds: float = 60) -> Answer:
        """Run a command to its end as a user's shell does."""
        ended = subprocess.run(
            [*PROGRAM, *arguments],
            env=self.environ,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        return Answer(code=ended.returncode, out=ended.stdout, err=ended.stderr)


def _run_here(arguments: Sequence[str], environ: Mapping[str, str], stdin: str) -> Answer:
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    with (
        _variables(environ),
        _logging_kept(),
        _standard_input(stdin),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        code = _exit_code(arguments)
    return Answer(code=code, out=_text(out), err=_text(err))


def _exit_code(arguments: Sequence[str]) -> int:
    """Give what the process would have ended with."""
    try:
        main(arguments)
    except SystemExit as ended:
        return int(ended.code or 0)
    except Exception:  # noqa: BLE001 - where Python writes the traceback and ends with 1
        traceback.print_exc()
        return 1


@contextmanager
def _variables(environ: Mapping[str, str]) -> Iterator[None]:
    kept = dict(os.environ)
    _replace_variables(environ)
    try:
        yield
    finally:
        _replace_variables(kept)


def _replace_variables(environ: Mapping[str, str]) -> None:
    for name in os.environ.keys() - environ.keys():
        del os.environ[name]
    os.environ.update(environ)


@contextmanager
def _logging_kept() -> Iterator[None]:
    """Take away the handler a command sets up: the stream it writes to is the command's own."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configured, settings = structlog.is_configured(), structlog.get_config()
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.reset_defaults()
        if configured:
            structlog.configure(**settings)


@contextmanager
def _standard_input(text: str) -> Iterator[None]:
    kept, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(text.encode()), "utf-8")
    try:
        yield
    finally:
        sys.stdin = kept


def _text(stream: io.TextIOWrapper) -> str:
    """Give what was written, with the line ends that a pipe read as text has."""
    written = io.BytesIO(stream.buffer.getvalue())  # type: ignore[attr-defined]
    return io.TextIOWrapper(written, "utf-8").read()
