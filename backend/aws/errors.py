"""The one table from what botocore raises to our error tree (facts: ses.md section 2).

The question that matters is whether a send may have taken effect. Refused before it was written:
try again. Answered: do as the answer says. Written and not answered: the outcome is unknown, and
only a SEND event can settle it. A test proves the table complete against botocore's SES model.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from backend.errors import (
    ConfigError,
    CredentialsRefusedError,
    NotFoundError,
    NotVerifiedError,
    QuotaSpentError,
    RefusedError,
    RelayError,
    SendingPausedError,
    ServiceUnavailableError,
    ThrottledError,
    TransientError,
    UnknownOutcomeError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_QUOTA_RETRY_SECONDS = 3600.0
_PAUSE_RETRY_SECONDS = 300.0
_RATE_RETRY_SECONDS = 1.0

THROTTLED = frozenset(
    {
        "TooManyRequestsException",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestLimitExceeded",
        "SlowDown",
    }
)
PAUSED = frozenset({"AccountSuspendedException", "SendingPausedException"})
REFUSED = frozenset(
    {
        "BadRequestException",
        "LimitExceededException",
        "MailFromDomainNotVerifiedException",
        "MessageRejected",
    }
)
# A send names only the configuration set, so it is what was not found: of every mail, not of one.
MISSING = frozenset({"ConfigurationSetDoesNotExist", "NotFoundException"})
# Credentials that AWS does not take: mail is held, for a person can mend it, and none is lost.
DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "NotAuthorized",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
CLOCK = frozenset({"RequestExpired", "RequestTimeTooSkewed"})
ABSENT = frozenset(
    {
        "404",
        "AWS.SimpleQueueService.NonExistentQueue",
        "NoSuchBucket",
        "NoSuchKey",
        "NotFoundException",
        "QueueDoesNotExist",
    }
)

# By the name of botocore's exception class, so that naming them costs no import.
_NEVER_WRITTEN: Mapping[str, type[RelayError]] = {
    "ConnectTimeoutError": ServiceUnavailableError,
    "EndpointConnectionError": ServiceUnavailableError,
    "ProxyConnectionError": ServiceUnavailableError,
    "CredentialRetrievalError": CredentialsRefusedError,
    "MetadataRetrievalError": CredentialsRefusedError,
    "SSOError": CredentialsRefusedError,
    "TokenRetrievalError": CredentialsRefusedError,
    "NoAuthTokenError": CredentialsRefusedError,
    "NoCredentialsError": ConfigError,
    "PartialCredentialsError": ConfigError,
    "NoRegionError": ConfigError,
    "InvalidConfigError": ConfigError,
    "InvalidEndpointConfigurationError": ConfigError,
    "InvalidRegionError": ConfigError,
    "ProfileNotFound": ConfigError,
    "ParamValidationError": RefusedError,
}

# Of TLS these come before anything is written; a broken record may come after.
_HANDSHAKE = re.compile("certificate|handshake|hostname|version", re.I)

_ADVICE = {
    "NoCredentialsError": "no AWS credentials were found; set AWS_ACCESS_KEY_ID and "
    "AWS_SECRET_ACCESS_KEY, or give the machine a role",
    "PartialCredentialsError": "the AWS credentials are incomplete; set both AWS_ACCESS_KEY_ID "
    "and AWS_SECRET_ACCESS_KEY",
    "NoRegionError": "no AWS region is set; set AWS_REGION",
}


def explain(error: Exception, *, sending: bool) -> RelayError:
    """Turn what botocore or urllib3 raised into one of our errors.

    ``sending`` says that the call hands over a mail: then a lost answer is an unknown outcome, and
    what is not found is the configuration set.
    """
    response = getattr(error, "response", None)
    if isinstance(response, dict) and "Error" in response:
        return _answered(response, sending=sending)
    return _unanswered(error, sending=sending)


def _answered(response: dict[str, Any], *, sending: bool) -> RelayError:
    code = str(response["Error"].get("Code", ""))
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    said = str(response["Error"].get("Message") or code)
    sentence = f"AWS answered {code or status}: {said}"
    if not_now := _not_now(code, status, said, sentence):
        return not_now
    if status >= 500 or code in CLOCK:
        return ServiceUnavailableError(sentence)
    if code in DENIED or (sending and status in {401, 403}):
        return _denied(sentence, sending=sending)
    if sending and code in MISSING:
        return ConfigError(f"{sentence}; check RELAY_CONFIGURATION_SET and AWS_REGION")
    if not sending and (code in ABSENT or status == 404):
        return NotFoundError(sentence)
    unverified = code == "MessageRejected" and "not verified" in said.lower()
    return (NotVerifiedError if unverified else RefusedError)(sentence, status=status)


def _not_now(code: str, status: int, said: str, sentence: str) -> TransientError | None:
    # The v2 exception that carries the daily quota is not documented, so the sentence decides.
    if "daily message quota exceeded" in said.lower():
        return QuotaSpentError(sentence, retry_after=_QUOTA_RETRY_SECONDS)
    if code in THROTTLED or status == 429 or "maximum sending rate exceeded" in said.lower():
        return ThrottledError(sentence, retry_after=_RATE_RETRY_SECONDS)
    if code in PAUSED:
        return SendingPausedError(sentence, retry_after=_PAUSE_RETRY_SECONDS)
    return None


def _denied(sentence: str, *, sending: bool) -> RelayError:
    advice = f"{sentence}; check the AWS credentials and their permissions"
    if sending:
        return CredentialsRefusedError(advice, retry_after=_PAUSE_RETRY_SECONDS)
    return ConfigError(advice)


def _unanswered(error: Exception, *, sending: bool) -> RelayError:
    for kind in type(error).__mro__:
        if found := _NEVER_WRITTEN.get(kind.__name__):
            return found(_ADVICE.get(kind.__name__, f"AWS could not be called: {error}"))
    if type(error).__name__ == "SSLError" and _HANDSHAKE.search(str(error)):
        return ServiceUnavailableError(f"AWS could not be called: {error}")
    if sending:
        return UnknownOutcomeError(f"SES may or may not have taken the mail: {error}")
    return ServiceUnavailableError(f"AWS did not answer: {error}")
