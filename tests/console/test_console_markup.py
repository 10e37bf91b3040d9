"""No text of a stranger can reach a place that reads markup: checked on the source itself."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

CONSOLE = Path(__file__).parents[2] / "relay_console"
MODULES = [path for path in sorted(CONSOLE.rglob("*.py")) if "cli" not in path.parts]
# these read a str as markup unless told markup=False
MARKUP_SINKS = {"Static", "Label", "notify", "OptionList", "SelectionList", "RichLog"}
# these always do
BANNED = {"from_markup", "Button", "Checkbox", "RadioButton", "Collapsible", "DataTable", "Tree"}
ATTRIBUTES = {"border_title", "border_subtitle", "tooltip"}


def faults(tree: ast.AST) -> Iterator[str]:
    """Give a sentence for each way foreign text could be read as markup."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from _faults_of_call(node)
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Attribute) and target.attr in ATTRIBUTES:
                    yield f"line {node.lineno}: {target.attr} reads markup"


def _faults_of_call(call: ast.Call) -> Iterator[str]:
    name = _name(call.func)
    if name in BANNED:
        yield f"line {call.lineno}: {name} reads markup"
    if name in MARKUP_SINKS and not _says_no_markup(call):
        yield f"line {call.lineno}: {name} needs markup=False"
    if name == "SafeText" and not isinstance(call.func, ast.Attribute):
        yield f"line {call.lineno}: only safe() makes SafeText"
    if name == "notify" and call.args and not _is_safe(call.args[0]):
        yield f"line {call.lineno}: notify needs safe text"


def _name(func: ast.expr) -> str:
    return func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")


def _says_no_markup(call: ast.Call) -> bool:
    return any(
        word.arg == "markup" and isinstance(word.value, ast.Constant) and word.value.value is False
        for word in call.keywords
    )


def _is_safe(node: ast.expr) -> bool:
    """Tell whether an argument is a safe() call or a name, whose type mypy checks."""
    if isinstance(node, ast.Call):
        return _name(node.func) in {"safe", "sentence_of"}
    return isinstance(node, ast.Name)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(CONSOLE)))
def test_no_module_hands_text_to_a_markup_sink(path: Path) -> None:
    found = list(faults(ast.parse(path.read_text(encoding="utf-8"))))
    if path.name == "safe.py":
        found = [fault for fault in found if "only safe()" not in fault]
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        'Static(f"[b]{subject}[/]")',
        'app.notify(f"{subject}", markup=False)',
        "app.notify(safe(subject))",
        "Content.from_markup(subject)",
        "widget.border_title = subject",
        "SafeText(subject)",
        "Button(subject)",
    ],
)
def test_the_check_finds_what_it_looks_for(source: str) -> None:
    assert list(faults(ast.parse(source)))
