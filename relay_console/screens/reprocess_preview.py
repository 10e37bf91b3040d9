"""Before messages are processed again: what would become of each, and the question."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from relay_console.action import Scope
from relay_console.bindings import bindings
from relay_console.safe import SafeText, safe
from relay_console.screens.confirm import Confirm
from relay_console.screens.confirm_count import ConfirmCount
from relay_console.screens.job_progress import JobProgress
from relay_console.screens.live import LiveScreen
from relay_console.viewmodel.reprocess import Preview, preview_page
from relay_console.viewmodel.words import plural
from relay_console.widgets.bars import KeyBar, Saying
from relay_console.widgets.page_view import PageView

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from backend import Selection
    from relay_console.session import Session

TYPED = 20
"""Messages beyond which yes is not enough."""
_SHOW_EVERY = 25
"""Messages between two paintings."""


class ReprocessPreview(LiveScreen):
    """The difference for a selection, of one moment: it does not follow the data."""

    area = Scope.REPROCESS
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.REPROCESS)

    def __init__(self, session: Session, selection: Selection, begun: Callable[[], object]) -> None:
        """Preview a selection; ``begun`` is called when it is really processed again."""
        super().__init__(session)
        self._selection = selection
        self._begun = begun
        self._preview: Preview | None = None

    def compose(self) -> ComposeResult:
        """Lay out the frame."""
        yield from self.compose_top(Scope.QUARANTINE)
        yield Saying(id="headline")
        yield PageView()
        yield Saying(id="sentence")
        yield KeyBar(self.area, readonly=self.session.readonly)

    def on_mount(self) -> None:
        """Begin to look."""
        self.query_one(PageView).focus()
        self.start(self._look, "preview")

    def reload(self) -> None:
        """Stay with what was seen: a preview that moves cannot be agreed to."""

    async def _look(self) -> None:
        service = await self.session.service()
        seen = Preview(await service.reprocessing.count(self._selection))
        self._show(seen, finished=False)
        async for diff in service.reprocessing.preview(self._selection):
            seen.add(diff)
            if seen.seen % _SHOW_EVERY == 0:
                self._show(seen, finished=False)
        self._preview = seen
        self._show(seen, finished=True)

    def _show(self, seen: Preview, *, finished: bool) -> None:
        page = preview_page(seen, finished=finished)
        self.query_one(PageView).show(page)
        self.query_one("#headline", Saying).say(page.title)
        self._say(safe(_what_now(seen) if finished else "looking…"))

    def _say(self, sentence: SafeText) -> None:
        self.query_one("#sentence", Saying).say(sentence)

    def failed(self, sentence: SafeText) -> None:
        """Say why there is no preview."""
        self.query_one(PageView).say(sentence)
        self._say(sentence)

    def action_back(self) -> None:
        """Leave all as it is."""
        self.dismiss()

    def action_go(self) -> None:
        """Ask, then have it done."""
        if self._preview is None:
            self.tell(safe("Wait until every message was looked at."))
        elif self._preview.changed:
            self.act(self._go)
        else:
            self.tell(safe("Nothing would go another way, so there is nothing to do."))

    async def _go(self) -> None:
        changed = self._preview.changed if self._preview else 0
        question = safe(f"Process {plural(changed, 'message')} again?")
        if changed > TYPED:
            agreed = await self.app.push_screen_wait(ConfirmCount(question, changed))
        else:
            note = safe("What is in order then is delivered.")
            agreed = await self.app.push_screen_wait(Confirm(question, note))
        if not agreed:
            return
        service = await self.session.service()
        job = await service.reprocessing.start(self._selection, actor=self.session.actor)
        self._begun()
        self.app.switch_screen(JobProgress(self.session, Scope.QUARANTINE, job.id))


def _what_now(seen: Preview) -> str:
    if not seen.changed:
        return "Nothing would go another way."
    return f"enter processes {plural(seen.changed, 'message')} again; esc leaves all as it is."
