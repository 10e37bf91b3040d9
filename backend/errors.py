"""Every error the backend raises on purpose, on one page.

RelayError
+-- TransientError              trying again later may help; may carry ``retry_after`` seconds
|   +-- ThrottledError          SES or a target asked us to slow down
|   +-- ServiceUnavailableError AWS, a target or the network did not answer
|   +-- DatabaseBusyError       the database was locked, full or away
|   +-- SendingPausedError      the SES account may not send at present
|   +-- LeaseLostError          another worker owns this work now; our result is void
+-- UnknownOutcomeError         the call may or may not have taken effect (a lost answer)
+-- PermanentError              trying the same again cannot help
    +-- InvalidInputError       the caller's input is wrong; names the ``field``
    |   +-- DomainNotVerifiedError
    |   +-- AllSuppressedError
    +-- IdempotencyConflictError
    +-- AuthenticationError     no key, or not a live one
    +-- ForbiddenError          the key lacks the scope
    +-- NotFoundError
    +-- RefusedError            SES or a target said no for good
    +-- ConfigError
    +-- SchemaTooNewError
"""

from __future__ import annotations


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


class ServiceUnavailableError(TransientError):
    """AWS, a target or the network did not answer."""


class DatabaseBusyError(TransientError):
    """The database was locked, full or away."""


class SendingPausedError(TransientError):
    """The SES account may not send at present."""


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


class ConfigError(PermanentError):
    """The configuration cannot work; the message says which setting and what to do."""


class SchemaTooNewError(PermanentError):
    """The database was written by a newer version of this program."""
