"""The only user of plotext, whose state is a module global: it draws, it is never drawn into.

plotext is imported when the first chart is drawn (50 ms).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text
from textual.widget import Widget

from backend import Counter
from relay_console.safe import SafeText, safe

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

    from relay_console.viewmodel.series import Chart

_LEAST_HEIGHT = 8
MARKERS = {Counter.SENT: "braille", Counter.DELIVERED: "dot", Counter.BOUNCED: "x"}
SIGNS = {Counter.SENT: "⠒", Counter.DELIVERED: "•", Counter.BOUNCED: "x"}
COLOURS = {Counter.SENT: "blue", Counter.DELIVERED: "green", Counter.BOUNCED: "red"}


class ChartView(Widget):
    """Two charts, one above the other: sent and delivered, and bounced on its own scale."""

    def __init__(self) -> None:
        super().__init__()
        self._chart: Chart | None = None
        self._saying: SafeText = safe("loading…")

    def show(self, chart: Chart) -> None:
        """Draw a chart; the same one again costs nothing."""
        if chart != self._chart:
            self._chart = chart
            self.refresh()

    def say(self, sentence: SafeText) -> None:
        """Show a sentence while there is nothing to draw."""
        self._saying = sentence
        if self._chart is None:
            self.refresh()

    def render(self) -> Text:
        """Give the drawing as styled text."""
        chart, width, height = self._chart, self.size.width, self.size.height
        if chart is None:
            return Text(f"\n  {self._saying}")
        if chart.empty:
            return Text("\n  No mail went out in this time.\n  + shows a longer time.")
        if height < _LEAST_HEIGHT:
            return Text("\n  Make the terminal taller to see the chart.")
        below = max(5, height // 3)
        flow = draw(chart, (Counter.SENT, Counter.DELIVERED), width, height - below)
        bounced = draw(chart, (Counter.BOUNCED,), width, below)
        return Text.from_ansi(f"{flow}\n{bounced}", no_wrap=True, end="")


def draw(chart: Chart, counters: Sequence[Counter], width: int, height: int) -> str:
    """Draw some lines of a chart as ANSI text of exactly ``height`` lines."""
    import plotext as plt  # noqa: PLC0415  # 50 ms that only this screen needs

    plt.clear_figure()
    plt.theme("clear")
    plt.plot_size(width, height)
    for counter in counters:
        plt.plot(
            chart.minutes_ago,
            chart.lines[counter],
            marker=MARKERS[counter],
            color=COLOURS[counter],
        )
    _scale(plt, chart, counters, height)
    drawing: str = plt.build()
    return "\n".join(drawing.split("\n")[:height])


def _scale(plt: ModuleType, chart: Chart, counters: Sequence[Counter], height: int) -> None:
    """Set axes with whole numbers: minutes ago below, mails a step at the left."""
    most = max(1, *(max(chart.lines[counter]) for counter in counters))
    plt.ylim(0, most)
    ticks = sorted({0, most} if height < _LEAST_HEIGHT else {0, most // 2, most})
    plt.yticks(ticks, [f"{tick:>5,}" for tick in ticks])
    first = chart.minutes_ago[0]
    places = sorted({first * part // 6 for part in range(7)})
    plt.xticks(places, [f"{place}m" if place else "now" for place in places])
