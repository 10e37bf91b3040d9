"""What the console asks of the backend: the verbs of a technician, as a protocol.

``backend.Backend`` fulfils it. Every call may raise ``backend.RelayError``; the screen shows its
sentence. Pages are addressed by position: ``start`` from 0, at most ``size`` rows.
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from datetime import datetime

    from backend import (
        AccountState,
        Act,
        ActReport,
        Alert,
        Brake,
        Compliance,
        DecisionDiff,
        DeliveryState,
        DomainDetail,
        Email,
        EmailDetail,
        Endpoint,
        Foreseen,
        ImportReport,
        ImportWish,
        InboundDetail,
        InboundMessage,
        InboundQuery,
        Job,
        JobLine,
        LogCount,
        LogPage,
        LogQuery,
        LogSpan,
        Selection,
        SendingStatus,
        SeriesPoint,
        Suppression,
        SuppressionQuery,
        Tenant,
    )


class SuppressionVerbs(Protocol):
    """Suppression beyond one entry: complaints that wait for review, files."""

    async def accept(self, suppression_id: str, *, actor: str) -> Suppression:
        """Let an entry that waits for review count; raises NotFoundError."""
        ...

    async def import_file(self, file: IO[str], wish: ImportWish, *, actor: str) -> ImportReport:
        """Bring a file onto the list, or with ``dry_run`` tell what it would bring."""
        ...

    async def undo_import(self, import_id: str, *, actor: str) -> int:
        """Take off what an import has brought and give how many that was."""
        ...

    def export(self, query: SuppressionQuery, form: str) -> AsyncIterator[str]:
        """Give what a query means as ``csv`` or ``jsonl``, piece by piece."""
        ...


class LogVerbs(Protocol):
    """Reading the log, by places in it; see backend/model/log.py."""

    async def page(self, query: LogQuery, span: LogSpan) -> LogPage:
        """Give the lines of a span in log order."""
        ...

    async def count(self, query: LogQuery, limit: int | None = 10_000) -> LogCount:
        """Count the mail a query means, up to ``limit``, or exactly when it is None."""
        ...


class QuarantineVerbs(Protocol):
    """What a person does with mail that waits; see backend/model/quarantine.py for the acts."""

    async def act(self, ids: Sequence[str], act: Act, *, actor: str) -> ActReport:
        """Do an act to a selection; each message is answered by itself."""
        ...

    async def preview(self, ids: Sequence[str], act: Act) -> Sequence[Foreseen]:
        """Tell of each message what an act would make of it; writes nothing."""
        ...


class ReprocessVerbs(Protocol):
    """What would be decided anew over messages, and having it done."""

    async def count(self, selection: Selection) -> int:
        """Count the messages of a selection."""
        ...

    def preview(self, selection: Selection) -> AsyncIterator[DecisionDiff]:
        """Give the difference for each message, one by one; writes nothing."""
        ...

    async def start(self, selection: Selection, *, actor: str) -> Job:
        """Queue a job that processes the messages again whose decision would differ."""
        ...


class JobVerbs(Protocol):
    """Bulk jobs."""

    async def get(self, job_id: str) -> Job:
        """Give a job as it stands; raises NotFoundError."""
        ...

    async def cancel(self, job_id: str, *, actor: str) -> Job:
        """Ask a job to stop; what it has done stays done."""
        ...

    async def report(self, job_id: str, start: int, size: int) -> Sequence[JobLine]:
        """Give a page of a job's report."""
        ...


class ComplianceVerbs(Protocol):
    """Rates as AWS counts them, alerts, and brakes of tenants."""

    async def report(self) -> Compliance:
        """Give the rates of the account and of every tenant, brakes and open alerts."""
        ...

    async def alerts(self) -> Sequence[Alert]:
        """Give the alerts that are open, oldest first."""
        ...

    async def past_alerts(self, size: int = 100) -> Sequence[Alert]:
        """Give the newest alerts, over or not."""
        ...

    async def brake(self, tenant_id: str, *, reason: str, actor: str) -> Brake:
        """Hold the mail of a tenant back; raises InvalidInputError when it is already."""
        ...

    async def lift(self, tenant_id: str, *, actor: str) -> int:
        """Let it go on and give how many mails were woken; raises NotFoundError."""
        ...


class WebhookVerbs(Protocol):
    """Who is told of events."""

    async def endpoints(self, tenant_id: str | None = None) -> Sequence[Endpoint]:
        """Give the endpoints of a tenant, or all, the oldest first."""
        ...

    async def backlog(
        self, tenant_id: str | None = None
    ) -> Mapping[str, Mapping[DeliveryState, int]]:
        """Count what waits for each endpoint and its dead letters."""
        ...


class MailingVerbs(Protocol):
    """What may still be done to scheduled mail; each raises TooLateError once it is sent."""

    async def cancel_email(
        self, email_id: str, *, actor: str, tenant_id: str | None = None
    ) -> Email:
        """Call a scheduled mail off."""
        ...

    async def restore_email(
        self, email_id: str, *, actor: str, tenant_id: str | None = None
    ) -> Email:
        """Undo a calling off: it goes out at its time, or now when that is over."""
        ...

    async def reschedule_email(
        self, email_id: str, at: datetime | str, *, actor: str, tenant_id: str | None = None
    ) -> Email:
        """Give a scheduled mail another time, in words too."""
        ...


class SendingVerbs(Protocol):
    """What a person decides about mail of unknown fate; raises InvalidInputError for others."""

    async def send_again(self, email_id: str, *, actor: str) -> None:
        """Send it once more, which may make it arrive twice."""
        ...

    async def give_up(self, email_id: str, *, actor: str) -> None:
        """Let it count as failed."""
        ...


class Service(Protocol):
    """The backend as the console sees it."""

    @property
    def reprocessing(self) -> ReprocessVerbs:
        """Processing messages again."""
        ...

    @property
    def jobs(self) -> JobVerbs:
        """Bulk jobs."""
        ...

    @property
    def suppression_desk(self) -> SuppressionVerbs:
        """Reviews and files of suppressions."""
        ...

    @property
    def quarantine(self) -> QuarantineVerbs:
        """Acts on mail that waits."""
        ...

    @property
    def compliance(self) -> ComplianceVerbs:
        """Rates, alerts and brakes."""
        ...

    @property
    def webhooks(self) -> WebhookVerbs:
        """Endpoints of tenants."""
        ...

    @property
    def mailing(self) -> MailingVerbs:
        """Scheduled mail."""
        ...

    @property
    def sending(self) -> SendingVerbs:
        """Mail of unknown fate."""
        ...

    async def version(self) -> int:
        """Give a number that changes whenever anything was written; cheap enough to ask often."""
        ...

    async def tenants(self) -> Sequence[Tenant]:
        """Give all tenants by name."""
        ...

    @property
    def mail_log(self) -> LogVerbs:
        """The log of all mail."""
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
        self,
        tenant_id: str,
        address: str,
        *,
        detail: str,
        actor: str,
        expires_at: datetime | None = None,
    ) -> Suppression:
        """Suppress an address or a domain by hand; raises InvalidInputError."""
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

    async def sending_status(self) -> SendingStatus:
        """Tell whether mail goes out, and if not, why, since when and when that is tried."""
        ...
