"""Files of suppressions as records: CSV, JSON lines, and what SES takes and gives. Streaming.

A record has a fixed place for each field (``FIELDS``), empty when the file does not say. Nothing
here judges what a field holds; a line that is no record at all is a LineFault.
"""

from __future__ import annotations

import codecs
import csv
import json
from dataclasses import replace
from functools import partial
from io import BufferedReader, TextIOWrapper
from typing import TYPE_CHECKING, Any, TypeAlias

from backend.errors import InvalidInputError
from backend.model.suppression import LineFault
from backend.suppression.cells import MARK, plain_cell

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import IO

Fields: TypeAlias = tuple[str, ...]
Record: TypeAlias = tuple[int, Fields] | LineFault
"""A line number, from 1, with the fields of that line; or what is wrong with it."""

FIELDS = ("address", "reason", "detail", "note", "created", "expires", "tenant", "source")
FORMATS = ("csv", "jsonl", "ses")
_NAMES = {
    "address": ("address", "email", "emailaddress", "recipient", "domain", "value"),
    "reason": ("reason", "origin", "type"),
    "detail": ("detail", "description", "error"),
    "note": ("note", "comment"),
    "created": ("createdat", "created", "date", "since", "lastupdatetime", "lastupdate"),
    "expires": ("expiresat", "expires", "expiry"),
    "tenant": ("tenantid", "tenant"),
    "source": ("sourceemailid", "sourceid"),
}
_PLACES = {name: FIELDS.index(field) for field, names in _NAMES.items() for name in names}
_WITHOUT_HEADER = {0: _PLACES["address"], 1: _PLACES["reason"]}
_EMPTY = ("",) * len(FIELDS)
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_PIECE = 1 << 16  # characters read at a time from a document without lines
_LONGEST = 1 << 20  # characters of one record


def encoding_of(first: bytes) -> str:
    """Tell by its first bytes how a file is encoded: UTF-16 (Excel's "Unicode text") or UTF-8."""
    return "utf-16" if first.startswith(_UTF_16) else "utf-8-sig"


def suppression_text(file: BufferedReader) -> TextIOWrapper:
    """Give an open file as text, to be closed; what is none becomes a mark no address has."""
    encoding = encoding_of(file.peek(2))
    return TextIOWrapper(file, encoding, errors="replace", newline="")


def read_records(file: IO[str], name: str = "") -> Iterator[Record]:
    """Read a file in the named format, or, with "", in the one it looks like.

    Raises InvalidInputError when it is in none.
    """
    first, blank = file.readline(_LONGEST), 0
    while first and not first.strip():
        first, blank = file.readline(_LONGEST), blank + 1
    found = _records(first, file, name)
    return map(partial(_moved_down, blank), found) if blank else found


def _moved_down(lines: int, record: Record) -> Record:
    if isinstance(record, LineFault):
        return replace(record, line=record.line + lines)
    return record[0] + lines, record[1]


def _records(first: str, file: IO[str], name: str) -> Iterator[Record]:
    if name and name not in FORMATS:
        raise InvalidInputError(f"format: use one of {', '.join(FORMATS)}", field="format")
    begin = first.lstrip()[:1]
    if not begin:
        return iter(())
    if name == "csv" or (not name and begin not in {"{", "["}):
        return _csv(file, first)
    if name == "jsonl" or (begin == "{" and _is_line(first)):
        return _json_lines(_lines(first, file))
    if begin in {"{", "["}:
        return _document(first, file)
    return _csv(file, first)  # SES takes "address,REASON" without a header


def _lines(first: str, file: IO[str]) -> Iterator[str]:
    """Give the lines; of an endless one no more than its beginning."""
    line = first
    while line:
        cut = len(line) == _LONGEST and line[-1] not in "\r\n"
        while cut and (rest := file.readline(_LONGEST)) and rest[-1] not in "\r\n":
            pass
        yield f"{line}\n" if cut else line
        line = file.readline(_LONGEST)


def _delimiter(first: str) -> str:
    """Give what stands between the columns: what makes a header of the line, or is there most."""
    found = (mark for mark in ",;\t" if mark in first and _places_of(first.split(mark)))
    return next(found, max(",;\t", key=first.count))


def _is_line(first: str) -> bool:
    try:
        value = json.loads(first)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and not any(isinstance(v, list) for v in value.values())


def _csv(file: IO[str], first: str) -> Iterator[Record]:
    reader = csv.reader(_lines(first, file), delimiter=_delimiter(first), strict=True)
    try:
        head = next(reader, [])
    except csv.Error as error:
        yield _unreadable(1, error)
        return
    places = _places_of(head)
    if places is None:
        if not _looks_like_data(head):
            named = ", ".join(cell[:20] for cell in head[:8])
            yield LineFault(
                line=1,
                problem=f"no column is called address or email, only {named}; name the column",
            )
            return
        places = _WITHOUT_HEADER
        yield 1, _fields(head, places)
    yield from _csv_rows(reader, places)


def _csv_rows(reader: Any, places: Mapping[int, int]) -> Iterator[Record]:
    while True:
        begin = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield _unreadable(begin, error)
            continue
        if row:
            yield begin, _fields(row, places)


def _unreadable(line: int, error: csv.Error) -> LineFault:
    problem = f"not readable as CSV: {error}; look for a quote that is not closed or not doubled"
    return LineFault(line=line, problem=problem)


def _places_of(head: Sequence[str]) -> dict[int, int] | None:
    """Give where each column of a file with a header goes, None when there is no header."""
    found = {
        column: _PLACES[name]
        for column, cell in enumerate(head)
        if (name := _squeezed(cell)) in _PLACES
    }
    return found if _PLACES["address"] in found.values() else None


def _looks_like_data(head: Sequence[str]) -> bool:
    return bool(head) and ("@" in head[0] or ("." in head[0] and " " not in head[0].strip()))


def _fields(row: Sequence[str], places: Mapping[int, int]) -> Fields:
    fields = list(_EMPTY)
    width = len(row)
    for column, place in places.items():
        if column < width and (cell := row[column]):
            fields[place] = cell if cell[0] != MARK else plain_cell(cell)
    return tuple(fields)


def _json_lines(lines: Iterable[str]) -> Iterator[Record]:
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text:
            continue
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            problem = (
                f"not JSON: {getattr(error, 'msg', 'nested too deep')}; write one object a line"
            )
            yield LineFault(line=number, problem=problem)
            continue
        yield _from_json(number, value)


def _from_json(number: int, value: object) -> Record:
    if isinstance(value, str):
        return number, (value, *_EMPTY[1:])
    if not isinstance(value, dict):
        return LineFault(line=number, problem='no JSON object; write {"address": "a@example.com"}')
    fields = list(_EMPTY)
    for name, content in value.items():
        place = _place_of(name)
        if place is not None and content is not None:
            fields[place] = content if isinstance(content, str) else str(content)
    return number, tuple(fields)


def _place_of(name: str) -> int | None:
    return _PLACES.get(_squeezed(name))


def _squeezed(name: str) -> str:
    """Give a column's name without case, spaces and marks: ``Email address``, ``emailAddress``."""
    return "".join(filter(str.isalnum, name)).lower()


def _document(first: str, file: IO[str]) -> Iterator[Record]:
    """Read the objects of the lists in a JSON document, such as ListSuppressedDestinations gives.

    One object is in memory at a time. What stands outside the lists is passed over.
    """
    text, line, inside, listed = first, 1, False, False
    decode = json.JSONDecoder().raw_decode
    while True:
        before, text, inside = _skip(text, inside)
        listed = listed or "[" in before
        line += before.count("\n")
        if text:
            try:
                value, end = decode(text)
            except (ValueError, RecursionError):
                value, end = None, 0
            if end and (end < len(text) or isinstance(value, dict)):
                yield _from_json(line, value)
                line += text.count("\n", 0, end)
                text = text[end:]
                continue
        more = file.read(_PIECE)
        if not more or len(text) > _LONGEST:
            if not listed:
                problem = "no list in this JSON; write one object a line, or a list of them"
                yield LineFault(line=1, problem=problem)
            elif text.strip():
                problem = "not JSON from here on; the file may be cut off"
                yield LineFault(line=line, problem=problem)
            return
        text += more


def _skip(text: str, inside: bool) -> tuple[str, str, bool]:
    """Pass over all before the next value of a list: what, what is left, and whether in a list."""
    place = 0
    while place < len(text):
        char = text[place]
        if inside and char == "]":
            inside = False
        elif inside and not char.isspace() and char != ",":
            break
        elif not inside and char == "[":
            inside = True
        place += 1
    return text[:place], text[place:], inside
