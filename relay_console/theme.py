"""Colour themes: TOML files, shipped ones first, then a user's own of the same or another name."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, ValidationError
from textual.color import ColorParseError
from textual.theme import Theme

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class ThemeFile(BaseModel):
    """The content of a theme file; colours are ``#rrggbb`` or Textual's names (ansi_blue)."""

    model_config = ConfigDict(extra="forbid")

    primary: str
    secondary: str
    accent: str
    foreground: str
    background: str
    surface: str
    panel: str
    success: str
    warning: str
    error: str
    boost: str | None = None
    dark: bool = True
    ansi: bool = False
    variables: dict[str, str] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Themes:
    """What was found; ``problems`` has one sentence for each file that cannot be used."""

    found: tuple[Theme, ...]
    problems: tuple[str, ...]


def theme_folders(environ: Mapping[str, str], home: Path) -> tuple[Path, ...]:
    """Give the folders to look in: the wheel's or the checkout's, then the user's."""
    here = Path(__file__).parent
    shipped = here / "_themes"
    base = environ.get("XDG_CONFIG_HOME")
    config = home / base if base else home / ".config"
    # an editable install has no _themes: the folder of the checkout serves
    return (
        shipped if shipped.is_dir() else here.parent / "themes",
        config / "relay-console" / "themes",
    )


def load_themes(folders: Iterable[Path]) -> Themes:
    """Read every ``*.toml``; a later one of the same name wins; a bad one is a problem."""
    found: dict[str, Theme] = {}
    problems: list[str] = []
    for folder in folders:
        for path in sorted(folder.glob("*.toml")):
            try:
                found[path.stem] = _read(path)
            except (OSError, ValueError, ColorParseError) as error:
                problems.append(f"The theme {path} cannot be used: {_first(error)}")
    return Themes(found=tuple(found.values()), problems=tuple(problems))


def _read(path: Path) -> Theme:
    """Read one file; raises OSError, ValueError (TOML and pydantic) or ColorParseError."""
    content: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    theme = Theme(name=path.stem, **ThemeFile(**content).model_dump())
    theme.to_color_system().generate()
    return theme


def _first(error: Exception) -> str:
    if isinstance(error, ValidationError):
        fault = error.errors()[0]
        return f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
    return str(error)
