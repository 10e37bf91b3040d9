"""The form for one address to suppress by hand."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSuppression:
    """What was filled in; the backend judges the address."""

    tenant_id: str
    address: str
    detail: str


class AddSuppression(ModalScreen[NewSuppression | None]):
    """Ask for tenant, address and why; esc leaves all as it is."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "cancel", show=False),
    ]
    AUTO_FOCUS = "#address"

    def __init__(self, tenants: Sequence[Tenant]) -> None:
        super().__init__()
        self._tenants = tenants

    def compose(self) -> ComposeResult:
        """Lay out the form."""
        options = [(Content(safe(tenant.name)), tenant.id) for tenant in self._tenants]
        first = self._tenants[0].id if self._tenants else Select.NULL
        with Vertical(classes="dialog"):
            yield Static(Content.assemble(("Suppress an address", "bold")), markup=False)
            yield Static("Address", markup=False)
            yield FilterInput(id="address", compact=True, placeholder="name@example.com")
            yield Static("Why", markup=False)
            yield FilterInput(id="detail", compact=True, placeholder="asked by phone, ticket 123")
            yield Static("Tenant (tab, then enter or arrows)", markup=False)
            yield Select(options, value=first, allow_blank=False, compact=True, id="tenant")
            yield Static(
                Content.assemble(
                    ("enter", "bold $accent"), " suppress    ", ("esc", "bold $accent"), " cancel"
                ),
                markup=False,
                classes="answers",
            )

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go to the next field from the first, and finish when there is an address."""
        event.stop()
        address = self.query_one("#address", Input).value.strip()
        if not address:
            self.query_one("#address", Input).focus()
            return
        self.dismiss(
            NewSuppression(
                tenant_id=str(self.query_one("#tenant", Select).value),
                address=address,
                detail=self.query_one("#detail", Input).value.strip(),
            )
        )

    def action_cancel(self) -> None:
        """Leave all as it is."""
        self.dismiss(None)
