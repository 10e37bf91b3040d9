"""The Alerts screen: tenants and their rates as rows, and what is wrong as a page. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend import DeliveryState, Level, Standing
from relay_console.safe import SafeText, safe
from relay_console.viewmodel.health import TONES, notices, of_endpoint
from relay_console.viewmodel.page import Line, Page, fact, section
from relay_console.viewmodel.rows import named
from relay_console.viewmodel.table import Column, TableRow
from relay_console.viewmodel.words import full_moment, plural, short_moment, when

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from backend import Alert, Brake, Compliance, Endpoint, Hold, SendingStatus
    from relay_console.health import Health

    Backlog = Mapping[str, Mapping[DeliveryState, int]]

ACCOUNT = "account"
"""The key of the row of the whole account."""
WHOLE = "the account"
STANDING_COLUMNS = (
    Column(title="level", width=9),
    Column(title="tenant", width=14, share=3),
    Column(title="   mail", width=7),
    Column(title="bounced", width=7),
    Column(title=" to 5 %", width=7),
    Column(title="complained", width=10),
    Column(title="held back", width=9, share=1),
)
_SIGNS = {
    Level.GOOD: "✓",
    Level.NOTICE: "·",
    Level.WARNING: "!",
    Level.REVIEW: "✗",
    Level.PAUSE: "✗",
}
_PAST = 5
_ENOUGH = 100
"""Recipients below which a rate says little; the brake does not look at it either."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What the page below the tenants is made of; ``past`` are the newest alerts, over or not."""

    health: Health
    past: Sequence[Alert] = ()
    backlog: Backlog


def standing_rows(
    report: Compliance, names: Mapping[str, str], now: datetime, wanted: str = ""
) -> list[TableRow]:
    """Give the account, then every tenant, the worst first; only those whose name fits."""
    brakes = {brake.tenant_id: brake for brake in report.brakes}
    seen = {one.tenant_id for one in report.tenants}
    quiet = (_nothing(tenant_id, report.standing) for tenant_id in names if tenant_id not in seen)
    every = [report.standing, *report.tenants, *quiet]
    return [
        _row(one, named(one.tenant_id, names), brakes.get(one.tenant_id), now)
        for one in every
        if wanted.casefold() in names.get(one.tenant_id, WHOLE).casefold()
    ]


def _nothing(tenant_id: str, whole: Standing) -> Standing:
    return Standing(
        tenant_id=tenant_id, since=whole.since, eligible=0, hard_bounces=0, complaints=0
    )


def _row(one: Standing, name: SafeText, brake: Brake | None, now: datetime) -> TableRow:
    shown = name if one.tenant_id else safe(WHOLE)
    return TableRow(
        key=one.tenant_id or ACCOUNT,
        cells=(
            safe(f"{_SIGNS[one.level]} {one.level}"),
            shown,
            safe(f"{one.eligible:>7,}"),
            safe(_share(one.bounce_rate, one.eligible, 7)),
            safe(_left(one)),
            safe(_share(one.complaint_rate, one.eligible, 10)),
            safe(short_moment(brake.since, now) if brake else "-"),
        ),
        tone="busy" if brake and TONES[one.level] in {"", "dim"} else TONES[one.level],
        note=safe(_meaning(one, brake, now)),
        copy=one.tenant_id or shown,
    )


def _share(rate: float, eligible: int, width: int) -> str:
    return f"{rate * 100:.2f} %".rjust(width) if eligible else "-".rjust(width)


def _left(one: Standing) -> str:
    if not one.eligible:
        return "-".rjust(7)
    return f"{one.bounces_left:>7,}" if one.bounces_left else "over".rjust(7)


def _meaning(one: Standing, brake: Brake | None, now: datetime) -> str:
    if brake is not None:
        by = "by itself" if brake.automatic else f"by {brake.actor}"
        return f"Held back since {when(brake.since, now)} {by}: {brake.reason}"
    if not one.eligible:
        return "No mail that counts yet."
    little = f" So few mails ({one.eligible}) say little." if one.eligible < _ENOUGH else ""
    return f"{one.level}: {one.level.sentence}{little}"


def trouble_page(trouble: Trouble, now: datetime) -> Page:
    """Lay out everything that is wrong in whole sentences, and how sending and webhooks stand."""
    found = notices(trouble.health, now)
    wrong = [fact(n.label, n.sentence, TONES[n.level]) for n in found]
    over = [alert for alert in trouble.past if alert.cleared_at][:_PAST]
    return Page(
        title=safe(f"{plural(len(found), 'alert')}" if found else "Nothing is wrong."),
        sections=(
            section(f"Wrong now ({len(found)})", wrong, "Nothing: no alert is open."),
            section("Sending", list(_sending(trouble.health.sending, now))),
            section(
                "Webhooks",
                [row for one in trouble.health.endpoints for row in _endpoint(one, trouble, now)],
                "None is set up.",
            ),
            section("Over", [_past(one, now) for one in over], "No alert so far."),
        ),
    )


def _sending(status: SendingStatus, now: datetime) -> Iterator[Line]:
    yield fact("state", status.state.sentence, "bad" if status.hold else "")
    if status.hold:
        yield from _hold(status.hold, now)
    account = status.account
    if account is None:
        yield fact("account", "SES was not heard yet.", "dim")
        return
    if status.is_sandbox:
        yield fact("sandbox", "SES takes mail to verified addresses only.", "busy")
    if account.enforcement != "HEALTHY":
        yield fact("AWS says", account.enforcement, "bad")
    used = f"{account.sent_last_24_hours:,.0f} of {account.max_24_hour_send:,.0f} in 24 hours"
    yield fact("quota", f"{used}, {account.max_send_rate:,.0f} a second")
    yield fact("asked", when(account.fetched_at, now))


def _hold(hold: Hold, now: datetime) -> Iterator[Line]:
    tries = f", {plural(hold.probes, 'try', 'tries')} so far" if hold.probes else ""
    yield fact("since", f"{when(hold.since, now)}{tries}")
    yield fact("next try", f"{hold.probe_at:%H:%M:%S}Z")
    yield fact("reason", hold.reason or "-")


def _endpoint(one: Endpoint, trouble: Trouble, now: datetime) -> Iterator[Line]:
    counts = trouble.backlog.get(one.id, {})
    dead, waits = counts.get(DeliveryState.DEAD, 0), counts.get(DeliveryState.PENDING, 0)
    notice = of_endpoint(one, now)
    state = "on" if one.enabled else "off"
    tone = "bad" if dead else (TONES[notice.level] if notice else "")
    yield fact(state, one.url, tone)
    if dead or waits:
        words = [plural(dead, "dead letter")] if dead else []
        words += [f"{waits:,} on the way"] if waits else []
        yield fact("", "  " + ", ".join(words), tone)
    if one.last_error and (one.failures or dead):
        yield fact("", f"  {one.last_error}", "dim")


def _past(alert: Alert, now: datetime) -> Line:
    ended = when(alert.cleared_at, now) if alert.cleared_at else ""
    return fact(f"until {ended}", alert.sentence, "dim")


def standing_page(
    report: Compliance, endpoints: Sequence[Endpoint], key: str, names: Mapping[str, str]
) -> Page:
    """Lay out one tenant, or the account: its rates, its brake and its webhooks."""
    tenant_id = "" if key == ACCOUNT else key
    every = (report.standing, *report.tenants)
    found = [one for one in every if one.tenant_id == tenant_id]
    one = found[0] if found else _nothing(tenant_id, report.standing)
    name = named(tenant_id, names) if tenant_id else safe(WHOLE)
    held = [brake for brake in report.brakes if brake.tenant_id == tenant_id]
    own = [end for end in endpoints if tenant_id in {"", end.tenant_id}]
    return Page(
        title=safe(f"Rates of {name}"),
        copy=tenant_id or name,
        sections=(
            section("Rates", list(_rates(one))),
            section("Held back", [row for brake in held for row in _brake(brake)], "No."),
            section("Webhooks", [_hook(end) for end in own], "None is set up."),
        ),
    )


def _rates(one: Standing) -> Iterator[Line]:
    yield fact("level", f"{one.level}: {one.level.sentence}", TONES[one.level])
    yield fact("mail", f"{one.eligible:,} recipients since {one.since:%Y-%m-%d}")
    yield fact("bounced", f"{one.hard_bounces:,} hard, {_share(one.bounce_rate, 1, 0)}")
    yield fact("", "  AWS reviews an account at 5 %, and may pause it at 10 %.", "dim")
    if one.eligible:
        yield fact("until 5 %", f"{one.bounces_left:,} more, with none arriving")
    yield fact("complained", f"{one.complaints:,}, {_share(one.complaint_rate, 1, 0)}")
    yield fact("", "  AWS reviews an account at 0.1 %, and may pause it at 0.5 %.", "dim")


def _brake(brake: Brake) -> Iterator[Line]:
    yield fact("since", full_moment(brake.since), "busy")
    yield fact("by", "the relay itself" if brake.automatic else brake.actor)
    yield fact("reason", brake.reason)


def _hook(end: Endpoint) -> Line:
    bad = "bad" if end.failures or end.disabled_reason else ""
    return fact("on" if end.enabled else "off", f"{end.url}  {end.last_error}".rstrip(), bad)
