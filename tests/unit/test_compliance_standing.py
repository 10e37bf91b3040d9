"""Rates as AWS counts them, how far the limits are, and what is worth an alert."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.analytics.standing import BrakeRule, Silence, findings, standings
from backend.model.causes import cause_of
from backend.model.compliance import BOUNCES, AlertKind, Brake, Level, ReputationDay, Standing
from backend.model.views import AccountState

TODAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
HEARD = Silence(waiting=0, first_sent_at=None)


def standing(eligible: int, bounces: int = 0, complaints: int = 0, tenant: str = "") -> Standing:
    return Standing(
        tenant_id=tenant,
        since=TODAY,
        eligible=eligible,
        hard_bounces=bounces,
        complaints=complaints,
    )


def day(ago: int, eligible: int, bounces: int = 0, tenant: str = "ten_1") -> ReputationDay:
    return ReputationDay(
        tenant_id=tenant,
        day=TODAY - timedelta(days=ago),
        eligible=eligible,
        hard_bounces=bounces,
        complaints=0,
    )


@pytest.mark.parametrize(
    ("rate", "level"),
    [
        (0.0199, Level.GOOD),
        (0.02, Level.NOTICE),
        (0.04, Level.WARNING),
        (0.05, Level.REVIEW),
        (0.10, Level.PAUSE),
    ],
)
def test_warnings_begin_at_40_and_80_percent_of_a_review(rate: float, level: Level) -> None:
    assert BOUNCES.level(rate) is level


@given(st.integers(0, 10**6), st.integers(0, 10**5))
def test_the_bounces_left_are_exactly_those_that_reach_five_percent(sent: int, bad: int) -> None:
    one = standing(sent + bad, bad)
    left = one.bounces_left

    def rate(more: int) -> float:
        return standing(one.eligible + more, one.hard_bounces + more).bounce_rate

    # none at all is no rate yet; the next bounce is
    assert rate(left) >= 0.05 - 1e-12 or one.eligible == 0
    assert left == 0 or rate(left - 1) < 0.05 + 1e-12


def test_the_rate_is_over_the_fewest_days_that_hold_ten_thousand() -> None:
    days = [day(2, 9_000, 900), day(1, 6_000, 60), day(0, 5_000, 50), day(200, 10, 10)]
    whole, (own,) = standings(days, TODAY)

    assert (whole.eligible, whole.hard_bounces) == (11_000, 110)
    assert (own.tenant_id, own.since) == ("ten_1", TODAY - timedelta(days=1))


def test_a_small_sender_is_judged_over_ninety_days_and_the_worst_comes_first() -> None:
    days = [day(80, 100, 9), day(0, 100), day(100, 900, 900), day(0, 1_000, 1, "ten_2")]
    _, tenants = standings(days, TODAY)

    assert [(one.tenant_id, one.eligible, one.hard_bounces) for one in tenants] == [
        ("ten_1", 200, 9),
        ("ten_2", 1_000, 1),
    ]


def test_an_alert_names_whom_it_is_about_and_what_is_left() -> None:
    account = AccountState(
        sending_enabled=True,
        production_access=True,
        enforcement="PROBATION",
        max_send_rate=14,
        max_24_hour_send=50_000,
        sent_last_24_hours=0,
        fetched_at=NOW,
    )
    brake = Brake(tenant_id="ten_1", reason="too many", since=NOW, actor="jo", automatic=False)
    silence = Silence(waiting=3, first_sent_at=NOW)
    rates = [standing(1_000, 41, tenant="ten_1"), standing(1_000, 0, 1, tenant="ten_2")]
    found = findings(account, rates, [brake], silence, {"ten_1": "Acme"})

    assert [(one.kind, one.subject, one.level) for one in found] == [
        (AlertKind.ENFORCEMENT, "", Level.REVIEW),
        (AlertKind.BOUNCES, "ten_1", Level.WARNING),
        (AlertKind.COMPLAINTS, "ten_2", Level.REVIEW),
        (AlertKind.BRAKE, "ten_1", Level.WARNING),
        (AlertKind.NO_EVENTS, "", Level.WARNING),
    ]
    assert found[1].sentence == "Bounces of Acme: 4.1% of 1000; 10 more until 5 %."
    assert findings(None, [standing(1_000, 10)], [], HEARD, {}) == []


def test_a_rate_of_few_mails_is_worth_a_notice_only() -> None:
    few, many = (findings(None, [standing(n, n, n)], [], HEARD, {}) for n in (99, 100))

    assert [one.level for one in few] == [Level.NOTICE, Level.NOTICE]
    assert [one.level for one in many] == [Level.PAUSE, Level.PAUSE]
    # every table says what the alert says
    assert (standing(99, 99).level, standing(99, 0, 99).level) == (Level.NOTICE, Level.NOTICE)
    assert (standing(100, 10).level, standing(99).level) == (Level.PAUSE, Level.GOOD)


def test_one_complaint_alone_holds_nobody_back() -> None:
    assert BrakeRule().reason(standing(100, 0, 1)) == ""
    assert BrakeRule().reason(standing(100, 0, 2)).startswith("complaint rate 2.00%")


def test_a_brake_needs_volume_and_a_limit() -> None:
    rule = BrakeRule()

    assert rule.reason(standing(99, 50)) == ""
    assert rule.reason(standing(100, 10)) == "bounce rate 10.0% (brake at 10.0%)"
    assert rule.reason(standing(1_000, 0, 5)) == "complaint rate 0.50% (brake at 0.50%)"
    assert BrakeRule(bounce_rate=0, complaint_rate=0).reason(standing(100, 100, 100)) == ""


@pytest.mark.parametrize(
    ("detail", "code", "words"),
    [
        ("Permanent/General: smtp; 550 5.1.1 user unknown", "5.1.1", "no such mailbox"),
        ("Permanent/OnAccountSuppressionList: smtp; 550 5.1.1 x", "", "suppression list"),
        ("Transient/MailboxFull", "", "mailbox is full"),
        ("Transient/General: smtp; 452 4.2.2 x 4.0.0", "4.2.2", "mailbox is full"),
        ("smtp; 550-5.7.26 Unauthenticated 192.0.2.1", "5.7.26", "SPF, DKIM, DMARC"),
        ("Permanent/General: smtp; 554 go away", "", "refused it for good"),
        ("Permanent/General", "", "refused it for good"),
        ("x 5.9.77 y", "", "refused it for good"),
        ("5.7.999", "5.7.999", "policy or security"),
    ],
)
def test_every_refusal_has_a_cause_and_a_remedy(detail: str, code: str, words: str) -> None:
    cause = cause_of(detail)

    assert cause is not None
    assert (cause.code, words in cause.sentence, bool(cause.remedy)) == (code, True, True)


def test_what_tells_nothing_has_no_cause() -> None:
    assert [cause_of(text) for text in ("", "hello", "250 2.0.0 ok", "192.0.2.5.1.1")] == [None] * 4
