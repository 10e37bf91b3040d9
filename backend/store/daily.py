"""The figures of whole days, summed up once, so that ninety days are ninety rows and not a million.

A day that was not summed up yet is counted from its own rows when it is asked for: slower, never
wrong.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import delete, distinct, func, insert, select

from backend.model.analytics import DayFigures, Figure, Figures, added
from backend.model.feedback import AUTOMATED
from backend.model.stats import Counter
from backend.store.schema import counters, emails, events, recipients
from backend.store.schema_log import daily_counters, daily_marks, daily_outcomes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import ColumnElement

    from backend.store.types import Tx

DAY = timedelta(days=1)
FRESH = timedelta(minutes=2)
"""A sum of the present day is good for as long."""
_MEANS: dict[str, tuple[Figure, ...]] = {
    "queued": (),
    "suppressed": (Figure.SUPPRESSED,),
    "sent": (Figure.SENT,),
    "delayed": (Figure.SENT,),
    "delivered": (Figure.SENT, Figure.DELIVERED),
    "bounced": (Figure.SENT, Figure.BOUNCED),
    # who complains has got it
    "complained": (Figure.SENT, Figure.DELIVERED, Figure.COMPLAINED),
    "rejected": (Figure.FAILED,),
    "failed": (Figure.FAILED,),
}
_SEEN = {"open": Figure.OPENED, "click": Figure.CLICKED}


class _Cell(NamedTuple):
    tenant_id: str
    product: str
    figure: Figure


def midnight(at: datetime) -> datetime:
    """Give the beginning of the day of a moment, UTC."""
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def days_between(since: datetime, until: datetime) -> list[datetime]:
    """Give the midnights from ``since`` (one itself) to ``until`` (exclusive)."""
    return [since + n * DAY for n in range(-(-(until - since) // DAY))]


def sum_up(tx: Tx, day: datetime, now: datetime) -> None:
    """Sum a day up and mark it; what was summed up before is replaced."""
    for table in (daily_outcomes, daily_counters, daily_marks):
        tx.execute(delete(table).where(table.c.day == day))
    cells = [
        {"day": day, "tenant_id": c.tenant_id, "product": c.product, "name": c.figure.value, "n": n}
        for c, n in _count(tx, day, None).items()
    ]
    if cells:
        tx.execute(insert(daily_outcomes), cells)
    rows = select(counters.c.tenant_id, counters.c.name, func.sum(counters.c.n)).where(
        counters.c.minute >= day, counters.c.minute < day + DAY
    )
    sums = [
        {"day": day, "tenant_id": tenant_id, "name": name, "n": int(n)}
        for tenant_id, name, n in tx.execute(rows.group_by(counters.c.tenant_id, counters.c.name))
    ]
    if sums:
        tx.execute(insert(daily_counters), sums)
    tx.execute(insert(daily_marks).values(day=day, counted_at=now))


def unsummed(tx: Tx, now: datetime) -> list[datetime]:
    """Give the days before today that have mail and no sum, newest first."""
    first = tx.execute(select(func.min(emails.c.created_at))).scalar()
    if first is None:
        return []
    marked = set(tx.execute(select(daily_marks.c.day)).scalars())
    every = days_between(midnight(first), midnight(now))
    return [day for day in reversed(every) if day not in marked]


def touched(tx: Tx, since: datetime) -> list[datetime]:
    """Give the days whose mail SES told us of since a moment."""
    found = select(events.c.email_id).where(
        events.c.received_at >= since, events.c.email_id.is_not(None)
    )
    moments = select(emails.c.created_at).where(emails.c.id.in_(found))
    return sorted({midnight(at) for at in tx.execute(moments).scalars()})


def last_sum(tx: Tx) -> datetime | None:
    """Give when a day was last summed up."""
    return tx.execute(select(func.max(daily_marks.c.counted_at))).scalar()


def outcomes(
    tx: Tx, days: Sequence[datetime], tenant_id: str | None, now: datetime
) -> tuple[list[DayFigures], dict[str, Figures]]:
    """Give the figures by day and by product of some days in a row, oldest first."""
    summed = _summed(tx, days, now)
    cells: dict[datetime, dict[_Cell, int]] = {day: {} for day in days}
    if summed:
        t = daily_outcomes.c
        rows = select(daily_outcomes).where(t.day >= min(summed), t.day <= max(summed))
        if tenant_id is not None:
            rows = rows.where(t.tenant_id == tenant_id)
        for row in tx.execute(rows):
            if row.day in summed:
                cells[row.day][_Cell(row.tenant_id, row.product, Figure(row.name))] = row.n
    for day in days:
        if day not in summed:
            cells[day] = _count(tx, day, tenant_id)
    by_day = [DayFigures(day=day, figures=_figures(cells[day])) for day in days]
    products = sorted({cell.product for one in cells.values() for cell in one})
    return by_day, {name: _product(cells.values(), name) for name in products}


def totals(
    tx: Tx, since: datetime, until: datetime, tenant_id: str | None, now: datetime
) -> dict[Counter, int]:
    """Add the counters up from a midnight to a moment: whole days by their sums."""
    days = [day for day in days_between(since, until) if day + DAY <= until]
    summed = _summed(tx, days, now)
    t = daily_counters.c
    found: dict[Counter, int] = {}
    rows = select(t.name, func.sum(t.n)).where(t.day.in_(summed))
    if tenant_id is not None:
        rows = rows.where(t.tenant_id == tenant_id)
    for name, n in tx.execute(rows.group_by(t.name)):
        found[Counter(name)] = int(n)
    for day in days_between(since, until):
        if day not in summed:
            for counter, n in _minutes(tx, day, min(day + DAY, until), tenant_id).items():
                found[counter] = found.get(counter, 0) + n
    return found


def _minutes(tx: Tx, since: datetime, until: datetime, tenant_id: str | None) -> dict[Counter, int]:
    t = counters.c
    rows = select(t.name, func.sum(t.n)).where(t.minute >= since, t.minute < until)
    if tenant_id is not None:
        rows = rows.where(t.tenant_id == tenant_id)
    return {Counter(name): int(n) for name, n in tx.execute(rows.group_by(t.name))}


def _summed(tx: Tx, days: Sequence[datetime], now: datetime) -> set[datetime]:
    """Give those of the days whose sum is good: taken after the day, or just now."""
    if not days:
        return set()
    t = daily_marks.c
    marks = select(t.day, t.counted_at).where(t.day >= days[0], t.day <= days[-1])
    return {
        row.day
        for row in tx.execute(marks)
        if row.counted_at >= row.day + DAY or row.counted_at >= now - FRESH
    }


def _count(tx: Tx, day: datetime, tenant_id: str | None) -> dict[_Cell, int]:
    """Count the outcomes of a day from its rows."""
    product = func.coalesce(emails.c.tags["product"].as_string(), "")
    among: list[ColumnElement[bool]] = [
        emails.c.created_at >= day,
        emails.c.created_at < day + DAY,
    ]
    if tenant_id is not None:
        among.append(emails.c.tenant_id == tenant_id)
    keys = (emails.c.tenant_id.label("tenant_id"), product.label("product"))
    found: dict[_Cell, int] = {}
    by_status = select(*keys, recipients.c.status.label("word"), func.count().label("n"))
    joined = by_status.join(recipients, recipients.c.email_id == emails.c.id).where(*among)
    for row in tx.execute(joined.group_by("tenant_id", "product", "word")):
        for figure in (Figure.ACCEPTED, *_MEANS.get(row.word, ())):
            cell = _Cell(row.tenant_id, row.product, figure)
            found[cell] = found.get(cell, 0) + row.n
    by_kind = select(
        *keys, events.c.kind.label("word"), func.count(distinct(emails.c.id)).label("n")
    )
    seen = by_kind.join(events, events.c.email_id == emails.c.id)
    # what a machine opened, nobody has read
    by_people = events.c.detail.not_like(f"{AUTOMATED}%")
    seen = seen.where(*among, events.c.kind.in_(_SEEN), by_people)
    for row in tx.execute(seen.group_by(emails.c.tenant_id, "product", "word")):
        found[_Cell(row.tenant_id, row.product, _SEEN[row.word])] = row.n
    return found


def _figures(cells: Mapping[_Cell, int]) -> Figures:
    return added(Figures(counts={cell.figure: n}) for cell, n in cells.items())


def _product(days: Iterable[Mapping[_Cell, int]], name: str) -> Figures:
    return added(
        Figures(counts={cell.figure: n})
        for day in days
        for cell, n in day.items()
        if cell.product == name
    )
