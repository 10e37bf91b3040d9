"""What the outbound way needs, gathered once by the composition root."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from backend.model.limits import NO_LIMITS, read_limits
from backend.outbound.decide import Patience
from backend.outbound.hearing import Hearing
from backend.outbound.pace import Pacer
from backend.reply_tokens import ReplyTokens

if TYPE_CHECKING:
    from backend.config import Config
    from backend.model.limits import SendLimits
    from backend.ports import Clock, Ids, MailTransport
    from backend.store.engine import Database

LINGER = 0.04  # seconds: a result may be lost for so much longer, a tenth of the writes remain
LARGE_AT_ONCE = 4  # mails of up to 40 MB in memory


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundSettings:
    """The part of Config the outbound way reads."""

    configuration_set: str
    patience: Patience
    linger: float = 0.0
    """Seconds within which results wait for each other, to be written together."""
    limits: SendLimits = NO_LIMITS
    """What holds for tenants without limits of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbound:
    """The dependencies of the outbound way; ``pacer`` is this process's share of the pace."""

    db: Database
    transport: MailTransport
    clock: Clock
    ids: Ids
    settings: OutboundSettings
    pacer: Pacer = field(default_factory=Pacer)
    hearing: Hearing | None = None
    """Since when events are heard; None stands for always."""
    calls: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(calls_at_once(8)))
    """Places from the turn to the end of the call: while SES is slow no more turns are taken, for
    they would all go out in one burst once it answers."""
    large: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(LARGE_AT_ONCE))
    tokens: ReplyTokens = field(default_factory=ReplyTokens)
    in_flight: set[tuple[str, str]] = field(default_factory=set)
    """Tenants and the Idempotency-Keys this process is working on."""

    @property
    def patience(self) -> Patience:
        """Give how long to wait for SEND events, as far as they are heard at present."""
        if self.hearing is None:
            return self.settings.patience
        return replace(self.settings.patience, listening_since=self.hearing.since())


def calls_at_once(threads: int) -> int:
    """Give how many places there are: for each thread a call, and one that is about to be made."""
    return threads * 2


def open_outbound(
    config: Config, db: Database, transport: MailTransport, clock: Clock, ids: Ids
) -> Outbound:
    """Join the outbound way as the configuration says."""
    return Outbound(
        db=db,
        transport=transport,
        clock=clock,
        ids=ids,
        settings=outbound_settings(config),
        hearing=Hearing(clock, polls=bool(config.events_queue_url)),
        calls=asyncio.Semaphore(calls_at_once(config.send_threads)),
        tokens=ReplyTokens(
            current=config.reply_token_secret.get_secret_value(),
            previous=config.reply_token_secret_previous.get_secret_value(),
        ),
    )


def outbound_settings(config: Config) -> OutboundSettings:
    """Take from the configuration what the outbound way reads."""
    return OutboundSettings(
        configuration_set=config.configuration_set,
        linger=LINGER,
        patience=Patience(
            unknown_wait=timedelta(seconds=config.unknown_wait_seconds),
            retry_for=timedelta(hours=config.retry_hours),
        ),
        limits=read_limits(config.send_limits),
    )
