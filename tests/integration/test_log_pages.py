"""The log: both directions in one list, searched, paged by place, counted, followed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from backend.analytics.log_desk import LogDesk
from backend.errors import InvalidInputError, NotFoundError
from backend.model.log import COUNTED, LogQuery, LogSort, LogSpan
from backend.model.log_words import read_log_query
from backend.model.outbound import EmailStatus
from backend.store import emails, log, log_changes, log_index
from tests.log_world import NOW, Mail, email_of, mails, matches, write

if TYPE_CHECKING:
    from backend.store.engine import Database
    from backend.store.types import Tx
    from tests.settable import SettableClock

WORLD = mails(110)
SENT = next(mail.id for mail in WORLD if mail.way == "out")
TAKEN = next(mail.id for mail in WORLD if mail.way == "in")
LINES = """
printer
#77
größe
-printer été
"100% #1"
[x]
*star*
bob_1
bobx1
b%b
ann@client.example
to:ann@client.example
-to:ann@client.example dir:out
to:desk from:bob
from:"help desk" subject:order
domain:client.example
domain:example
-domain:client.example
subject:"invoice 100%"
tag:product
tag:product=psa
-tag:product=psa dir:out
tag:prod
status:bounced
status:bounced,failed,quarantined
-status:delivered,forwarded
status:failed printer
status:quarantined status:failed
dir:in müller
dir:out is:bad
is:scheduled
since:2026-11-05 until:2026-11-07
since:2026-11-05 until:2026-11-07 printer
since:2030-01-01
id:msg_00
id:msg_0001
x
zz
'; DROP TABLE emails; --
""".strip().splitlines()


@pytest.fixture
async def filled(any_db: Database) -> Database:
    """A database with WORLD in it, half of it in the search index."""
    await any_db.write(write, WORLD)
    await any_db.write(log_index.index_some, len(WORLD) // 2)
    return any_db


def newest_first(found: list[Mail]) -> list[str]:
    return [mail.id for mail in sorted(found, key=lambda m: (m.at, m.id), reverse=True)]


def pages_of(tx: Tx, query: LogQuery, size: int, *, backward: bool = False) -> list[str]:
    """Read a whole log page by page from one end, and give its ids in log order."""
    found: list[str] = []
    span = LogSpan(size=size, backward=backward)
    while True:
        page = log.page(tx, query, span)
        ids = [entry.id for entry in page.entries]
        found = ids + found if backward else found + ids
        if not page.more:
            return found
        edge = page.entries[0 if backward else -1]
        span = replace(span, place=edge.cursor(query.sort))


def expected_of(line: str) -> tuple[LogQuery, list[str]]:
    query = read_log_query(line, NOW)
    if "is:bad" in line:
        bad = [m for m in WORLD if m.way == "out" and m.status in {"bounced", "failed"}]
        return query, newest_first(bad)
    if "is:scheduled" in line:
        return query, []
    return query, newest_first([mail for mail in WORLD if matches(mail, query)])


async def test_every_query_finds_what_reading_every_mail_finds(filled: Database) -> None:
    """Searched half in the index and half in the rows that wait, then wholly in the index."""

    def differing(tx: Tx) -> dict[str, tuple[list[str], list[str]]]:
        wrong = {}
        for line in LINES[:: 1 if tx.dialect.name == "sqlite" else 4]:
            query, expected = expected_of(line)
            got = pages_of(tx, query, 40)
            back = pages_of(tx, query, 70, backward=True)
            n = log.count(tx, query)
            if got != expected or back != expected or (n.n, n.exact) != (len(expected), True):
                wrong[line] = (got, expected)
        return wrong

    assert await filled.read(differing) == {}
    while await filled.write(log_index.index_some, 50):
        pass
    assert await filled.read(differing) == {}
    assert await filled.read(log_changes.waiting, 1) == []


async def test_any_part_is_reached_from_any_place_and_in_any_order(filled: Database) -> None:
    def check(tx: Tx) -> None:
        for sort in LogSort:
            for ascending in (False, True):
                query = LogQuery(sort=sort, ascending=ascending)
                whole = pages_of(tx, query, 44)
                assert sorted(whole) == sorted(mail.id for mail in WORLD)
                assert pages_of(tx, query, 60, backward=True) == whole
                middle = log.page(tx, query, LogSpan(size=10, skip=50)).entries
                assert [one.id for one in middle] == whole[50:60]
                place = middle[0].cursor(sort)
                after = log.page(tx, query, LogSpan(size=5, place=place, skip=7)).entries
                before = LogSpan(size=5, place=place, skip=7, backward=True)
                assert [one.id for one in after] == whole[58:63]
                assert [one.id for one in log.page(tx, query, before).entries] == whole[38:43]

    await filled.read(check)


async def test_sorting_by_a_column_sorts_by_that_column(filled: Database) -> None:
    for sort, key in (("status", "status"), ("recipient", "recipient"), ("subject", "subject")):
        query = LogQuery(sort=LogSort(sort), ascending=True)
        page = await filled.read(log.page, query, LogSpan(size=len(WORLD)))
        values = [getattr(entry, key).casefold() for entry in page.entries]
        assert values == sorted(values)


async def test_lines_have_the_first_recipient_and_count_the_rest(filled: Database) -> None:
    page = await filled.read(log.page, LogQuery(), LogSpan(size=len(WORLD)))
    by_id = {mail.id: mail for mail in WORLD}

    assert {(e.id, e.recipient, e.more_recipients, e.sender) for e in page.entries} == {
        (m.id, m.people[0], len(m.people) - 1, m.sender) for m in by_id.values()
    }


async def test_a_count_stops_at_its_limit_and_says_so(filled: Database) -> None:
    for line in ("status:delivered", "printer"):
        found = await filled.read(log.count, read_log_query(line, NOW), 5)
        assert (found.n, found.exact, str(found)) == (5, False, "5+")
    whole = await filled.read(log.count, LogQuery(), 5)
    assert (whole.n, whole.exact) == (len(WORLD), True)


async def test_too_many_to_sort_are_refused_with_what_to_do(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "COUNTED", 20)
    await db.write(write, mails(30))

    with pytest.raises(InvalidInputError, match="narrow the filter first"):
        await db.read(log.page, LogQuery(sort=LogSort.SUBJECT), LogSpan(size=5))
    assert COUNTED == 10_000


async def test_news_are_what_came_and_what_changed_once_each(
    filled: Database, clock: SettableClock
) -> None:
    desk = LogDesk(filled, clock)
    page, mark = await desk.begin(LogQuery(), 3)
    late = [replace(mail, id=f"msg_9{n}") for n, mail in enumerate(mails(3, seed=9))]
    late = [replace(mail, way="out", status="queued", tags=()) for mail in late]
    sent = next(mail for mail in WORLD if mail.way == "out" and mail.status == "sent")

    def happen(tx: Tx) -> None:
        emails.insert_many(tx, [(email_of(replace(mail, status="sent")), b"") for mail in late])
        emails.set_status(tx, sent.id, EmailStatus.BOUNCED)
        emails.set_status(tx, sent.id, EmailStatus.COMPLAINED)

    await filled.write(happen)
    news = await desk.news(LogQuery(), mark)
    fresh = [one for one in news.entries if one.id in {sent.id, *(mail.id for mail in late)}]
    nothing = await desk.news(LogQuery(), news.mark)

    assert [entry.id for entry in page.entries] == newest_first(WORLD)[:3]
    # on PostgreSQL what was written shortly before the mark is told once more
    assert {one.id for one in fresh} == {sent.id, *(mail.id for mail in late)}
    assert next(one for one in fresh if one.id == sent.id).status == "complained"
    assert nothing.mark == news.mark
    narrow = await desk.news(read_log_query("status:complained", NOW), mark)
    assert [one.id for one in narrow.entries] == [sent.id]


async def test_an_export_gives_every_line_once(filled: Database, clock: SettableClock) -> None:
    found = [e.id async for page in LogDesk(filled, clock).every(LogQuery()) for e in page]

    assert found == newest_first(WORLD)


async def test_a_mail_is_found_by_any_name_it_has(filled: Database, clock: SettableClock) -> None:
    desk = LogDesk(filled, clock)
    for name, mail_id in (
        (f" {SENT} ", SENT),
        (TAKEN, TAKEN),
        (f"ses-{SENT}", SENT),
        (f"<ses-{SENT}@eu-west-1.amazonses.com>", SENT),
        (f"<{TAKEN}@mx.example>", TAKEN),
    ):
        assert await desk.find(name) == mail_id
    ann = [m for m in WORLD if "ann@client.example" in (*m.people, m.sender)]
    found = await desk.find("Ann@client.example")
    newest = next(m for m in WORLD if m.id == found)
    assert newest.at == max(m.at for m in ann)


async def test_a_mail_of_another_tenant_is_not_found(
    filled: Database, clock: SettableClock
) -> None:
    desk = LogDesk(filled, clock)
    mine = next(mail for mail in WORLD if mail.tenant_id == "ten_a")

    assert await desk.find(mine.id, "ten_a") == mine.id
    for name, tenant in ((mine.id, "ten_b"), ("nobody@nowhere.example", None), ("", None)):
        with pytest.raises(NotFoundError, match="name it by our id"):
            await desk.find(name, tenant)
