"""Who may import whom: the contracts of pyproject.toml, and that they leave nothing out."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from typing import Any

from importlinter.cli import lint_imports

from tests.architecture.tree import ROOT, files


def contract(name: str) -> dict[str, Any]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    return next(found for found in contracts if found["id"] == name)


def test_every_import_keeps_the_contracts(monkeypatch: Any, capsys: Any) -> None:
    monkeypatch.chdir(ROOT)
    # QUIRK(import-linter): it switches off every logger there is, for all tests after this one
    monkeypatch.setattr("logging.config.dictConfig", lambda _: None)

    broken = lint_imports(config_filename="pyproject.toml", no_cache=True)

    assert not broken, capsys.readouterr().out


def test_the_console_is_kept_from_every_part_of_the_backend() -> None:
    parts = {
        "backend." + name.split("/")[1].removesuffix(".py")
        for name in files()
        if name.startswith("backend/") and name.endswith(".py") and name != "backend/__init__.py"
    }

    assert parts == {
        name for name in contract("front-door")["forbidden_modules"] if name.startswith("backend.")
    }


def test_only_the_module_that_opens_the_console_may_lead_to_textual() -> None:
    assert contract("headless")["ignore_imports"] == [
        "relay_console.cli.console -> relay_console.app"
    ]


def test_what_the_pure_modules_import_for_types_they_do_not_load() -> None:
    # the package around demo.ledger joins everything; the others stand alone
    names = [name for name in contract("pure")["source_modules"] if "demo" not in name]
    heavy = ["asyncio", "sqlalchemy", "boto3", "httpx", "textual"]
    code = f"""
import sys, importlib
for name in {names}:
    importlib.import_module(name)
print([name for name in {heavy} if name in sys.modules])
"""

    printed = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout

    assert printed.strip() == "[]"
