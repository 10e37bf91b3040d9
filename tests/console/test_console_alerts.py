"""What is wrong just now: the line at the top, the Alerts screen, and holding a tenant back."""

from __future__ import annotations

import inspect
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from backend import AccountState, Hold, SendState
from backend.analytics.compliance_desk import ComplianceDesk
from backend.bus.webhook_desk import WebhookDesk
from backend.outbound.mail_desk import MailDesk
from backend.outbound.sending_desk import SendingDesk
from relay_console.service import ComplianceVerbs, MailingVerbs, SendingVerbs, WebhookVerbs
from relay_console.widgets.banner import Banner
from tests.console.alerts_world import ALERT, AlertsWorld, MailingWorld
from tests.console.driving import screen_text, until, until_shown, write
from tests.console.world import NOW, OPEN, World

if TYPE_CHECKING:
    from collections.abc import Callable

    from relay_console.app import RelayApp

    MakeApp = Callable[..., RelayApp]

SIZE = (80, 24)
HOSTILE = "[@click=app.quit]x[/] [/ \x1b]0;PWNED\x07"


async def test_the_worst_alert_is_at_the_top_of_every_screen_until_it_is_over(
    make_app: MakeApp, world: World
) -> None:
    async with make_app(world).run_test(size=SIZE) as pilot:
        await until_shown(pilot, "220 mails")
        assert not pilot.app.screen.query_one(Banner).has_class("-shown")
        world.compliance.go_wrong()
        text = await until_shown(pilot, "REVIEW RISK  Bounces of Northwind Legal: 6.1% of 1,204.")
        assert "+2 more  6 shows all" in text
        for key, words in (("2", "24 suppressed"), ("5", "Recipients per"), ("enter", "")):
            await pilot.press(key)
            await until_shown(pilot, words)
            await until_shown(pilot, "REVIEW RISK  Bounces of Northwind Legal")
        world.compliance.now_open.clear()
        world.compliance.hooks.clear()
        world.bump()
        await until(pilot, lambda: "Northwind Legal: 6.1%" not in screen_text(pilot.app))


async def test_a_hold_is_the_worst_of_all_and_says_when_it_is_tried_again(
    make_app: MakeApp, world: World
) -> None:
    world.compliance.go_wrong()
    again = NOW + timedelta(minutes=7)
    hold = Hold(state=SendState.PAUSED, reason=HOSTILE, since=NOW, probe_at=again, probes=2)
    account = AccountState(
        sending_enabled=False,
        production_access=False,
        enforcement="SHUTDOWN",
        max_send_rate=14,
        max_24_hour_send=50_000,
        sent_last_24_hours=12_345,
        fetched_at=NOW,
    )
    world.status = replace(OPEN, state=SendState.PAUSED, hold=hold, account=account)
    async with make_app(world).run_test(size=(120, 40)) as pilot:
        text = await until_shown(pilot, "HELD  SES has paused sending for this account")
        assert "sending paused since 14:30Z" in text
        await pilot.press("exclamation_mark")
        text = await until_shown(pilot, "12,345 of 50,000 in 24 hours, 14 a second")
        for words in (
            "Since 14:30Z; tried again 14:37Z.",
            "reason         [@click=app.quit]x[/] [/ ␛]0;PWNED␇",
            "14:30Z, 2 tries so far",
            "SES takes mail to verified addresses only.",
            "SHUTDOWN",
            "https://hooks.harbour-dental.example/relay",
            "3 dead letters, 12 on the way",
            "the endpoint answered 503",
        ):
            assert words in text


async def test_the_rates_of_every_tenant_are_there_the_worst_first(
    make_app: MakeApp, world: World
) -> None:
    world.compliance.go_wrong()
    async with make_app(world).run_test(size=SIZE) as pilot:
        await pilot.press("6")
        text = await until_shown(pilot, "Kestrel Logistics")
        assert text.index("Northwind") < text.index("Harbour") < text.index("Kestrel")
        assert "over" in text
        assert "6.06 %" in text
        await pilot.press("j", "enter")
        text = await until_shown(pilot, "Rates of Northwind Legal")
        assert "73 hard, 6.06 %" in text
        await pilot.press("escape", "slash")
        await write(pilot, "xyzzy")
        await until_shown(pilot, "Nothing fits this filter; esc takes it away.")


async def test_a_tenant_is_held_back_with_a_reason_and_let_go(
    make_app: MakeApp, world: World
) -> None:
    async with make_app(world).run_test(size=SIZE, notifications=True) as pilot:
        await pilot.press("6")
        await until_shown(pilot, "Kestrel Logistics")
        await pilot.press("b")
        await until_shown(pilot, "Only a tenant can be held back")
        await pilot.press("j", "b")
        await until_shown(pilot, "Hold back the mail of Northwind Legal?")
        await pilot.press("enter")
        await write(pilot, f"bought list {HOSTILE[:8]}")
        await until_shown(pilot, "R lets it go on.")
        await pilot.press("y")
        await until_shown(pilot, "by sam@ops: bought list [@click=")
        await pilot.press("b")
        await until_shown(pilot, "Hold back the mail of Northwind Legal?")
        await write(pilot, "twice")
        await pilot.press("y")
        await until_shown(pilot, "its mail is held back already")
        await pilot.press("R")
        await until_shown(pilot, "Let the mail of Northwind Legal go on?")
        await pilot.press("y")
        await until_shown(pilot, "3 mails waited")
        await pilot.press("R")
        await until_shown(pilot, "is not held back")
    assert world.calls == [
        ("brake", "ten_2", "bought list [@click=", "sam@ops"),
        ("lift", "ten_2", "sam@ops"),
    ]


@pytest.mark.parametrize("keys", ["b", "R"])
async def test_a_read_only_console_holds_nobody_back(
    make_app: MakeApp, world: World, keys: str
) -> None:
    async with make_app(world, readonly=True).run_test(size=SIZE, notifications=True) as pilot:
        await pilot.press("6")
        text = await until_shown(pilot, "Kestrel Logistics")
        assert "hold back" not in text
        assert "read-only" in text
        await pilot.press("j", keys)
        await pilot.pause()
        assert "?" not in screen_text(pilot.app).splitlines()[10]
        assert len(pilot.app.screen_stack) == 1


async def test_what_strangers_wrote_into_an_alert_stays_text(
    make_app: MakeApp, world: World
) -> None:
    world.compliance.now_open = [replace(ALERT, sentence=HOSTILE)]
    async with make_app(world).run_test(size=SIZE) as pilot:
        await until_shown(pilot, "REVIEW RISK  [@click=app.quit]x[/] [/ ␛]0;PWNED␇")
        await pilot.press("6")
        await until_shown(pilot, "review risk    [@click=app.quit]x[/] [/ ␛]0;PWNED␇")


@pytest.mark.parametrize(
    ("verbs", "kinds"),
    [
        (ComplianceVerbs, (ComplianceDesk, AlertsWorld)),
        (WebhookVerbs, (WebhookDesk, AlertsWorld)),
        (MailingVerbs, (MailDesk, MailingWorld)),
        (SendingVerbs, (SendingDesk, MailingWorld)),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_the_backend_and_the_world_have_the_verbs_with_their_arguments(
    verbs: type, kinds: tuple[type, ...]
) -> None:
    names = [name for name, verb in vars(verbs).items() if inspect.iscoroutinefunction(verb)]
    assert names
    for name in names:
        wanted = list(inspect.signature(getattr(verbs, name)).parameters)
        for kind in kinds:
            given = list(inspect.signature(getattr(kind, name)).parameters)
            assert given[: len(wanted)] == wanted, f"{kind.__name__}.{name}"
