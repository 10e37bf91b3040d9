"""What the console asks of the backend: the verbs of a technician, as a protocol.

``backend.Backend`` fulfils it. Every call may raise ``backend.RelayError``; the screen shows its
sentence. Pages are addressed by position: ``start`` from 0, at most ``size`` rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from backend import (
        AccountState,
        DomainDetail,
        EmailDetail,
        InboundDetail,
        InboundMessage,
        InboundQuery,
        LogEntry,
        LogQuery,
        SeriesPoint,
        Suppression,
        SuppressionQuery,
        Tenant,
    )


class Service(Protocol):
    """The backend as the console sees it."""

    async def version(self) -> int:
        """Give a number that changes whenever anything was written; cheap enough to ask often."""
        ...

    async def tenants(self) -> Sequence[Tenant]:
        """Give all tenants by name."""
        ...

    async def count_log(self, query: LogQuery) -> int:
        """Count the mail a query means."""
        ...

    async def log(self, query: LogQuery, start: int, size: int) -> Sequence[LogEntry]:
        """Give a page of the log, newest first."""
        ...

    async def email(self, email_id: str) -> EmailDetail:
        """Give one outbound mail with its timeline; raises NotFoundError."""
        ...

    async def inbound_message(self, inbound_id: str) -> InboundDetail:
        """Give one inbound message with its explanation; raises NotFoundError."""
        ...

    async def count_inbound(self, query: InboundQuery) -> int:
        """Count the inbound mail a query means."""
        ...

    async def inbound(self, query: InboundQuery, start: int, size: int) -> Sequence[InboundMessage]:
        """Give a page of inbound mail, newest first."""
        ...

    async def reprocess(self, inbound_ids: Sequence[str], *, actor: str) -> int:
        """Queue waiting messages to be processed anew; give how many were queued."""
        ...

    async def count_suppressions(self, query: SuppressionQuery) -> int:
        """Count the suppressions a query means."""
        ...

    async def suppressions(
        self, query: SuppressionQuery, start: int, size: int
    ) -> Sequence[Suppression]:
        """Give a page of suppressions, newest first."""
        ...

    async def add_suppression(
        self, tenant_id: str, address: str, *, detail: str, actor: str
    ) -> Suppression:
        """Suppress an address by hand; raises InvalidInputError."""
        ...

    async def remove_suppression(self, suppression_id: str, *, actor: str) -> Suppression:
        """Take an address off the list and give what was removed; raises NotFoundError."""
        ...

    async def restore_suppression(self, suppression: Suppression, *, actor: str) -> None:
        """Undo a removal: put the very entry back."""
        ...

    async def domains(self) -> Sequence[DomainDetail]:
        """Give every domain with the records it needs, by name."""
        ...

    async def refresh_domain(self, domain_id: str, *, actor: str) -> DomainDetail:
        """Ask SES for the state of a domain now; raises NotFoundError or TransientError."""
        ...

    async def series(
        self, since: datetime, until: datetime, *, tenant_id: str | None = None
    ) -> Sequence[SeriesPoint]:
        """Give one point per minute, gaps as zero."""
        ...

    async def account(self) -> AccountState | None:
        """Give what SES last said of the account, None when it never answered."""
        ...
