"""The terminal around the console: its line, its clipboard, its colours."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from relay_console.clipboard import Clipboard, cache_folder
from relay_console.edge import sentence_of
from relay_console.profile import Profile, prepare_environment, profile_from, refusal
from relay_console.theme import load_themes, theme_folders

ROOT = Path(__file__).parents[2]


def test_a_line_over_ssh_gets_few_frames() -> None:
    profile = profile_from({"SSH_CONNECTION": "1 2 3 4", "TERM": "xterm-256color"})
    assert (profile.remote, profile.fps, profile.ansi) == (True, 15, False)


def test_a_terminal_of_few_colours_gets_its_own_theme() -> None:
    assert profile_from({"TERM": "linux"}).default_theme == "relay-ansi"


def test_a_theme_that_was_named_wins() -> None:
    assert profile_from({"TERM": "linux", "RELAY_THEME": "mine"}).default_theme == "mine"
    assert Profile().default_theme == "relay-dark"


def test_an_unknown_way_to_copy_is_the_automatic_one() -> None:
    assert profile_from({"RELAY_COPY": "pigeon"}).copy_method == "auto"


def test_the_environment_of_textual_is_prepared_but_the_users_own_wins() -> None:
    environ = {"SSH_TTY": "/dev/pts/0", "TEXTUAL_ANIMATIONS": "full"}
    prepare_environment(environ)
    assert environ["TEXTUAL_FPS"] == "15"
    assert environ["TEXTUAL_ANIMATIONS"] == "full"


def test_a_dumb_terminal_is_refused_with_advice() -> None:
    assert "TERM=xterm-256color" in refusal({"TERM": "dumb"})
    assert refusal({"TERM": "screen-256color"}) == ""


def clipboard(folder: Path, sent: list[str], method: str = "auto", **environ: str) -> Clipboard:
    ways = profile_from({"RELAY_COPY": method}).copy_method
    return Clipboard(osc52=sent.append, folder=folder, environ=environ, method=ways)


async def test_without_tmux_the_terminal_is_sent_the_text(tmp_path: Path) -> None:
    sent: list[str] = []
    said = await clipboard(tmp_path, sent).copy("msg_1")
    assert sent == ["msg_1"]
    assert said == "5 characters sent to the terminal"


async def test_what_is_too_large_for_the_terminal_goes_to_a_private_file(tmp_path: Path) -> None:
    sent: list[str] = []
    said = await clipboard(tmp_path / "new", sent).copy("ü" * 60_000)
    path = tmp_path / "new" / "copied.txt"
    assert sent == []
    assert str(path) in said
    assert path.read_text(encoding="utf-8") == "ü" * 60_000
    assert path.stat().st_mode & 0o077 == 0


async def test_a_tmux_that_is_not_there_falls_back_to_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    sent: list[str] = []
    await clipboard(tmp_path, sent, TMUX="/nowhere").copy("x")
    assert sent == ["x"]


async def test_in_tmux_its_own_buffer_takes_the_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "tmux"
    program.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/args\ncat > {tmp_path}/buffer\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    said = await clipboard(tmp_path, [], TMUX="/tmp/tmux,1,0").copy("msg_1")  # noqa: S108  # no file
    assert (tmp_path / "buffer").read_text() == "msg_1"
    assert (tmp_path / "args").read_text() == "load-buffer -w -\n"
    assert said == "5 characters copied through tmux"


def test_the_cache_folder_is_the_one_of_xdg() -> None:
    home = Path("/somewhere/sam")
    assert cache_folder({}, home) == home / ".cache" / "relay-console"
    assert cache_folder({"XDG_CACHE_HOME": "/c"}, home) == Path("/c/relay-console")


def test_the_shipped_themes_load_without_a_problem() -> None:
    themes = load_themes(theme_folders({}, Path("/nonexistent")))
    assert {theme.name for theme in themes.found} >= {"relay-dark", "relay-light", "relay-ansi"}
    assert themes.problems == ()


def test_a_users_theme_of_the_same_name_wins(tmp_path: Path) -> None:
    folder = tmp_path / "relay-console" / "themes"
    folder.mkdir(parents=True)
    shipped = (ROOT / "themes" / "relay-dark.toml").read_text(encoding="utf-8")
    (folder / "relay-dark.toml").write_text(shipped.replace("#7aa2f7", "#123456"))
    themes = load_themes(theme_folders({"XDG_CONFIG_HOME": str(tmp_path)}, tmp_path))
    dark = next(theme for theme in themes.found if theme.name == "relay-dark")
    assert dark.primary == "#123456"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("primary = ", "Invalid value"),
        ("colour = 'red'", "primary: Field required"),
        ("nonsense", "cannot be used"),
    ],
)
def test_a_bad_theme_is_said_and_left_out(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "mine.toml").write_text(content)
    themes = load_themes([tmp_path])
    assert themes.found == ()
    assert said in themes.problems[0]


def test_a_colour_that_is_none_is_said(tmp_path: Path) -> None:
    shipped = (ROOT / "themes" / "relay-dark.toml").read_text(encoding="utf-8")
    (tmp_path / "mine.toml").write_text(shipped.replace("#7aa2f7", "reddish"))
    assert "reddish" in load_themes([tmp_path]).problems[0]


def test_a_fault_of_our_own_is_logged_with_its_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    said = sentence_of(ValueError("secret"))
    assert "ValueError" in said
    assert "secret" not in said
    assert caplog.records[0].exc_info is not None


@pytest.mark.parametrize("module", ["actions", "safe", "profile", "clipboard", "session"])
def test_what_headless_commands_share_does_not_load_textual(module: str) -> None:
    check = f"import sys, relay_console.{module}; sys.exit('textual' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], cwd=ROOT, check=False).returncode == 0
