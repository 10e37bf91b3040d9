"""What the API asks of the backend; ``backend.app.Backend`` fulfils it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from backend.access.keys import Keys
    from backend.analytics.compliance_desk import ComplianceDesk
    from backend.analytics.log_desk import LogDesk
    from backend.bus.usage_desk import UsageDesk
    from backend.bus.webhook_desk import WebhookDesk
    from backend.domains.settings import DomainChange
    from backend.errors import RelayError
    from backend.facade_ingest import Ingest
    from backend.facade_receiving import Receiving
    from backend.inbound.quarantine_desk import QuarantineDesk
    from backend.model.outbound import Accepted, EmailDraft
    from backend.model.stats import SeriesPoint
    from backend.model.tenant import ApiKey, Domain, Tenant
    from backend.model.views import (
        DomainDetail,
        EmailDetail,
        InboundDetail,
    )
    from backend.outbound.limits_desk import LimitsDesk
    from backend.outbound.mail_desk import MailDesk
    from backend.outbound.template_desk import TemplateDesk
    from backend.suppression.desk import SuppressionDesk


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

    @property
    def quarantine(self) -> QuarantineDesk:
        """Acts on mail that waits for a person."""
        ...

    @property
    def access(self) -> Keys:
        """API keys: issue, rotate, revoke."""
        ...

    @property
    def mail_log(self) -> LogDesk:
        """The log, its counts, analytics."""
        ...

    @property
    def limits(self) -> LimitsDesk:
        """How much tenants and keys may hand in."""
        ...

    @property
    def compliance(self) -> ComplianceDesk:
        """Rates as AWS counts them, alerts and brakes."""
        ...

    @property
    def mailing(self) -> MailDesk:
        """Batches and scheduled mail."""
        ...

    @property
    def templates(self) -> TemplateDesk:
        """Templates of tenants."""
        ...

    @property
    def webhooks(self) -> WebhookDesk:
        """Webhook endpoints and their deliveries."""
        ...

    @property
    def usage(self) -> UsageDesk:
        """What is billed."""
        ...

    async def tenants(self) -> Sequence[Tenant]:
        """Give all tenants by name."""
        ...

    async def keys(self, tenant_id: str) -> Sequence[ApiKey]:
        """Give the keys of a tenant, newest first."""
        ...

    async def domains(self) -> Sequence[DomainDetail]:
        """Give every domain with the records it needs, by name."""
        ...

    async def add_domain(
        self,
        tenant_id: str,
        name: str,
        *,
        inbound_enabled: bool,
        actor: str,
        unproven: bool = False,
    ) -> DomainDetail:
        """Register a domain with SES and give it to a tenant; ``unproven``: none SES verified."""
        ...

    async def change_domain(self, name: str, change: DomainChange, *, actor: str) -> DomainDetail:
        """Change what a domain does with the mail it receives; raises NotFoundError."""
        ...

    async def refresh_domain(self, domain_id: str, *, actor: str) -> DomainDetail:
        """Ask SES for the state of a domain now."""
        ...

    async def remove_domain(
        self, given: str, *, actor: str, tenant_id: str | None = None
    ) -> Domain:
        """Take a domain from its tenant; raises NotFoundError."""
        ...

    @property
    def suppression_desk(self) -> SuppressionDesk:
        """The suppression list: entries, checks, review, files."""
        ...

    async def authenticate(self, secret: str) -> ApiKey:
        """Give the live key of a secret; raises AuthenticationError."""
        ...

    async def send(
        self,
        tenant_id: str,
        draft: EmailDraft | RelayError,
        *,
        idempotency_key: str | None = None,
        key_id: str = "",
        asked: str = "",
    ) -> Accepted:
        """Accept a mail (see outbound/accept.py): when this returns it is on disk.

        Raises InvalidInputError and its kinds, IdempotencyConflictError, TransientError.
        """
        ...

    async def email(self, email_id: str, tenant_id: str | None = None) -> EmailDetail:
        """Give one outbound mail; raises NotFoundError, also for another tenant's."""
        ...

    async def inbound_message(self, inbound_id: str, tenant_id: str | None = None) -> InboundDetail:
        """Give one inbound message; raises NotFoundError, also for another tenant's."""
        ...

    async def series(
        self, since: datetime, until: datetime, *, tenant_id: str | None = None
    ) -> Sequence[SeriesPoint]:
        """Give one point per minute, gaps as zero."""
        ...
