"""A bulk job while it runs, and its report when it is over."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from relay_console.action import Scope
from relay_console.bindings import bindings
from relay_console.safe import SafeText, safe
from relay_console.screens.live import LiveScreen
from relay_console.viewmodel.reprocess import job_page
from relay_console.widgets.bars import KeyBar, Saying
from relay_console.widgets.page_view import PageView

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from backend import Job
    from relay_console.session import Session

_LINES = 200
"""Lines of the report shown here; the rest is for the command line."""


class JobProgress(LiveScreen):
    """Follows one job; leaving it leaves the job running."""

    area = Scope.JOB
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.JOB)

    def __init__(self, session: Session, home: Scope, job_id: str) -> None:
        super().__init__(session)
        self._home = home
        self._job_id = job_id
        self._job: Job | None = None

    def compose(self) -> ComposeResult:
        """Lay out the frame."""
        yield from self.compose_top(self._home)
        yield Saying(id="headline")
        yield PageView()
        yield Saying(id="sentence")
        yield KeyBar(self.area, readonly=self.session.readonly)

    def on_mount(self) -> None:
        """Give the page the keys."""
        self.query_one(PageView).focus()

    def reload(self) -> None:
        """Read how far the job is."""
        if self._job is None or not self._job.over:
            self.start(self._load, "job")

    async def _load(self) -> None:
        service = await self.session.service()
        job = await service.jobs.get(self._job_id)
        page = job_page(job, await service.jobs.report(self._job_id, 0, _LINES))
        self._job = job
        self.query_one(PageView).show(page)
        self.query_one("#headline", Saying).say(page.title)
        self.query_one("#sentence", Saying).say(safe(_what_now(job)))

    def failed(self, sentence: SafeText) -> None:
        """Say why the job cannot be shown."""
        self.query_one(PageView).say(sentence)
        self.query_one("#sentence", Saying).say(sentence)

    def action_back(self) -> None:
        """Go back; the job goes on."""
        if self._job is not None and not self._job.over:
            self.tell(safe(f"{self._job_id} goes on by itself."))
        self.dismiss()

    def action_copy(self) -> None:
        """Copy the id of the job."""
        self.copy_text(self._job_id)

    def action_stop(self) -> None:
        """Stop the job before its next part."""
        if self._job is None or self._job.over:
            self.tell(safe("There is nothing to stop."))
        else:
            self.act(self._stop)

    async def _stop(self) -> None:
        service = await self.session.service()
        await service.jobs.cancel(self._job_id, actor=self.session.actor)
        self.start(self._load, "job")


def _what_now(job: Job) -> str:
    if job.over:
        return job.state.sentence
    return "Stopping…" if job.cancelling else "x stops it; what it has done stays done."
