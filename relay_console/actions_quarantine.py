"""The keys of the Quarantine screen and of what it leads to. Imports no Textual. No I/O."""

from __future__ import annotations

from relay_console.action import Action, Scope


def _in(*scopes: Scope) -> frozenset[Scope]:
    return frozenset(scopes)


_WAITING = _in(Scope.QUARANTINE, Scope.MESSAGE)

QUARANTINE_ACTIONS: tuple[Action, ...] = (
    Action(
        id="reprocess",
        key="P",
        title="process again",
        help="Process the marked messages, or this one, again; shows the difference first.",
        scopes=_in(Scope.QUARANTINE),
        writes=True,
        footer=4,
        palette=True,
    ),
    Action(
        id="reprocess_all",
        key="B",
        title="process all",
        help="Process every message of the filter again; shows the difference first.",
        scopes=_in(Scope.QUARANTINE),
        writes=True,
        footer=6,
        palette=True,
    ),
    Action(
        id="go",
        key="enter",
        title="process",
        help="Have it done; asks first.",
        scopes=_in(Scope.REPROCESS),
        writes=True,
        footer=1,
    ),
    Action(
        id="stop",
        key="x",
        title="stop",
        help="Stop the job before its next part; what it has done stays done.",
        scopes=_in(Scope.JOB),
        writes=True,
        footer=2,
    ),
    Action(
        id="release",
        key="R",
        title="release",
        help="Let the marked messages, or this one, go on after what held them; asks first.",
        scopes=_WAITING,
        writes=True,
        footer=2,
        palette=True,
    ),
    Action(
        id="reroute",
        key="M",
        title="reroute",
        help="Send the marked messages, or this one, to a target of your choice; asks first.",
        scopes=_WAITING,
        writes=True,
        footer=3,
        palette=True,
    ),
    Action(
        id="attach",
        key="A",
        title="attach",
        help="Put the marked messages, or this one, into a conversation; asks first.",
        scopes=_WAITING,
        writes=True,
        footer=4,
        palette=True,
    ),
    Action(
        id="discard",
        key="D",
        title="discard",
        help="Put the marked messages, or this one, away; they are kept. Asks first.",
        scopes=_WAITING,
        writes=True,
        footer=3,
        palette=True,
    ),
    Action(
        id="spam",
        key="S",
        title="spam",
        help="Put the marked messages, or this one, away as spam; asks first.",
        scopes=_WAITING,
        writes=True,
        footer=4,
        palette=True,
    ),
    Action(
        id="undo",
        key="u",
        title="undo",
        help="Restore what you last discarded or marked as spam in this session.",
        scopes=_WAITING,
        writes=True,
        footer=5,
        palette=True,
    ),
)
"""In the order of help and docs/keys.md."""
