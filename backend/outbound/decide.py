"""What to do after a call to SES failed, or its answer was lost. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from backend.errors import (
    ConfigError,
    RelayError,
    SendingPausedError,
    TransientError,
    UnknownOutcomeError,
)
from backend.model.outbound import Attempt, AttemptState, GaveUp, Outcome, RetryAt, Unknown
from backend.queue.backoff import delay

if TYPE_CHECKING:
    from collections.abc import Sequence

_ALWAYS = datetime.min.replace(tzinfo=UTC)
PAUSED_WAIT = timedelta(seconds=60)
_OPEN = frozenset({AttemptState.SENDING, AttemptState.UNKNOWN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait for a SEND event and how long to go on trying.

    ``listening_since`` is when this process began to hear events: one that was sent while nobody
    listened may still lie in the queue, so the wait begins no earlier than that.
    """

    unknown_wait: timedelta
    retry_for: timedelta
    listening_since: datetime = _ALWAYS


def unresolved(attempts: Sequence[Attempt]) -> Attempt | None:
    """Give the last attempt when nobody knows how it ended."""
    return attempts[-1] if attempts and attempts[-1].state in _OPEN else None


def while_unknown(
    attempts: Sequence[Attempt], now: datetime, patience: Patience
) -> Unknown | GaveUp | None:
    """Decide about a last attempt of unknown end: wait on, give up, or None: try again."""
    last = unresolved(attempts)
    if last is None:
        return None
    until = max(last.started_at, patience.listening_since) + patience.unknown_wait
    if now < until:
        return Unknown(at=until, reason=last.error or "the answer of SES was lost")
    if now - attempts[0].started_at > patience.retry_for:
        return GaveUp(reason="SES may have the mail, but no SEND event ever came")
    return None


def after_failure(
    error: RelayError, attempts: Sequence[Attempt], now: datetime, patience: Patience
) -> Outcome:
    """Turn what the transport raised into an outcome; ``attempts`` ends with the failed one."""
    reason = str(error)
    if isinstance(error, UnknownOutcomeError):
        return Unknown(at=now + patience.unknown_wait, reason=reason)
    if isinstance(error, SendingPausedError):
        return RetryAt(at=now + PAUSED_WAIT, reason=reason)  # however long the pause lasts
    # wrong credentials or a missing configuration set: for a person to mend, mail waits meanwhile
    if not isinstance(error, TransientError | ConfigError):
        return GaveUp(reason=reason)
    if now - attempts[0].started_at > patience.retry_for:
        return GaveUp(reason=f"given up after {_hours(patience.retry_for)}: {reason}")
    last = attempts[-1]
    asked = error.retry_after if isinstance(error, TransientError) else None
    return RetryAt(at=now + delay(last.email_id, last.number, retry_after=asked), reason=reason)


def _hours(span: timedelta) -> str:
    return f"{span.total_seconds() / 3600:g} hours"
