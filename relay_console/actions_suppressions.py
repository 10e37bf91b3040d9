"""The keys of the Suppressions screen. Imports no Textual. No I/O."""

from __future__ import annotations

from relay_console.action import Action, Scope

_HERE = frozenset({Scope.SUPPRESSIONS})

SUPPRESSION_ACTIONS: tuple[Action, ...] = (
    Action(
        id="add",
        key="a",
        title="add",
        help="Put an address or a domain on the suppression list.",
        scopes=_HERE,
        writes=True,
        footer=2,
        palette=True,
    ),
    Action(
        id="remove",
        key="D",
        title="remove",
        help="Take the marked addresses, or this one, off the list; asks first.",
        scopes=_HERE,
        writes=True,
        footer=2,
        palette=True,
    ),
    Action(
        id="undo",
        key="u",
        title="undo",
        help="Undo your last addition, removal or import of this session.",
        scopes=_HERE,
        writes=True,
        footer=3,
        palette=True,
    ),
    Action(
        id="accept",
        key="Y",
        title="accept",
        help="Suppress the marked complaints that wait for review (state:review), or this one.",
        scopes=_HERE,
        writes=True,
        footer=6,
        palette=True,
    ),
    Action(
        id="import_list",
        key="i",
        title="import",
        help="Import a file of addresses and domains; tells what would come of it first.",
        scopes=_HERE,
        writes=True,
        footer=6,
        palette=True,
    ),
    Action(
        id="export_list",
        key="e",
        title="export",
        help="Write what the filter shows into a CSV or JSON lines file.",
        scopes=_HERE,
        writes=True,
        footer=6,
        palette=True,
    ),
)
