"""What to do after a call to SES failed, or its answer was lost. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from backend.errors import (
    ConfigError,
    CredentialsRefusedError,
    NotVerifiedError,
    QuotaSpentError,
    RelayError,
    SendingPausedError,
    ThrottledError,
    TransientError,
    UnknownOutcomeError,
)
from backend.model.outbound import (
    AccountHeld,
    Attempt,
    AttemptState,
    GaveUp,
    HeldBack,
    OnUnknown,
    Outcome,
    RetryAt,
    Unknown,
)
from backend.model.sending import SendState
from backend.queue.backoff import delay

if TYPE_CHECKING:
    from collections.abc import Sequence

_ALWAYS = datetime.min.replace(tzinfo=UTC)
SANDBOX_WAIT = timedelta(minutes=15)  # doubles with every try, up to SANDBOX_LONGEST
SANDBOX_LONGEST = timedelta(hours=4)
_OPEN = frozenset({AttemptState.SENDING, AttemptState.UNKNOWN})
# the special before the general
_STATES: tuple[tuple[type[RelayError], SendState], ...] = (
    (QuotaSpentError, SendState.QUOTA_SPENT),
    (ThrottledError, SendState.THROTTLED),
    (CredentialsRefusedError, SendState.DENIED),
    (SendingPausedError, SendState.PAUSED),
    (ConfigError, SendState.DENIED),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait for a SEND event and how long to go on trying.

    ``listening_since`` is since when this process hears events without a gap (hearing.py): one that
    was sent while nobody listened may still lie in the queue, so the wait begins no earlier.
    """

    unknown_wait: timedelta
    retry_for: timedelta
    listening_since: datetime = _ALWAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A call that failed: what was raised, every attempt with the failed one last, and when.

    ``in_sandbox`` says that SES takes mail to verified addresses only.
    """

    error: RelayError
    attempts: Sequence[Attempt]
    at: datetime
    in_sandbox: bool = False


def unresolved(attempts: Sequence[Attempt]) -> Attempt | None:
    """Give the last attempt when nobody knows how it ended."""
    return attempts[-1] if attempts and attempts[-1].state in _OPEN else None


def while_unknown(
    attempts: Sequence[Attempt], now: datetime, patience: Patience, policy: OnUnknown
) -> Unknown | HeldBack | GaveUp | None:
    """Decide about a last attempt of unknown end: wait on, hold, give up, or None: try again."""
    last = unresolved(attempts)
    if last is None:
        return None
    until = max(last.started_at, patience.listening_since) + patience.unknown_wait
    if now < until:
        return Unknown(at=until, reason=last.error or "the answer of SES was lost")
    if policy is OnUnknown.HOLD:
        return HeldBack(reason="SES may have the mail, but no SEND event came; it is held")
    if _tried_for(attempts, now) > patience.retry_for:
        return GaveUp(reason="SES may have the mail, but no SEND event ever came")
    return None


def after_failure(failure: Failure, patience: Patience) -> Outcome:
    """Turn what the transport raised into an outcome."""
    error, now, reason = failure.error, failure.at, str(failure.error)
    if isinstance(error, UnknownOutcomeError):
        return Unknown(at=now + patience.unknown_wait, reason=reason)
    # of the whole account, not of this mail: everything waits, however long it lasts
    if (state := state_of(error)) is not None:
        return AccountHeld(state=state, reason=reason)
    waits = isinstance(error, NotVerifiedError) and failure.in_sandbox
    if not waits and not isinstance(error, TransientError):
        return GaveUp(reason=reason)
    if _tried_for(failure.attempts, now) > patience.retry_for:
        return GaveUp(reason=f"given up after {_hours(patience.retry_for)}: {reason}")
    tries = len(_that_count(failure.attempts))
    if waits:
        wait = min(SANDBOX_WAIT * float(2 ** min(tries - 1, 16)), SANDBOX_LONGEST)
        return RetryAt(at=now + wait, reason=f"the SES account is in the sandbox: {reason}")
    asked = error.retry_after if isinstance(error, TransientError) else None
    email_id = failure.attempts[-1].email_id
    return RetryAt(at=now + delay(email_id, tries, retry_after=asked), reason=reason)


def state_of(error: RelayError) -> SendState | None:
    """Tell which state of the account an error of SES shows, None when it is about one mail."""
    return next((state for kind, state in _STATES if isinstance(error, kind)), None)


def _tried_for(attempts: Sequence[Attempt], now: datetime) -> timedelta:
    """Give how long a mail has been tried, the time before the account was held left out."""
    tries = _that_count(attempts)
    return now - tries[0].started_at if tries else timedelta(0)


def _that_count(attempts: Sequence[Attempt]) -> Sequence[Attempt]:
    return [attempt for attempt in attempts if attempt.state is not AttemptState.HELD]


def _hours(span: timedelta) -> str:
    return f"{span.total_seconds() / 3600:g} hours"
