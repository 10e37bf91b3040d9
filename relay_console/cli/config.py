"""``relay-console config``: every setting, its name, its value and what it is for."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from relay_console.cli.opening import Common, database_option, json_option, pass_common, read_config
from relay_console.cli.output import write_json, write_line, write_table

if TYPE_CHECKING:
    from backend import Config

HIDDEN = "(hidden)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting as ``config`` lists it; a secret's value is never in here."""

    environment: str
    value: str
    default: str
    description: str


@click.group(invoke_without_command=True)
@database_option
@json_option
@pass_common
@click.pass_context
def config(context: click.Context, common: Common, as_json: bool) -> None:
    """List every setting with its value, its default and what it is for."""
    if context.invoked_subcommand is not None:
        return
    found = settings(read_config(common))
    if as_json:
        write_json({"settings": found})
        return
    rows = [(s.environment, s.value, s.default, s.description) for s in found]
    write_table([("NAME", "VALUE", "DEFAULT", "WHAT IT IS"), *rows])


@config.command()
@json_option
@pass_common
def locate(common: Common, as_json: bool) -> None:
    """Write where the configuration file and the database are, and whether they exist."""
    from backend import config_file, data_home

    places = {
        "config": str(config_file()),
        "data": str(data_home()),
        "database": read_config(common).database_url.removeprefix("sqlite:///"),
    }
    if as_json:
        write_json(places)
        return
    for name, place in places.items():
        state = "" if "://" in place or os.path.exists(place) else "(not there yet)"  # noqa: PTH110
        write_line(f"{name:<9}", _without_password(place), state)


def settings(config: Config) -> list[Setting]:
    """Give all settings in the order of backend/config.py, secrets hidden."""
    from backend import environment_name

    return [
        Setting(
            environment=environment_name(name),
            value=_shown(getattr(config, name)),
            default=_shown(field.default),
            description=field.description or "",
        )
        for name, field in type(config).model_fields.items()
    ]


def _shown(value: object) -> str:
    """Write a value; pydantic writes a secret as stars, or as nothing when it is empty."""
    if value is None:
        return ""
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return HIDDEN if text.startswith("*") else _without_password(text)


def _without_password(text: str) -> str:
    """Hide the password of a postgresql:// URL."""
    scheme, found, rest = text.partition("://")
    credentials, at, place = rest.rpartition("@")
    user, colon, _password = credentials.partition(":")
    return f"{scheme}://{user}:{HIDDEN}@{place}" if found and at and colon else text
