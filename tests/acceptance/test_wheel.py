"""The wheel: what is in it, and that it runs where nothing else of ours is."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.acceptance.processes import clean_environ

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from this tree."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)]
    subprocess.run([*command, str(ROOT)], capture_output=True, check=True, timeout=60)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program of a new environment that the wheel was installed into."""
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, timeout=60)
    pip = [str(folder / "bin" / "pip"), "install", "--quiet"]
    pins = ["-c", str(ROOT / "constraints.txt")]
    subprocess.run([*pip, *pins, f"{wheel}[sandbox]"], check=True, timeout=240)
    return folder / "bin" / "relay-console"


def run(program: Path, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(program), *arguments],
        cwd=home,  # not in the tree: what is imported must come from the wheel
        env=clean_environ(home),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def test_the_wheel_holds_themes_styles_and_migrations(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()

    def held(folder: str, ending: str) -> bool:
        return any(name.startswith(folder) and name.endswith(ending) for name in names)

    assert held("relay_console/_themes/", ".toml")
    assert held("relay_console/styles/", ".tcss")
    assert held("backend/store/migrations/versions/", ".py")
    assert not held("tests/", "")


@pytest.mark.timeout(300)
def test_the_wheel_runs_in_a_new_environment(installed: Path, tmp_path: Path) -> None:
    assert run(installed, tmp_path, "--version").stdout.split()[1] == version("relay-console")

    ended = run(installed, tmp_path, "demo", "--headless", "--seconds", "5", "--json")

    last = json.loads(ended.stdout.splitlines()[-1])
    assert (ended.returncode, last["lost"], last["duplicates"]) == (0, 0, 0), ended.stderr
    assert last["sent"] > 0
