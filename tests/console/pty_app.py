"""The app in a child process, for the tests that read what a terminal would get.

``python -m tests.console.pty_app WALLS WORLD``: WALLS names the defences that stand (safe, filter,
both, none), WORLD is clean, wrong (alerts are open) or hostile. With ``tour WALLS WORLD ...`` it
visits every screen and leaves, once for each pair. A process without ``safe`` stays without it.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import relay_console.safe
from relay_console.safe import SafeText

if TYPE_CHECKING:
    from textual.pilot import Pilot

HOSTILE = (
    "[@click=app.quit]x[/] [/ \x1b]52;c;UFdORUQ=\x07 \x1b]0;PWNED\x07 \x1b[2J \x9b2J\x9d0;C1\x9c"
    " \x1b]8;;http://evil.example\x1b\\ \u202eecilA\u061c \x7f\x00 \u0301\u0301\u0301\u0301\u0301"
)
SHOWN = "[@click=app.quit]x[/] [/ ␛]52;c;UFdORUQ=␇ ␛]0;PWNED␇"
"""How the beginning of it must look, which fits on one line of 80 columns."""

BETWEEN = b"<<< the next one >>>"
TOUR = (
    ("1", "mails"),
    ("enter", "Sent mail"),
    ("G", "Replies"),
    ("escape", "mails"),
    ("2", "suppressed address"),
    ("enter", "Suppressed address"),
    ("escape", "suppressed address"),
    ("D", "sent there again"),
    ("n", "suppressed address"),
    ("a", "Tenant (tab"),
    ("escape", "suppressed address"),
    ("3", "domains"),
    ("enter", "Domain harbour"),
    ("G", "SPF"),
    ("y", "terminal"),
    ("escape", "domains"),
    ("4", "wait"),
    ("enter", "Received message"),
    ("G", "Attachments"),
    ("escape", "wait"),
    ("R", "Its sender"),
    ("enter", "Release 1 message?"),
    ("n", "wait"),
    ("5", "bounced"),
    ("6", "Wrong now"),
    ("j", "2/4"),
    ("enter", "Rates of"),
    ("escape", "Wrong now"),
    ("b", "Say why"),
    ("escape", "Wrong now"),
    ("5", "bounced"),
    ("question_mark", "search the keys"),
    ("escape", "bounced"),
    ("colon", "Show all mail"),
    ("escape", "bounced"),
)


def main(walls: str, name: str, *, tour: bool) -> None:
    """Build the world and the app, and run it on the terminal."""
    if walls in {"filter", "none"}:  # before anything imports it
        relay_console.safe.safe = lambda text, limit=512, marks=4: SafeText(text)
    from relay_console.app import RelayApp
    from relay_console.profile import Profile
    from tests.console.driving import until_shown
    from tests.console.world import NOW, build_world, hostile_world

    async def visit(pilot: Pilot[object]) -> None:
        for key, words in TOUR:
            await pilot.press(key)
            await until_shown(pilot, words)
        pilot.app.exit()

    world = hostile_world(HOSTILE) if name == "hostile" else build_world(30, 12)
    if name == "wrong":
        world.compliance.go_wrong()
    app = RelayApp(world, actor="sam@ops", clock=lambda: NOW, profile=Profile(copy_method="osc52"))
    if walls in {"safe", "none"}:
        base = super(RelayApp, app).get_line_filters
        app.get_line_filters = base  # type: ignore[method-assign]
    app.run(auto_pilot=visit if tour else None)


def tours(pairs: list[str]) -> None:
    """Visit every screen once for each WALLS and WORLD, with BETWEEN after each."""
    for walls, name in zip(pairs[::2], pairs[1::2], strict=True):
        main(walls, name, tour=True)
        sys.stdout.buffer.write(BETWEEN)
        sys.stdout.flush()


if __name__ == "__main__":
    if sys.argv[1] == "tour":
        tours(sys.argv[2:])
    else:
        main(*sys.argv[1:], tour=False)
