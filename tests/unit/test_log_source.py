"""The log source of the console: any position by the nearest known place, right and cheap."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend import LogCount, LogCursor, LogPage, LogQuery, LogSort, LogSpan
from relay_console.clipboard import Clipboard
from relay_console.session import Session
from relay_console.viewmodel.log_source import LogSource, Places
from relay_console.viewmodel.window import Window
from tests.console.world import NOW, World, build_world

if TYPE_CHECKING:
    from relay_console.service import Service


class Counting(World):
    """The snapshot world, which notes the spans it was asked for."""

    spans: list[LogSpan]

    async def page(self, query: LogQuery, span: LogSpan) -> LogPage:
        self.spans.append(span)
        return await super().page(query, span)


@pytest.fixture
def world() -> Counting:
    base = build_world()
    made = Counting(emails=base.emails, received=base.received)
    made.spans = []
    return made


@pytest.fixture
def session(world: Counting) -> Session:
    found = Session(actor="sam", readonly=False, clock=lambda: NOW, clipboard=_clipboard())
    service: Service = world
    found.use(service)
    return found


def _clipboard() -> Clipboard:
    sent: list[str] = []
    return Clipboard(osc52=sent.append, folder=Path(), environ={})


async def test_every_way_through_the_list_gives_the_rows_of_their_positions(
    world: Counting, session: Session
) -> None:
    source = LogSource(session)
    whole = [line.id for line in world._log(LogQuery())]
    dice = random.Random(7)
    assert await source.count() == len(whole)
    for _ in range(200):
        start = dice.randrange(len(whole))
        size = dice.randrange(1, 60)
        rows = await source.page(start, size)
        assert [row.copy for row in rows] == whole[start : start + size], (start, size)


async def test_neighbours_of_what_is_known_and_both_ends_need_no_walk(
    world: Counting, session: Session
) -> None:
    source = LogSource(session)
    total = await source.count()
    world.spans.clear()
    for start in (0, 20, 40, 60, 50, 30, total - 20, total - 40, total - 60):
        await source.page(start, 20)

    assert [span.skip for span in world.spans] == [0] * 9
    assert world.spans[6].backward


async def test_new_mail_on_top_leaves_known_places_true(world: Counting, session: Session) -> None:
    source = LogSource(session)
    await source.count()
    await source.page(0, 150)
    newest = next(iter(world.emails.values()))
    fields = {name: getattr(newest, name) for name in newest.__slots__}
    for number in range(3):
        later = {"id": f"msg_z{number}", "created_at": NOW + timedelta(seconds=number)}
        world.emails[f"msg_z{number}"] = type(newest)(**fields | later)
    whole = [line.id for line in world._log(LogQuery())]
    total = await source.count()

    rows = await source.page(103, 20)

    assert total == len(whole)
    assert [row.copy for row in rows] == whole[103:123]
    assert world.spans[-1].skip == 0


async def test_another_order_is_another_list(world: Counting, session: Session) -> None:
    source = LogSource(session, "", LogSort.TIME, ascending=True)
    whole = [line.id for line in world._log(LogQuery())][::-1]
    await source.count()

    assert [row.copy for row in await source.page(5, 5)] == whole[5:10]


async def test_a_search_that_is_not_counted_to_its_end_says_so(
    world: Counting, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def count(query: LogQuery, limit: int | None = None) -> LogCount:
        del query, limit
        return LogCount(n=100, exact=False)

    monkeypatch.setattr(world, "count", count, raising=False)
    source = LogSource(session, "e")

    assert (await source.count(), source.capped) == (100, True)
    assert len(await source.page(90, 40)) == 10


@given(st.integers(1, 10**6), st.integers(0, 10**6), st.integers(1, 90), st.data())
def test_the_shortest_walk_is_taken(total: int, start: int, size: int, data: st.DataObject) -> None:
    start = min(start, total - 1)
    places = Places()
    for distance in data.draw(st.lists(st.integers(1, total), max_size=8)):
        places.keep(distance, LogCursor(at=NOW, id=str(distance)))

    span = places.span(total, start, size)

    known = int(span.place.id) if span.place else (0 if span.backward else total + 1)
    first = known + span.size + span.skip if span.backward else known - span.skip - 1
    assert first == total - start
    assert span.skip <= start


@given(st.integers(1, 90), st.integers(0, 10**7), st.floats(0, 1))
def test_the_scroll_bar_is_in_sight_and_touches_both_ends(
    height: int, total: int, where: float
) -> None:
    window = Window(height=height, total=total)
    window.top = int(max(0, total - height) * where)
    thumb = window.thumb

    if total <= height:
        assert not thumb
        return
    assert 0 <= thumb.start < thumb.stop <= height
    window.top = 0
    assert window.thumb.start == 0
    window.top = total - height
    assert window.thumb.stop == height
