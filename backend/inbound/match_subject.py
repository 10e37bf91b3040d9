"""Subjects: the ticket numbers they name, and whether two are the same conversation's. Pure."""

from __future__ import annotations

import re

MAX_NUMBERS = 10
_TICKET = re.compile(r"\[\s*ticket\s*[#:]\s*([a-z0-9]+(?:[-_][a-z0-9]+)*)\s*\]", re.IGNORECASE)
_BRACKETS = re.compile(r"\[[^\[\]]*\]")
_SPACES = re.compile(r"\s+")
# Re and Fwd as mail programs of many languages write them, with a counter or without
_PREFIX = re.compile(
    r"(?:re|r|aw|antw|antwort|sv|vs|ref|rif|odp|ynt|res|rv|tr|wg|fw|fwd|fs|vb|enc|doorst|pd|i|"
    r"ответ|пересл|回复|回覆|转发|轉寄|返信|転送)"
    r"\s*(?:\[\d+\]|\(\d+\)|\^\d+)?\s*[:\uff1a]\s*",
    re.IGNORECASE,
)


def ticket_numbers(subject: str) -> tuple[str, ...]:
    """Give the numbers of ``[Ticket #ABC-1234]`` in a decoded subject, upper case, each once.

    Only the whole bracket counts: a bare number, or one inside a word, may be anything.
    """
    found = (number.upper() for number in _TICKET.findall(subject))
    return tuple(dict.fromkeys(found))[:MAX_NUMBERS]


def base_subject(subject: str) -> str:
    """Give a subject without Re:, Fwd: and [tags], folded for comparison."""
    bare = _SPACES.sub(" ", _BRACKETS.sub(" ", subject)).strip()
    while found := _PREFIX.match(bare):
        bare = bare[found.end() :]
    return bare.casefold()


def same_subject(subject: str, others: tuple[str, ...]) -> bool:
    """Tell whether a subject goes on with one of the others; an empty one is no change."""
    mine = base_subject(subject)
    bases = [base for base in map(base_subject, others) if base]
    return not mine or not bases or any(mine in base or base in mine for base in bases)
