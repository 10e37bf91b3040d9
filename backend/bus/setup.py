"""Build the bus from the settings, and give its handlers and desks; used by backend/app.py."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from backend.bus import webhook_secrets
from backend.bus.books import BOOKS, Books
from backend.bus.context import Bus
from backend.bus.fan_out import fan_out
from backend.bus.gate import Gate
from backend.bus.poster import Poster
from backend.bus.publish import publish
from backend.bus.signing import is_secret
from backend.bus.sweep import EVENT_SWEEPER, EventSweeper
from backend.bus.usage_desk import UsageDesk
from backend.bus.webhook import deliver
from backend.bus.webhook_desk import WebhookDesk
from backend.errors import ConfigError
from backend.model.work import WorkKind
from backend.sealing import seal_for

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import httpx

    from backend.config import Config
    from backend.model.work import WorkItem
    from backend.ports import Clock, Ids
    from backend.store.engine import Database

    Handler = Callable[[WorkItem], Awaitable[None]]

log = structlog.get_logger("bus")


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """All that tells others what happened."""

    bus: Bus
    books: Books
    sweeper: EventSweeper | None

    def loops(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """Give the loops that one process runs for all, by their roles."""
        loops: dict[str, Callable[[], Awaitable[None]]] = {}
        if self.books.configured:
            loops[BOOKS] = self.books.run
        if self.sweeper is not None:
            loops[EVENT_SWEEPER] = self.sweeper.run
        return loops

    def handlers(self) -> dict[WorkKind, Handler]:
        """Give every kind of work of the bus its handler."""
        return {
            WorkKind.PUBLISH: lambda item: fan_out(item, self.bus),
            WorkKind.BUS: lambda item: publish(item, self.bus),
            WorkKind.WEBHOOK: lambda item: deliver(item, self.bus),
        }

    def webhook_desk(self, nudge: Callable[[], None]) -> WebhookDesk:
        """Give the verbs of webhooks."""
        return WebhookDesk(self.bus, nudge)

    def usage_desk(self) -> UsageDesk:
        """Give the verbs of usage."""
        return UsageDesk(self.bus.db, self.books)

    async def start(self) -> None:
        """Seal secrets with the newest key, and say what the lack of one means."""
        await webhook_secrets.renew_all(self.bus)
        if self.bus.url and not self.bus.secret.get_secret_value():
            log.warning("bus_unsigned", hint="set RELAY_BUS_SECRET to sign what the bus gets")
        if not self.bus.seal.seals:
            log.warning("webhook_secrets_in_clear", hint="set RELAY_SECRETS_KEY to seal them")


def set_up_telling(
    config: Config, db: Database, http: httpx.AsyncClient, *, clock: Clock, ids: Ids
) -> Telling:
    """Join the parts; raises ConfigError for a secret that cannot sign."""
    secret = config.bus_secret.get_secret_value()
    if secret and not is_secret(secret):
        raise ConfigError(
            "RELAY_BUS_SECRET: must be whsec_ and base64 of 24 to 64 bytes; make one with"
            " `printf whsec_; openssl rand -base64 32`"
        )
    bus = Bus(
        db=db,
        client=http,
        poster=Poster(clock, inside=config.webhooks_inside),
        gate=Gate(clock),
        clock=clock,
        ids=ids,
        url=config.bus_api_url,
        key=config.integration_key,
        secret=config.bus_secret,
        disable_after=timedelta(days=config.webhook_disable_days),
        seal=seal_for(config.secrets_key.get_secret_value(), config.database_url),
    )
    books = Books(db, http, clock, url=config.books_api_url, key=config.integration_key)
    keep = timedelta(days=config.retention_events_days)
    sweeper = EventSweeper(db, clock, keep=keep) if keep else None
    return Telling(bus=bus, books=books, sweeper=sweeper)
