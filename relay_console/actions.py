"""Every key of the console, in one table.

Bindings, the footer, the ``?`` help, the ``:`` palette, docs/keys.md and what ``--readonly`` hides
are all made from it. An action's id is the ``action_`` method of the widget or screen that has its
scope. ``python -m relay_console.keys_document`` prints docs/keys.md. Imports no Textual. No I/O.
"""

from __future__ import annotations

from relay_console.action import Action, Scope
from relay_console.actions_alerts import ALERT_ACTIONS
from relay_console.actions_mail import MAIL_ACTIONS
from relay_console.actions_quarantine import QUARANTINE_ACTIONS
from relay_console.actions_suppressions import SUPPRESSION_ACTIONS

AREAS = (
    Scope.LOGS,
    Scope.SUPPRESSIONS,
    Scope.DOMAINS,
    Scope.QUARANTINE,
    Scope.CHARTS,
    Scope.ALERTS,
)
"""The six screens, in the order of their number keys."""

_TABLES = frozenset(AREAS) - {Scope.CHARTS}
_ROOTS = frozenset(AREAS)


def _in(*scopes: Scope) -> frozenset[Scope]:
    return frozenset(scopes)


def _area(key: str, scope: Scope, about: str) -> Action:
    return Action(
        id=f"area('{scope.name.lower()}')",
        key=key,
        title=scope.value,
        help=about,
        scopes=_in(Scope.GLOBAL),
        palette=True,
    )


ACTIONS: tuple[Action, ...] = (
    _area("1", Scope.LOGS, "Show all mail, sent and received, newest first."),
    _area("2", Scope.SUPPRESSIONS, "Show the addresses we must not send to."),
    _area("3", Scope.DOMAINS, "Show the domains and the DNS records they need."),
    _area("4", Scope.QUARANTINE, "Show received mail that waits for a person."),
    _area("5", Scope.CHARTS, "Show sent, delivered and bounced mail per minute."),
    _area("6,exclamation_mark", Scope.ALERTS, "Show what is wrong, and the rates of every tenant."),
    Action(
        id="help",
        key="question_mark",
        title="help",
        help="Show every key, with a search field.",
        scopes=_in(Scope.GLOBAL),
        footer=1,
    ),
    Action(
        id="command_palette",
        key="colon,ctrl+p",
        title="commands",
        help="Run a command by name, or jump: logs status:bounced.",
        scopes=_in(Scope.GLOBAL),
        footer=3,
    ),
    Action(
        id="next_theme",
        key="T",
        title="theme",
        help="Change to the next colour theme.",
        scopes=_in(Scope.GLOBAL),
        palette=True,
    ),
    Action(
        id="quit",
        key="ctrl+q",
        title="quit",
        help="Leave the console at once.",
        scopes=_in(Scope.GLOBAL),
        palette=True,
    ),
    Action(
        id="leave",
        key="q",
        title="quit",
        help="Leave the console.",
        scopes=_ROOTS,
        footer=2,
    ),
    Action(
        id="filter",
        key="slash",
        title="filter",
        help="Type a filter; enter keeps it, esc takes it away.",
        scopes=_TABLES,
        footer=2,
        palette=True,
    ),
    Action(
        id="clear",
        key="escape",
        title="clear",
        help="Take the filter away, then the marks.",
        scopes=_TABLES,
    ),
    Action(
        id="reload",
        key="r",
        title="refresh",
        help="Read the data again.",
        scopes=_ROOTS - {Scope.DOMAINS} | {Scope.DETAIL},
        footer=6,
        palette=True,
    ),
    Action(
        id="copy",
        key="y",
        title="copy",
        help="Copy what the cursor is on: an id, an address, a DNS record.",
        scopes=_TABLES | {Scope.DETAIL, Scope.JOB},
        footer=5,
        palette=True,
    ),
    Action(
        id="follow",
        key="f",
        title="follow",
        help="Stay with the newest row; moving the cursor down stops it.",
        scopes=_in(Scope.LOGS),
        footer=4,
        palette=True,
    ),
    Action(
        id="sort",
        key="o",
        title="sort",
        help="Order by the next column: time, status, recipient, subject.",
        scopes=_in(Scope.LOGS),
        footer=6,
        palette=True,
    ),
    Action(
        id="reverse",
        key="O",
        title="reverse",
        help="Turn the order round.",
        scopes=_in(Scope.LOGS),
        palette=True,
    ),
    Action(
        id="columns",
        key="c",
        title="columns",
        help="Choose the columns.",
        scopes=_in(Scope.LOGS),
        palette=True,
    ),
    Action(
        id="pane",
        key="p",
        title="pane",
        help="Show or hide the mail beside the table, on terminals of 120 columns and more.",
        scopes=_in(Scope.LOGS, Scope.QUARANTINE),
        palette=True,
    ),
    *SUPPRESSION_ACTIONS,
    Action(
        id="check",
        key="r",
        title="refresh",
        help="Ask SES for the state of this domain now.",
        scopes=_in(Scope.DOMAINS),
        writes=True,
        footer=2,
        palette=True,
    ),
    Action(
        id="other_pane",
        key="tab",
        title="records",
        help="Go from the domains to the records of this one, and back.",
        scopes=_in(Scope.DOMAINS),
        footer=3,
    ),
    *QUARANTINE_ACTIONS,
    *ALERT_ACTIONS,
    *MAIL_ACTIONS,
    Action(
        id="wider",
        key="plus,equals_sign",
        title="wider",
        help="Show a longer time.",
        scopes=_in(Scope.CHARTS),
        footer=2,
        palette=True,
    ),
    Action(
        id="narrower",
        key="minus",
        title="narrower",
        help="Show a shorter time.",
        scopes=_in(Scope.CHARTS),
        footer=2,
        palette=True,
    ),
    Action(
        id="open_row",
        key="enter",
        title="open",
        help="Open the row under the cursor.",
        scopes=_in(Scope.TABLE),
        footer=1,
    ),
    Action(
        id="mark",
        key="space,v",
        title="mark",
        help="Mark the row for the next action, and go one down.",
        scopes=_in(Scope.TABLE),
        footer=5,
    ),
    Action(
        id="mark_view",
        key="asterisk",
        title="mark all",
        help="Mark every row in sight; once more takes these marks away.",
        scopes=_in(Scope.TABLE),
    ),
    Action(
        id="unmark",
        key="backslash",
        title="unmark",
        help="Take all marks away.",
        scopes=_in(Scope.TABLE),
    ),
    Action(id="down", key="j,down", title="down", help="One row down.", scopes=_in(Scope.TABLE)),
    Action(id="up", key="k,up", title="up", help="One row up.", scopes=_in(Scope.TABLE)),
    Action(id="top", key="g,home", title="top", help="To the first row.", scopes=_in(Scope.TABLE)),
    Action(
        id="bottom", key="G,end", title="bottom", help="To the last row.", scopes=_in(Scope.TABLE)
    ),
    Action(
        id="half_down",
        key="ctrl+d",
        title="half down",
        help="Half a page down.",
        scopes=_in(Scope.TABLE),
    ),
    Action(
        id="half_up", key="ctrl+u", title="half up", help="Half a page up.", scopes=_in(Scope.TABLE)
    ),
    Action(
        id="page_down",
        key="pagedown",
        title="page down",
        help="A page down.",
        scopes=_in(Scope.TABLE),
    ),
    Action(id="page_up", key="pageup", title="page up", help="A page up.", scopes=_in(Scope.TABLE)),
    Action(
        id="back",
        key="escape,q",
        title="back",
        help="Go back to the table.",
        scopes=_in(Scope.DETAIL, Scope.REPROCESS, Scope.JOB),
        footer=1,
    ),
    Action(
        id="linked",
        key="o",
        title="open related",
        help="Open the mail this one answers, or the newest answer to it.",
        scopes=_in(Scope.DETAIL),
        footer=3,
        palette=True,
    ),
    Action(
        id="scroll_line_down",
        key="j,down",
        title="down",
        help="One line down.",
        scopes=_in(Scope.DETAIL),
        footer=0,
    ),
    Action(
        id="scroll_line_up",
        key="k,up",
        title="up",
        help="One line up.",
        scopes=_in(Scope.DETAIL),
    ),
    Action(
        id="scroll_page_down",
        key="ctrl+d,pagedown,space",
        title="page down",
        help="A page down.",
        scopes=_in(Scope.DETAIL),
        footer=4,
    ),
    Action(
        id="scroll_page_up",
        key="ctrl+u,pageup",
        title="page up",
        help="A page up.",
        scopes=_in(Scope.DETAIL),
    ),
    Action(
        id="scroll_first",
        key="g,home",
        title="start",
        help="To the first line.",
        scopes=_in(Scope.DETAIL),
    ),
    Action(
        id="scroll_last",
        key="G,end",
        title="end",
        help="To the last line.",
        scopes=_in(Scope.DETAIL),
    ),
    Action(id="yes", key="y", title="yes", help="Do it.", scopes=_in(Scope.DIALOG), footer=1),
    Action(
        id="no",
        key="n,escape,enter,q",
        title="no",
        help="Leave all as it is.",
        scopes=_in(Scope.DIALOG),
        footer=1,
    ),
)


def in_scope(*scopes: Scope) -> tuple[Action, ...]:
    """Give the actions alive in any of these scopes, in the order of the table."""
    wanted = frozenset(scopes)
    return tuple(action for action in ACTIONS if action.scopes & wanted)


def alive_on(area: Scope) -> tuple[Scope, ...]:
    """Give the scopes whose keys work together on a screen."""
    if area is Scope.DIALOG:
        return (area,)
    if area in {Scope.MESSAGE, Scope.SENT}:
        return (area, Scope.DETAIL, Scope.GLOBAL)
    return (area, Scope.TABLE, Scope.GLOBAL) if area in _TABLES else (area, Scope.GLOBAL)


def allowed(action_id: str, *, readonly: bool) -> bool:
    """Tell whether an action may run; ``--readonly`` stops every one that writes."""
    return not (readonly and action_id in _WRITING)


_WRITING = frozenset(action.id for action in ACTIONS if action.writes)


def footer_of(area: Scope, *, readonly: bool) -> tuple[Action, ...]:
    """Give the footer's actions of a screen, the one to drop first last."""
    shown = (action for action in in_scope(*alive_on(area)) if action.footer)
    return tuple(
        sorted(
            (action for action in shown if allowed(action.id, readonly=readonly)),
            key=lambda action: action.footer,
        )
    )
