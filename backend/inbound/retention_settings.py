"""How long received mail is kept, read from the settings. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from backend.errors import ConfigError
from backend.model.inbound import InboundStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backend.config import Config

MEGABYTE = 1_048_576
BY_SIZE = (
    InboundStatus.DISCARDED,
    InboundStatus.SUPPRESSED,
    InboundStatus.FORWARDED,
    InboundStatus.QUARANTINED,
)
"""Whose mail goes first when there is too much of it: what its target has is worth less than what
nobody has looked at. Held, unrouted and failed mail goes by age alone: nobody else has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionSettings:
    """``kept`` tells how long a state is kept after it came to rest; what is not in it, for ever.

    ``limit`` is how many bytes of raw mail may lie in the store, 0 for no limit. With ``with_raw``
    the raw mail goes with its row. ``horizon`` is the sweeper's.
    """

    kept: Mapping[InboundStatus, timedelta] = field(default_factory=dict)
    limit: int = 0
    with_raw: bool = True
    horizon: timedelta = timedelta(days=7)
    jobs_kept: timedelta = timedelta(days=90)
    every: timedelta = timedelta(hours=1)


def retention_settings(config: Config) -> RetentionSettings:
    """Read the settings; raises ConfigError when the sweeper would take deleted mail in again."""
    days = {
        InboundStatus.FORWARDED: config.retention_delivered_days,
        InboundStatus.HELD: config.retention_held_days,
        InboundStatus.UNROUTED: config.retention_held_days,
        InboundStatus.FAILED: config.retention_failed_days,
        InboundStatus.QUARANTINED: config.retention_quarantined_days,
        InboundStatus.SUPPRESSED: config.retention_suppressed_days,
        InboundStatus.DISCARDED: config.retention_discarded_days,
    }
    settings = RetentionSettings(
        kept={status: timedelta(days=n) for status, n in days.items() if n},
        limit=config.retention_size_mb * MEGABYTE,
        with_raw=config.retention_deletes_raw,
        horizon=timedelta(days=config.sweep_days),
        jobs_kept=timedelta(days=config.retention_jobs_days),
        every=timedelta(hours=config.retention_hours),
    )
    _check(settings, config)
    return settings


def _check(settings: RetentionSettings, config: Config) -> None:
    if settings.with_raw:
        return
    if settings.limit:
        raise ConfigError(
            "RELAY_RETENTION_SIZE_MB: raw mail can only be kept below a size when it is deleted;"
            " set RELAY_RETENTION_DELETES_RAW=true, or the size to 0"
        )
    shortest = min(settings.kept.values(), default=settings.horizon)
    if config.sweep_seconds and shortest < settings.horizon:
        raise ConfigError(
            f"RELAY_RETENTION_..._DAYS: rows kept {shortest.days} days whose raw mail stays would"
            f" be swept in again within RELAY_SWEEP_DAYS={config.sweep_days:g}; keep them longer,"
            " or set RELAY_RETENTION_DELETES_RAW=true"
        )
