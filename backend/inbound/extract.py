"""Reading ticket fields out of structured mail, such as the alerts of a monitoring system. Pure.

The text was written by a stranger: what is read is cut, and holds no control characters.
"""

from __future__ import annotations

import json
import re
from itertools import islice
from typing import TYPE_CHECKING

from backend.inbound.rules_text import expression, find

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from backend.model.rules import Extraction

MAX_READ = 200_000  # characters of a body
MAX_LINES = 2_000
MAX_BRACKETS = 20  # of a body, where a JSON document may begin
MAX_DIGITS = 6  # of a position in a list
MAX_FIELDS = 40
MAX_VALUE = 500  # characters of a field
_SPACES = re.compile(r"\s+")
_BRACKET = re.compile(r"[{\[]")
_MARKS = " \t*->|\u2022\u00b7"
_SEPARATOR = re.compile(r"[:=]")


def extract(extraction: Extraction, subject: str, text: str) -> dict[str, str]:
    """Read the fields of a message: subject, then body, then JSON, then lines; the first wins.

    A field that is not there is left out; an expression that does not fit gives nothing.
    """
    body = text[:MAX_READ]
    found: dict[str, str] = {}
    _keep(found, _groups(extraction.subject, subject))
    _keep(found, _groups(extraction.body, body))
    if extraction.json:
        _keep(found, _from_json(extraction.json, body))
    if extraction.lines:
        _keep(found, _from_lines(extraction.lines, body))
    copied = {name: found[other] for name, other in extraction.copy.items() if other in found}
    _keep(found, copied.items())
    return {name: _translated(extraction, name, value) for name, value in found.items()}


def _keep(found: dict[str, str], pairs: Iterable[tuple[str, str]]) -> None:
    for name, value in pairs:
        clean = _clean(value)
        if clean and len(found) < MAX_FIELDS:
            found.setdefault(name, clean)


def _clean(value: str) -> str:
    """Make one short line; the characters a terminal obeys are no part of it."""
    line = _SPACES.sub(" ", value[: MAX_VALUE * 4])
    return "".join(c for c in line if c.isprintable()).strip()[:MAX_VALUE]


def _groups(sources: Iterable[str], text: str) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for source in sources:
        match = find(expression(source), text)
        if match is not None:
            pairs += [(name, value) for name, value in match.groupdict().items() if value]
    return pairs


def _from_json(paths: Mapping[str, str], body: str) -> list[tuple[str, str]]:
    document = _document(body)
    found = ((name, _at(document, path)) for name, path in paths.items())
    return [(name, _plain(value)) for name, value in found if value is not None]


def _document(body: str) -> object:
    """Find the first JSON object, or list of objects, among the text of a body."""
    decoder = json.JSONDecoder()
    for bracket in islice(_BRACKET.finditer(body), MAX_BRACKETS):
        try:
            document: object = decoder.raw_decode(body, bracket.start())[0]
        except (ValueError, RecursionError):
            continue
        if isinstance(document, dict) or _holds_objects(document):
            return document
    return None


def _holds_objects(document: object) -> bool:
    return isinstance(document, list) and any(isinstance(entry, dict) for entry in document)


def _at(document: object, path: str) -> object:
    """Walk ``alerts.0.labels.host``; None when the way ends early."""
    for name in path.split("."):
        if isinstance(document, dict):
            document = document.get(name)
        elif isinstance(document, list) and name.isdecimal():
            document = next(islice(document, int(name[:MAX_DIGITS]), None), None)
        else:
            return None
    return document


def _plain(value: object) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _from_lines(keys: Mapping[str, str], body: str) -> list[tuple[str, str]]:
    """Read ``Key: value`` and ``Key = value`` lines; the first line of a key counts."""
    wanted = {_key(key): name for name, key in keys.items()}
    pairs: list[tuple[str, str]] = []
    for line in body.splitlines()[:MAX_LINES]:
        parts = _SEPARATOR.split(line, maxsplit=1)
        name = wanted.get(_key(parts[0])) if len(parts) == 2 else None
        if name is not None:
            pairs.append((name, parts[1].strip(_MARKS)))
    return pairs


def _key(text: str) -> str:
    return _SPACES.sub(" ", text.strip(_MARKS)).casefold()


def _translated(extraction: Extraction, name: str, value: str) -> str:
    table = extraction.values.get(name, {})
    return next((new for old, new in table.items() if old.casefold() == value.casefold()), value)
