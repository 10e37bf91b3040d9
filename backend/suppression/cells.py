"""Cells of a CSV file that no spreadsheet takes for a formula, and back. Pure.

OWASP "CSV Injection": a cell that begins with one of ``= + - @``, a tab or a carriage return runs
as a formula when the file is opened. Such a cell, also after white space, gets ``'`` before it, and
so does a cell that has one already, so that reading takes off exactly what writing has put on.
"""

from __future__ import annotations

_FORMULA = frozenset("=+-@\t\r")
MARK = "'"


def safe_cell(text: str) -> str:
    """Give a cell as it is written."""
    return MARK + text if _begins(text) else text


def plain_cell(text: str) -> str:
    """Give what was meant by a cell as it was read."""
    return text[1:] if text.startswith(MARK) and _begins(text[1:]) else text


def _begins(text: str) -> bool:
    first = text[:1]
    return first in _FORMULA or first == MARK or text.lstrip()[:1] in _FORMULA if text else False
