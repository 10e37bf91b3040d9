"""What docs/ and README.md say is so."""

from __future__ import annotations

import re
import tomllib

import pytest

from relay_console.cli.main import COMMANDS
from tests.architecture.documents import MADE, made, parts_of
from tests.architecture.tree import ROOT, files

TRY = (
    "python3 -m venv .venv && .venv/bin/pip install -c constraints.txt '.[sandbox]'"
    " && .venv/bin/relay-console demo"
)
TEST = (
    "python3 -m venv .venv && .venv/bin/pip install -c constraints.txt -e '.[dev]'"
    " && .venv/bin/pytest"
)
MAP_LINE = re.compile(r"^([\w./-]+/|[\w.-]+\.\w+) {2,}\S")


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def readme_map() -> set[str]:
    """Give the paths of the map in README.md."""
    block = read("README.md").partition("## The map")[2].partition("```text\n")[2]
    lines = block.partition("```")[0].splitlines()
    return {found.group(1) for line in lines if (found := MAP_LINE.match(line))}


@pytest.mark.parametrize(("document", "part"), [(d, p) for d, parts in MADE.items() for p in parts])
def test_a_made_part_is_as_the_program_has_it(document: str, part: str) -> None:
    assert parts_of(document)[part] == made(part), "run: python -m tests.architecture.documents"


def test_readme_has_the_two_commands_each_on_a_line() -> None:
    lines = read("README.md").splitlines()

    assert lines.count(TRY) == 1
    assert lines.count(TEST) == 1


def test_the_ci_runs_the_test_command_of_the_readme() -> None:
    assert read(".ci/run").splitlines().count(TEST) == 1


def test_the_map_names_every_folder_of_the_house() -> None:
    folders = {
        "/".join(parts[:2]) + "/"
        for name in files()
        if (parts := name.split("/"))[0] in {"backend", "relay_console"} and len(parts) > 2
    }
    tops = {name.split("/")[0] + "/" for name in files() if "/" in name}

    assert (folders | tops) - readme_map() == set()


def test_the_map_names_nothing_that_is_not_there() -> None:
    held = files()  # git keeps no empty folder
    gone = [p for p in sorted(readme_map()) if not any(name.startswith(p) for name in held)]

    assert gone == []


def test_every_file_that_the_documents_link_to_is_there() -> None:
    broken = [
        f"{name}: {target}"
        for name in files()
        if name.endswith(".md")
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", read(name))
        if not (ROOT / name).parent.joinpath(target).exists()
    ]

    assert broken == []


def test_every_command_is_named_in_its_document() -> None:
    document = read("docs/cli.md")

    assert [name for name in COMMANDS if f"### relay-console {name}\n" not in document] == []


def test_the_changelog_has_this_version() -> None:
    version = tomllib.loads(read("pyproject.toml"))["project"]["version"]

    assert f"## [{version}]" in read("CHANGELOG.md")


def test_every_pin_is_a_plain_version() -> None:
    pins = [line for line in read("constraints.txt").splitlines() if not line.startswith("#")]

    assert [pin for pin in pins if not re.fullmatch(r"[\w.-]+==[\w.]+", pin)] == []
    assert pins == sorted(pins, key=str.lower)


def test_every_dependency_we_name_is_pinned() -> None:
    project = tomllib.loads(read("pyproject.toml"))["project"]
    extras = project["optional-dependencies"].values()
    named = [*project["dependencies"], *(name for extra in extras for name in extra)]
    pinned = {_plain(line.partition("==")[0]) for line in read("constraints.txt").splitlines()}

    wanted = {_plain(re.split(r"[\[<>=~]", name)[0]) for name in named} - {"relay-console"}

    assert wanted - pinned == set()


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
