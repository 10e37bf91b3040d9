"""The tests themselves: each of them asserts, and none of them plays with dolls."""

from __future__ import annotations

import ast
from functools import cache
from typing import TYPE_CHECKING

from tests.architecture.tree import functions, modules

if TYPE_CHECKING:
    from tests.architecture.tree import Module

ASSERTING_CALLS = ("assert_", "check_", "snap_compare", "raises", "fail")
STAND_INS = {"MagicMock", "AsyncMock", "Mock", "mock", "create_autospec", "mocker"}


def cases_of(module: Module) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [node for node in functions(module) if node.name.startswith("test_")]


def asserts(case: ast.AST, checkers: frozenset[str]) -> bool:
    """Tell whether a test can fail: by itself, or by a checker that it calls by its plain name."""
    return any(
        isinstance(node, ast.Assert)
        or function_called(node) in checkers
        or name_called(node).startswith(ASSERTING_CALLS)
        for node in ast.walk(case)
    )


def name_called(node: ast.AST) -> str:
    """Give the last part of the name a call calls; empty when it is no such call."""
    match node:
        case ast.Call(func=ast.Attribute(attr=name)):
            return name
        case _:
            return function_called(node)


def function_called(node: ast.AST) -> str:
    """Give the plain name a call calls; empty for a method and for all else."""
    match node:
        case ast.Call(func=ast.Name(id=name)):
            return name
        case _:
            return ""


@cache
def checkers() -> frozenset[str]:
    """Give the functions of the suite that assert for its tests, such as ``until_shown``."""
    helpers = [
        node
        for module in modules("tests")
        for node in functions(module)
        if not node.name.startswith("test_")
    ]
    known: frozenset[str] = frozenset({"AssertionError"})
    while (more := frozenset(node.name for node in helpers if asserts(node, known))) - known:
        known |= more
    return known


def test_every_test_asserts_something() -> None:
    silent = [
        f"{module.path}:{test.lineno} {test.name}"
        for module in modules("tests")
        for test in cases_of(module)
        if not asserts(test, checkers())
    ]

    assert silent == []


def test_every_test_file_holds_a_test() -> None:
    empty = [
        module.path
        for module in modules("tests")
        if module.path.rpartition("/")[2].startswith("test_")
        and not cases_of(module)
        and "RuleBasedStateMachine" not in module.text
    ]

    assert empty == []


def test_no_test_uses_a_stand_in_where_the_real_thing_can_run() -> None:
    used = [
        f"{module.path}:{node.lineno} {name}"
        for module in modules("tests")
        for node in ast.walk(module.syntax)
        if isinstance(node, ast.Import | ast.ImportFrom | ast.Name | ast.arg)
        for name in names_in(node)
        if name in STAND_INS
    ]

    assert used == []


def names_in(node: ast.Import | ast.ImportFrom | ast.Name | ast.arg) -> list[str]:
    match node:
        case ast.Name():
            return [node.id]
        case ast.arg():
            return [node.arg]
        case _:
            return [part for alias in node.names for part in alias.name.split(".")]


def test_no_test_is_skipped_or_expected_to_fail_for_good() -> None:
    given_up = [
        f"{module.path}:{node.lineno}"
        for module in modules("tests")
        for node in ast.walk(module.syntax)
        if isinstance(node, ast.Attribute)
        and node.attr in {"skip", "xfail"}
        and isinstance(node.value, ast.Attribute)
        and node.value.attr == "mark"
    ]

    assert given_up == []
