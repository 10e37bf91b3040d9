"""What one key of the console does, and where it is alive. Imports no Textual. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Scope(StrEnum):
    """Where a key is alive; the value is the heading in help and docs."""

    GLOBAL = "Everywhere"
    TABLE = "Tables"
    LOGS = "Logs"
    SUPPRESSIONS = "Suppressions"
    DOMAINS = "Domains"
    QUARANTINE = "Quarantine"
    CHARTS = "Charts"
    ALERTS = "Alerts"
    DETAIL = "Detail"
    SENT = "Sent mail"
    MESSAGE = "Waiting message"
    REPROCESS = "Process again"
    JOB = "Job"
    DIALOG = "Dialogs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One thing a key does.

    ``key`` is one or more Textual key names, separated by commas; ``title`` is the word in the
    footer, ``help`` the sentence in the help. ``footer`` is the rank there: 1 is kept longest on
    a narrow terminal, 0 is never shown. ``palette`` actions can be run by name.
    """

    id: str
    key: str
    title: str
    help: str
    scopes: frozenset[Scope]
    writes: bool = False
    footer: int = 0
    palette: bool = False

    @property
    def keys(self) -> tuple[str, ...]:
        """The Textual key names."""
        return tuple(self.key.split(","))

    @property
    def caps(self) -> str:
        """The keys as printed on a keyboard."""
        return " ".join(_CAPS.get(key, key) for key in self.keys)


_CAPS = {
    "question_mark": "?",
    "exclamation_mark": "!",
    "colon": ":",
    "slash": "/",
    "plus": "+",
    "asterisk": "*",
    "minus": "-",
    "equals_sign": "=",
    "backslash": "\\",
    "escape": "esc",
    "pageup": "pgup",
    "pagedown": "pgdn",
    "up": "↑",
    "down": "↓",
}
