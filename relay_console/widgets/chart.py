"""The bars of the Charts screen, painted line by line."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from relay_console.safe import SafeText, safe
from relay_console.viewmodel.drawing import Drawn, draw

if TYPE_CHECKING:
    from textual import events

    from relay_console.viewmodel.series import Chart

_EMPTY = "No mail went out in this time.\n+ shows a longer time."


class ChartView(Widget):
    """Two charts, one above the other: sent and delivered, and bounced on its own scale."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "chart--text",
        "chart--title",
        "chart--dim",
        "chart--sent",
        "chart--delivered",
        "chart--bounced",
    }

    def __init__(self) -> None:
        super().__init__()
        self._chart: Chart | None = None
        self._saying: SafeText = safe("loading…")
        self._drawn: Drawn = []

    def show(self, chart: Chart) -> None:
        """Draw a chart; the same one again costs nothing."""
        if chart != self._chart:
            self._chart = chart
            self._draw()

    def say(self, sentence: SafeText) -> None:
        """Show a sentence while there is nothing to draw."""
        self._saying = sentence
        if self._chart is None:
            self._draw()

    def on_resize(self, event: events.Resize) -> None:
        """Draw for the new size."""
        del event
        self._draw()

    def on_mount(self) -> None:
        """Say what it waits for."""
        self._draw()

    def _draw(self) -> None:
        chart = self._chart
        if chart is None or chart.empty:
            said = (self._saying if chart is None else _EMPTY).split("\n")
            self._drawn = [[], *([(f" {one}", "text")] for one in said)]
        else:
            self._drawn = draw(chart, self.size.width, self.size.height)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Paint one line from memory."""
        plain = self.get_component_rich_style("chart--text")
        pieces = self._drawn[y] if y < len(self._drawn) else []
        strip = Strip(
            Segment(text, self.get_component_rich_style(f"chart--{kind}")) for text, kind in pieces
        )
        return strip.adjust_cell_length(self.size.width, plain)
