"""The registry of actions is the only list of keys, and all that is made from it agrees."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from relay_console.action import Action, Scope
from relay_console.actions import ACTIONS, AREAS, alive_on, allowed, footer_of, in_scope
from relay_console.app import RelayApp
from relay_console.keys_document import keys_document
from relay_console.screens.alerts import AlertsScreen
from relay_console.screens.charts import ChartsScreen
from relay_console.screens.confirm import Confirm
from relay_console.screens.detail import DetailScreen
from relay_console.screens.domains import DomainsScreen
from relay_console.screens.help import help_page
from relay_console.screens.job_progress import JobProgress
from relay_console.screens.logs import LogsScreen
from relay_console.screens.mail import SentScreen
from relay_console.screens.message import MessageScreen
from relay_console.screens.quarantine import QuarantineScreen
from relay_console.screens.reprocess_preview import ReprocessPreview
from relay_console.screens.suppressions import SuppressionsScreen
from relay_console.widgets.bars import _that_fit
from relay_console.widgets.page_view import PageView
from relay_console.widgets.vtable import VirtualTable

ROOT = Path(__file__).parents[2]
HOLDERS: dict[Scope, tuple[type, ...]] = {
    Scope.GLOBAL: (RelayApp,),
    Scope.TABLE: (VirtualTable,),
    Scope.LOGS: (LogsScreen,),
    Scope.SUPPRESSIONS: (SuppressionsScreen,),
    Scope.DOMAINS: (DomainsScreen,),
    Scope.QUARANTINE: (QuarantineScreen,),
    Scope.CHARTS: (ChartsScreen,),
    Scope.ALERTS: (AlertsScreen,),
    Scope.DETAIL: (DetailScreen, PageView),
    Scope.SENT: (SentScreen,),
    Scope.MESSAGE: (MessageScreen,),
    Scope.REPROCESS: (ReprocessPreview,),
    Scope.JOB: (JobProgress,),
    Scope.DIALOG: (Confirm,),
}
# a key that a terminal or tmux takes for itself, or cannot tell from another
TAKEN = {"ctrl+a", "ctrl+b", "ctrl+s", "ctrl+i", "ctrl+m", "ctrl+h", "ctrl+c", "ctrl+z"}


@pytest.mark.parametrize(
    "area",
    [*AREAS, Scope.DETAIL, Scope.SENT, Scope.MESSAGE, Scope.REPROCESS, Scope.JOB, Scope.DIALOG],
)
def test_no_key_means_two_things_on_one_screen(area: Scope) -> None:
    keys = Counter(key for action in in_scope(*alive_on(area)) for key in action.keys)
    assert [key for key, count in keys.items() if count > 1] == []


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: f"{action.id}:{action.key}")
def test_every_action_is_explained_in_plain_text(action: Action) -> None:
    assert action.title
    assert action.help.endswith(".")
    # the palette reads help as markup
    assert "[" not in action.help + action.title
    assert not TAKEN & set(action.keys)
    assert action.scopes


@pytest.mark.parametrize("scope", list(Scope))
def test_every_action_has_its_method(scope: Scope) -> None:
    for action in in_scope(scope):
        method = "action_" + action.id.partition("(")[0]
        assert any(hasattr(holder, method) for holder in HOLDERS[scope]), method


def test_the_document_of_keys_is_the_registry() -> None:
    assert (ROOT / "docs" / "keys.md").read_text(encoding="utf-8") == keys_document()


def test_read_only_allows_exactly_what_does_not_write() -> None:
    for action in ACTIONS:
        assert allowed(action.id, readonly=True) is not action.writes
        assert allowed(action.id, readonly=False)


@pytest.mark.parametrize("area", [*AREAS, Scope.DETAIL, Scope.SENT, Scope.MESSAGE])
def test_the_footer_of_a_read_only_console_offers_no_writing(area: Scope) -> None:
    assert not any(action.writes for action in footer_of(area, readonly=True))


@pytest.mark.parametrize("area", [*AREAS, Scope.DETAIL, Scope.SENT, Scope.MESSAGE])
@pytest.mark.parametrize("width", [30, 78, 118])
def test_no_footer_is_cut_and_help_is_always_there(area: Scope, width: int) -> None:
    shown = _that_fit(footer_of(area, readonly=False), width)
    text = "  ".join(f"{action.caps.split(' ')[0]} {action.title}" for action in shown)
    assert len(text) <= width
    assert "? help" in text


def test_help_finds_a_key_by_a_word_of_its_sentence() -> None:
    page = help_page(Scope.QUARANTINE, "process", readonly=False)
    assert [line.label for part in page.sections for line in part.lines] == ["P", "B"]


def test_help_of_a_read_only_console_hides_what_writes() -> None:
    page = help_page(Scope.SUPPRESSIONS, "", readonly=True)
    texts = {line.text for part in page.sections for line in part.lines}
    assert not texts & {action.help for action in ACTIONS if action.writes}


def test_help_says_when_no_key_fits() -> None:
    page = help_page(Scope.LOGS, "xyzzy", readonly=False)
    assert page.sections[0].lines[0].text == "No key fits; type other words."
