"""The forms of the acts on waiting mail; each gives an act, or nothing when esc was pressed."""

from __future__ import annotations

from abc import abstractmethod
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Select, Static

from backend import Act, Attach, MarkSpam, Release, Reroute, SenderPart, TargetName
from relay_console.safe import safe
from relay_console.widgets.filter_bar import FilterInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from textual.app import ComposeResult
    from textual.widget import Widget

    from backend import Tenant

_NO, _ADDRESS, _DOMAIN = "", SenderPart.ADDRESS.value, SenderPart.DOMAIN.value
_EVERY = "every"
_TIMES = (("for 30 days", 30), ("for 7 days", 7), ("for a year", 365), ("for good", 0))


class ActForm(ModalScreen["Act | None"]):
    """A form: tab goes on, enter in a field finishes, esc leaves all as it is."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "cancel", show=False),
    ]
    AUTO_FOCUS = "FilterInput"
    heading: ClassVar[str]

    def compose(self) -> ComposeResult:
        """Lay out the form."""
        with Vertical(classes="dialog"):
            yield Static(Content.assemble((self.heading, "bold")), markup=False)
            yield from self.fields()
            yield Static(
                Content.assemble(
                    ("enter", "bold $accent"),
                    " see what it would do    ",
                    ("tab", "bold $accent"),
                    " next    ",
                    ("esc", "bold $accent"),
                    " cancel",
                ),
                markup=False,
                classes="answers",
            )

    @abstractmethod
    def fields(self) -> Iterable[Widget]:
        """Give the fields."""

    @abstractmethod
    def made(self) -> Act | None:
        """Give the act as filled in; None when something is still missing."""

    def on_mount(self) -> None:
        """Ask about a list only when one is meant."""
        self._ask_of_list()

    def on_select_changed(self) -> None:
        """Ask about a list only when one is meant."""
        self._ask_of_list()

    def _ask_of_list(self) -> None:
        for part in self.query("#part").results(Select):
            self.query(".of-list").set(display=part.value != _NO)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Finish when nothing is missing."""
        event.stop()
        act = self.made()
        if act is not None:
            self.dismiss(act)

    def action_cancel(self) -> None:
        """Leave all as it is."""
        self.dismiss(None)

    def typed(self, field: str) -> str:
        """Give what was typed into a field."""
        return self.query_one(f"#{field}", Input).value.strip()

    def chosen(self, field: str) -> str:
        """Give what was chosen in a field."""
        return str(self.query_one(f"#{field}", Select).value)


class ReleaseForm(ActForm):
    """Ask whether the sender is to be trusted from now on, by whom and for how long."""

    heading = "Release"

    def fields(self) -> Iterable[Widget]:
        """Give note, list, tenants and time."""
        yield from _note()
        yield from _choice("Its sender", "part", _parts("allow"))
        yield from _choice("For whose mail", "of", _WHOSE, classes="of-list")
        times = [(text, str(days)) for text, days in _TIMES]
        yield from _choice("How long", "days", times, classes="of-list")

    def made(self) -> Act:
        """Give the release."""
        part, days = self.chosen("part"), int(self.chosen("days"))
        if not part:
            return Release(note=self.typed("note"))
        return Release(
            allow=SenderPart(part),
            everywhere=self.chosen("of") == _EVERY,
            lasting=timedelta(days=days) if days else None,
            note=self.typed("note"),
        )


class SpamForm(ActForm):
    """Ask whether the sender is to be blocked, and by whom."""

    heading = "Mark as spam"

    def fields(self) -> Iterable[Widget]:
        """Give note, list and tenants."""
        yield from _note()
        yield from _choice("Its sender", "part", _parts("block"))
        yield from _choice("For whose mail", "of", _WHOSE, classes="of-list")

    def made(self) -> Act:
        """Give the mark."""
        part = self.chosen("part")
        every = bool(part) and self.chosen("of") == _EVERY
        block = SenderPart(part) if part else None
        return MarkSpam(block=block, everywhere=every, note=self.typed("note"))


class RerouteForm(ActForm):
    """Ask for target and id, and for a tenant should the message have none."""

    heading = "Reroute"

    def __init__(self, tenants: Sequence[Tenant]) -> None:
        super().__init__()
        self._tenants = tenants

    def fields(self) -> Iterable[Widget]:
        """Give id, target, tenant and whether a second target is meant."""
        yield Static("Ticket or contact (empty: a new ticket in psa)", markup=False)
        yield FilterInput(id="ref", compact=True, placeholder="1042")
        yield from _choice("Target", "target", [(t.value, t.value) for t in TargetName])
        own = [("its own", _NO), *((safe(t.name), t.id) for t in self._tenants)]
        yield from _choice("Tenant, if it has none", "tenant", own)
        twice = [("leave it", _NO), ("send it here as well", "again")]
        yield from _choice("If another target has it", "again", twice)

    def made(self) -> Act | None:
        """Give the way."""
        target, ref = TargetName(self.chosen("target")), self.typed("ref")
        if not ref and target is not TargetName.PSA:
            self.query_one("#ref", Input).focus()
            return None
        again, tenant_id = bool(self.chosen("again")), self.chosen("tenant")
        return Reroute(target=target, ref=ref, tenant_id=tenant_id, again=again)


class AttachForm(ActForm):
    """Ask for the conversation."""

    heading = "Attach to a conversation"

    def fields(self) -> Iterable[Widget]:
        """Give the conversation."""
        yield Static("Ticket number, or the id of a thread or of a mail in it", markup=False)
        yield FilterInput(id="to", compact=True, placeholder="ABC-1234")

    def made(self) -> Act | None:
        """Give the conversation."""
        to = self.typed("to")
        return Attach(to=to) if to else None


_WHOSE = [("that of its tenant", _NO), ("that of every tenant", _EVERY)]


def _parts(verb: str) -> list[tuple[str, str]]:
    return [
        (f"do not {verb}", _NO),
        (f"{verb} the address", _ADDRESS),
        (f"{verb} the whole domain", _DOMAIN),
    ]


def _note() -> Iterable[Widget]:
    yield Static("Why", markup=False)
    yield FilterInput(id="note", compact=True, placeholder="for those who come after you")


def _choice(
    label: str, field: str, options: Sequence[tuple[str, str]], *, classes: str = ""
) -> Iterable[Widget]:
    yield Static(label, markup=False, classes=classes)
    shown = [(Content(text), value) for text, value in options]
    yield Select(
        shown, value=options[0][1], allow_blank=False, compact=True, id=field, classes=classes
    )
