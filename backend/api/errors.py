"""How every error of the backend is told to a caller: one table for both surfaces.

The names of the Resend surface are those its SDKs know (docs/api.md). The rule of an error's class,
or else of its nearest base, holds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.aws.sns_signature import UnverifiedNoticeError
from backend.errors import (
    AllSuppressedError,
    AuthenticationError,
    BatchRefusedError,
    ConfigError,
    CredentialsRefusedError,
    DatabaseBusyError,
    DomainNotVerifiedError,
    ForbiddenError,
    IdempotencyConflictError,
    InvalidInputError,
    LeaseLostError,
    NotFoundError,
    NotVerifiedError,
    PermanentError,
    QuotaSpentError,
    RateLimitedError,
    RefusedError,
    RelayError,
    RequestInFlightError,
    SchemaTooNewError,
    SendingPausedError,
    ServiceUnavailableError,
    ThrottledError,
    TooLateError,
    TransientError,
    UnknownOutcomeError,
)
from backend.facade_ingest import TokenError

if TYPE_CHECKING:
    from collections.abc import Mapping


class MissingKeyError(AuthenticationError):
    """No API key came with the request."""


class MissingFieldError(InvalidInputError):
    """A field that must be there is not."""


class BadIdempotencyKeyError(InvalidInputError):
    """The Idempotency-Key header is not 1 to 256 printable ASCII characters."""


class MalformedBodyError(InvalidInputError):
    """The body is not JSON, or not a JSON object."""


class BodyTooLargeError(InvalidInputError):
    """The body is larger than any mail SES takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """How an error is told: HTTP status and stable name on each surface.

    ``wait`` is the Retry-After in seconds when the error itself names none, 0 for no header.
    ``sentence`` replaces the error's own words when those are for operators only.
    """

    status: int
    name: str
    resend_status: int
    resend_name: str
    wait: int = 0
    sentence: str = ""


def _told(status: int, name: str, resend_status: int, resend_name: str) -> Told:
    return Told(status=status, name=name, resend_status=resend_status, resend_name=resend_name)


def _later(status: int, name: str, wait: int) -> Told:
    # Resend knows no 503; its SDKs take any 5xx for an application_error
    resend = "rate_limit_exceeded" if name == "rate_limit_exceeded" else "application_error"
    return Told(status=status, name=name, resend_status=status, resend_name=resend, wait=wait)


def _ours(name: str) -> Told:
    return Told(
        status=500,
        name=name,
        resend_status=500,
        resend_name="application_error",
        sentence="the server cannot do this as it is set up; its operator must look at its log",
    )


INTERNAL = Told(
    status=500,
    name="internal_error",
    resend_status=500,
    resend_name="application_error",
    sentence="the server failed in a way it did not expect; the fault is in its log",
)

RULES: Mapping[type[RelayError], Told] = {
    ThrottledError: _later(429, "rate_limit_exceeded", 1),
    RateLimitedError: _later(429, "rate_limit_exceeded", 1),
    QuotaSpentError: _later(429, "rate_limit_exceeded", 1),
    ServiceUnavailableError: _later(503, "service_unavailable", 5),
    DatabaseBusyError: _later(503, "database_busy", 1),
    SendingPausedError: _later(503, "sending_paused", 60),
    CredentialsRefusedError: _later(503, "sending_paused", 60),
    LeaseLostError: _later(503, "try_again", 1),
    TransientError: _later(503, "try_again", 1),
    UnknownOutcomeError: _later(503, "unknown_outcome", 5),
    DomainNotVerifiedError: _told(400, "domain_not_verified", 400, "validation_error"),
    AllSuppressedError: _told(400, "all_suppressed", 400, "validation_error"),
    BadIdempotencyKeyError: _told(400, "invalid_idempotency_key", 400, "invalid_idempotency_key"),
    MalformedBodyError: _told(400, "malformed_body", 400, "validation_error"),
    BodyTooLargeError: _told(413, "body_too_large", 413, "validation_error"),
    MissingFieldError: _told(422, "missing_field", 422, "missing_required_field"),
    BatchRefusedError: _told(422, "invalid_input", 422, "validation_error"),
    InvalidInputError: _told(422, "invalid_input", 422, "validation_error"),
    RequestInFlightError: Told(
        status=409,
        name="request_in_flight",
        resend_status=409,
        resend_name="concurrent_idempotent_requests",
        wait=1,
    ),
    TooLateError: _told(409, "too_late", 422, "validation_error"),
    IdempotencyConflictError: _told(409, "idempotency_conflict", 409, "invalid_idempotent_request"),
    TokenError: _told(401, "invalid_token", 401, "invalid_api_key"),
    UnverifiedNoticeError: _told(403, "unverified_notice", 403, "validation_error"),
    MissingKeyError: _told(401, "missing_api_key", 401, "missing_api_key"),
    AuthenticationError: _told(401, "invalid_api_key", 403, "invalid_api_key"),
    ForbiddenError: _told(403, "missing_scope", 401, "restricted_api_key"),
    NotFoundError: _told(404, "not_found", 404, "not_found"),
    RefusedError: _told(502, "refused", 502, "application_error"),
    NotVerifiedError: _told(502, "refused", 502, "application_error"),
    ConfigError: _ours("misconfigured"),
    SchemaTooNewError: _ours("misconfigured"),
    PermanentError: INTERNAL,
    RelayError: INTERNAL,
}


def rule_for(kind: type[RelayError]) -> Told:
    """Give the rule of an error's class or of its nearest base in the table."""
    return next(RULES[base] for base in kind.__mro__ if base in RULES)


def seconds_to_wait(error: RelayError, told: Told) -> int:
    """Give the Retry-After in whole seconds, rounded up; 0 means: no header."""
    asked = error.retry_after if isinstance(error, TransientError) else None
    return max(1, math.ceil(asked)) if asked is not None else told.wait
