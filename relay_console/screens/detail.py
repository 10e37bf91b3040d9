"""One thing in full: a mail, a message, a suppression, a domain."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from relay_console.action import Scope
from relay_console.bindings import bindings
from relay_console.messages import OpenMail
from relay_console.safe import NOTHING, SafeText, safe
from relay_console.screens.live import LiveScreen
from relay_console.widgets.bars import KeyBar, Saying
from relay_console.widgets.page_view import PageView

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from relay_console.session import Session
    from relay_console.viewmodel.page import Page

    Loader = Callable[[], Awaitable[Page]]


class DetailScreen(LiveScreen):
    """A page that follows the data while it is open."""

    area = Scope.DETAIL
    BINDINGS: ClassVar[list[BindingType]] = [
        binding
        for binding in bindings(Scope.DETAIL)
        if isinstance(binding, tuple) or not binding.action.startswith("scroll_")
    ]

    def __init__(self, session: Session, home: Scope, load: Loader) -> None:
        super().__init__(session)
        self._home = home
        self._load_page = load

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
        """Read the page again."""
        self.start(self._load, "page")

    async def _load(self) -> None:
        page = await self._load_page()
        self.query_one(PageView).show(page)
        self.query_one("#headline", Saying).say(page.title)
        self.query_one(KeyBar).leave_out(self.idle())
        self._describe()

    def failed(self, sentence: SafeText) -> None:
        """Say why there is no page, or why it is an old one."""
        self.query_one(PageView).say(sentence)
        self._describe(sentence)

    def _describe(self, trouble: SafeText = NOTHING) -> None:
        page = self.query_one(PageView).page
        has_link = page is not None and page.linked
        link = safe("o opens the related mail.") if has_link else NOTHING
        self.query_one("#sentence", Saying).say(trouble or self.hint() or link)

    def idle(self) -> frozenset[str]:
        """Give the actions that can do nothing here; their keys need not be shown."""
        page = self.query_one(PageView).page
        return frozenset() if page is not None and page.linked else frozenset({"linked"})

    def hint(self) -> SafeText:
        """Give what can be done here just now."""
        return NOTHING

    def action_back(self) -> None:
        """Go back to the table."""
        self.dismiss()

    def action_copy(self) -> None:
        """Copy the id, the address or the records."""
        page = self.query_one(PageView).page
        if page is not None:
            self.copy_text(page.copy)

    def action_linked(self) -> None:
        """Open the mail this one is about."""
        page = self.query_one(PageView).page
        if page is None or not page.linked:
            self.tell(safe("Nothing is related to this."))
            return
        self.app.post_message(OpenMail(page.linked, self._home))
