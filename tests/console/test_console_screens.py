"""The screens, driven by keys over the snapshot world."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from backend import Hold, InboundStatus, SendState, ServiceUnavailableError
from relay_console.screens.area import AreaScreen
from relay_console.screens.charts import ChartsScreen
from relay_console.screens.detail import DetailScreen
from relay_console.screens.logs import LogsScreen
from relay_console.screens.suppressions import SuppressionsScreen
from relay_console.widgets.page_view import PageView
from tests.console.driving import screen_text, until, until_shown, write
from tests.console.world import NOW, OPEN, World, build_world

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import App

    from relay_console.app import RelayApp
    from relay_console.viewmodel.window import Window

    MakeApp = Callable[..., RelayApp]

SIZE = (80, 24)
WAITING = 25
"""Messages that wait for a person in the world of seed 7."""


def window_of(app: App[None]) -> Window:
    screen = app.screen
    assert isinstance(screen, AreaScreen)
    return screen.table.window


async def test_logs_show_both_directions_and_count_them(make_app: MakeApp, world: World) -> None:
    async with make_app(world).run_test(size=SIZE, notifications=True) as pilot:
        text = await until_shown(pilot, "220 mails")
        assert " from " in text
        assert " to " in text
        assert "following" in text


async def test_a_filter_is_tried_while_it_is_typed_and_esc_takes_it_away(
    make_app: MakeApp, world: World
) -> None:
    async with make_app(world).run_test(size=SIZE, notifications=True) as pilot:
        await until_shown(pilot, "220 mails")
        await pilot.press("slash", *"status:bounced")
        await until(pilot, lambda: "14:29:35" not in screen_text(pilot.app))
        await pilot.press("enter")
        text = await until_shown(pilot, "filter: status:bounced")
        assert "bounced" in text
        assert "delivered" not in text
        await pilot.press("escape")
        await until_shown(pilot, "220 mails")


async def test_a_wrong_filter_says_what_to_write(make_app: MakeApp, world: World) -> None:
    async with make_app(world).run_test(size=(120, 40)) as pilot:
        await until_shown(pilot, "220 mails")
        await pilot.press("slash")
        await write(pilot, "dir:sideways")
        await until_shown(pilot, "dir:sideways is not known; write one of out, in")


async def test_nothing_that_fits_a_filter_says_how_to_get_back(
    make_app: MakeApp, world: World
) -> None:
    async with make_app(world).run_test(size=SIZE, notifications=True) as pilot:
        await until_shown(pilot, "220 mails")
        await pilot.press("slash")
        await write(pilot, "nobodywrotethis")
        await until_shown(pilot, "Nothing fits this filter; esc takes it away.")


async def test_enter_opens_a_sent_mail_with_its_timeline(make_app: MakeApp, world: World) -> None:
    async with make_app(world).run_test(size=(120, 50)) as pilot:
        await until_shown(pilot, "220 mails")
        await pilot.press("slash")
        await write(pilot, "status:bounced dir:out")
        await until(pilot, lambda: window_of(pilot.app).current is not None)
        await pilot.press("enter")
        text = await until_shown(pilot, "Timeline")
        for words in ("Recipients", "550 5.1.1", "Attempts", "TooManyRequests", "Replies"):
            assert words in text
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, LogsScreen))


async def test_a_received_message_leads_to_the_mail_it_answers(
    make_app: MakeApp, world: World
) -> None:
    answer = next(m for m in world.received.values() if m.reply_to_email_id)
    async with make_app(world).run_test(size=(120, 50)) as pilot:
        await until_shown(pilot, "220 mails")
        await pilot.press("slash")
        await write(pilot, f"dir:in {answer.from_address}")
        await until_shown(pilot, "1 mail ")
        await pilot.press("enter")
        text = await until_shown(pilot, "What happened, step by step")
        for words in ("The raw message is stored.", "invoice.pdf", "printer on floor 3"):
            assert words in text
        await pilot.press("o")
        await until_shown(pilot, f"Sent mail {answer.reply_to_email_id}")


async def test_new_mail_does_not_move_the_cursor(make_app: MakeApp, world: World) -> None:
    later = build_world(200, 40)
    async with make_app(world).run_test(size=SIZE, notifications=True) as pilot:
        await until_shown(pilot, "220 mails")
        await pilot.press("j", "j", "j")
        key = window_of(pilot.app).chosen()
        world.received = {"inb_new": later.received.popitem()[1], **world.received}
        first = next(iter(world.emails.values()))
        world.emails["msg_z"] = type(first)(
            **{name: getattr(first, name) for name in first.__slots__} | {"id": "msg_z"}
        )
        world.bump()
        await until_shown(pilot, "new")
        assert window_of(pilot.app).chosen() == key


async def test_the_top_says_since_when_no_mail_goes_out(make_app: MakeApp, world: World) -> None:
    hold = Hold(state=SendState.PAUSED, reason="paused", since=NOW, probe_at=NOW)
    async with make_app(world).run_test(size=(120, 40)) as pilot:
        await until_shown(pilot, "220 mails")
        world.status = replace(OPEN, state=SendState.PAUSED, hold=hold)
        world.bump()
        await until_shown(pilot, f"sending paused since {NOW:%H:%M}Z")
        world.status = OPEN
        world.bump()
        await until(pilot, lambda: "sending paused" not in screen_text(pilot.app))


async def test_number_keys_show_the_six_areas(make_app: MakeApp, world: World) -> None:
    async with make_app(world).run_test(size=SIZE, notifications=True) as pilot:
        for key, words in (
            ("2", "24 suppressed addresses"),
            ("3", "3 domains"),
            ("4", "25 messages wait"),
            ("5", "Recipients per minute"),
            ("6", "no alert is open"),
            ("1", "220 mails"),
        ):
            await pilot.press(key)
            await until_shown(pilot, words)


async def test_an_added_suppression_can_be_undone(make_app: MakeApp, world: World) -> None:
    async with make_app(world).run_test(size=SIZE, notifications=True) as pilot:
        await pilot.press("2")
        await until_shown(pilot, "24 suppressed")
        await pilot.press("a")
        await until_shown(pilot, "Suppress an address")
        await write(pilot, "New@Client.example")
        await until_shown(pilot, "25 suppressed")
        added = next(s for s in world.suppressed.values() if s.address == "new@client.example")
        assert added.created_by == "sam@ops"
        await pilot.press("u")
        await until_shown(pilot, "24 suppressed")


async def test_removal_asks_and_no_changes_nothing(make_app: MakeApp, world: World) -> None:
    async with make_app(world).run_test(size=SIZE, notifications=True) as pilot:
        await pilot.press("2")
        await until_shown(pilot, "24 suppressed")
        await pilot.press("D")
        await until_shown(pilot, "Mail will be sent there again.")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, SuppressionsScreen))
        assert len(world.suppressed) == 24


async def test_marked_rows_are_removed_together_and_come_back_with_undo(
    make_app: MakeApp, world: World
) -> None:
    before = dict(world.suppressed)
    async with make_app(world).run_test(size=SIZE, notifications=True) as pilot:
        await pilot.press("2")
        await until_shown(pilot, "24 suppressed")
        await pilot.press("space", "j", "space", "D")
        await until_shown(pilot, "Take 2 addresses off")
        await pilot.press("y")
        await until_shown(pilot, "22 suppressed")
        await pilot.press("u")
        await until_shown(pilot, "24 suppressed")
    assert world.suppressed == before


async def test_the_records_of_a_domain_follow_the_cursor(make_app: MakeApp, world: World) -> None:
    async with make_app(world).run_test(size=SIZE, notifications=True) as pilot:
        await pilot.press("3")
        await until_shown(pilot, "bounce.harbour-dental")
        await pilot.press("j")
        await until_shown(pilot, "bounce.northwind")


async def test_r_asks_ses_for_the_domain_under_the_cursor(make_app: MakeApp, world: World) -> None:
    async with make_app(world).run_test(size=SIZE, notifications=True) as pilot:
        await pilot.press("3")
        await until_shown(pilot, "bounce.harbour-dental")
        await pilot.press("j", "r")
        await until_shown(pilot, "northwind.example is verified.")
    assert ("refresh_domain", "dom_1", "sam@ops") in world.calls


async def test_y_copies_the_record_under_the_cursor(make_app: MakeApp, world: World) -> None:
    app = make_app(world)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await pilot.press("3")
        await until_shown(pilot, "bounce.harbour-dental")
        await pilot.press("tab", "j", "j", "y")
        await until_shown(pilot, "sent to the terminal")
        copied = "harbour-dental.example MX 10 inbound-smtp.eu-west-1.amazonaws.com"
        assert app.clipboard == copied


async def test_the_quarantine_shows_the_sentence_of_the_reason(
    make_app: MakeApp, world: World
) -> None:
    async with make_app(world).run_test(size=SIZE, notifications=True) as pilot:
        await pilot.press("4")
        await until_shown(pilot, "25 messages wait")
        row = window_of(pilot.app).current
        assert row is not None
        assert world.received[row.key].reason.sentence in screen_text(pilot.app)


async def test_a_quarantine_filter_names_a_state(make_app: MakeApp, world: World) -> None:
    held = sum(m.status is InboundStatus.HELD for m in world.received.values())
    async with make_app(world).run_test(size=SIZE, notifications=True) as pilot:
        await pilot.press("4", "slash")
        await write(pilot, "state:held")
        await until_shown(pilot, f"{held} messages wait")


async def test_charts_say_the_totals_in_words_and_change_their_time(
    make_app: MakeApp, world: World
) -> None:
    async with make_app(world).run_test(size=SIZE, notifications=True) as pilot:
        await pilot.press("5")
        await until_shown(pilot, "▒ bounced 28")
        await pilot.press("plus")
        await until_shown(pilot, "the last 60 minutes")
        await pilot.press("minus", "minus")
        await until_shown(pilot, "the last 15 minutes")


@pytest.mark.parametrize(
    ("key", "advice"),
    [
        ("1", "relay-console demo"),
        ("2", "a adds one by hand"),
        ("3", "relay-console domains add"),
        ("4", "Nothing waits for a person."),
        ("5", "No mail went out in this time."),
    ],
)
async def test_an_empty_screen_says_what_to_do(make_app: MakeApp, key: str, advice: str) -> None:
    async with make_app(build_world(0, 0)).run_test(size=SIZE, notifications=True) as pilot:
        await pilot.press(key)
        await until_shown(pilot, advice)


@pytest.mark.parametrize("key", "12345")
async def test_an_error_is_a_sentence_and_the_screen_lives_on(
    make_app: MakeApp, world: World, key: str
) -> None:
    async with make_app(world).run_test(size=SIZE, notifications=True) as pilot:
        world.broken = ServiceUnavailableError("The database is away.")
        await pilot.press(key, "r")
        await until_shown(pilot, "The database is away. Try again in a moment.")
        world.broken = None
        world.bump()
        await until(pilot, lambda: "is away" not in screen_text(pilot.app))


async def test_a_fault_of_our_own_does_not_end_the_console(make_app: MakeApp, world: World) -> None:
    async with make_app(world).run_test(size=SIZE, notifications=True) as pilot:
        world.broken = KeyError("x")
        await pilot.press("r")
        await until_shown(pilot, "The console itself failed (KeyError)")


async def test_a_mail_that_is_gone_is_said_on_its_page(make_app: MakeApp, world: World) -> None:
    async with make_app(world).run_test(size=SIZE, notifications=True) as pilot:
        await until_shown(pilot, "220 mails")
        world.emails.clear()
        world.received.clear()
        await pilot.press("enter")
        await until_shown(pilot, "There is no mail")


async def test_a_read_only_console_does_not_write(make_app: MakeApp, world: World) -> None:
    async with make_app(world, readonly=True).run_test(size=SIZE, notifications=True) as pilot:
        await pilot.press("2")
        text = await until_shown(pilot, "24 suppressed")
        assert "read-only" in text
        assert "remove" not in text
        await pilot.press("D", "a", "u")
        assert isinstance(pilot.app.screen, SuppressionsScreen)
        await pilot.press("4", "P")
        await until_shown(pilot, "25 messages wait")
        assert isinstance(pilot.app.screen, AreaScreen)
        await pilot.press("3", "r")
        await until_shown(pilot, "3 domains")
    assert world.calls == []


async def test_the_first_paint_does_not_wait_for_the_backend(
    make_app: MakeApp, world: World
) -> None:
    may_start = asyncio.Event()

    async def factory() -> World:
        await may_start.wait()
        return world

    async with make_app(factory).run_test(size=SIZE, notifications=True) as pilot:
        await until_shown(pilot, "starting the backend…")
        await pilot.press("4")
        await until_shown(pilot, "starting the backend…")
        may_start.set()
        await until_shown(pilot, "25 messages wait")
        await pilot.press("1")
        await until_shown(pilot, "220 mails")


async def test_a_backend_that_does_not_start_says_why(make_app: MakeApp) -> None:
    async def factory() -> World:
        raise ServiceUnavailableError("No sandbox here.")

    async with make_app(factory).run_test(size=SIZE, notifications=True) as pilot:
        await until_shown(pilot, "The backend did not start: No sandbox here.")


async def test_the_palette_jumps_to_an_area_under_a_filter(make_app: MakeApp, world: World) -> None:
    async with make_app(world).run_test(size=SIZE, notifications=True) as pilot:
        await pilot.press("4")
        await until_shown(pilot, "25 messages wait")
        await pilot.press("colon", *"logs status:bounced dir:out")
        await until_shown(pilot, "Go there under this filter.")
        await pilot.press("enter")
        await until_shown(pilot, "filter: status:bounced dir:out")
        assert isinstance(pilot.app.screen, LogsScreen)


async def test_the_palette_runs_an_action_of_the_screen(make_app: MakeApp, world: World) -> None:
    async with make_app(world).run_test(size=SIZE, notifications=True) as pilot:
        await pilot.press("5")
        await until_shown(pilot, "▒ bounced 28")
        await pilot.press("colon", *"wider")
        await until_shown(pilot, "Show a longer time.")
        await pilot.press("enter")
        await until_shown(pilot, "the last 60 minutes")


async def test_paging_in_the_palette_of_a_tiny_terminal_does_no_harm(
    make_app: MakeApp, world: World
) -> None:
    async with make_app(world).run_test(size=SIZE, notifications=True) as pilot:
        await until_shown(pilot, "220 mails")
        await pilot.press("colon")
        await until_shown(pilot, "Show all mail")
        await pilot.resize_terminal(10, 3)
        await pilot.press("pageup", "pagedown", "down", "escape")
        await pilot.resize_terminal(*SIZE)
        await until_shown(pilot, "220 mails")


async def test_brackets_typed_into_palette_and_filter_are_only_brackets(
    make_app: MakeApp, world: World
) -> None:
    async with make_app(world).run_test(size=SIZE, notifications=True) as pilot:
        await pilot.press("colon", *"logs [/x [@click=app.quit]")
        await until_shown(pilot, "Logs: [/x [@click=app.quit]")
        await pilot.press("enter")
        await until_shown(pilot, "filter: [/x [@click=app.quit]")


async def test_help_is_searchable_and_closes(make_app: MakeApp, world: World) -> None:
    async with make_app(world).run_test(size=SIZE, notifications=True) as pilot:
        await until_shown(pilot, "220 mails")
        await pilot.press("question_mark")
        await until_shown(pilot, "search the keys")
        await pilot.press(*"newest row")
        text = await until_shown(pilot, "Stay with the newest row")
        assert "Half a page" not in text
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, LogsScreen))


async def test_the_theme_key_goes_through_our_themes(make_app: MakeApp, world: World) -> None:
    app = make_app(world)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        seen = []
        for _ in range(3):
            await pilot.press("T")
            seen.append(app.theme)
    assert sorted(seen) == ["relay-ansi", "relay-dark", "relay-light"]


async def test_a_screen_keeps_its_place_while_another_is_shown(
    make_app: MakeApp, world: World
) -> None:
    async with make_app(world).run_test(size=SIZE, notifications=True) as pilot:
        await until_shown(pilot, "220 mails")
        await pilot.press("G")
        await until_shown(pilot, "220/220")
        await pilot.press("5", "1")
        await until_shown(pilot, "220/220")
        assert not isinstance(pilot.app.screen, ChartsScreen | DetailScreen)


async def test_q_leaves_from_a_table_and_only_goes_back_from_a_page(
    make_app: MakeApp, world: World
) -> None:
    app = make_app(world)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await until_shown(pilot, "220 mails")
        await pilot.press("enter")
        await until_shown(pilot, "Timeline")
        await pilot.press("q")
        await until_shown(pilot, "220 mails")
        await pilot.press("q")
        await until(pilot, lambda: not app.is_running)


async def test_a_poller_that_gets_no_answer_says_so_once_and_when_it_is_over(
    make_app: MakeApp, world: World
) -> None:
    async with make_app(world).run_test(size=SIZE, notifications=True) as pilot:
        await until_shown(pilot, "220 mails")
        world.away = ServiceUnavailableError("The database is away.")
        await until_shown(pilot, "Not live: The database is away.")
        world.away = None
        await until_shown(pilot, "Live again.")


async def test_a_chart_is_live(make_app: MakeApp, world: World) -> None:
    async with make_app(world).run_test(size=SIZE) as pilot:
        await pilot.press("5")
        await until_shown(pilot, "▒ bounced 28")
        world.points.pop()
        world.points.pop()
        world.bump()
        await until(pilot, lambda: "▒ bounced 28" not in screen_text(pilot.app))


async def test_the_order_of_the_log_can_be_changed_and_turned_round(
    make_app: MakeApp, world: World
) -> None:
    async with make_app(world).run_test(size=SIZE) as pilot:
        await until_shown(pilot, "220 mails")
        await pilot.press("O")
        await until_shown(pilot, "time ▲")
        await until(pilot, lambda: window_of(pilot.app).current is not None)
        oldest = min(world.emails.values(), key=lambda one: (one.created_at, one.id))
        assert window_of(pilot.app).chosen() == (f"out:{oldest.id}",)
        await pilot.press("o")
        await until_shown(pilot, "status ▼")


async def test_columns_are_chosen_from_a_list(make_app: MakeApp, world: World) -> None:
    async with make_app(world).run_test(size=(200, 40)) as pilot:
        await until_shown(pilot, "220 mails")
        await pilot.press("c")
        await until_shown(pilot, "Columns")
        await pilot.press("end", "space", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, LogsScreen))
        assert " id " in await until_shown(pilot, "msg_0000")


async def test_a_wide_terminal_tells_of_the_mail_beside_the_table(
    make_app: MakeApp, world: World
) -> None:
    async with make_app(world).run_test(size=(140, 40)) as pilot:
        await until_shown(pilot, "Recipients")
        await pilot.press("p")
        await until(pilot, lambda: "Recipients" not in screen_text(pilot.app))
        await pilot.press("p")
        await pilot.press("G")
        await until_shown(pilot, "220/220")
        pane = pilot.app.screen.query_one("#pane", PageView)
        mail_id = window_of(pilot.app).chosen()[0].partition(":")[2]
        await until(pilot, lambda: pane.page is not None and pane.page.title.endswith(mail_id))


async def test_what_became_of_a_bounced_mail_is_told_beside_it_with_cause_and_remedy(
    make_app: MakeApp, world: World
) -> None:
    async with make_app(world).run_test(size=(120, 40)) as pilot:
        await until_shown(pilot, "220 mails")
        await pilot.press("slash")
        await write(pilot, "status:bounced")
        pane = pilot.app.screen.query_one("#pane", PageView)
        await until(pilot, lambda: told_in(pane).startswith("✗ bounced"))
        for words in ("550 5.1.1", "Do: ", "Timeline, UTC"):
            assert words in told_in(pane)


def told_in(pane: PageView) -> str:
    """Give what a pane shows, however it is wrapped."""
    sections = pane.page.sections if pane.page else ()
    return " ".join(
        word for part in sections for word in (part.title, *[x.text for x in part.lines])
    )


async def test_why_a_message_waits_and_what_a_release_would_do_is_told_beside_it_and_in_it(
    make_app: MakeApp, world: World
) -> None:
    async with make_app(world).run_test(size=(120, 40)) as pilot:
        await pilot.press("4")
        await until_shown(pilot, "If you release it")
        await pilot.press("p")
        await until(pilot, lambda: "If you release it" not in screen_text(pilot.app))
        await pilot.press("enter")
        await until_shown(pilot, "If you release it")


async def test_a_narrow_log_shows_the_other_sides_address_whole(
    make_app: MakeApp, world: World
) -> None:
    async with make_app(world).run_test(size=SIZE) as pilot:
        text = await until_shown(pilot, "220 mails")
        for head in ("time UTC", "from / to"):
            assert head in text
        assert any(f" to {e.recipients[0].address} " in text for e in world.emails.values())
        assert any(f" from {m.from_address} " in text for m in world.received.values())
        await pilot.press("o", "o")
        await until_shown(pilot, "from / to ▼")
