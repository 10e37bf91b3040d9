"""Reading the settings: what wins over what, and how a fault is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from backend.config import Config, config_file, data_home, environment_name, load_config
from backend.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path


def write_file(text: str) -> None:
    config_file().parent.mkdir(parents=True)
    config_file().write_text(text, encoding="utf-8")


def test_without_anything_the_defaults_hold() -> None:
    assert load_config({}) == Config()


def test_the_environment_wins_over_the_file_and_an_override_over_both() -> None:
    write_file("api_port = 1\nworkers = 2\npoll_seconds = 3")

    config = load_config({"RELAY_WORKERS": "4", "RELAY_POLL_SECONDS": "5"}, poll_seconds=6)

    assert (config.api_port, config.workers, config.poll_seconds) == (1, 4, 6)


def test_an_override_of_none_overrides_nothing() -> None:
    assert load_config({"RELAY_API_PORT": "9"}, api_port=None).api_port == 9


def test_names_of_the_founding_documents_carry_no_prefix() -> None:
    assert environment_name("psa_api_url") == "PSA_API_URL"
    assert environment_name("api_port") == "RELAY_API_PORT"


@pytest.mark.parametrize(
    ("environ", "word"),
    [
        ({"RELAY_NONSENSE": "1"}, "RELAY_NONSENSE"),
        ({"RELAY_API_PORT": "70000"}, "RELAY_API_PORT"),
        ({"RELAY_LOG_LEVEL": "loud"}, "RELAY_LOG_LEVEL"),
        ({"RELAY_POLL_SECONDS": "0"}, "RELAY_POLL_SECONDS"),
    ],
)
def test_a_fault_in_the_environment_names_its_variable(environ: dict[str, str], word: str) -> None:
    with pytest.raises(ConfigError, match=word):
        load_config(environ)


def test_an_unknown_name_in_the_file_is_a_fault() -> None:
    write_file("colour = 'red'")

    with pytest.raises(ConfigError, match=r"(?i)colour"):
        load_config({})


def test_a_file_that_is_not_toml_is_a_fault_that_names_the_file() -> None:
    write_file("= nothing")

    with pytest.raises(ConfigError, match=r"config\.toml"):
        load_config({})


def test_variables_of_other_programs_are_left_alone() -> None:
    assert load_config({"PATH": "x", "AWS_PROFILE": "y", "RELAY_THEME": "dark"}) == Config()


@pytest.mark.parametrize(
    ("database", "url"),
    [
        ("postgresql://u@h/d", "postgresql+psycopg://u@h/d"),
        ("postgresql+psycopg://u@h/d", "postgresql+psycopg://u@h/d"),
        ("/var/lib/relay.db", "sqlite:////var/lib/relay.db"),
        ("sqlite:////var/lib/relay.db", "sqlite:////var/lib/relay.db"),
    ],
)
def test_a_database_is_a_file_or_a_url(database: str, url: str) -> None:
    assert load_config({}, database=database).database_url == url


def test_the_database_lies_in_the_data_folder_by_default() -> None:
    assert load_config({}).database_url == f"sqlite:///{data_home() / 'relay.db'}"


def test_a_secret_is_not_in_what_is_printed() -> None:
    config = load_config({"INTEGRATION_KEY": "hush-hush"})

    assert "hush-hush" not in repr(config)
    assert config.integration_key.get_secret_value() == "hush-hush"
