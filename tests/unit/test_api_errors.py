"""Every error of the backend has its words on both surfaces."""

from __future__ import annotations

import inspect

import pytest

from backend import errors
from backend.api import errors as api_errors
from backend.api.errors import RULES, rule_for, seconds_to_wait
from backend.errors import RelayError, ServiceUnavailableError, ThrottledError
from tests.architecture.tree import ROOT

DOCUMENT = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")

RESEND_NAMES = {
    400: {"validation_error", "invalid_idempotency_key"},
    401: {"missing_api_key", "restricted_api_key"},
    403: {"invalid_api_key"},
    404: {"not_found"},
    409: {"invalid_idempotent_request", "concurrent_idempotent_requests"},
    413: {"validation_error"},
    422: {"missing_required_field", "validation_error"},
    429: {"rate_limit_exceeded"},
    500: {"application_error"},
    502: {"application_error"},
    503: {"application_error"},
}


def classes() -> list[type[RelayError]]:
    return [
        kind
        for module in (errors, api_errors)
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, RelayError) and kind.__module__ == module.__name__
    ]


@pytest.mark.parametrize("kind", classes(), ids=lambda kind: kind.__name__)
def test_every_error_has_a_rule_of_its_own(kind: type[RelayError]) -> None:
    assert kind in RULES


@pytest.mark.parametrize("kind", classes(), ids=lambda kind: kind.__name__)
def test_no_error_is_ever_told_as_a_success(kind: type[RelayError]) -> None:
    told = rule_for(kind)

    assert told.status >= 400
    assert told.resend_status >= 400


@pytest.mark.parametrize("kind", classes(), ids=lambda kind: kind.__name__)
def test_the_resend_surface_uses_only_names_its_sdks_know(kind: type[RelayError]) -> None:
    told = rule_for(kind)

    assert told.resend_name in RESEND_NAMES[told.resend_status]


def test_a_new_kind_of_error_is_told_like_its_nearest_base() -> None:
    class PickyError(errors.DomainNotVerifiedError):
        pass

    assert rule_for(PickyError).name == "domain_not_verified"


def test_the_other_sides_wait_is_rounded_up_and_never_zero() -> None:
    told = rule_for(ThrottledError)

    assert seconds_to_wait(ThrottledError("slow", retry_after=1.2), told) == 2
    assert seconds_to_wait(ThrottledError("slow", retry_after=0.0), told) == 1
    assert seconds_to_wait(ThrottledError("slow"), told) == told.wait


def test_what_may_work_later_always_says_when() -> None:
    assert seconds_to_wait(ServiceUnavailableError("away"), rule_for(ServiceUnavailableError)) > 0


@pytest.mark.parametrize("kind", classes(), ids=lambda kind: kind.__name__)
def test_the_document_tells_every_error_as_the_server_does(kind: type[RelayError]) -> None:
    told = rule_for(kind)
    line = f"| {told.status} `{told.name}` | {told.resend_status} `{told.resend_name}` |"

    assert line in DOCUMENT
