"""The keys of the Alerts screen. Imports no Textual. No I/O."""

from __future__ import annotations

from relay_console.action import Action, Scope

_ALERTS = frozenset({Scope.ALERTS})

ALERT_ACTIONS: tuple[Action, ...] = (
    Action(
        id="brake",
        key="b",
        title="hold back",
        help="Hold back the mail of this tenant; it is accepted and waits. Asks why first.",
        scopes=_ALERTS,
        writes=True,
        footer=2,
        palette=True,
    ),
    Action(
        id="lift",
        key="R",
        title="let go",
        help="Let the mail of this tenant go on; asks first.",
        scopes=_ALERTS,
        writes=True,
        footer=2,
        palette=True,
    ),
    Action(
        id="other_pane",
        key="tab",
        title="to the alerts",
        help="Go from the tenants to the alerts, to scroll them, and back.",
        scopes=_ALERTS,
        footer=3,
    ),
)
"""In the order of help and docs/keys.md."""
