"""Raw messages out of files: one .eml, an mbox, a Maildir, a folder of these, or stdin."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import IO

STDIN = "-"
# RFC 4155: "From ", the envelope sender, a date with a four-digit year
_FROM_LINE = re.compile(rb"From \S.*\d{4}")
_QUOTED_FROM = re.compile(rb">+From ")
_MAILDIR = ("cur", "new")


@dataclass(frozen=True, slots=True, kw_only=True)
class RawMail:
    """One message: where it was found, its bytes, and how much of the input it took."""

    place: str
    raw: bytes
    size: int


def find_files(names: Iterable[str]) -> list[tuple[str, int]]:
    """Give every file to read with its size in bytes; ``-`` stands for stdin, of size 0.

    Raises OSError for a name that is not there.
    """
    found: list[tuple[str, int]] = []
    for name in names:
        if name == STDIN:
            found.append((name, 0))
        elif Path(name).is_dir():
            found += [(str(path), path.stat().st_size) for path in sorted(_files(Path(name)))]
        else:
            found.append((name, Path(name).stat().st_size))
    return found


def read_mails(name: str) -> Iterator[RawMail]:
    """Give the messages of one file or of stdin; an mbox is told by its first line."""
    if name == STDIN:
        yield from _messages(name, sys.stdin.buffer)
        return
    with Path(name).open("rb") as file:
        yield from _messages(name, file)


def _files(folder: Path) -> Iterator[Path]:
    """Walk a folder: of a Maildir only cur and new, without what is still being written."""
    for parent, folders, files in os.walk(folder):
        here = Path(parent)
        if all((here / part).is_dir() for part in _MAILDIR):
            # beside the folders lie dovecot-uidlist, subscriptions and the like
            folders[:] = [name for name in folders if name != "tmp"]
            continue
        yield from (here / name for name in files if not name.startswith("."))


def _messages(name: str, file: IO[bytes]) -> Iterator[RawMail]:
    first = file.readline()
    if not _FROM_LINE.match(first):
        raw = first + file.read()
        yield RawMail(place=name, raw=raw, size=len(raw))
        return
    for number, (raw, size) in enumerate(_split(first, file), start=1):
        yield RawMail(place=f"{name}:{number}", raw=raw, size=size)


def _split(first: bytes, file: IO[bytes]) -> Iterator[tuple[bytes, int]]:
    """Cut an mbox at the From lines that follow an empty line, and undo mboxrd's quoting."""
    lines: list[bytes] = []
    size, blank = len(first), False
    for line in file:
        if blank and _FROM_LINE.match(line):
            yield b"".join(lines), size
            lines, size, blank = [], len(line), False
            continue
        size += len(line)
        blank = not line.strip()
        lines.append(line[1:] if _QUOTED_FROM.match(line) else line)
    yield b"".join(lines), size
