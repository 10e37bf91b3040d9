"""Alerts, webhooks and what may be done to sent mail, in the snapshot world."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from backend import (
    Alert,
    AlertKind,
    Brake,
    Compliance,
    DeliveryState,
    EmailStatus,
    Endpoint,
    InvalidInputError,
    Level,
    NotFoundError,
    Standing,
    TooLateError,
    WebhookStyle,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from backend import Email
    from tests.console.world import World

_DAY = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)
_SINCE = _DAY.date() - timedelta(days=13)


def _standing(tenant_id: str, eligible: int, bounces: int, complaints: int) -> Standing:
    return Standing(
        tenant_id=tenant_id,
        since=_SINCE,
        eligible=eligible,
        hard_bounces=bounces,
        complaints=complaints,
    )


ALERT = Alert(
    id="alr_1",
    kind=AlertKind.BOUNCES,
    subject="ten_2",
    level=Level.REVIEW,
    sentence="Bounces of Northwind Legal: 6.1% of 1,204.",
    raised_at=_DAY - timedelta(minutes=14),
)
NOTICE = replace(
    ALERT,
    id="alr_2",
    kind=AlertKind.COMPLAINTS,
    subject="",
    level=Level.NOTICE,
    sentence="Complaints about the account: 0.05% of 11,021.",
)
ENDPOINT = Endpoint(
    id="whk_1",
    tenant_id="ten_1",
    url="https://hooks.harbour-dental.example/relay",
    style=WebhookStyle.RELAY,
    created_at=_DAY - timedelta(days=9),
    updated_at=_DAY - timedelta(days=9),
    failures=7,
    failing_since=_DAY - timedelta(minutes=40),
    last_error="the endpoint answered 503",
)


@dataclass(slots=True)
class AlertsWorld:
    """Compliance and webhooks; nothing is wrong until a test says so."""

    world: World
    now_open: list[Alert] = field(default_factory=list)
    past: list[Alert] = field(default_factory=list)
    brakes: dict[str, Brake] = field(default_factory=dict)
    hooks: list[Endpoint] = field(default_factory=list)
    letters: dict[str, dict[DeliveryState, int]] = field(default_factory=dict)

    async def report(self) -> Compliance:
        self.world._check()
        return Compliance(
            account=None,
            standing=_standing("", 11_021, 210, 5),
            tenants=(_standing("ten_2", 1_204, 73, 1), _standing("ten_1", 9_817, 137, 4)),
            brakes=tuple(self.brakes.values()),
            alerts=tuple(self.now_open),
        )

    async def alerts(self) -> Sequence[Alert]:
        return self.now_open

    async def past_alerts(self, size: int = 100) -> Sequence[Alert]:
        return [*self.now_open, *self.past][:size]

    async def brake(self, tenant_id: str, *, reason: str, actor: str) -> Brake:
        if tenant_id in self.brakes:
            raise InvalidInputError("tenant: its mail is held back already", field="tenant")
        self.world.calls.append(("brake", tenant_id, reason, actor))
        self.hold(tenant_id, reason, actor)
        self.world.bump()
        return self.brakes[tenant_id]

    async def lift(self, tenant_id: str, *, actor: str) -> int:
        if tenant_id not in self.brakes:
            raise NotFoundError(f"the mail of tenant {tenant_id} is not held back")
        self.world.calls.append(("lift", tenant_id, actor))
        del self.brakes[tenant_id]
        self.world.bump()
        return 3

    async def endpoints(self, tenant_id: str | None = None) -> Sequence[Endpoint]:
        return [one for one in self.hooks if tenant_id in {None, one.tenant_id}]

    async def backlog(
        self, tenant_id: str | None = None
    ) -> Mapping[str, Mapping[DeliveryState, int]]:
        del tenant_id
        return self.letters

    def go_wrong(self) -> None:
        """Open two alerts and let a webhook fail that has dead letters."""
        self.now_open = [NOTICE, ALERT]
        self.past = [replace(ALERT, id="alr_0", cleared_at=_DAY - timedelta(hours=3))]
        self.hooks = [ENDPOINT, replace(ENDPOINT, id="whk_2", url="https://b.example/", failures=0)]
        self.letters = {"whk_1": {DeliveryState.DEAD: 3, DeliveryState.PENDING: 12}}
        self.world.bump()

    def say(self, text: str) -> None:
        """Let strangers have written ``text`` wherever they can."""
        self.go_wrong()
        self.now_open = [replace(ALERT, sentence=text)]
        self.past = [replace(ALERT, sentence=text, cleared_at=_DAY)]
        self.hooks = [replace(ENDPOINT, url=text, last_error=text)]
        self.hold("ten_2", text, text)

    def hold(self, tenant_id: str, reason: str, actor: str) -> None:
        """Hold a tenant back as ``brake`` does, without a call."""
        self.brakes[tenant_id] = Brake(
            tenant_id=tenant_id, reason=reason, since=_DAY, actor=actor, automatic=False
        )


@dataclass(slots=True)
class MailingWorld:
    """Scheduled mail and mail of unknown fate."""

    world: World

    def _of(self, email_id: str, *statuses: EmailStatus) -> Email:
        email = self.world.emails[email_id]
        if email.status not in statuses:
            raise TooLateError(f"{email.id} is on its way or done: it is {email.status}")
        return email

    def _put(self, email: Email) -> Email:
        self.world.emails[email.id] = email
        self.world.bump()
        return email

    async def cancel_email(
        self, email_id: str, *, actor: str, tenant_id: str | None = None
    ) -> Email:
        del tenant_id
        email = self._of(email_id, EmailStatus.SCHEDULED)
        self.world.calls.append(("cancel", email_id, actor))
        return self._put(replace(email, status=EmailStatus.CANCELED))

    async def restore_email(
        self, email_id: str, *, actor: str, tenant_id: str | None = None
    ) -> Email:
        del tenant_id
        email = self._of(email_id, EmailStatus.CANCELED)
        self.world.calls.append(("restore", email_id, actor))
        return self._put(replace(email, status=EmailStatus.SCHEDULED))

    async def reschedule_email(
        self, email_id: str, at: datetime | str, *, actor: str, tenant_id: str | None = None
    ) -> Email:
        del tenant_id
        moment = datetime.fromisoformat(at) if isinstance(at, str) else at
        self.world.calls.append(("reschedule", email_id, moment, actor))
        return self._put(replace(self._of(email_id, EmailStatus.SCHEDULED), scheduled_at=moment))

    async def send_again(self, email_id: str, *, actor: str) -> None:
        email = self._of(email_id, EmailStatus.UNKNOWN)
        self.world.calls.append(("send_again", email_id, actor))
        self._put(replace(email, status=EmailStatus.QUEUED, possible_duplicate=True))

    async def give_up(self, email_id: str, *, actor: str) -> None:
        email = self._of(email_id, EmailStatus.UNKNOWN)
        self.world.calls.append(("give_up", email_id, actor))
        self._put(replace(email, status=EmailStatus.FAILED))
