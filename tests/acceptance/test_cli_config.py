"""``relay-console config``: every setting, and no secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from backend.config import Config, environment_name
from tests.acceptance.cli import Shell

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    extra = {
        "INTEGRATION_KEY": "hush-hush",
        "RELAY_API_PORT": "9000",
        "RELAY_DATABASE": "postgresql://relay:hush-hush@db.example.com/relay",
    }
    return Shell(home=tmp_path, extra=extra)


def test_it_lists_every_setting_in_json(shell: Shell) -> None:
    listed = shell.run("config", "--json").json["settings"]

    assert [s["environment"] for s in listed] == list(map(environment_name, Config.model_fields))
    assert all(s["description"] for s in listed)


def test_it_shows_the_value_in_force_beside_the_default(shell: Shell) -> None:
    listed = {s["environment"]: s for s in shell.run("config", "--json").json["settings"]}

    assert listed["RELAY_API_PORT"]["value"] == "9000"
    assert listed["RELAY_API_PORT"]["default"] == "8025"


@pytest.mark.parametrize("arguments", [("config",), ("config", "--json"), ("config", "locate")])
def test_it_hides_secrets(shell: Shell, arguments: tuple[str, ...]) -> None:
    answer = shell.run(*arguments)

    assert answer.code == 0
    assert "hush-hush" not in answer.out


def test_locate_names_the_files(tmp_path: Path) -> None:
    extra = {"XDG_CONFIG_HOME": str(tmp_path / "c"), "XDG_DATA_HOME": str(tmp_path / "d")}

    places = Shell(home=tmp_path, extra=extra).run("config", "locate", "--json").json

    assert places == {
        "config": str(tmp_path / "c/relay-console/config.toml"),
        "data": str(tmp_path / "d/relay-console"),
        "database": str(tmp_path / "d/relay-console/relay.db"),
    }


def test_the_command_line_wins_over_the_environment(tmp_path: Path) -> None:
    shell = Shell(home=tmp_path, extra={"RELAY_DATABASE": str(tmp_path / "from-environ.db")})
    wanted = str(tmp_path / "from-option.db")

    before = shell.run("--database", wanted, "config", "locate", "--json").json
    after = shell.run("config", "--database", wanted, "--json").json["settings"][0]

    assert before["database"] == wanted
    assert after["value"] == wanted
