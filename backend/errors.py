"""Every error the backend raises on purpose, on one page.

RelayError
+-- TransientError              trying again later may help; may carry ``retry_after`` seconds
|   +-- ThrottledError          SES or a target asked us to slow down
|   |   +-- QuotaSpentError     the 24-hour quota of the SES account is spent
|   |   +-- RateLimitedError    the caller has used up a rate limit; carries what the headers say
|   +-- RequestInFlightError    the same Idempotency-Key is in use at this very moment
|   +-- ServiceUnavailableError AWS, a target or the network did not answer
|   +-- DatabaseBusyError       the database was locked, full or away
|   +-- SendingPausedError      the SES account may not send at present
|   |   +-- CredentialsRefusedError
|   +-- LeaseLostError          another worker owns this work now; our result is void
+-- UnknownOutcomeError         the call may or may not have taken effect (a lost answer)
+-- PermanentError              trying the same again cannot help
    +-- InvalidInputError       the caller's input is wrong; names the ``field``
    |   +-- DomainNotVerifiedError
    |   +-- AllSuppressedError
    |   +-- BatchRefusedError   some mails of a batch are wrong; carries what is wrong with each
    +-- TooLateError            the mail is on its way already, or done
    +-- IdempotencyConflictError
    +-- AuthenticationError     no key, or not a live one
    +-- ForbiddenError          the key lacks the scope
    +-- NotFoundError
    +-- RefusedError            SES or a target said no for good
    |   +-- NotVerifiedError    SES knows neither the address nor its domain
    +-- ConfigError
    +-- SchemaTooNewError
"""

from __future__ import annotations

from typing import Protocol


class RateStanding(Protocol):
    """What a caller is told of its rate limits; ``model.limits.Allowance`` is one."""

    @property
    def limit(self) -> int:
        """How many messages the tightest window takes."""
        ...

    @property
    def remaining(self) -> int:
        """How many are left in it."""
        ...

    @property
    def reset(self) -> int:
        """Seconds until it is empty."""
        ...

    @property
    def policy(self) -> str:
        """Every limit that holds."""
        ...


class RelayError(Exception):
    """Base of all errors raised on purpose."""


class TransientError(RelayError):
    """Trying again later may help.

    ``retry_after`` is in seconds, as the other side asked, or None.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ThrottledError(TransientError):
    """SES or a target asked us to slow down."""


class QuotaSpentError(ThrottledError):
    """The 24-hour quota of the SES account is spent."""


class RateLimitedError(ThrottledError):
    """The caller has used up a rate limit; ``standing`` is what the RateLimit headers say."""

    def __init__(self, message: str, *, retry_after: float, standing: RateStanding) -> None:
        super().__init__(message, retry_after=retry_after)
        self.standing = standing


class RequestInFlightError(TransientError):
    """The same Idempotency-Key is in use by a request that has not ended."""


class ServiceUnavailableError(TransientError):
    """AWS, a target or the network did not answer."""


class DatabaseBusyError(TransientError):
    """The database was locked, full or away."""


class SendingPausedError(TransientError):
    """The SES account may not send at present."""


class CredentialsRefusedError(SendingPausedError):
    """AWS does not take our credentials for sending; a person can mend it, mail waits."""


class LeaseLostError(TransientError):
    """Another worker owns this work now; our result is void."""


class UnknownOutcomeError(RelayError):
    """The call may or may not have taken effect: the answer was lost."""


class PermanentError(RelayError):
    """Trying the same again cannot help."""


class InvalidInputError(PermanentError):
    """The caller's input is wrong; ``field`` names where."""

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class DomainNotVerifiedError(InvalidInputError):
    """The From domain is not a verified domain of the tenant."""


class AllSuppressedError(InvalidInputError):
    """Every recipient is on the suppression list."""


class BatchRefusedError(InvalidInputError):
    """Some mails of a batch are wrong, so none was taken; ``faults`` has each by its place."""

    def __init__(self, message: str, *, faults: tuple[tuple[int, InvalidInputError], ...]) -> None:
        super().__init__(message)
        self.faults = faults


class TooLateError(PermanentError):
    """The mail is on its way already, or done: it cannot be changed any more."""


class IdempotencyConflictError(PermanentError):
    """The Idempotency-Key was used before with another body."""


class AuthenticationError(PermanentError):
    """No API key was given, or it is not a live one."""


class ForbiddenError(PermanentError):
    """The API key lacks the scope for this."""


class NotFoundError(PermanentError):
    """There is no such thing in this tenant."""


class RefusedError(PermanentError):
    """SES or a target said no for good; ``status`` is the HTTP status, 0 when there was none."""

    def __init__(self, message: str, *, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class NotVerifiedError(RefusedError):
    """SES has not verified an address: the sender's, or in the SES sandbox a recipient's."""


class ConfigError(PermanentError):
    """The configuration cannot work; the message says which setting and what to do."""


class SchemaTooNewError(PermanentError):
    """The database was written by a newer version of this program."""
