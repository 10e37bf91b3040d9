"""Named points on a mail's way at which a test may kill the process, as a power cut would.

``RELAY_FAULTPOINT=send.after_ses_call`` ends the process by SIGKILL when it passes that point for
the first time, ``RELAY_FAULTPOINT=send.after_ses_call:3`` the third time. Without the variable a
point costs one comparison. benchmarks/faults.py kills at every point and counts what is lost.
"""

from __future__ import annotations

import os
import signal
import threading

from backend.errors import ConfigError
from backend.model.explained import Explained

VARIABLE = "RELAY_FAULTPOINT"


class FaultPoint(Explained):
    """Where a process may be killed; each lies before or after something durable."""

    ACCEPT_BEFORE_COMMIT = (
        "accept.before_commit",
        "The mail and its work item are written, not yet committed; its caller knows nothing.",
    )
    ACCEPT_AFTER_COMMIT = (
        "accept.after_commit",
        "The mail is on disk; its caller has no answer yet.",
    )
    SEND_CLAIMED = "send.claimed", "A worker holds the mail and has done nothing with it."
    SEND_ATTEMPT_UNCOMMITTED = (
        "send.attempt_uncommitted",
        "The attempt is written, not yet committed.",
    )
    SEND_ATTEMPT_WRITTEN = "send.attempt_written", "The attempt is on disk; SES was not called."
    SEND_BEFORE_CALL = "send.before_call", "The thread is about to call SES."
    SEND_AFTER_CALL = "send.after_call", "SES has taken the mail; its answer is written nowhere."
    SEND_RESULT_UNCOMMITTED = (
        "send.result_uncommitted",
        "The result is written, not yet committed.",
    )
    SEND_RESULT_WRITTEN = "send.result_written", "The result is on disk and the work item is gone."
    EVENT_BEFORE_COMMIT = "event.before_commit", "An SES event is applied, not yet committed."
    EVENT_AFTER_COMMIT = "event.after_commit", "An SES event is on disk; SQS still has it."
    EVENT_DELETED = "event.deleted", "SQS was told to delete the events of a batch."
    PUBLISH_BEFORE_CALL = "publish.before_call", "A bus event is about to be posted."
    PUBLISH_AFTER_CALL = "publish.after_call", "The bus has the event; that is written nowhere."


class _Trap:
    """The one point this process dies at, and how often it is passed before that."""

    def __init__(self) -> None:
        self.point: FaultPoint | None = None
        self._left = 0
        self._lock = threading.Lock()

    def set(self, point: FaultPoint | None, passes: int) -> None:
        self.point, self._left = point, passes

    def spring(self) -> None:
        with self._lock:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


_trap = _Trap()


def arm(setting: str) -> None:
    """Choose the point to die at: ``name`` or ``name:n``; empty for none; raises ConfigError."""
    name, _, times = setting.partition(":")
    try:
        _trap.set(FaultPoint(name) if name else None, int(times or 1))
    except ValueError:
        raise ConfigError(
            f"{VARIABLE}: {setting!r} is not a fault point; give one of {', '.join(FaultPoint)}"
        ) from None


def faultpoint(point: FaultPoint) -> None:
    """Pass a point: end the process here if it was armed for it."""
    if _trap.point is point:
        _trap.spring()


arm(os.environ.get(VARIABLE, ""))
