"""What the API asks of the backend; ``backend.app.Backend`` fulfils it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from backend.facade_ingest import Ingest
    from backend.facade_receiving import Receiving
    from backend.model.inbound import InboundMessage
    from backend.model.outbound import Accepted, EmailDraft
    from backend.model.stats import SeriesPoint
    from backend.model.tenant import ApiKey
    from backend.model.views import EmailDetail, InboundDetail, InboundQuery, LogEntry, LogQuery


class ApiService(Protocol):
    """The backend as the API sees it; every call may raise a ``RelayError``."""

    @property
    def ingest(self) -> Ingest:
        """Mail and notices that come in over HTTP."""
        ...

    @property
    def receiving(self) -> Receiving:
        """Attachments and conversations of received mail."""
        ...

    async def authenticate(self, secret: str) -> ApiKey:
        """Give the live key of a secret; raises AuthenticationError."""
        ...

    async def send(
        self, tenant_id: str, draft: EmailDraft, *, idempotency_key: str | None = None
    ) -> Accepted:
        """Accept a mail: when this returns it is on disk.

        Raises InvalidInputError and its kinds, IdempotencyConflictError, TransientError.
        """
        ...

    async def email(self, email_id: str, tenant_id: str | None = None) -> EmailDetail:
        """Give one outbound mail; raises NotFoundError, also for another tenant's."""
        ...

    async def count_log(self, query: LogQuery) -> int:
        """Count the mail a query means."""
        ...

    async def log(self, query: LogQuery, start: int, size: int) -> Sequence[LogEntry]:
        """Give a page of the log, newest first."""
        ...

    async def count_inbound(self, query: InboundQuery) -> int:
        """Count the inbound mail a query means."""
        ...

    async def inbound(self, query: InboundQuery, start: int, size: int) -> Sequence[InboundMessage]:
        """Give a page of inbound mail, newest first."""
        ...

    async def inbound_message(self, inbound_id: str, tenant_id: str | None = None) -> InboundDetail:
        """Give one inbound message; raises NotFoundError, also for another tenant's."""
        ...

    async def series(
        self, since: datetime, until: datetime, *, tenant_id: str | None = None
    ) -> Sequence[SeriesPoint]:
        """Give one point per minute, gaps as zero."""
        ...
