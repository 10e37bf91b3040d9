"""How sending stands, for whoever asks. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backend.model.sending import Hold, SendState
    from backend.model.views import AccountState


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingStatus:
    """How sending stands: the state, the hold that explains it, what SES said of the account."""

    state: SendState
    hold: Hold | None
    account: AccountState | None
    share: float = 1.0
    """The part of the account's rate in use: less than all for a minute after a throttle."""

    @property
    def is_sandbox(self) -> bool:
        """Tell whether SES takes mail to verified addresses only."""
        return self.account is not None and not self.account.production_access
