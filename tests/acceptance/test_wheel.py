"""The wheel: what is in it, and that it runs with nothing beside it but what it asks for."""

from __future__ import annotations

import contextlib
import json
import select
import signal
import sqlite3
import subprocess
import sys
import time
import zipfile
from importlib.metadata import Distribution, PathDistribution, distribution, version
from pathlib import Path

import httpx
import pytest
from packaging.requirements import Requirement

from tests.acceptance.processes import Running, clean_environ

ROOT = Path(__file__).parents[2]
DEADLINE = 40  # seconds
CONNECTION = {
    "api_url",
    "api_key",
    "from_address",
    "inbound_domain",
    "smtp",
    "aws_endpoint",
    "desk_url",
    "database",
}
SUMMARY = {
    "sent",
    "delivered",
    "bounced",
    "complained",
    "suppressed",
    "received",
    "threaded",
    "forwarded",
    "held",
    "quarantined",
    "pending",
    "lost",
    "duplicates",
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from this tree."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, capture_output=True, check=True, timeout=60)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program of a new environment that holds the wheel and what it asks for, nothing else.

    What it asks for is linked from the environment of the tests: fetching it would take longer
    than all that is tested here.
    """
    folder = tmp_path_factory.mktemp("installed")
    venv = [sys.executable, "-m", "venv", "--without-pip", str(folder)]
    subprocess.run(venv, check=True, timeout=60)
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), "install"]
    alone = ["--quiet", "--no-deps", "--no-index", "--no-compile", str(wheel)]
    subprocess.run([*pip, *alone], check=True, timeout=60)
    (packages,) = folder.glob("lib/python*/site-packages")
    (own,) = packages.glob("relay_console-*.dist-info")
    for needed in wanted(PathDistribution(own), "sandbox"):
        link(needed, packages)
    return folder / "bin" / "relay-console"


def wanted(of: Distribution, *extras: str) -> list[Distribution]:
    """Give the distributions that one with extras asks for, and those that they ask for."""
    found: dict[tuple[str, str], Distribution] = {}
    asking = [(of, extra) for extra in ("", *extras)]
    for one, extra in asking:  # it grows
        for requirement in map(Requirement, one.requires or ()):
            if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
                continue
            for inner in {"", *requirement.extras} - {e for n, e in found if n == requirement.name}:
                found[requirement.name, inner] = distribution(requirement.name)
                asking.append((found[requirement.name, inner], inner))
    return list(found.values())


def link(one: Distribution, packages: Path) -> None:
    """Make the packages and modules of a distribution importable from another folder."""
    for top in {file.parts[0] for file in one.files or ()} - {"..", "__pycache__"}:
        there = packages / top
        if not there.exists():
            there.symlink_to(str(one.locate_file(top)))


def ended(connection: dict[str, str]) -> int:
    """Give the number of mails that a demo has sent and that have come to an end."""
    key = {"Authorization": f"Bearer {connection['api_key']}"}
    answer = httpx.get(f"{connection['api_url']}/emails", headers=key, timeout=10)
    return sum(one["last_event"] == "delivered" for one in answer.json()["data"])


SHOWN = (
    "select 1 from alerts where cleared_at is null",
    "select 1 from emails where status = 'scheduled'",
    "select 1 from emails where subject like '[Ticket #%'",  # made of a template
    "select 1 from inbound where status = 'quarantined' and reason = 'unsafe_attachment'",
    "select 1 from inbound where status = 'forwarded' and subject = 'Signed contract'",  # let go
    "select 1 from webhook_deliveries where state = 'delivered'",
    "select 1 from webhook_endpoints where failures >= 5",
)
"""What a person who looks at the demo finds in it."""


def missing(database: Path) -> list[str]:
    """Give what the demo does not show yet."""
    with contextlib.closing(sqlite3.connect(database)) as db:
        return [query for query in SHOWN if db.execute(query).fetchone() is None]


def test_the_wheel_holds_themes_styles_and_migrations(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()

    def held(folder: str, ending: str) -> bool:
        return any(name.startswith(folder) and name.endswith(ending) for name in names)

    assert held("relay_console/_themes/", ".toml")
    assert held("relay_console/styles/", ".tcss")
    assert held("backend/store/migrations/versions/", ".py")
    assert not held("tests/", "")


def test_its_demo_runs_alone_until_ctrl_c_and_sums_up(installed: Path, tmp_path: Path) -> None:
    command = ["demo", "--headless", "--json", "--keep", str(tmp_path / "kept")]
    # not in the tree: what is imported must come from the wheel
    demo = Running(
        command, clean_environ(tmp_path), tmp_path / "log", program=installed, cwd=tmp_path
    )
    try:
        first = json.loads(demo.line())
        end = time.monotonic() + DEADLINE
        while not ended(first) or missing(tmp_path / "kept" / "relay.db"):
            assert time.monotonic() < end, missing(tmp_path / "kept" / "relay.db")
            select.select([], [], [], 0.1)
        demo.process.send_signal(signal.SIGINT)
        last = json.loads(demo.line())
        code = demo.process.wait(DEADLINE)
    finally:
        demo.stop()

    assert first.keys() == CONNECTION
    assert last.keys() == SUMMARY
    assert (last["lost"], last["duplicates"], code) == (0, 0, 0), last
    assert last["sent"] > 0


def test_it_knows_its_version(installed: Path, tmp_path: Path) -> None:
    told = subprocess.run(
        [installed, "--version"], cwd=tmp_path, capture_output=True, text=True, check=True
    )

    assert told.stdout == f"relay-console {version('relay-console')}\n"
