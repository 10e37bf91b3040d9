"""docs/keys.md, made from the table of actions: ``python -m relay_console.keys_document``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from relay_console.action import Action, Scope
from relay_console.actions import in_scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def keys_document() -> str:
    """Give docs/keys.md."""
    return "\n".join(_document_lines()) + "\n"


def _document_lines() -> Iterator[str]:
    yield "# Keys"
    yield ""
    yield "Made from `relay_console/actions.py` by `python -m relay_console.keys_document`."
    yield "Keys marked with * write, and are hidden under `--readonly`."
    for scope in Scope:
        yield ""
        yield f"## {scope.value}"
        yield ""
        yield "| key | action | what it does |"
        yield "|---|---|---|"
        yield from _document_rows(in_scope(scope))


def _document_rows(actions: Iterable[Action]) -> Iterator[str]:
    for action in actions:
        keys = " ".join(f"`{key}`" for key in action.caps.split(" "))
        star = "*" if action.writes else ""
        yield f"| {keys} | {action.title}{star} | {action.help} |"


if __name__ == "__main__":
    sys.stdout.write(keys_document())
