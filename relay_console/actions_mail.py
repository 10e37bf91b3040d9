"""The keys of a mail we sent, or are to send. Imports no Textual. No I/O."""

from __future__ import annotations

from relay_console.action import Action, Scope

_SENT = frozenset({Scope.SENT})

MAIL_ACTIONS: tuple[Action, ...] = (
    Action(
        id="cancel_mail",
        key="x",
        title="call off",
        help="Call this scheduled mail off; asks first.",
        scopes=_SENT,
        writes=True,
        footer=2,
        palette=True,
    ),
    Action(
        id="reschedule",
        key="t",
        title="other time",
        help="Give this scheduled mail another time: in 2 hours, tomorrow 09:00.",
        scopes=_SENT,
        writes=True,
        footer=2,
        palette=True,
    ),
    Action(
        id="undo",
        key="u",
        title="undo",
        help="Undo what you did to this mail: another time, or calling it off.",
        scopes=_SENT,
        writes=True,
        footer=3,
        palette=True,
    ),
    Action(
        id="send_again",
        key="S",
        title="send again",
        help="Send a mail of unknown fate once more; it may arrive twice. Asks first.",
        scopes=_SENT,
        writes=True,
        footer=2,
        palette=True,
    ),
    Action(
        id="give_up",
        key="F",
        title="give up",
        help="Let a mail of unknown fate count as failed; asks first.",
        scopes=_SENT,
        writes=True,
        footer=2,
        palette=True,
    ),
)
"""In the order of help and docs/keys.md."""
