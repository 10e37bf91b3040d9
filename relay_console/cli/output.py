"""Writing answers: JSON for programs, columns for people; foreign text is made safe first."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping, Set
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from relay_console.safe import safe, safe_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def write_json(value: object) -> None:
    """Write one JSON object on one line, at once: a pipe must not hold it back."""
    # ensure_ascii: a terminal that shows this must find nothing in it to obey.
    click.echo(json.dumps(value, ensure_ascii=True, default=_plain))


def _plain(value: object) -> object:
    """Give what JSON knows for what it does not; times become ISO 8601 in UTC."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Set):
        return sorted(map(str, value))
    return str(value)


def write_line(*texts: object) -> None:
    """Write one line of safe text."""
    click.echo(" ".join(safe(str(text)) for text in texts).rstrip())


def write_text(text: str) -> None:
    """Write text of several lines, each of them safe; nothing for none."""
    for line in safe_lines(text) if text else ():
        click.echo(line)


def write_pairs(pairs: Iterable[tuple[str, object]]) -> None:
    """Write ``name  value`` lines; a pair without a value is left out."""
    for name, value in pairs:
        if value not in (None, ""):
            write_line(f"{name:<10}", value)


def write_table(rows: Iterable[Sequence[object]], *, widest: int = 48, indent: str = "") -> None:
    """Write rows in columns; a cell wider than ``widest`` is cut, but the last one is whole."""
    table = [[*(safe(str(cell), widest) for cell in row[:-1]), safe(str(row[-1]))] for row in rows]
    widths = [max(map(_width, column)) for column in zip(*table, strict=True)]
    for row in table:
        cells = (
            cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)
        )
        click.echo((indent + "  ".join(cells)).rstrip())


def moment(at: datetime | None) -> str:
    """Write a time to the second, in UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ") if at else ""


def _width(text: str) -> int:
    """Give the terminal cells a text takes (UAX 11)."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 1 + (unicodedata.east_asian_width(char) in "WF")
        for char in text
    )
