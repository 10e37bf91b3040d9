"""Running a command of relay-console to its end, with folders of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.acceptance.processes import clean_environ

if TYPE_CHECKING:
    from collections.abc import Mapping
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
        """The variables of a process started here."""
        return clean_environ(self.home) | dict(self.extra)

    def run(self, *arguments: str, stdin: str = "", seconds: float = 60) -> Answer:
        """Run a command to its end."""
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
