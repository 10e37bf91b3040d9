"""Charts: what went out and how it fared, per minute, live."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from relay_console.action import Scope
from relay_console.bindings import bindings
from relay_console.safe import SafeText, safe
from relay_console.screens.live import LiveScreen
from relay_console.viewmodel.drawing import SIGNS, room_for
from relay_console.viewmodel.series import SHOWN, chart_of, other_window
from relay_console.widgets.bars import KeyBar, Saying
from relay_console.widgets.chart import ChartView

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.timer import Timer

    from relay_console.messages import VersionChanged
    from relay_console.session import Session
    from relay_console.viewmodel.series import Chart


_PAUSE = 1.5
"""Seconds between two readings of a chart that changes all the time."""


class ChartsScreen(LiveScreen):
    """Sent and delivered in one chart, bounced in another, totals in words."""

    area = Scope.CHARTS
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.CHARTS)

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._minutes = 30
        self._pause: Timer | None = None

    def compose(self) -> ComposeResult:
        """Lay out the frame."""
        yield from self.compose_top(self.area)
        yield Saying(id="headline")
        yield ChartView()
        yield Saying(id="sentence")
        yield KeyBar(self.area, readonly=self.session.readonly)

    def on_version_changed(self, message: VersionChanged) -> None:
        """Read again, in a while: a chart is 6 KB on the line and moves once a minute."""
        message.prevent_default()
        if self._pause is None:
            self._pause = self.set_timer(_PAUSE, self.reload)

    def reload(self) -> None:
        """Read the series again."""
        if self._pause is not None:
            self._pause.stop()
            self._pause = None
        if self.session.starting:
            self.query_one(ChartView).say(safe("starting the backend…"))
        self.start(self._load, "series")

    async def _load(self) -> None:
        service = await self.session.service()
        until = self.session.clock()
        since = until - timedelta(minutes=self._minutes)
        points = await service.series(since, until)
        most = max((max(point.counts.get(c, 0) for c in SHOWN) for point in points), default=0)
        view = self.query_one(ChartView)
        # summed bars may be higher than any minute: room for their numbers as well
        chart = chart_of(points, room_for(view.size.width, 10 * most))
        view.show(chart)
        self._describe(chart)

    def on_resize(self) -> None:
        """Sum up for the new width."""
        self.reload()

    def failed(self, sentence: SafeText) -> None:
        """Say why there is no new chart."""
        self.query_one(ChartView).say(sentence)
        self.query_one("#sentence", Saying).say(sentence)

    def _describe(self, chart: Chart) -> None:
        each = "per minute" if chart.step == 1 else f"per {chart.step} minutes"
        window = (
            f"{self._minutes} minutes" if self._minutes < 120 else f"{self._minutes // 60} hours"
        )
        self.query_one("#headline", Saying).say(
            safe(f"Recipients {each}, the last {window}"),
            safe(f"now: {self.session.clock():%H:%M} UTC"),
        )
        totals = "   ".join(f"{SIGNS[c]} {c} {chart.totals[c]:,}" for c in SHOWN)
        self.query_one("#sentence", Saying).say(safe(totals))

    def action_wider(self) -> None:
        """Show a longer time."""
        self._minutes = other_window(self._minutes, 1)
        self.reload()

    def action_narrower(self) -> None:
        """Show a shorter time."""
        self._minutes = other_window(self._minutes, -1)
        self.reload()
