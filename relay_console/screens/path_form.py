"""A form that asks for a file and, for an import, whose list it goes on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Select, Static

from relay_console.safe import safe
from relay_console.widgets.filter_bar import FilterInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from backend import Tenant
    from relay_console.safe import SafeText


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedFile:
    """What was filled in; ``tenant_id`` is empty where every tenant, or none, is meant."""

    path: str
    tenant_id: str = ""


class PathForm(ModalScreen[NamedFile | None]):
    """Ask for a file; with ``tenants`` also for one of them or all; esc leaves all as it is."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "cancel", show=False),
    ]
    AUTO_FOCUS = "#path"

    def __init__(self, title: SafeText, hint: SafeText, tenants: Sequence[Tenant] | None) -> None:
        super().__init__()
        self._title = title
        self._hint = hint
        self._tenants = tenants

    def compose(self) -> ComposeResult:
        """Lay out the form."""
        with Vertical(classes="dialog"):
            yield Static(Content.assemble((self._title, "bold")), markup=False)
            yield Static(Content(self._hint), markup=False)
            yield FilterInput(id="path", compact=True, placeholder="~/suppressions.csv")
            if self._tenants is not None:
                yield Static("Tenant (tab, then enter or arrows)", markup=False)
                yield tenant_select(self._tenants)
            yield Static(
                Content.assemble(
                    ("enter", "bold $accent"), " go on    ", ("esc", "bold $accent"), " cancel"
                ),
                markup=False,
                classes="answers",
            )

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Finish when there is a path."""
        event.stop()
        path = event.value.strip()
        if path:
            whose = self.query(Select)
            tenant_id = str(whose.first().value) if whose else ""
            self.dismiss(NamedFile(path=path, tenant_id=tenant_id))

    def action_cancel(self) -> None:
        """Leave all as it is."""
        self.dismiss(None)


def tenant_select(tenants: Sequence[Tenant]) -> Select[str]:
    """Make the choice of one tenant, the first to begin with, or of all together."""
    options = [(Content(safe(tenant.name)), tenant.id) for tenant in tenants]
    options.append((Content(safe("every tenant")), ""))
    return Select(options, value=options[0][1], allow_blank=False, compact=True, id="tenant")
