"""One record of an imported file, judged: a row of the list, or what is wrong with it. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

from backend.errors import InvalidInputError
from backend.model.address import MAX_LOCAL, ascii_domain
from backend.model.moments import as_utc
from backend.model.patterns import read_pattern
from backend.model.storable import storable
from backend.model.suppression import SuppressionReason

if TYPE_CHECKING:
    from collections.abc import Set

    from backend.suppression.formats import Fields

Row: TypeAlias = tuple[str, str, int, str, str, str, str | None, str, str, str]
"""address, tenant, line, reason, detail, note, source mail, created, expires, spelling.

The first two are what the list is unique by, the third makes every row different; times are
ISO 8601 in UTC or empty. Plain values, for rows go through a file on their way.
"""

MAX_TEXT = 500
_PLAIN = re.compile(
    r"([A-Za-z0-9!#$%&*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&*+/=?^_`{|}~-]+)*)@([A-Za-z0-9.-]+)"
)
_REASONS = {
    **{reason.value: reason.value for reason in SuppressionReason},
    "bounced": "bounce",
    "hardbounce": "bounce",
    "permanent": "bounce",
    "complained": "complaint",
    "spam": "complaint",
    "abuse": "complaint",
    "unsubscribed": "unsubscribe",
    "optout": "unsubscribe",
}


class Judge:
    """Turns the records of one file into rows.

    ``tenant_id`` is whose list they go on, None when the lines say so themselves; then it must be
    one of ``tenants``. A line without a reason gets ``reason``; ``now`` is when it is imported.
    """

    def __init__(
        self,
        *,
        tenant_id: str | None,
        tenants: Set[str],
        reason: SuppressionReason,
        now: datetime,
    ) -> None:
        self._tenant_id = tenant_id
        self._tenants = tenants
        self._reason = reason.value
        self._now = now

    def row(self, line: int, fields: Fields) -> Row:
        """Give the row of a record; raises InvalidInputError with a sentence about it."""
        text, reason, detail, note, created, expires, tenant, source = fields
        address = read_address(text)
        bare = text.strip()
        return (
            address,
            self._tenant(tenant) if self._tenant_id is None else self._tenant_id,
            line,
            self._reason if not reason else read_reason(reason),
            storable(detail[:MAX_TEXT]),
            storable(note[:MAX_TEXT]),
            storable(source[:MAX_TEXT]) or None,
            self._created(created) if created else "",
            self._expires(expires) if expires else "",
            bare if bare != address and bare.lower() == address and "@" in address else "",
        )

    def _tenant(self, tenant: str) -> str:
        if tenant in self._tenants:
            return tenant
        if tenant:
            raise InvalidInputError(
                f"tenant: there is no tenant {tenant[:40]!r}; add it, or name one for all lines"
            )
        raise InvalidInputError("tenant: the line names none; name one for all lines")

    def _created(self, text: str) -> str:
        return min(read_moment(text, "created"), self._now).isoformat()

    def _expires(self, text: str) -> str:
        at = read_moment(text, "expires")
        if at <= self._now:
            raise InvalidInputError(f"expires: {text[:40]} is past; leave the line out")
        return at.isoformat()


def read_address(text: str) -> str:
    """Give the stored form of an address or domain; raises InvalidInputError.

    Nearly every line holds a plain address, and only the others are taken apart with care.
    """
    plain = _PLAIN.fullmatch(text)
    if plain is not None:
        local, host = plain.groups()
        domain = ascii_domain(host)
        if domain and len(local) <= MAX_LOCAL:
            return f"{local.lower()}@{domain}"
    return read_pattern(text, field="address", what="address or domain")


def read_reason(text: str) -> str:
    """Give a reason by our name or another system's; raises InvalidInputError."""
    known = _reason(text)
    if known is None:
        raise InvalidInputError(
            f"reason: {text[:40]!r} is not known; use {', '.join(SuppressionReason)}"
        )
    return known


@lru_cache(maxsize=256)
def _reason(text: str) -> str | None:
    return _REASONS.get("".join(filter(str.isalpha, text)).lower())


def read_moment(text: str, field: str) -> datetime:
    """Read ISO 8601, UTC when it names no zone, or seconds since 1970; raises InvalidInputError."""
    try:
        return as_utc(datetime.fromisoformat(text.strip()))
    except ValueError:
        try:
            return as_utc(datetime.fromtimestamp(float(text), tz=UTC))
        except (ValueError, OverflowError, OSError):
            raise InvalidInputError(
                f"{field}: {text[:40]!r} is no moment; write 2026-12-31T00:00:00Z"
            ) from None
