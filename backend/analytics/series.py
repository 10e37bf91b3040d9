"""Reading analytics: the days asked for, their figures and rates, the counters of a while."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from backend.errors import InvalidInputError
from backend.model.analytics import Analytics
from backend.store import daily

if TYPE_CHECKING:
    from backend.model.stats import Counter
    from backend.store.types import Tx

LONGEST = 400
"""Days one question may span."""


def whole_days(since: datetime, until: datetime) -> tuple[datetime, datetime]:
    """Widen a span to midnights, UTC; raises InvalidInputError when it is none or too long."""
    first, end = daily.midnight(since), daily.midnight(until)
    end = end if end == until else end + daily.DAY
    if first >= end:
        raise InvalidInputError("until: is not after since", field="until")
    if end - first > timedelta(days=LONGEST):
        raise InvalidInputError(f"since: at most {LONGEST} days can be asked for", field="since")
    return first, end


def analytics(
    tx: Tx, since: datetime, until: datetime, tenant_id: str | None, now: datetime
) -> Analytics:
    """Give the figures from ``since`` to ``until``, both midnights, of one tenant or of all."""
    days = daily.days_between(since, until)
    by_day, products = daily.outcomes(tx, days, tenant_id, now)
    return Analytics(since=since, until=until, days=by_day, products=products)


def totals(
    tx: Tx, since: datetime, until: datetime, tenant_id: str | None, now: datetime
) -> dict[Counter, int]:
    """Add the counters up from the midnight of ``since`` to ``until``."""
    return daily.totals(tx, daily.midnight(since), until, tenant_id, now)
