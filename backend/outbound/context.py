"""What the outbound way needs, gathered once by the composition root."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from backend.outbound.decide import Patience
from backend.outbound.pace import Pacer
from backend.reply_tokens import ReplyTokens

if TYPE_CHECKING:
    from datetime import datetime

    from backend.config import Config
    from backend.ports import Clock, Ids, MailTransport
    from backend.store.engine import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundSettings:
    """The part of Config the outbound way reads."""

    configuration_set: str
    patience: Patience


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbound:
    """The dependencies of the outbound way; ``pacer`` is this process's share of the pace."""

    db: Database
    transport: MailTransport
    clock: Clock
    ids: Ids
    settings: OutboundSettings
    pacer: Pacer = field(default_factory=Pacer)
    tokens: ReplyTokens = field(default_factory=ReplyTokens)


def outbound_settings(config: Config, now: datetime) -> OutboundSettings:
    """Take from the configuration what the outbound way reads; ``now`` is when it opens."""
    return OutboundSettings(
        configuration_set=config.configuration_set,
        patience=Patience(
            unknown_wait=timedelta(seconds=config.unknown_wait_seconds),
            retry_for=timedelta(hours=config.retry_hours),
            listening_since=now,
        ),
    )
