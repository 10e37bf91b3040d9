"""The tree as the architecture tests see it: its files, its modules, their syntax."""

from __future__ import annotations

import ast
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
_NOT_OURS = {".git", ".venv", "__pycache__", "build", "dist", ".hypothesis"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """One Python file: its path below the root, its text and its syntax tree."""

    path: str
    text: str
    syntax: ast.Module

    @property
    def name(self) -> str:
        """The dotted name it is imported by."""
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


@cache
def files() -> tuple[str, ...]:
    """Give every file that is or will be committed, as paths below the root."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode == 0:
        names = [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]
    else:  # an unpacked archive, or the copy .ci/run makes
        names = [str(path.relative_to(ROOT)) for path in _walk(ROOT)]
    return tuple(sorted(names))


def _walk(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name in _NOT_OURS or path.name.endswith(("_cache", ".egg-info")):
            continue
        if path.is_dir():
            yield from _walk(path)
        else:
            yield path


@cache
def modules(*roots: str) -> tuple[Module, ...]:
    """Give the Python modules below these folders."""
    return tuple(
        _module(name)
        for name in files()
        if name.endswith(".py") and name.partition("/")[0] in roots
    )


def product() -> tuple[Module, ...]:
    """Give the modules that are shipped, without the migrations, which a tool writes."""
    return tuple(
        module
        for module in modules("backend", "relay_console")
        if "/migrations/versions/" not in module.path
    )


@cache
def _module(name: str) -> Module:
    text = (ROOT / name).read_text(encoding="utf-8")
    return Module(path=name, text=text, syntax=ast.parse(text))


def functions(module: Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Give every function of a module, methods and inner ones included."""
    for node in ast.walk(module.syntax):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
