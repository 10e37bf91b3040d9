"""What is billed: counts per tenant, day in UTC and kind. No I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from backend.errors import InvalidInputError
from backend.model.explained import Explained

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

_MONTH = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])")


class UsageKind(Explained):
    """What Books bills by."""

    SENT = "sent", "Recipients SES has accepted."
    DELIVERED = "delivered", "Recipients whose server took the mail."
    INBOUND = "inbound", "Inbound messages taken in."
    FORWARDED = "forwarded", "Inbound messages that PSA, CRM or Portal took."
    WEBHOOKS = "webhooks", "Events that a tenant's webhook endpoints took."


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageDay:
    """One tenant's day; ``revision`` is what Books has last taken of it, 0 for nothing.

    ``posted`` tells that Books has these very counts.
    """

    tenant_id: str
    day: date
    counts: Mapping[UsageKind, int]
    revision: int = 0
    posted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UsagePost:
    """One statement to Books, written before it is posted; it never changes afterwards.

    ``taken_at`` is None until Books took it; a later revision replaces an earlier one.
    """

    tenant_id: str
    day: date
    revision: int
    counts: Mapping[str, int]
    made_at: datetime
    taken_at: datetime | None = None
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageQuery:
    """Which days are meant: from ``since`` to before ``until``, of one tenant or of all."""

    since: date
    until: date
    tenant_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageReport:
    """What one turn of posting did: statements taken, and those refused with the reason."""

    taken: int = 0
    refused: Mapping[str, str] = field(default_factory=dict)


def month_of(written: str, tenant_id: str | None = None) -> UsageQuery:
    """Give the query of a month written as 2026-11; raises InvalidInputError."""
    found = _MONTH.fullmatch(written)
    if found is None:
        raise InvalidInputError("month: write it as 2026-11", field="month")
    year, month = int(found[1]), int(found[2])
    until = date(year + month // 12, month % 12 + 1, 1)
    return UsageQuery(since=date(year, month, 1), until=until, tenant_id=tenant_id)
