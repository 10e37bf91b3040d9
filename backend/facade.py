"""The Backend: every verb of the console, the command line and the API, over one database.

It decides nothing: it opens the transaction, calls the part that knows, and gives back values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.access.keys import Keys
from backend.analytics.compliance_desk import ComplianceDesk
from backend.analytics.log_desk import LogDesk
from backend.domains.refresh import all_details, refresh_domain
from backend.domains.register import DomainTools, DomainWish, register_domain
from backend.domains.remove import remove_domain
from backend.domains.settings import change_domain
from backend.errors import InvalidInputError, NotFoundError, RelayError
from backend.facade_receiving import Receiving
from backend.inbound.quarantine_desk import QuarantineDesk
from backend.inbound.reprocess import reprocess
from backend.inbound.reprocess_desk import ReprocessDesk
from backend.inbound.rules_desk import RoutingDesk
from backend.inbound.screen_admin import ScreenAdmin
from backend.model.suppression import SuppressionWish
from backend.model.tenant import KeyWish, Tenant
from backend.model.views import EmailDetail, InboundDetail
from backend.outbound.accept import accept
from backend.outbound.limits_desk import LimitsDesk
from backend.outbound.mail_desk import MailDesk
from backend.outbound.sending_desk import SendingDesk
from backend.outbound.template_desk import TemplateDesk
from backend.queue.jobs_desk import JobDesk
from backend.store import (
    account,
    attempts,
    audit,
    counters,
    emails,
    events,
    explanations,
    keys,
    suppressions,
    tenants,
)
from backend.store import inbound as inbound_rows
from backend.store.audit import Hand
from backend.suppression import by_hand
from backend.suppression.desk import SuppressionDesk

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from backend.bus.usage_desk import UsageDesk
    from backend.bus.webhook_desk import WebhookDesk
    from backend.domains.settings import DomainChange
    from backend.facade_doctor import Doctor
    from backend.facade_ingest import Ingest
    from backend.inbound.pipeline import Inbound
    from backend.inbound.retention import Retention
    from backend.model.inbound import InboundMessage
    from backend.model.outbound import Accepted, EmailDraft, RecipientStatus
    from backend.model.sending_status import SendingStatus
    from backend.model.stats import Counter, SeriesPoint
    from backend.model.suppression import Suppression
    from backend.model.tenant import ApiKey, Domain, IssuedKey, Scope
    from backend.model.views import (
        AccountState,
        DomainDetail,
        InboundQuery,
        SuppressionQuery,
    )
    from backend.outbound.context import Outbound
    from backend.ports import AccountSuppressions
    from backend.store.audit import AuditEntry
    from backend.store.engine import Database
    from backend.store.types import Tx

MAX_TENANT_NAME = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The halves the facade speaks for, joined by backend/app.py; ``nudge`` wakes the worker."""

    db: Database
    outbound: Outbound
    inbound: Inbound
    domains: DomainTools
    ses_list: AccountSuppressions
    ingest: Ingest
    webhooks: WebhookDesk
    usage: UsageDesk
    retention: Retention
    doctor: Doctor
    nudge: Callable[[], None]


class Backend:
    """An open backend; get one from ``open_backend``. Every verb may raise a RelayError."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._db = parts.db
        self._clock = parts.outbound.clock
        self._ids = parts.outbound.ids
        self.access = Keys(parts.db, self._clock, self._ids)
        """API keys: issue, rotate, revoke, and which of them end soon."""
        self.ingest = parts.ingest  # mail and notices that come over HTTP or from files
        self.doctor = parts.doctor
        """Looks at everything mail depends on."""
        self.receiving = Receiving(parts.db, parts.inbound.blobs)
        self.jobs = JobDesk(parts.db, self._clock, self._ids, parts.nudge)
        """Bulk jobs: their progress, their reports, and stopping them."""
        self.reprocessing = ReprocessDesk(parts.inbound, self.jobs, parts.nudge)
        """What would be decided anew over messages that are here, and having it done."""
        self.retention = parts.retention
        """What is kept no longer, and deleting it."""
        self.mailing = MailDesk(parts.outbound, parts.nudge)
        """Batches of mail, and what may still be done to scheduled mail."""
        self.sending = SendingDesk(parts.db, self._clock, self._ids, parts.nudge)
        """Whether mail goes out, what waits, and mail of unknown fate."""
        self.limits = LimitsDesk(parts.outbound)
        """How much tenants and keys may hand in."""
        self.compliance = ComplianceDesk(parts.db, self._clock, self._ids, parts.nudge)
        """Rates as AWS counts them, alerts, and brakes of tenants."""
        self.templates = TemplateDesk(parts.db, self._clock, self._ids)
        """Templates of mail, their versions, and mail made of them."""
        self.mail_log = LogDesk(parts.db, self._clock)
        """The log: its pages, counts and news, one mail by any of its names, analytics."""
        self.quarantine = QuarantineDesk(parts.inbound, parts.nudge)
        """Acts of a person on mail that waits: release, reroute, attach, discard."""
        self.webhooks = parts.webhooks
        """Who is told of events, what became of each telling, and telling again."""
        self.usage = parts.usage
        """What is billed, by tenant, day and kind, and telling Books."""
        self.routing = RoutingDesk(parts.inbound)
        """Routing rules, and what would become of a message."""
        self.screening = ScreenAdmin(parts.db, self._clock, self._ids, parts.inbound.screening)
        """Sender lists, screening policies and rate breakers."""
        self.suppression_desk = SuppressionDesk(
            parts.db, self._clock, self._ids, parts.ses_list, nudge=parts.nudge
        )
        """Suppression beyond one entry: checks, review, import, export, the list of SES."""

    async def version(self) -> int:
        """Give a number that changes whenever anything was written."""
        return await self._db.version()

    # mail

    async def send(
        self,
        tenant_id: str,
        draft: EmailDraft | RelayError,
        *,
        idempotency_key: str | None = None,
        key_id: str = "",
        asked: str = "",
    ) -> Accepted:
        """Accept a mail: when this returns it is on disk (see outbound/accept.py)."""
        accepted = await accept(
            self._parts.outbound,
            tenant_id,
            draft,
            idempotency_key=idempotency_key,
            key_id=key_id,
            asked=asked,
        )
        self._parts.nudge()
        return accepted

    async def email(self, email_id: str, tenant_id: str | None = None) -> EmailDetail:
        """Give one outbound mail with its timeline; raises NotFoundError across tenants too."""
        return await self._db.read(_email_detail, email_id, tenant_id)

    async def count_inbound(self, query: InboundQuery) -> int:
        """Count the inbound mail a query means."""
        return await self._db.read(inbound_rows.count, query)

    async def inbound(self, query: InboundQuery, start: int, size: int) -> Sequence[InboundMessage]:
        """Give a page of inbound mail, newest first."""
        return await self._db.read(inbound_rows.page, query, start, size)

    async def inbound_message(self, inbound_id: str, tenant_id: str | None = None) -> InboundDetail:
        """Give one inbound message with its explanation; raises NotFoundError."""
        return await self._db.read(_inbound_detail, inbound_id, tenant_id)

    async def reprocess(self, inbound_ids: Sequence[str], *, actor: str) -> int:
        """Queue waiting messages to be processed anew; give how many were queued."""
        queued = await reprocess(self._db, self._clock, self._ids, inbound_ids, actor=actor)
        self._parts.nudge()
        return queued

    # suppressions

    async def count_suppressions(self, query: SuppressionQuery) -> int:
        """Count the suppressions a query means."""
        return await self._db.read(suppressions.count, query)

    async def suppressions(
        self, query: SuppressionQuery, start: int, size: int
    ) -> Sequence[Suppression]:
        """Give a page of suppressions, newest first."""
        return await self._db.read(suppressions.page, query, start, size)

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
        wish = SuppressionWish(
            tenant_id=tenant_id, address=address, note=detail, expires_at=expires_at
        )
        return await self._db.write(by_hand.add, self._hand(actor), wish)

    async def remove_suppression(self, suppression_id: str, *, actor: str) -> Suppression:
        """Take an address off the list and give what was removed; raises NotFoundError."""
        return await self._db.write(by_hand.remove, self._hand(actor), suppression_id)

    async def restore_suppression(self, suppression: Suppression, *, actor: str) -> None:
        """Undo a removal: put the very entry back."""
        await self._db.write(by_hand.restore, self._hand(actor), suppression)

    def _hand(self, actor: str) -> Hand:
        return Hand(actor=actor, at=self._clock.now(), ids=self._ids)

    # tenants, keys and domains

    async def tenants(self) -> Sequence[Tenant]:
        """Give all tenants by name."""
        return await self._db.read(tenants.all_by_name)

    async def add_tenant(self, name: str, *, actor: str) -> Tenant:
        """Make a tenant; raises InvalidInputError when the name is empty, too long or taken."""
        name = name.strip()
        if not name or len(name) > MAX_TENANT_NAME or not name.isprintable():
            raise InvalidInputError(
                f"name: a tenant needs a printable name of 1 to {MAX_TENANT_NAME} characters",
                field="name",
            )
        hand = self._hand(actor)
        tenant = Tenant(id=self._ids.new("ten"), name=name, created_at=hand.at)
        entry = hand.entry("tenant.added", tenant.id, tenant_id=tenant.id, detail={"name": name})
        await self._db.write(_add_tenant, tenant, entry)
        return tenant

    async def keys(self, tenant_id: str) -> Sequence[ApiKey]:
        """Give the keys of a tenant, newest first."""
        return await self._db.read(keys.of_tenant, tenant_id)

    async def issue_key(
        self,
        tenant_id: str,
        name: str,
        scopes: frozenset[Scope],
        *,
        actor: str,
        expires_at: datetime | None = None,
    ) -> IssuedKey:
        """Make an API key; its secret is in the answer and nowhere else."""
        wish = KeyWish(tenant_id=tenant_id, name=name, scopes=scopes, expires_at=expires_at)
        return await self.access.issue(wish, actor=actor)

    async def authenticate(self, secret: str) -> ApiKey:
        """Give the live key of a secret; raises AuthenticationError."""
        return await self.access.authenticate(secret)

    async def domains(self) -> Sequence[DomainDetail]:
        """Give every domain with the records it needs, by name."""
        return await self._db.read(all_details, self._parts.domains.region)

    async def add_domain(
        self,
        tenant_id: str,
        name: str,
        *,
        inbound_enabled: bool,
        actor: str,
        unproven: bool = False,
    ) -> DomainDetail:
        """Register a domain with SES and give it to a tenant (see DomainWish)."""
        wish = DomainWish(
            tenant_id=tenant_id, name=name, inbound_enabled=inbound_enabled, unproven=unproven
        )
        return await register_domain(self._parts.domains, wish, actor=actor)

    async def change_domain(self, name: str, change: DomainChange, *, actor: str) -> DomainDetail:
        """Change what a domain does with the mail it receives; raises NotFoundError."""
        return await change_domain(self._parts.domains, name, change, actor=actor)

    async def remove_domain(
        self, given: str, *, actor: str, tenant_id: str | None = None
    ) -> Domain:
        """Take a domain, named by id or name, from its tenant; raises NotFoundError."""
        return await remove_domain(self._parts.domains, given, actor=actor, tenant_id=tenant_id)

    async def refresh_domain(self, domain_id: str, *, actor: str) -> DomainDetail:
        """Ask SES for the state of a domain now; raises NotFoundError or TransientError."""
        return await refresh_domain(self._parts.domains, domain_id, actor=actor)

    # numbers

    async def series(
        self, since: datetime, until: datetime, *, tenant_id: str | None = None
    ) -> Sequence[SeriesPoint]:
        """Give one point per minute, gaps as zero."""
        return await self._db.read(counters.series, since, until, tenant_id)

    async def totals(self) -> dict[Counter, int]:
        """Give the sum of every counter over all time and tenants."""
        return await self._db.read(counters.totals)

    async def account(self) -> AccountState | None:
        """Give what SES last said of the account, None when it never answered."""
        return await self._db.read(account.get)

    async def sending_status(self) -> SendingStatus:
        """Tell whether mail goes out, and if not, why, since when and when that is tried."""
        return await self.sending.status()

    async def count_recipients(self, statuses: frozenset[RecipientStatus]) -> int:
        """Count the recipients of outbound mail that stand at one of ``statuses``."""
        return await self._db.read(emails.count_recipients, statuses)


def _email_detail(tx: Tx, email_id: str, tenant_id: str | None) -> EmailDetail:
    email = emails.get(tx, email_id, tenant_id)
    if email is None:
        raise NotFoundError(f"there is no mail {email_id}")
    return EmailDetail(
        email=email,
        attempts=attempts.of_email(tx, email_id),
        timeline=events.timeline(tx, email_id),
        replies=tuple(
            one for one in inbound_rows.replies_to(tx, email_id) if one.tenant_id == email.tenant_id
        ),
    )


def _inbound_detail(tx: Tx, inbound_id: str, tenant_id: str | None) -> InboundDetail:
    message = inbound_rows.get(tx, inbound_id)
    if message is None or tenant_id not in (None, message.tenant_id):
        raise NotFoundError(f"there is no inbound message {inbound_id}")
    return InboundDetail(
        message=message,
        steps=explanations.newest(tx, inbound_id),
        attachments=inbound_rows.attachments(tx, inbound_id),
    )


def _add_tenant(tx: Tx, tenant: Tenant, entry: AuditEntry) -> None:
    tenants.add(tx, tenant)
    audit.add(tx, entry)
