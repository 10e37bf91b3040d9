"""The ladder, the gate, the signatures and the URLs of webhooks."""

from __future__ import annotations

from datetime import UTC, timedelta

import pytest
import resend
from standardwebhooks import Webhook

from backend.bus.gate import FEWEST, MOST, MOST_SLOW, TRIPS, Gate
from backend.bus.ladder import LADDER, wait_after
from backend.bus.poster import checked_url, safe_text
from backend.bus.signing import in_style, is_secret, signed_headers, written
from backend.clock import SystemClock
from backend.errors import InvalidInputError
from backend.model.webhooks import WebhookStyle
from tests.settable import SettableClock

OLD, NEW = written(bytes(range(32))), written(bytes(range(32, 64)))


def test_a_failed_delivery_climbs_the_ladder_and_then_is_given_up() -> None:
    waits = [wait_after("dlv_1", tried) for tried in range(1, 9)]

    assert waits[-1] is None
    for wait, rung in zip(waits[:-1], LADDER, strict=True):
        assert wait is not None
        assert rung <= wait <= rung * 1.1
    assert wait_after("dlv_1", 1) != wait_after("dlv_2", 1)


@pytest.mark.parametrize(
    ("asked", "least", "most"), [(1, 5, 6), (600, 600, 660), (10**9, 86_400, 95_040)]
)
def test_a_receiver_may_ask_for_a_longer_wait_within_a_day(
    asked: float, least: float, most: float
) -> None:
    wait = wait_after("dlv_1", 1, retry_after=asked)

    assert wait is not None
    assert least <= wait.total_seconds() <= most


def test_a_destination_gets_a_few_calls_at_a_time_and_another_is_not_held_up() -> None:
    gate = Gate(SettableClock())

    assert all(gate.admit("a") for _ in range(FEWEST))
    assert not gate.admit("a")
    assert gate.admit("b")
    gate.leave("a", ok=True, seconds=1)
    assert gate.admit("a")


def test_a_destination_that_takes_what_it_gets_is_given_more_until_it_fails() -> None:
    gate = Gate(SettableClock())
    for _ in range(MOST):
        assert gate.admit("a")
        gate.leave("a", ok=True, seconds=0.1)
    assert all(gate.admit("a") for _ in range(MOST))
    assert not gate.admit("a")

    for _ in range(MOST - 1):
        gate.leave("a", ok=True, seconds=0.1)
    gate.leave("a", ok=False, seconds=0.1)
    assert sum(gate.admit("a") for _ in range(MOST)) == FEWEST


def test_a_failing_destination_is_left_alone_then_tried_by_one_call() -> None:
    clock = SettableClock()
    gate = Gate(clock)
    for _ in range(TRIPS):
        assert gate.admit("a")
        gate.leave("a", ok=False, seconds=1)
    assert not gate.admit("a")
    first = gate.turns("a").wait(0)

    clock.advance(first)
    assert gate.admit("a")
    assert not gate.admit("a"), "the probe is still under way"
    gate.leave("a", ok=False, seconds=1)
    assert not gate.admit("a")
    second = gate.turns("a").wait(0)
    assert second == 2 * first

    clock.advance(second)
    assert gate.admit("a")
    gate.leave("a", ok=True, seconds=1)
    assert all(gate.admit("a") for _ in range(FEWEST))


def test_those_turned_away_come_again_at_the_pace_of_the_destination() -> None:
    gate = Gate(SettableClock())
    while gate.admit("a"):
        pass
    for _ in range(60):
        gate.leave("a", ok=True, seconds=0.8)
        gate.admit("a")

    turns = gate.turns("a")
    assert turns.wait(10) == pytest.approx(11 * 0.8 / MOST_SLOW, rel=0.01)
    gate.took("a", turns, 100)
    assert gate.turns("a").wait(0) == pytest.approx(turns.wait(100))
    assert gate.turns("a", rest=200).wait(0) == 200
    assert turns.wait(10**6) <= 302, "nobody is put off for longer than the longest rest"


def test_what_another_process_saw_fail_gets_one_call_and_what_it_saw_recover_is_open() -> None:
    clock = SettableClock()
    gate = Gate(clock)
    assert gate.admit("a", failures=TRIPS)
    assert not gate.admit("a", failures=TRIPS)
    for _ in range(TRIPS):
        gate.admit("b", failures=0)
        gate.leave("b", ok=False, seconds=1)
    assert not gate.admit("b", failures=0), "the database may not know it yet"
    clock.advance(6)
    assert gate.admit("b", failures=0)


def test_both_secrets_of_a_rotation_sign_and_either_verifier_agrees() -> None:
    now = SystemClock().now().astimezone(UTC)
    body = '{"type":"email.sent","created_at":"x","data":{"subject":"caf\\u00e9"}}'
    headers = in_style(signed_headers([NEW, OLD], "evt_1", now, body), WebhookStyle.RESEND)

    for secret in (NEW, OLD):
        assert Webhook(secret).verify(body, headers)["type"] == "email.sent"
        verified = resend.Webhooks.verify(
            {
                "payload": body,
                "headers": {
                    "id": headers["svix-id"],
                    "timestamp": headers["svix-timestamp"],
                    "signature": headers["svix-signature"],
                },
                "webhook_secret": secret,
            }
        )
        assert verified["type"] == "email.sent"
    assert "svix-id" not in in_style(signed_headers([NEW], "evt_1", now, body), WebhookStyle.RELAY)


@pytest.mark.parametrize(
    ("text", "good"),
    [
        (NEW, True),
        (written(bytes(24)), True),
        (written(bytes(23)), False),
        (written(bytes(65)), False),
        ("whsec_not base64", False),
        ("secret", False),
    ],
)
def test_a_secret_is_whsec_and_base64_of_the_length_the_specification_asks(
    text: str, good: bool
) -> None:
    assert is_secret(text) is good


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example/",
        "ftp://hooks.example/",
        "https://user:pw@hooks.example/",
        "https://localhost/x",
        "https://a.localhost/x",
        "https://printer.local/",
        "https://metadata.google.internal/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://169.254.169.254/latest",
        "https://10.0.0.1:8443/",
        "https://[::ffff:10.0.0.1]/",
        "https://hooks.example:0/",
        "https://hooks.example:99999/",
        "https:///x",
        "https://hooks.example /",
        "https://hooks.example/\r\nX: y",
        "https://hooks.example/" + "a" * 2048,
        "",
    ],
)
def test_a_url_that_leads_inside_or_nowhere_is_refused(url: str) -> None:
    with pytest.raises(InvalidInputError, match="url: "):
        checked_url(url, inside=False)


def test_a_port_and_a_query_are_taken_and_http_is_for_development() -> None:
    assert checked_url("https://hooks.example:8443/a?b=c", inside=False).port == 8443
    assert checked_url("http://127.0.0.1:9/", inside=True).scheme == "http"
    with pytest.raises(InvalidInputError, match="https://"):
        checked_url("ftp://127.0.0.1/", inside=True)


def test_an_answer_is_kept_as_text_that_no_terminal_obeys() -> None:
    assert (
        safe_text(b"ok\r\n\x1b]52;c;x\x07\xff\xe2\x80\xae") == "ok\n\ufffd]52;c;x\ufffd\ufffd\ufffd"
    )


def test_the_whole_ladder_takes_a_little_more_than_a_day() -> None:
    assert timedelta(hours=27) < sum(LADDER, timedelta()) < timedelta(hours=28)
