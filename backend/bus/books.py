"""Usage told to Books: each tenant's day once it is over, and again when it changed.

``POST {BOOKS_API_URL}/usage`` with ``Authorization: Bearer INTEGRATION_KEY`` and
``Idempotency-Key: usage/<tenant id>/<day>/<revision>``. A statement is written down before it is
posted and never changes, so that a repeat is the same in every byte; what comes late for a day
makes the next revision, which replaces the one before. 2xx takes it, 409 means Books has it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING

import httpx
import structlog

from backend.bus.signing import bearer
from backend.errors import InvalidInputError, TransientError
from backend.model.usage import UsageKind, UsagePost, UsageQuery, UsageReport
from backend.net_words import in_words
from backend.store import tenants, usage

if TYPE_CHECKING:
    from datetime import datetime

    from pydantic import SecretStr

    from backend.ports import Clock
    from backend.store.engine import Database
    from backend.store.types import Tx

log = structlog.get_logger("bus.books")

BOOKS = "books"
EVERY = timedelta(minutes=15)
GRACE = timedelta(hours=1)  # after midnight: most of what belongs to a day is in by then
REACH = timedelta(days=62)  # what comes later than this is for people
ENOUGH = 3  # refusals in a row after which Books is left alone until the next turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement to post, with the tenant's name for those who read bills."""

    post: UsagePost
    tenant: str

    @property
    def key(self) -> str:
        """Give the Idempotency-Key."""
        return f"usage/{self.post.tenant_id}/{self.post.day.isoformat()}/{self.post.revision}"

    def as_json(self) -> dict[str, object]:
        """Give the body; ``made_at`` makes no difference to Books, so it is not in it."""
        counts = {kind.value: self.post.counts.get(kind.value, 0) for kind in UsageKind}
        return {
            "tenant_id": self.post.tenant_id,
            "tenant": self.tenant,
            "day": self.post.day.isoformat(),
            "revision": self.post.revision,
            "counts": counts,
        }


class Books:
    """Posts usage; an empty ``url`` means there is no Books."""

    def __init__(
        self, db: Database, client: httpx.AsyncClient, clock: Clock, *, url: str, key: SecretStr
    ) -> None:
        self._db = db
        self._client = client
        self._clock = clock
        self._url = url.rstrip("/")
        self._key = key

    @property
    def configured(self) -> bool:
        """Tell whether a URL is set."""
        return bool(self._url)

    async def run(self) -> None:
        """Post what is due, again and again; run it under the role BOOKS."""
        while True:
            try:
                await self.post_due()
            except TransientError as error:
                log.warning("usage not posted", reason=str(error))
            await asyncio.sleep(EVERY.total_seconds())

    async def post_due(self) -> UsageReport:
        """Post every statement that is due, the oldest day first; raises InvalidInputError."""
        if not self.configured:
            raise InvalidInputError("there is no Books; set BOOKS_API_URL first")
        taken, in_row = 0, 0
        refused: dict[str, str] = {}
        for statement in await self._db.write(_due, self._clock.now()):
            error = await self._post(statement)
            at = None if error else self._clock.now()
            await self._db.write(usage.settle_post, statement.post, taken_at=at, error=error)
            if not error:
                taken, in_row = taken + 1, 0
                continue
            refused[statement.key] = error
            log.warning("usage not taken", key=statement.key, reason=error)
            in_row += 1
            if in_row >= ENOUGH:
                break
        return UsageReport(taken=taken, refused=refused)

    async def _post(self, statement: Statement) -> str:
        """Post one statement; give the reason when it was not taken, else ""."""
        headers = bearer(self._key) | {"Idempotency-Key": statement.key}
        try:
            answer = await self._client.post(
                f"{self._url}/usage", json=statement.as_json(), headers=headers
            )
        except httpx.HTTPError as error:
            return f"Books did not answer: {in_words(error)}; check BOOKS_API_URL"
        if answer.is_success or answer.status_code == HTTPStatus.CONFLICT:
            return ""
        return f"Books answered {answer.status_code}"


def _due(tx: Tx, now: datetime) -> list[Statement]:
    """Write down what has to be stated, and give it with what is still to be posted again."""
    until = (now - GRACE).date()
    query = UsageQuery(since=until - REACH, until=until)
    newest = {(post.tenant_id, post.day): post for post in usage.newest_posts(tx, query)}
    names = {tenant.id: tenant.name for tenant in tenants.all_by_name(tx)}
    due = []
    for day in usage.days(tx, query):
        if day.tenant_id not in names:
            continue  # mail to nobody we know is nobody's bill
        last = newest.get((day.tenant_id, day.day))
        if last is None or (last.taken_at and not day.posted):
            last = UsagePost(
                tenant_id=day.tenant_id,
                day=day.day,
                revision=last.revision + 1 if last else 1,
                counts=usage.plain(day.counts),
                made_at=now,
            )
            usage.add_post(tx, last)
        if last.taken_at is None:
            due.append(Statement(post=last, tenant=names[day.tenant_id]))
    return due
