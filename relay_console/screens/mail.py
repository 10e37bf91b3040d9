"""One mail in full: what we sent, or are to send, with what may still be done to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from backend import EmailStatus
from relay_console.action import Scope
from relay_console.bindings import bindings
from relay_console.safe import NOTHING, SafeText, safe
from relay_console.screens.ask_text import AskText
from relay_console.screens.confirm import Confirm
from relay_console.screens.detail import DetailScreen
from relay_console.screens.message import MessageScreen
from relay_console.viewmodel.details import email_page
from relay_console.viewmodel.words import full_moment

if TYPE_CHECKING:
    from datetime import datetime

    from textual.binding import BindingType

    from backend import Email
    from relay_console.screens.live import Work
    from relay_console.session import Session
    from relay_console.viewmodel.page import Page

_WAITING = frozenset({EmailStatus.SCHEDULED, EmailStatus.QUEUED})
_OF_SCHEDULED = frozenset({"cancel_mail", "reschedule"})
_OF_UNKNOWN = frozenset({"send_again", "give_up"})


class SentScreen(DetailScreen):
    """A mail of ours; a scheduled one may be called off, one of unknown fate decided about."""

    area = Scope.SENT
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.SENT)

    def __init__(self, session: Session, home: Scope, email_id: str) -> None:
        super().__init__(session, home, self._read)
        self._email_id = email_id
        self._email: Email | None = None
        # what u undoes, the newest last: the time it had, or that it was called off
        self._before: list[datetime | None] = []

    async def _read(self) -> Page:
        detail = await (await self.session.service()).email(self._email_id)
        self._email = detail.email
        return email_page(detail, await self.session.tenant_names({detail.email.tenant_id}))

    @property
    def _scheduled(self) -> bool:
        email = self._email
        return email is not None and email.scheduled_at is not None and email.status in _WAITING

    @property
    def _unknown(self) -> bool:
        return self._email is not None and self._email.status is EmailStatus.UNKNOWN

    def idle(self) -> frozenset[str]:
        """Give the actions that can do nothing for this mail."""
        idle = super().idle() | (frozenset() if self._scheduled else _OF_SCHEDULED)
        idle |= frozenset() if self._unknown else _OF_UNKNOWN
        return idle if self._before else idle | {"undo"}

    def hint(self) -> SafeText:
        """Say what may be done to it."""
        if self.session.readonly:
            return NOTHING
        if self._scheduled:
            return safe("It waits for its time: x calls it off, t gives it another time.")
        if self._unknown:
            return safe("Nobody knows whether SES has it: S sends it again, F gives it up.")
        return NOTHING

    def action_cancel_mail(self) -> None:
        """Ask, then call the mail off."""
        self._when_scheduled(self._cancel)

    async def _cancel(self) -> None:
        question = safe("Call this mail off?")
        warning = "It is not sent then, and its sender is told. u undoes this."
        if not await self._agreed(question, warning):
            return
        mailing, actor = (await self.session.service()).mailing, self.session.actor
        await mailing.cancel_email(self._email_id, actor=actor)
        self._before.append(None)
        self.tell(safe("The mail is called off; u undoes this."))
        self.reload()

    def action_reschedule(self) -> None:
        """Ask for a time and give the mail that."""
        self._when_scheduled(self._reschedule)

    async def _reschedule(self) -> None:
        before = self._email.scheduled_at if self._email else None
        question = safe(f"When is it to go out? Now it is {full_moment(before)}.")
        about = safe("Words or a moment; times of day are UTC.")
        example = safe("in 2 hours, tomorrow 09:00, 2026-12-01T08:30Z")
        typed = await self.app.push_screen_wait(AskText(question, about, example))
        if typed is None:
            return
        mailing, actor = (await self.session.service()).mailing, self.session.actor
        changed = await mailing.reschedule_email(self._email_id, typed, actor=actor)
        self._before += [before] if before else []
        self.tell(safe(f"It goes out at {full_moment(changed.scheduled_at)}; u undoes this."))
        self.reload()

    def action_undo(self) -> None:
        """Give the mail back what it had before: its time, or that it is to be sent."""
        if self._before:
            self.act(self._undo)
        else:
            self.tell(safe("There is nothing of yours to undo."))

    async def _undo(self) -> None:
        mailing, actor = (await self.session.service()).mailing, self.session.actor
        at = self._before[-1]
        if at is not None:
            changed = await mailing.reschedule_email(self._email_id, at, actor=actor)
        elif await self._still_wanted():
            changed = await mailing.restore_email(self._email_id, actor=actor)
        else:
            return
        self._before.pop()
        self.tell(safe(f"It goes out at {full_moment(changed.scheduled_at)} again."))
        self.reload()

    async def _still_wanted(self) -> bool:
        """Ask before a mail whose time is over goes out at once."""
        at = self._email.scheduled_at if self._email else None
        if at is None or at > self.session.clock():
            return True
        question = safe("Send this mail now after all?")
        return await self._agreed(question, f"Its time was {full_moment(at)}, which is over.")

    def action_send_again(self) -> None:
        """Ask, then send a mail of unknown fate once more."""
        self._when_unknown(self._send_again)

    async def _send_again(self) -> None:
        if await self._agreed(safe("Send this mail again?"), "It may arrive twice."):
            sending, actor = (await self.session.service()).sending, self.session.actor
            await sending.send_again(self._email_id, actor=actor)
            self.tell(safe("It is queued again."))
            self.reload()

    def action_give_up(self) -> None:
        """Ask, then let a mail of unknown fate count as failed."""
        self._when_unknown(self._give_up)

    async def _give_up(self) -> None:
        if await self._agreed(safe("Give this mail up?"), "It counts as failed, sent or not."):
            sending, actor = (await self.session.service()).sending, self.session.actor
            await sending.give_up(self._email_id, actor=actor)
            self.tell(safe("It counts as failed."))
            self.reload()

    def _when_scheduled(self, work: Work) -> None:
        if self._scheduled:
            self.act(work)
        elif email := self._email:
            self.tell(safe(f"This mail is {email.status}; only scheduled mail can be changed."))

    def _when_unknown(self, work: Work) -> None:
        if self._unknown:
            self.act(work)
        elif email := self._email:
            self.tell(safe(f"This mail is {email.status}; there is nothing to decide."))

    async def _agreed(self, question: SafeText, warning: str) -> bool:
        return await self.app.push_screen_wait(Confirm(question, safe(warning)))


def mail_screen(session: Session, key: str, home: Scope) -> DetailScreen:
    """Make the screen of a mail by its log key, ``out:msg_…`` or ``in:inb_…``."""
    direction, _, mail_id = key.partition(":")
    if direction == "in":
        return MessageScreen(session, mail_id, home)
    return SentScreen(session, home, mail_id)
