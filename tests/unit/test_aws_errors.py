"""The map from botocore to our error tree is complete and tells sent from not sent."""

from __future__ import annotations

from typing import Any

import pytest
from botocore import exceptions as theirs
from botocore.session import get_session
from urllib3.exceptions import IncompleteRead

from backend.aws import errors
from backend.aws.client import Clients
from backend.aws.errors import explain
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

TABLES = (errors.THROTTLED, errors.PAUSED, errors.REFUSED, errors.MISSING)


def answered(code: str, status: int, message: str = "why") -> theirs.ClientError:
    response: Any = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return theirs.ClientError(response, "SendEmail")


def declared() -> list[str]:
    model: Any = get_session().get_service_model("sesv2")
    return sorted(shape.name for shape in model.operation_model("SendEmail").error_shapes)


def test_the_model_of_ses_declares_errors() -> None:
    assert "MessageRejected" in declared()


@pytest.mark.parametrize("code", declared())
def test_every_error_send_email_declares_is_in_one_table(code: str) -> None:
    assert [code in table for table in TABLES].count(True) == 1


ANSWERS: list[tuple[str, int, type[RelayError]]] = [
    ("TooManyRequestsException", 429, ThrottledError),
    ("Throttling", 400, ThrottledError),
    ("ThrottlingException", 400, ThrottledError),
    ("LimitExceededException", 400, RefusedError),
    ("AccountSuspendedException", 400, SendingPausedError),
    ("SendingPausedException", 400, SendingPausedError),
    ("MessageRejected", 400, RefusedError),
    ("MailFromDomainNotVerifiedException", 400, RefusedError),
    ("BadRequestException", 400, RefusedError),
    ("NotFoundException", 404, ConfigError),
    ("InternalServiceErrorException", 500, ServiceUnavailableError),
    ("503", 503, ServiceUnavailableError),
    ("RequestTimeTooSkewed", 403, ServiceUnavailableError),
    ("ExpiredTokenException", 403, CredentialsRefusedError),
    ("AccessDeniedException", 403, CredentialsRefusedError),
    ("SomethingNewException", 400, RefusedError),
    ("SomethingNewException", 403, CredentialsRefusedError),
    ("SomethingNewException", 429, ThrottledError),
]


@pytest.mark.parametrize(("code", "status", "kind"), ANSWERS)
def test_an_answer_to_a_send_has_one_meaning(
    code: str, status: int, kind: type[RelayError]
) -> None:
    error = explain(answered(code, status), sending=True)

    assert type(error) is kind
    assert code in str(error)
    assert "why" in str(error)


def test_a_refusal_keeps_the_status() -> None:
    error = explain(answered("MessageRejected", 400), sending=True)

    assert isinstance(error, RefusedError)
    assert error.status == 400


def test_an_address_that_ses_does_not_know_is_a_refusal_of_its_own() -> None:
    said = "Email address is not verified. The following identities failed the check: a@b.example"
    assert type(explain(answered("MessageRejected", 400, said), sending=True)) is NotVerifiedError


@pytest.mark.parametrize("code", ["LimitExceededException", "TooManyRequestsException"])
def test_the_daily_quota_is_known_by_its_sentence(code: str) -> None:
    error = explain(answered(code, 400, "Daily message quota exceeded."), sending=True)

    assert isinstance(error, QuotaSpentError)
    assert error.retry_after == 3600.0


def test_the_rate_limit_asks_for_a_second() -> None:
    error = explain(answered("Throttling", 400, "Maximum sending rate exceeded."), sending=True)

    assert isinstance(error, TransientError)
    assert error.retry_after == 1.0


@pytest.mark.parametrize("code", sorted(errors.ABSENT))
def test_what_is_not_there_is_not_found_unless_sending(code: str) -> None:
    assert type(explain(answered(code, 404), sending=False)) is NotFoundError


def test_denied_access_is_a_matter_of_configuration_unless_sending() -> None:
    error = explain(answered("AccessDenied", 403), sending=False)

    assert type(error) is ConfigError
    assert "check the AWS credentials" in str(error)


URL = {"endpoint_url": "http://127.0.0.1"}
LOST: list[tuple[Exception, type[RelayError], type[RelayError]]] = [
    (theirs.EndpointConnectionError(**URL), ServiceUnavailableError, ServiceUnavailableError),
    (theirs.ConnectTimeoutError(**URL), ServiceUnavailableError, ServiceUnavailableError),
    (
        theirs.SSLError(**URL, error=OSError("[SSL: CERTIFICATE_VERIFY_FAILED] expired")),
        ServiceUnavailableError,
        ServiceUnavailableError,
    ),
    (
        theirs.SSLError(**URL, error=OSError("[SSL: DECRYPTION_FAILED_OR_BAD_RECORD_MAC]")),
        UnknownOutcomeError,
        ServiceUnavailableError,
    ),
    (
        theirs.ProxyConnectionError(proxy_url="x"),
        ServiceUnavailableError,
        ServiceUnavailableError,
    ),
    (theirs.ReadTimeoutError(**URL), UnknownOutcomeError, ServiceUnavailableError),
    (theirs.ConnectionClosedError(**URL), UnknownOutcomeError, ServiceUnavailableError),
    (theirs.HTTPClientError(error="x"), UnknownOutcomeError, ServiceUnavailableError),
    (theirs.ResponseStreamingError(error="x"), UnknownOutcomeError, ServiceUnavailableError),
    (IncompleteRead(1, 2), UnknownOutcomeError, ServiceUnavailableError),
    (theirs.ParamValidationError(report="x"), RefusedError, RefusedError),
    (
        theirs.CredentialRetrievalError(provider="x", error_msg="y"),
        CredentialsRefusedError,
        CredentialsRefusedError,
    ),
]


@pytest.mark.parametrize(("error", "sending", "otherwise"), LOST, ids=lambda v: type(v).__name__)
def test_a_call_without_an_answer_is_unknown_only_if_it_may_have_been_sent(
    error: Exception, sending: type[RelayError], otherwise: type[RelayError]
) -> None:
    assert type(explain(error, sending=True)) is sending
    assert type(explain(error, sending=False)) is otherwise


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (theirs.NoCredentialsError(), "no AWS credentials were found; set AWS_ACCESS_KEY_ID"),
        (theirs.PartialCredentialsError(provider="env", cred_var="x"), "incomplete"),
        (theirs.NoRegionError(), "set AWS_REGION"),
    ],
)
def test_missing_settings_are_told_with_their_remedy(error: Exception, advice: str) -> None:
    found = explain(error, sending=True)

    assert type(found) is ConfigError
    assert advice in str(found)


def test_every_exception_named_in_the_table_exists() -> None:
    known = {name for name in vars(theirs) if isinstance(vars(theirs)[name], type)}

    assert [name for name in errors._NEVER_WRITTEN if name not in known] == []


def test_the_sending_client_makes_one_attempt_and_holds_a_connection_a_thread() -> None:
    clients = Clients("eu-west-1", "http://127.0.0.1:9", read_timeout=7, threads=5)
    try:
        config = clients.sender().meta.config
    finally:
        clients.close()

    assert config.retries["total_max_attempts"] == 1
    assert config.max_pool_connections == 5
    assert config.read_timeout == 7


async def test_missing_credentials_stop_a_call_to_aws_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    clients = Clients("us-east-1")
    try:
        with pytest.raises(ConfigError, match="no AWS credentials were found"):
            await clients.call(clients.service("sesv2").get_account)
    finally:
        clients.close()
