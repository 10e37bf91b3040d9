"""The window over a long list: a cursor that stays with its row whatever comes in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay_console.safe import safe
from relay_console.viewmodel.table import TableRow
from relay_console.viewmodel.window import Window


def rows_of(keys: list[str], start: int, size: int) -> list[TableRow]:
    return [TableRow(key=key, cells=(safe(key),)) for key in keys[start : start + size]]


def refreshed(window: Window, keys: list[str]) -> Window:
    """Do what the table does when the data changed."""
    start, size = window.span_after(len(keys))
    window.renew(len(keys), start, rows_of(keys, start, size))
    if missing := window.missing():
        window.store(missing[0], rows_of(keys, *missing))
    return window


def window_on(keys: list[str], height: int = 10) -> Window:
    return refreshed(Window(height=height), keys)


def names(count: int, prefix: str = "k") -> list[str]:
    return [f"{prefix}{number}" for number in range(count)]


def test_new_rows_on_top_leave_the_cursor_on_its_row() -> None:
    keys = names(100)
    window = window_on(keys)
    window.move(5)
    refreshed(window, names(37, "new") + keys)
    assert window.current is not None
    assert window.current.key == "k5"
    assert window.cursor - window.top == 5
    assert window.unseen == 37


def test_a_following_cursor_goes_along_with_the_newest_row() -> None:
    keys = names(100)
    window = window_on(keys)
    window.follow = True
    refreshed(window, ["newest", *keys])
    assert window.current is not None
    assert window.current.key == "newest"
    assert window.unseen == 0


def test_following_stops_when_the_cursor_is_moved_down() -> None:
    window = window_on(names(100))
    window.follow = True
    window.move(1)
    refreshed(window, ["newest", *names(100)])
    assert window.current is not None
    assert window.current.key == "k1"


def test_going_to_the_top_has_seen_all_new_rows() -> None:
    window = window_on(names(100))
    window.move(3)
    refreshed(window, names(5, "new") + names(100))
    window.move(0)
    assert (window.top, window.unseen) == (0, 0)


def test_a_removed_row_leaves_the_cursor_at_its_place() -> None:
    keys = names(30)
    window = window_on(keys)
    window.move(4)
    refreshed(window, keys[:4] + keys[5:])
    assert window.current is not None
    assert window.current.key == "k5"


def test_the_last_row_removed_puts_the_cursor_on_the_new_last_row() -> None:
    window = window_on(names(3))
    window.move(2)
    refreshed(window, names(2))
    assert window.cursor == 1


def test_one_step_over_the_edge_scrolls_half_a_page() -> None:
    window = window_on(names(100))
    window.move(9)
    assert window.top == 0
    window.move(10)
    assert window.top == 5


def test_marks_survive_a_new_filter() -> None:
    window = window_on(names(10))
    window.toggle_mark()
    window.forget()
    refreshed(window, names(3, "other"))
    assert window.chosen() == ("k0",)


def test_without_marks_the_row_under_the_cursor_is_chosen() -> None:
    window = window_on(names(10))
    window.move(7)
    assert window.chosen() == ("k7",)


def test_an_empty_list_has_nothing_to_choose() -> None:
    assert window_on([]).chosen() == ()


def test_scrolling_by_the_wheel_takes_the_cursor_along_only_at_the_edge() -> None:
    window = window_on(names(100))
    window.move(5)
    window.scroll(3)
    assert window.cursor == 5
    window.scroll(3)
    assert (window.top, window.cursor) == (6, 6)


def test_a_million_rows_keep_few_in_memory() -> None:
    window = Window(height=20)
    window.renew(1_000_000, 0, rows_of(names(40), 0, 40))
    for position in range(0, 1_000_000, 7919):
        window.move(position)
        if missing := window.missing():
            start, size = missing
            window.store(start, [TableRow(key=str(start + n), cells=()) for n in range(size)])
    assert len(window.rows) <= 12 * 20 + 60


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("move"), st.integers(-5, 60)),
        st.tuples(st.just("scroll"), st.integers(-30, 30)),
        st.tuples(st.just("resize"), st.integers(1, 30)),
        st.tuples(st.just("add"), st.integers(0, 25)),
        st.tuples(st.just("drop"), st.integers(0, 50)),
    ),
    max_size=25,
)


@given(STEPS, st.booleans())
def test_cursor_and_view_are_always_inside_the_list(
    steps: list[tuple[str, int]], follow: bool
) -> None:
    keys = names(50)
    window = window_on(keys)
    window.follow = follow
    for number, (kind, value) in enumerate(steps):
        if kind == "move":
            window.move(value)
        elif kind == "scroll":
            window.scroll(value)
        elif kind == "resize":
            window.resize(value)
        elif kind == "add":
            keys = names(value, f"new{number}-") + keys
        elif keys:
            keys = keys[:value] + keys[value + 1 :]
        refreshed(window, keys)
        assert 0 <= window.top <= max(0, len(keys) - 1)
        assert window.top <= window.cursor < window.top + window.height
        assert window.cursor <= max(0, len(keys) - 1)
        if keys:
            assert window.current is not None
            assert window.current.key == keys[window.cursor]


@given(st.integers(0, 30), st.integers(1, 49))
def test_any_number_of_new_rows_leaves_the_cursor_on_its_row(added: int, place: int) -> None:
    keys = names(50)
    window = window_on(keys)
    window.move(place)
    refreshed(window, keys)  # the row itself is loaded
    refreshed(window, names(added, "new") + keys)
    assert window.current is not None
    assert window.current.key == f"k{place}"


@pytest.mark.parametrize("grown", [600, 5_000])
def test_a_flood_of_new_rows_is_read_at_the_place_the_cursor_moved_to(grown: int) -> None:
    keys = names(100)
    window = window_on(keys)
    window.move(8)
    start, size = window.span_after(100 + grown)
    assert start <= 8 + grown < start + size
    assert size <= 50
