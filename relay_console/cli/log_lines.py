"""Lines of the log as columns, CSV and JSON, one at a time, and the file they may go to."""

from __future__ import annotations

import csv
import io
import json
import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from relay_console.cli.output import moment
from relay_console.safe import safe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from backend import LogEntry

    Form = Callable[[LogEntry], str]

FIELDS = (
    "id",
    "at",
    "direction",
    "tenant_id",
    "sender",
    "recipient",
    "more_recipients",
    "subject",
    "status",
    "note",
)
_WIDTHS = (20, 3, 12, 28, 28, 30)
_SHOWN = (
    dict.fromkeys(range(0x80, 0xA0), 0xFFFD)
    | {char: 0x2400 + char for char in range(0x20) if chr(char) not in "\t\r\n"}
    | {0x7F: 0x2421}
)
"""A terminal the export is written to must find nothing to obey in it."""
_RISKY = ("=", "+", "-", "@", "\t", "\r")


def json_line(entry: LogEntry) -> str:
    """Give one line as a JSON object."""
    # ensure_ascii: a terminal that shows this must find nothing in it to obey
    return json.dumps(_values(entry), ensure_ascii=True)


def csv_line(entry: LogEntry) -> str:
    """Give one line of CSV (RFC 4180), every cell quoted; none is a formula to a spreadsheet."""
    return _csv([_cell(value) for value in _values(entry).values()])


def csv_head() -> str:
    """Give the line of names."""
    return _csv(FIELDS)


def fixed_line(entry: LogEntry) -> str:
    """Give one line in columns of fixed width, for lines that come one by one."""
    more = f" +{entry.more_recipients}" if entry.more_recipients else ""
    cells = (
        moment(entry.at),
        entry.direction.value,
        entry.status,
        entry.sender,
        f"{entry.recipient}{more}",
        entry.id,
    )
    shown = (f"{safe(cell, width):<{width}}" for cell, width in zip(cells, _WIDTHS, strict=True))
    return "  ".join([*shown, safe(entry.subject)]).rstrip()


@contextmanager
def written_to(output: str | None) -> Iterator[TextIO]:
    """Give what to write to: standard output, or a private file that appears when it is whole."""
    if output is None or output == "-":
        yield sys.stdout
        return
    path = Path(output)
    partial = path.with_name(path.name + ".partial")
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            yield file
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _values(entry: LogEntry) -> dict[str, object]:
    found = {name: getattr(entry, name) for name in FIELDS}
    at = entry.at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return found | {"at": at, "direction": entry.direction.value}


def _cell(value: object) -> str:
    text = str(value).translate(_SHOWN)
    # OWASP, CSV injection: also behind white space, and a quote we would take off again
    risky = text.startswith("'") or text.lstrip(" \u00a0\n\r").startswith(_RISKY)
    return f"'{text}" if risky or text.startswith(_RISKY) else text


def _csv(cells: Sequence[str]) -> str:
    line = io.StringIO()
    csv.writer(line, quoting=csv.QUOTE_ALL, lineterminator="").writerow(cells)
    return line.getvalue()
