"""Values to rows, columns, filters and charts, without a terminal."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from backend import (
    WAITING,
    Counter,
    Direction,
    DomainStatus,
    EmailStatus,
    Finding,
    InboundStatus,
    InvalidInputError,
    MatchStatus,
    Reason,
    SeriesPoint,
)
from relay_console.safe import safe
from relay_console.viewmodel.drawing import draw, room_for
from relay_console.viewmodel.filters import log_query, quarantine_query, suppression_query
from relay_console.viewmodel.rows import (
    DOMAIN_COLUMNS,
    LOG_COLUMNS,
    QUARANTINE_COLUMNS,
    RECORD_COLUMNS,
    SUPPRESSION_COLUMNS,
    bare,
)
from relay_console.viewmodel.series import MAX_POINTS, WINDOWS, chart_of, other_window
from relay_console.viewmodel.table import Column, fit, line, share_out
from relay_console.viewmodel.words import (
    full_moment,
    glyph,
    moment,
    plural,
    sentence,
    short_moment,
    size_of,
    wrap,
)
from tests.console.world import NOW, TENANTS

ALL_COLUMNS = (
    LOG_COLUMNS,
    SUPPRESSION_COLUMNS,
    DOMAIN_COLUMNS,
    RECORD_COLUMNS,
    QUARANTINE_COLUMNS,
)


def test_a_log_filter_is_the_query_language_of_the_log() -> None:
    query = log_query("status:bounced dir:out tenant:harbour printer", TENANTS, NOW)

    assert (query.direction, query.tenant_id) == (Direction.OUT, "ten_1")
    assert [term.values for term in query.terms] == [("bounced",), ("printer",)]
    assert log_query("", TENANTS, NOW).everything


def test_the_quarantine_shows_all_waiting_states_unless_told_others() -> None:
    assert quarantine_query("", TENANTS, NOW).statuses == WAITING
    assert quarantine_query("state:held", TENANTS, NOW).statuses == {InboundStatus.HELD}
    away = quarantine_query("state:discarded reason:marked_as_spam since:2d jam", TENANTS, NOW)
    assert away.statuses == {InboundStatus.DISCARDED}
    assert away.reasons == {Reason.MARKED_AS_SPAM}
    assert (away.since, away.text) == (NOW - timedelta(days=2), "jam")
    unmatched = quarantine_query("match:unmatched", TENANTS, NOW)
    assert not unmatched.statuses
    assert unmatched.matches == {MatchStatus.UNMATCHED}


def test_the_quarantine_says_which_states_there_are() -> None:
    with pytest.raises(InvalidInputError, match="held"):
        quarantine_query("state:nonsense", TENANTS, NOW)


def test_a_suppression_filter_is_part_of_an_address() -> None:
    assert suppression_query("@client.example tenant:ten_2", TENANTS).tenant_id == "ten_2"


@given(st.text(alphabet=st.characters(exclude_categories=("Cc", "Cs"))), st.integers(1, 60))
def test_a_fitted_text_has_exactly_its_width(text: str, width: int) -> None:
    assert cell_len(fit(safe(text), width)) == width


def test_a_cut_shows() -> None:
    assert fit("abcdef", 4) == "abc…"
    assert fit("請求書のお知らせ", 6) == "請求… "


@pytest.mark.parametrize("columns", ALL_COLUMNS)
@pytest.mark.parametrize("width", [78, 98, 118, 198])
def test_the_columns_fill_the_terminal_exactly(columns: tuple[Column, ...], width: int) -> None:
    layout = share_out(columns, width)
    assert sum(cells for _, cells in layout) + len(layout) - 1 == width


@given(st.integers(1, 300))
def test_a_line_is_as_wide_as_the_table_whatever_its_width(width: int) -> None:
    cells = [safe("請求書 " * 20)] * len(LOG_COLUMNS)
    assert cell_len(line(cells, share_out(LOG_COLUMNS, width), width)) == width


def test_every_status_has_a_glyph_and_the_bad_ones_differ_from_the_good() -> None:
    words = [*EmailStatus, *InboundStatus, *DomainStatus, *Finding]
    assert all(len(glyph(word)) == 1 for word in words)
    assert glyph("bounced") != glyph("delivered")


@pytest.mark.parametrize("direction", list(Direction))
def test_a_status_of_both_ways_is_explained_for_its_way(direction: Direction) -> None:
    other = Direction.OUT if direction is Direction.IN else Direction.IN
    assert sentence("suppressed", direction)
    assert sentence("suppressed", direction) != sentence("suppressed", other)


def test_the_sender_is_the_address_and_not_the_name_it_claims() -> None:
    assert bare('"boss@ours.example" <evil@example.org>') == "evil@example.org"
    assert bare("plain@example.org") == "plain@example.org"


def test_times_of_today_are_times_and_others_are_dates() -> None:
    yesterday = NOW - timedelta(days=1)
    assert moment(NOW, NOW).strip() == "14:30:00"
    assert moment(yesterday, NOW) == "11-19 14:30"
    assert short_moment(yesterday, NOW) == "19 Nov"
    assert full_moment(None) == "-"


def test_counts_and_sizes_are_written_as_people_say_them() -> None:
    assert plural(1, "mail") == "1 mail"
    assert plural(1204, "mail") == "1,204 mails"
    assert [size_of(n) for n in (5, 2048, 3_500_000)] == ["5 B", "2.0 KB", "3.3 MB"]


@given(st.text(alphabet=st.characters(exclude_categories=("Cc", "Cs", "Mn", "Me"))))
def test_wrapped_lines_fit_and_lose_only_spaces(text: str) -> None:
    lines = wrap(text, 12)
    assert all(cell_len(part) <= 12 for part in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def points(count: int) -> list[SeriesPoint]:
    return [
        SeriesPoint(at=NOW + timedelta(minutes=n), counts={Counter.SENT: 1}) for n in range(count)
    ]


def test_a_chart_ends_now_and_counts_everything() -> None:
    chart = chart_of(points(30))
    assert (chart.minutes_ago[0], chart.minutes_ago[-1]) == (-29, 0)
    assert chart.totals[Counter.SENT] == 30
    assert chart.totals[Counter.BOUNCED] == 0


def test_a_day_is_summed_to_what_a_terminal_can_show() -> None:
    chart = chart_of(points(1440))
    assert len(chart.minutes_ago) <= MAX_POINTS
    assert sum(chart.lines[Counter.SENT]) == 1440


def test_the_window_stops_at_both_ends() -> None:
    assert other_window(WINDOWS[0], -1) == WINDOWS[0]
    assert other_window(WINDOWS[-1], 1) == WINDOWS[-1]
    assert other_window(30, 1) == 60


def drawn(counts: list[tuple[int, int, int]], width: int = 78, height: int = 18) -> list[str]:
    """Draw (sent, delivered, bounced) a minute as text, each line checked to fit."""
    names = (Counter.SENT, Counter.DELIVERED, Counter.BOUNCED)
    minutes = [
        SeriesPoint(at=NOW + timedelta(minutes=n), counts=dict(zip(names, one, strict=True)))
        for n, one in enumerate(counts)
    ]
    most = max(max(one) for one in counts)
    chart = chart_of(minutes, room_for(width, most * len(counts)))
    lines = ["".join(text for text, _ in line) for line in draw(chart, width, height)]
    assert len(lines) == height
    assert all(len(line) <= width for line in lines)
    return lines


def test_a_minute_without_mail_is_a_gap_and_not_a_slope() -> None:
    lines = drawn([(0, 0, 0)] * 10 + [(8, 4, 1)] + [(0, 0, 0)] * 19)
    flow, bounced = lines[1:12], lines[14:]
    assert {"".join(line.split()[1:]) for line in flow[1:-1]} == {"█", "▄", "░"}
    assert sum("█" in line for line in flow) == 5, "half of what was sent is delivered"
    assert all("▒" in line for line in bounced)
    assert len({line.index("▒") for line in bounced}) == 1


def test_a_single_mail_beside_a_million_is_seen_and_the_numbers_fit() -> None:
    lines = drawn([(1_000_000, 1_000_000, 0)] * 29 + [(1, 1, 0)])
    assert lines[1].startswith("1,000,000┤ █")
    assert lines[11].startswith("        0┤ █")
    assert lines[11].rstrip().endswith("▁")


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("width", [30, 60, 80, 120, 200])
def test_every_window_fits_every_width_and_ends_now(window: int, width: int) -> None:
    lines = drawn([(n % 7, n % 5, n % 3) for n in range(window)], width, 15)
    axis = next(line for line in lines if line.endswith("now"))
    assert axis.count("-") >= (1 if width > 40 else 0)


def test_a_chart_that_has_no_room_says_so() -> None:
    (only,) = draw(chart_of(points(5)), 80, 5)
    assert only == [("Make the terminal taller to see the chart.", "text")]
