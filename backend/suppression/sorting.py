"""Sort more rows than memory should hold: sorted runs in temporary files, merged as they are read.

The rows of an import are written in the order of the index they are unique by. Each commit then
touches a few neighbouring pages of it; in the order of the file it would touch nearly all of them.
"""

from __future__ import annotations

import heapq
import json
import tempfile
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import IO, Any

RUN = 50_000  # rows in memory at a time
_BLOCK = 500  # rows of one line of a temporary file


class Sorter:
    """Takes rows of plain values and gives them back in order; close it, or leave its context."""

    def __init__(self, run: int = RUN) -> None:
        self._run = run
        self._rows: list[Any] = []
        self._files: list[IO[str]] = []
        self.count = 0

    def __enter__(self) -> Sorter:
        """Give the sorter."""
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """Remove the temporary files."""
        for file in self._files:
            file.close()

    def add(self, row: Any) -> None:
        """Take a row."""
        self._rows.append(row)
        self.count += 1
        if len(self._rows) >= self._run:
            self._spill()

    def rows(self) -> Iterator[Any]:
        """Give all rows in order; those that went through a file come as lists."""
        self._rows.sort()
        if not self._files:
            yield from self._rows
            return
        self._spill()
        yield from heapq.merge(*map(_read, self._files))

    def _spill(self) -> None:
        self._rows.sort()
        file = tempfile.TemporaryFile("w+", encoding="ascii")  # noqa: SIM115  # closed by __exit__
        for start in range(0, len(self._rows), _BLOCK):
            file.write(json.dumps(self._rows[start : start + _BLOCK]) + "\n")
        file.seek(0)
        self._files.append(file)
        self._rows = []


def _read(file: IO[str]) -> Iterator[Any]:
    return chain.from_iterable(map(json.loads, file))
