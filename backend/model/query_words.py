r"""Query lines taken apart: ``status:bounced -tag:test "two words" rest`` into words. Pure.

The grammar is the same wherever a query is typed (filter bars, ``logs``, ``reprocess``, the API):

    query = { word }
    word  = [ "-" ] ( key ":" value | value )
    value = bare | '"' anything, \" for a quote and \\ for a backslash '"'

A key that nobody knows belongs to the text, so that ``re:invoice`` and an IPv6 address can still be
looked for; but when it is nearly a known key (``staus:``) it is a mistake and told as one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import TYPE_CHECKING

from backend.errors import InvalidInputError
from backend.model.moments import as_utc

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

MAX_LINE = 1_000
"""Characters of a query line; what is longer was not typed by a person."""
MAX_WORDS = 40
_LIKENESS = 0.72  # of difflib; staus/status is 0.91, re/reason 0.5
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_AGO = re.compile(r"(\d{1,6})([smhdw])")
_KEY = re.compile(r"([A-Za-z][A-Za-z_-]*):")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_BARE = re.compile(r"\S+")


class QueryError(InvalidInputError):
    """A word of a query line is wrong; ``start`` (from 0) and ``length`` say which characters."""

    def __init__(self, sentence: str, line: str, *, start: int, length: int, key: str = "") -> None:
        super().__init__(f"{sentence} (at character {start + 1})", field=key)
        self.line = line
        self.start = start
        self.length = max(1, length)

    @property
    def picture(self) -> str:
        """The line with carets below the characters meant."""
        return f"{self.line}\n{' ' * self.start}{'^' * self.length}"


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryWord:
    """One word: ``key`` in lower case, empty for text; where it stands in ``line``."""

    key: str
    value: str
    negated: bool
    line: str
    start: int
    length: int

    def wrong(self, sentence: str) -> QueryError:
        """Make the error that points at this word."""
        return QueryError(sentence, self.line, start=self.start, length=self.length, key=self.key)

    def one_of(self, known: Collection[str]) -> str:
        """Give the known value this word names or alone begins; raises QueryError."""
        wanted = self.value.lower()
        if wanted in known:
            return wanted
        begun = [name for name in known if name.startswith(wanted)] if wanted else []
        if len(begun) == 1:
            return begun[0]
        choices = ", ".join(begun or known)
        raise self.wrong(f"{self.key}:{self.value} is not known; write one of {choices}")

    def several_of(self, known: Collection[str]) -> tuple[str, ...]:
        """Give the known values of ``a,b,c``, each once; raises QueryError."""
        parts = [part for part in self.value.split(",") if part] or [""]
        return tuple(dict.fromkeys(replace(self, value=part).one_of(known) for part in parts))

    def moment(self, now: datetime) -> datetime:
        """Read 30m, 2h, 3d, 1w ago, ``today``, ``yesterday`` or an ISO date and time, UTC."""
        value = self.value.lower()
        if ago := _AGO.fullmatch(value):
            return _earlier(self, now, timedelta(**{_UNITS[ago[2]]: int(ago[1])}))
        midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        if value in {"today", "yesterday"}:
            return midnight - timedelta(days=value == "yesterday")
        try:
            return as_utc(datetime.fromisoformat(self.value))
        except ValueError:
            raise self.wrong(
                f"{self.key}:{self.value} is no moment; write 2h, 3d, today, yesterday,"
                " 2026-11-20 or 2026-11-20T14:30"
            ) from None


def _earlier(word: QueryWord, now: datetime, ago: timedelta) -> datetime:
    try:
        return now - ago
    except OverflowError:
        raise word.wrong(f"{word.key}:{word.value} is before all mail") from None


def read_words(line: str, keys: Collection[str]) -> tuple[QueryWord, ...]:
    """Take a line apart; ``keys`` are the known ones. Raises QueryError."""
    if len(line) > MAX_LINE:
        raise QueryError(
            f"a query has at most {MAX_LINE} characters", line, start=MAX_LINE, length=1
        )
    if "\0" in line:
        raise QueryError("a query has no NUL", line, start=line.index("\0"), length=1)
    words: list[QueryWord] = []
    place = 0
    while place < len(line):
        if line[place].isspace():
            place += 1
            continue
        word = _word_at(line, place, keys)
        words.append(word)
        place += word.length
    if len(words) > MAX_WORDS:
        raise words[MAX_WORDS].wrong(f"a query has at most {MAX_WORDS} words")
    return tuple(words)


def only_once(words: Sequence[QueryWord], keys: Collection[str]) -> None:
    """Raise QueryError when one of ``keys`` is said twice or with a minus."""
    seen: set[str] = set()
    for word in words:
        if word.key not in keys:
            continue
        if word.key in seen:
            raise word.wrong(f"{word.key}: is there twice; write it once")
        if word.negated:
            raise word.wrong(f"{word.key}: cannot be turned round; write it without the minus")
        seen.add(word.key)


def _word_at(line: str, start: int, keys: Collection[str]) -> QueryWord:
    negated = line[start] == "-" and start + 1 < len(line) and not line[start + 1].isspace()
    place = start + negated
    key, place = _key_at(line, start, place, keys)
    value, end = _value_at(line, place)
    word = QueryWord(
        key=key, value=value, negated=negated, line=line, start=start, length=end - start
    )
    if not value:
        said = f"{key}: needs a value" if key else "there is nothing between the quotes"
        raise word.wrong(f"{said}; write {key}:something" if key else said)
    return word


def _key_at(line: str, start: int, place: int, keys: Collection[str]) -> tuple[str, int]:
    found = _KEY.match(line, place)
    if found is None:
        return "", place
    key = found[1].lower()
    if key in keys:
        return key, found.end()
    near = get_close_matches(key, keys, n=1, cutoff=_LIKENESS)
    if near:
        raise QueryError(
            f"there is no {key}: but there is {near[0]}: - to look for the text, quote it",
            line,
            start=start,
            length=found.end() - start,
            key=key,
        )
    return "", place


def _value_at(line: str, place: int) -> tuple[str, int]:
    if place < len(line) and line[place] == '"':
        quoted = _QUOTED.match(line, place)
        if quoted is None:
            raise QueryError(
                'the quote is never closed; write another one, or \\" to look for a quote',
                line,
                start=place,
                length=len(line) - place,
            )
        return re.sub(r"\\(.)", r"\1", quoted[1]), quoted.end()
    bare = _BARE.match(line, place)
    return (bare[0], bare.end()) if bare else ("", place)
