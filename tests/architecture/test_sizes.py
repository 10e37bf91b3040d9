"""Nothing in the product is too long to be read, unnamed or unexplained."""

from __future__ import annotations

import ast

from tests.architecture.tree import files, functions, modules, product

LONGEST_MODULE = 400
LONGEST_FUNCTION = 45
CATCH_ALLS = {"utils.py", "helpers.py", "manager.py", "common.py", "misc.py"}


def test_no_module_is_longer_than_400_lines() -> None:
    too_long = {
        module.path: lines
        for module in product()
        if (lines := module.text.count("\n")) > LONGEST_MODULE
    }

    assert too_long == {}


def test_no_function_is_longer_than_45_lines() -> None:
    too_long = {
        f"{module.path}:{node.lineno} {node.name}": lines
        for module in product()
        for node in functions(module)
        if (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > LONGEST_FUNCTION
    }

    assert too_long == {}


def test_no_module_is_a_catch_all() -> None:
    assert [name for name in files() if name.rpartition("/")[2] in CATCH_ALLS] == []


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        module.path
        for module in modules("backend", "relay_console", "tests", "benchmarks")
        if not ast.get_docstring(module.syntax)
    ]

    assert silent == []


def test_every_public_class_and_function_says_what_it_does() -> None:
    silent = [
        f"{module.path}:{node.lineno} {node.name}"
        for module in product()
        for node in module.syntax.body
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]

    assert silent == []
