"""What the backend shows to the world."""

from __future__ import annotations

import ast
import subprocess
import sys

import backend
from tests.architecture.tree import ROOT, modules

HEAVY = ["textual", "sqlalchemy", "boto3", "fastapi", "pydantic", "httpx"]


def test_the_names_of_the_front_door_are_each_there_and_once() -> None:
    names = list(backend.__all__)

    assert len(names) == len(set(names))
    assert [name for name in names if not hasattr(backend, name)] == []


def test_every_public_name_of_the_front_door_is_listed() -> None:
    doors = {"backend/__init__.py", "backend/values.py"}
    imported = {
        alias.asname or alias.name
        for door in modules("backend")
        if door.path in doors
        for node in ast.walk(door.syntax)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("backend")
        for alias in node.names
    }

    assert imported - {"*", "values"} == set(backend.__all__)


def test_the_front_door_opens_without_the_heavy_half() -> None:
    code = f"import backend, sys; print([name for name in {HEAVY} if name in sys.modules])"

    printed = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout

    assert printed.strip() == "[]"
