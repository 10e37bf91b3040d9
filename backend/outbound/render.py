"""Fill in templates: ``{{variable}}`` and nothing else. Pure, and linear in the text.

There is no logic, no call and no include: a tenant's text is data, never a program. ``{{{name}}}``,
as Resend writes it, is the same variable and is escaped like any other.
"""

from __future__ import annotations

import html
import math
import re
from typing import TYPE_CHECKING

from backend.errors import InvalidInputError
from backend.model.template import Rendered, Variable, VariableType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from backend.model.template import TemplateContent, Value

MAX_VARIABLES = 50
MAX_VALUE = 20_000  # characters
_NAME = r"[A-Za-z_][A-Za-z0-9_.-]{0,63}"
_MARK = re.compile(r"\{\{\{[ \t]*(" + _NAME + r")[ \t]*\}\}\}|\{\{[ \t]*(" + _NAME + r")[ \t]*\}\}")
_LINE_BREAK = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class MissingVariablesError(InvalidInputError):
    """Variables without a fallback were not given; ``names`` lists them all."""

    def __init__(self, names: tuple[str, ...]) -> None:
        listed = ", ".join(names)
        super().__init__(
            f"variables: {listed}: not given and without a fallback; give every one of them",
            field="variables",
        )
        self.names = names


def names_in(*parts: str | None) -> tuple[str, ...]:
    """Give every variable the parts use, once, in the order of first use."""
    found = (_name(mark) for part in parts if part for mark in _MARK.finditer(part))
    return tuple(dict.fromkeys(found))


def declared(content: TemplateContent) -> tuple[Variable, ...]:
    """Give the variables a version uses, typed as declared, the rest as text.

    One that is used nowhere is kept only when its declaration says more than its name. Raises
    InvalidInputError for more than 50, for one declared twice, and for a fallback of another type.
    """
    used = names_in(content.subject, content.html, content.text)
    known: dict[str, Variable] = {}
    for one in content.variables:
        if not re.fullmatch(_NAME, one.key):
            raise InvalidInputError(
                f"variables: {one.key[:70]!r} is not a name; use letters, digits and _ . -,"
                " a letter first, 64 at most",
                field="variables",
            )
        if one.key in known:
            raise InvalidInputError(f"variables: {one.key} is declared twice", field="variables")
        if one.fallback is not None:
            _check(one, one.fallback, field=f"variables.{one.key}.fallback_value")
        known[one.key] = one
    for key in used:
        known.setdefault(key, Variable(key=key))
    known = {key: one for key, one in known.items() if key in used or one != Variable(key=key)}
    if len(known) > MAX_VARIABLES:
        raise InvalidInputError(
            f"variables: {len(known)} variables; a template may have {MAX_VARIABLES}",
            field="variables",
        )
    return tuple(known.values())


def render(
    content: TemplateContent, values: Mapping[str, Value], *, leave_missing: bool = False
) -> Rendered:
    """Fill in a version; values are HTML-escaped in the HTML part and there only.

    Raises MissingVariablesError unless ``leave_missing`` lets such marks stand as written, and
    InvalidInputError for a value of the wrong type, too long, or with a line break in the subject.
    """
    used = names_in(content.subject, content.html, content.text)
    filled, missing = _values(content.variables, used, values)
    if missing and not leave_missing:
        raise MissingVariablesError(missing)
    _check_subject(content.subject, filled)
    escaped = {key: html.escape(value, quote=True) for key, value in filled.items()}
    return Rendered(
        subject=_fill(content.subject, filled),
        html=None if content.html is None else _fill(content.html, escaped),
        text=None if content.text is None else _fill(content.text, filled),
        missing=missing,
        unused=tuple(key for key in values if key not in used),
    )


def _values(
    variables: Iterable[Variable], used: tuple[str, ...], given: Mapping[str, Value]
) -> tuple[dict[str, str], tuple[str, ...]]:
    known = {one.key: one for one in variables}
    filled: dict[str, str] = {}
    missing: list[str] = []
    for key in used:
        variable = known.get(key) or Variable(key=key)
        value = given.get(key, variable.fallback)
        if value is None:
            missing.append(key)
            continue
        _check(variable, value, field=f"variables.{key}")
        filled[key] = _written(value)
    return filled, tuple(missing)


def _check(variable: Variable, value: Value, *, field: str) -> None:
    """Raise InvalidInputError when a value is not of its variable's type, or too long."""
    match variable.type:
        case VariableType.NUMBER:
            # bool is an int in Python, but true is no number of a mail
            fits = (
                isinstance(value, int | float)
                and not isinstance(value, bool)
                and math.isfinite(value)
            )
        case VariableType.BOOLEAN:
            fits = isinstance(value, bool)
        case _:
            fits = isinstance(value, str | int | float)
    if not fits:
        raise InvalidInputError(f"{field}: is to be a {variable.type.value}", field=field)
    if isinstance(value, str) and len(value) > MAX_VALUE:
        raise InvalidInputError(f"{field}: more than {MAX_VALUE} characters", field=field)


def _check_subject(subject: str, filled: Mapping[str, str]) -> None:
    for key in names_in(subject):
        if _LINE_BREAK.search(filled.get(key, "")):
            field = f"variables.{key}"
            raise InvalidInputError(
                f"{field}: stands in the subject, so it may not hold line breaks or control"
                " characters",
                field=field,
            )


def _written(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _fill(part: str, filled: Mapping[str, str]) -> str:
    # one pass: a value that looks like a variable is not filled in again
    return _MARK.sub(lambda mark: filled.get(_name(mark), mark[0]), part)


def _name(mark: re.Match[str]) -> str:
    return mark[1] or mark[2]
