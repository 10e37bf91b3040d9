"""Patterns of rules: globs and RE2 expressions over text, and patterns of addresses. Pure.

RE2 runs in time linear in the text, so a rule cannot stall the mail it is read for. It is loaded
when the first pattern is: a system without rules does without it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol, cast

from backend.errors import InvalidInputError
from backend.model.address import ascii_domain
from backend.model.rules import REGEX

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MAX_PATTERN = 500  # characters
MAX_MEMORY = 8 << 20  # bytes one compiled pattern may take
_WILD = frozenset("*?")
_GLOB = {"*": ".*", "?": "."}


class Found(Protocol):
    """What a search found."""

    def groupdict(self) -> Mapping[str, str | None]:
        """Give the named groups."""
        ...


class Pattern(Protocol):
    """A compiled pattern."""

    groupindex: Mapping[str, int]

    def search(self, text: str) -> Found | None:
        """Find the pattern anywhere in a text."""
        ...


@lru_cache(maxsize=2048)
def expression(source: str) -> Pattern:
    """Compile an RE2 expression; raises InvalidInputError with one sentence."""
    if len(source) > MAX_PATTERN:
        raise InvalidInputError(f"a pattern has at most {MAX_PATTERN} characters", field="pattern")
    return _compiled(source)


@lru_cache(maxsize=2048)
def text_pattern(source: str) -> Pattern:
    """Compile a text pattern: ``re2:`` and an expression, else a glob over the whole text.

    A glob knows * and ? and takes no notice of case. Raises InvalidInputError.
    """
    if source.startswith(REGEX):
        return expression(source.removeprefix(REGEX))
    return _glob(source)


def find(pattern: Pattern, text: str) -> Found | None:
    """Search a text for a pattern; half a surrogate pair, which is no character, becomes ``?``."""
    return pattern.search(text.encode("utf-8", "replace").decode())


def fits_text(patterns: Iterable[str], text: str) -> str:
    """Give the first pattern that fits a text, empty when none does."""
    return next((p for p in patterns if find(text_pattern(p), text) is not None), "")


def fits_address(patterns: Iterable[str], address: str) -> str:
    """Give the first pattern that fits an address, empty when none does.

    ``name@example.com`` is one address, ``example.com`` or ``@example.com`` a domain,
    ``*.example.com`` its subdomains, ``name@`` a local part in any domain; elsewhere * and ? stand
    for any characters and for one.
    """
    local, _, domain = address.strip().lower().rpartition("@")
    domain = ascii_domain(domain) or domain
    return next((p for p in patterns if _fits_one(p.strip().lower(), local, domain)), "")


def _fits_one(pattern: str, local: str, domain: str) -> bool:
    named, at, place = pattern.rpartition("@")
    right = not place or _part_fits(ascii_domain(place) or place, domain)
    return right and (not at or not named or _part_fits(named, local))


def _part_fits(pattern: str, part: str) -> bool:
    if _WILD & set(pattern):
        return find(_glob(pattern), part) is not None
    return pattern == part


@lru_cache(maxsize=2048)
def _glob(source: str) -> Pattern:
    if len(source) > MAX_PATTERN:
        raise InvalidInputError(f"a pattern has at most {MAX_PATTERN} characters", field="pattern")
    body = "".join(_GLOB.get(c) or re.escape(c) for c in source)
    return _compiled(rf"(?is)\A{body}\z")


def _compiled(source: str) -> Pattern:
    import re2  # noqa: PLC0415  # see the top of this module

    options: Any = re2.Options()
    options.log_errors = False
    options.max_mem = MAX_MEMORY
    try:
        return cast("Pattern", re2.compile(source, options))
    except re2.error as error:
        raise InvalidInputError(
            f"{source[:80]!r} is no RE2 expression ({_said(error)});"
            " RE2 has no look-around and no back references",
            field="pattern",
        ) from None


def _said(error: Exception) -> str:
    said = error.args[0] if error.args else ""
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
