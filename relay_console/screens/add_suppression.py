"""The form for one address or domain to suppress by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Select, Static

from relay_console.screens.path_form import tenant_select
from relay_console.widgets.filter_bar import FilterInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from backend import Tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSuppression:
    """What was filled in; the backend judges the address. Tenant "" is every tenant.

    ``days`` is how long it holds, None for good.
    """

    tenant_id: str
    address: str
    detail: str
    days: int | None = None


class AddSuppression(ModalScreen[NewSuppression | None]):
    """Ask for address, why, how long and whose; esc leaves all as it is."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "cancel", show=False),
    ]
    AUTO_FOCUS = "#address"

    def __init__(self, tenants: Sequence[Tenant]) -> None:
        super().__init__()
        self._tenants = tenants

    def compose(self) -> ComposeResult:
        """Lay out the form."""
        with Vertical(classes="dialog"):
            yield Static(
                Content.assemble(("Suppress an address or a domain", "bold")), markup=False
            )
            yield Static("Address, example.com, or *.example.com", markup=False)
            yield FilterInput(id="address", compact=True, placeholder="name@example.com")
            yield Static("Why", markup=False)
            yield FilterInput(id="detail", compact=True, placeholder="asked by phone, ticket 123")
            yield Static("For how many days", markup=False)
            yield FilterInput(
                id="days", compact=True, placeholder="for good", restrict=r"[0-9]{0,4}"
            )
            yield Static("Tenant (tab, then enter or arrows)", markup=False)
            yield tenant_select(self._tenants)
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
        days = self.query_one("#days", Input).value
        self.dismiss(
            NewSuppression(
                tenant_id=str(self.query_one("#tenant", Select).value),
                address=address,
                detail=self.query_one("#detail", Input).value.strip(),
                days=int(days) if days.strip("0") else None,
            )
        )

    def action_cancel(self) -> None:
        """Leave all as it is."""
        self.dismiss(None)
