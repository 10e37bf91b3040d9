"""The doctor: looks at the database, AWS, the queues and the events, one after the other."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from backend.analytics.standing import QUIET
from backend.analytics.watch import LOOK_BACK
from backend.errors import RelayError
from backend.model.checks import Check, Verdict
from backend.model.tenant import DomainStatus
from backend.store import account, compliance, domains, tenants

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from backend.model.tenant import Domain
    from backend.ports import Clock, MailTransport, PatientQueue
    from backend.store.engine import Database
    from backend.store.types import Tx

LITTLE_SPACE = 1024**3  # bytes
BACKLOG = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorParts:
    """What is looked at; a queue that is None is not set up."""

    db: Database
    transport: MailTransport
    clock: Clock
    queues: Mapping[str, PatientQueue | None]
    reply_secret: bool


class Doctor:
    """Looks at everything mail depends on; get it as ``backend.doctor``."""

    def __init__(self, parts: DoctorParts) -> None:
        self._parts = parts

    async def look(self) -> Sequence[Check]:
        """Make every check; one that fails stops none of the others."""
        parts = self._parts
        checks = [await self._database(), await self._account(), await self._domains()]
        for name, queue in parts.queues.items():
            checks.append(await _queue(name, queue))
        checks.append(await self._events())
        checks.append(_secret(set_up=parts.reply_secret))
        return checks

    async def sender(self, tenant_id: str | None = None) -> Domain | None:
        """Give a verified domain to send a test from, None when there is none."""
        found = await self._parts.db.read(domains.all_by_name)
        verified = (one for one in found if one.status is DomainStatus.VERIFIED)
        return next((one for one in verified if tenant_id in (None, one.tenant_id)), None)

    async def _database(self) -> Check:
        db = self._parts.db
        count = await db.read(_count_tenants)
        if not db.is_sqlite:
            return Check(name="database", verdict=Verdict.OK, found=f"reachable, {count} tenants")
        folder = Path(db.url.removeprefix("sqlite:///")).parent
        free = shutil.disk_usage(folder).free
        little = free < LITTLE_SPACE
        return Check(
            name="database",
            verdict=Verdict.WARNING if little else Verdict.OK,
            found=f"{count} tenants, {free // 1024**2} MB free on its disk",
            remedy="make room: mail is refused when the disk is full" if little else "",
        )

    async def _account(self) -> Check:
        name = "SES account"
        try:
            state = await self._parts.transport.account()
        except RelayError as error:
            return Check(
                name=name,
                verdict=Verdict.FAILED,
                found=str(error),
                remedy="check the AWS credentials, RELAY_AWS_REGION and the permission"
                " ses:GetAccount",
            )
        await self._parts.db.write(account.put, state)
        said = f"{state.enforcement or 'no word on enforcement'}, {state.max_send_rate:g} a second"
        if not state.sending_enabled:
            return Check(
                name=name,
                verdict=Verdict.FAILED,
                found=f"sending is paused; {said}",
                remedy="look into the AWS console: SES, reputation metrics",
            )
        sandbox = not state.production_access
        good = state.enforcement in ("", "HEALTHY") and not sandbox
        return Check(
            name=name,
            verdict=Verdict.OK if good else Verdict.WARNING,
            found=f"{'in the sandbox of SES; ' if sandbox else ''}{said}",
            remedy="ask AWS for production access" if sandbox else "",
        )

    async def _domains(self) -> Check:
        found = await self._parts.db.read(domains.all_by_name)
        waiting = [one.name for one in found if one.status is not DomainStatus.VERIFIED]
        verified = len(found) - len(waiting)
        verdict = Verdict.WARNING if waiting or not found else Verdict.OK
        return Check(
            name="domains",
            verdict=verdict,
            found=f"{verified} of {len(found)} verified"
            + (f"; not {', '.join(waiting[:5])}" if waiting else ""),
            remedy="publish their records: `relay-console domains`" if waiting or not found else "",
        )

    async def _events(self) -> Check:
        now = self._parts.clock.now()
        last = await self._parts.db.read(compliance.last_event_at)
        unheard, _ = await self._parts.db.read(compliance.unheard_of, now - LOOK_BACK, now - QUIET)
        heard = f"the last at {last:%Y-%m-%d %H:%M:%S}Z" if last else "none yet"
        return Check(
            name="events",
            verdict=Verdict.WARNING if unheard else Verdict.OK,
            found=f"{heard}; mails sent since that wait for one: {unheard}",
            remedy="check the configuration set, its SNS topic and the queue's policy"
            if unheard
            else "",
        )


async def _queue(name: str, queue: PatientQueue | None) -> Check:
    if queue is None:
        return Check(name=name, verdict=Verdict.SKIPPED, found="not set up")
    try:
        waiting = await queue.backlog()
    except RelayError as error:
        return Check(
            name=name,
            verdict=Verdict.FAILED,
            found=str(error),
            remedy="check its URL and the permission sqs:GetQueueAttributes",
        )
    many = waiting > BACKLOG
    return Check(
        name=name,
        verdict=Verdict.WARNING if many else Verdict.OK,
        found=f"about {waiting} notices wait",
        remedy="is a server running? `relay-console serve`" if many else "",
    )


def _secret(*, set_up: bool) -> Check:
    return Check(
        name="reply addresses",
        verdict=Verdict.OK if set_up else Verdict.WARNING,
        found="signed" if set_up else "not signed",
        remedy="" if set_up else "set RELAY_REPLY_TOKEN_SECRET, so that replies find their mail",
    )


def _count_tenants(tx: Tx) -> int:
    return len(tenants.all_by_name(tx))
