"""What became of the mail by day: live counts and sums agree, late news are taken in."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert, select

from backend.analytics.indexer import Indexer
from backend.analytics.log_desk import LogDesk
from backend.analytics.rollups import Rollups
from backend.errors import InvalidInputError
from backend.model.analytics import THRESHOLDS, Figure, Figures, Rate
from backend.model.outbound import RecipientStatus
from backend.model.stats import Counter
from backend.store import counters, daily, emails, log_changes
from backend.store.schema import events
from backend.store.schema_log import daily_outcomes
from tests.log_world import mails, write
from tests.waiting import until_async

if TYPE_CHECKING:
    from datetime import datetime

    from backend.model.analytics import Analytics
    from backend.store.engine import Database
    from backend.store.types import Tx
    from tests.settable import SettableClock

MACHINES = (("open", "automated"), ("click", "automated: https://x.example"))
DAY = timedelta(days=1)
WORLD = [mail for mail in mails(150, seed=3) if mail.way == "out"]
FIRST = daily.midnight(WORLD[0].at)
END = daily.midnight(WORLD[-1].at) + DAY


def event(
    number: int, mail_id: str, kind: str, at: datetime, detail: str = ""
) -> dict[str, object]:
    return {
        "id": f"evt_{number}",
        "source_id": f"src_{number}",
        "fact_key": f"fact_{number}",
        "email_id": mail_id,
        "ses_message_id": "x",
        "kind": kind,
        "detail": detail,
        "recipient": "",
        "occurred_at": at,
        "received_at": at,
    }


@pytest.fixture
async def filled(any_db: Database) -> Database:
    """Mail of some days, two of them opened, one twice."""

    def happen(tx: Tx) -> None:
        write(tx, WORLD)
        opened = [WORLD[0], WORLD[0], WORLD[1]]
        rows = [event(n, mail.id, "open", mail.at) for n, mail in enumerate(opened)]
        # machines only, as SES says: this counts for nobody
        for number, (kind, said) in enumerate(MACHINES, 90):
            rows.append(event(number, WORLD[2].id, kind, WORLD[2].at, said))
        tx.execute(insert(events), rows)
        for mail in WORLD:
            counters.bump(tx, mail.tenant_id, Counter.SENT, mail.at, len(mail.people))

    await any_db.write(happen)
    return any_db


def told(found: Analytics) -> tuple[object, ...]:
    days = [(one.day, dict(one.figures.counts)) for one in found.days]
    return days, {name: dict(one.counts) for name, one in found.products.items()}


async def test_sums_say_what_counting_says_and_late_news_renew_them(
    filled: Database, clock: SettableClock
) -> None:
    clock.set(END + DAY)
    desk = LogDesk(filled, clock)
    live = [await desk.analytics(FIRST, END, tenant) for tenant in (None, "ten_a")]
    totals = await desk.totals(FIRST, END, "ten_a")
    rollups = Rollups(filled, clock)
    await rollups.round()
    summed = [await desk.analytics(FIRST, END, tenant) for tenant in (None, "ten_a")]

    assert await filled.read(lambda tx: tx.execute(select(daily_outcomes)).first()) is not None
    assert list(map(told, summed)) == list(map(told, live))
    assert await desk.totals(FIRST, END, "ten_a") == totals
    mine = sum(len(mail.people) for mail in WORLD if mail.tenant_id == "ten_a")
    assert totals == {Counter.SENT: mine}
    assert live[0].total[Figure.ACCEPTED] == sum(len(mail.people) for mail in WORLD)
    assert live[0].total[Figure.OPENED] == 2

    late = next(mail for mail in WORLD if mail.status == "delivered" and mail.tags)
    clock.advance(3600)

    def complain(tx: Tx) -> None:
        email = emails.get(tx, late.id)
        assert email is not None
        worse = [replace(r, status=RecipientStatus.COMPLAINED) for r in email.recipients]
        emails.move(tx, late.id, worse)
        tx.execute(insert(events), [event(99, late.id, "complaint", clock.now())])

    await filled.write(complain)
    await rollups.round()
    after = await desk.analytics(FIRST, END)
    product = late.tags[0].partition("=")[2]
    assert after.total[Figure.COMPLAINED] == len(late.people)
    assert after.products[product][Figure.COMPLAINED] == len(late.people)
    assert after.total[Figure.DELIVERED] == live[0].total[Figure.DELIVERED]


async def test_a_span_is_widened_to_whole_days_and_bounded(
    filled: Database, clock: SettableClock
) -> None:
    desk = LogDesk(filled, clock)
    found = await desk.analytics(FIRST + timedelta(hours=5), FIRST + timedelta(hours=30))

    assert (found.since, found.until, len(found.days)) == (FIRST, FIRST + 2 * DAY, 2)
    for since, until in ((FIRST, FIRST), (FIRST - 500 * DAY, FIRST)):
        with pytest.raises(InvalidInputError):
            await desk.analytics(since, until)


def test_rates_have_no_value_without_mail_and_states_follow_the_thresholds() -> None:
    assert Figures().rate(Rate.BOUNCE) is None
    some = Figures(counts={Figure.SENT: 100, Figure.BOUNCED: 6, Figure.DELIVERED: 94})
    assert some.rate(Rate.BOUNCE) == 0.06
    assert THRESHOLDS[Rate.BOUNCE].state(0.06) == "warning"
    assert THRESHOLDS[Rate.BOUNCE].state(0.05) == "ok"
    assert THRESHOLDS[Rate.DELIVERY].state(some.rate(Rate.DELIVERY)) == "warning"
    assert THRESHOLDS[Rate.COMPLAINT].state(0.006) == "danger"
    assert THRESHOLDS[Rate.COMPLAINT].state(None) == "ok"


async def test_the_indexer_catches_up_and_rests(filled: Database) -> None:
    running = asyncio.ensure_future(Indexer(filled, look_seconds=0.01).run())

    async def nothing_waits() -> bool:
        return not await filled.read(log_changes.waiting, 1)

    await until_async(nothing_waits)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
