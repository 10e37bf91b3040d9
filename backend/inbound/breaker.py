"""A circuit breaker as plain state: five failures in a row rest a target for 15 s. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from backend.errors import ServiceUnavailableError

THRESHOLD = 5
REST_SECONDS = 15.0
PROBE_SECONDS = 12.0  # longer than one call may take


class CircuitOpenError(ServiceUnavailableError):
    """The target rests; nothing was sent, so this is no failed try."""


@dataclass(slots=True)
class Breaker:
    """State of one target; moments are seconds of a monotonic clock.

    Closed until ``THRESHOLD`` failures in a row, then open; after the rest one call may probe,
    its answer closes or opens it again.
    """

    failures: int = 0
    closed_again_at: float = 0.0

    def wait(self, now: float) -> float:
        """Give the seconds to stay away, 0 when a call may be made; a probe reserves its turn."""
        if self.failures < THRESHOLD:
            return 0.0
        if now < self.closed_again_at:
            return self.closed_again_at - now
        self.closed_again_at = now + PROBE_SECONDS
        return 0.0

    def succeeded(self) -> None:
        """Note that the target answered, whatever it said."""
        self.failures = 0

    def failed(self, now: float) -> None:
        """Note that it did not answer."""
        self.failures += 1
        if self.failures >= THRESHOLD:
            self.closed_again_at = now + REST_SECONDS
