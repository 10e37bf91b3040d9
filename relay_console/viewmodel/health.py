"""What is wrong just now: holds, alerts and webhooks, as notices in safe text. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend import AlertKind, Level, SendState
from relay_console.safe import NOTHING, SafeText, safe
from relay_console.viewmodel.words import held_words, when

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from backend import Alert, Endpoint, Hold
    from relay_console.health import Health

FAILING = 5
"""Failures in a row from which on an endpoint is said to fail."""
_RATES = frozenset({AlertKind.BOUNCES, AlertKind.COMPLAINTS})
_WORSE = {level: place for place, level in enumerate(Level)}
_HOLDS = {
    SendState.THROTTLED: Level.NOTICE,
    SendState.QUOTA_SPENT: Level.WARNING,
    SendState.PAUSED: Level.PAUSE,
    SendState.DENIED: Level.PAUSE,
}
TONES = {
    Level.GOOD: "",
    Level.NOTICE: "dim",
    Level.WARNING: "busy",
    Level.REVIEW: "bad",
    Level.PAUSE: "bad",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing that a person should look at; ``label`` is one or two words for it."""

    level: Level
    label: SafeText
    sentence: SafeText


def notices(health: Health, now: datetime) -> tuple[Notice, ...]:
    """Give everything that is wrong, the worst first, what is older before what is newer."""
    found = [_of_hold(hold, now)] if (hold := health.sending.hold) else []
    found += [_of_alert(alert) for alert in health.alerts]
    found += [notice for one in health.endpoints if (notice := of_endpoint(one, now))]
    return tuple(sorted(found, key=lambda notice: -_WORSE[notice.level]))


def _of_alert(alert: Alert) -> Notice:
    # "pause" alone would read as if sending were paused already
    risk = alert.kind in _RATES and alert.level in {Level.REVIEW, Level.PAUSE}
    label = safe(f"{alert.level} risk" if risk else alert.level)
    return Notice(level=alert.level, label=label, sentence=safe(alert.sentence))


def _of_hold(hold: Hold, now: datetime) -> Notice:
    since, again = when(hold.since, now), when(hold.probe_at, now)
    said = f"{hold.state.sentence} Since {since}; tried again {again}. {hold.reason}"
    level = _HOLDS.get(hold.state, Level.WARNING)
    return Notice(level=level, label=safe("held"), sentence=safe(said.rstrip()))


def of_endpoint(endpoint: Endpoint, now: datetime) -> Notice | None:
    """Tell of a webhook that is off against its owner's will, or fails; None when all is well."""
    if not endpoint.enabled and endpoint.disabled_reason:
        said = f"The webhook {endpoint.url} is off: {endpoint.disabled_reason}"
        return Notice(level=Level.WARNING, label=safe("webhook"), sentence=safe(said))
    if endpoint.enabled and endpoint.failing_since and endpoint.failures >= FAILING:
        since = when(endpoint.failing_since, now)
        said = f"The webhook {endpoint.url} fails since {since}: {endpoint.last_error}"
        return Notice(level=Level.NOTICE, label=safe("webhook"), sentence=safe(said))
    return None


def banner_words(found: Sequence[Notice]) -> tuple[SafeText, SafeText]:
    """Give the one line for all notices: the worst of them, and how many more there are."""
    if not found:
        return NOTHING, NOTHING
    worst, more = found[0], len(found) - 1
    hint = f"+{more} more  6 shows all" if more else "6 shows it"
    return safe(f"{worst.label.upper()}  {worst.sentence}"), safe(hint)


def top_words(health: Health) -> SafeText:
    """Give the few words for the top line: that no mail goes out, or that SES is in its sandbox."""
    return safe(held_words(health.sending), 40)
