"""The log at a million mails: pages, filters, searches and counts against a bare key range.

The floor is one read of 50 rows by primary key range with the driver alone, in the same run; the
two sides alternate. Trust the ratio, not the figures.

Run: python benchmarks/log.py [FILE [MAILS]]    (an existing FILE is measured as it is)
"""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from backend.analytics.log_desk import LogDesk
from backend.clock import SystemClock
from backend.model.log import LogQuery, LogSort, LogSpan
from backend.model.log_words import read_log_query
from backend.store import log, migrate, tenants
from backend.store.engine import open_database
from backend.store.log_index import SUBJECT
from backend.store.schema_log import SLOTS
from relay_console.clipboard import Clipboard
from relay_console.session import Session
from relay_console.viewmodel.log_source import LogSource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from backend.model.tenant import Tenant
    from backend.store.engine import Database
    from relay_console.service import Service

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAYS = 90
TENANTS = 40
ROUNDS = 25
STATUSES = ["delivered"] * 88 + ["sent"] * 5 + ["bounced"] * 3 + ["complained"] + ["failed"] * 3
ARRIVALS = ["forwarded"] * 90 + ["quarantined"] * 6 + ["held"] * 4
WORDS = [
    "invoice",
    "ticket",
    "printer",
    "offline",
    "contract",
    "reading",
    "password",
    "reset",
    "order",
    "delivery",
    "backup",
]
Row = tuple[Any, ...]


def fill(path: Path, mails: int) -> None:
    """Write ``mails`` mails of DAYS days into a new database, one in ten received."""
    migrate.upgrade(f"sqlite:///{path}")
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("PRAGMA synchronous=OFF")
        raw.execute("PRAGMA cache_size=-400000")
        names = [(f"ten_{n}", f"Tenant {n}", 0) for n in range(TENANTS)]
        raw.executemany("INSERT INTO tenants (id, name, created_at) VALUES (?, ?, ?)", names)
        for start in range(0, mails, 50_000):
            _insert(raw, list(_mails(start, min(mails, start + 50_000), mails)))
            raw.commit()


def _mails(start: int, end: int, mails: int) -> Iterator[dict[str, Any]]:
    first = NOW - timedelta(days=DAYS)
    for n in range(start, end):
        dice = random.Random(n)  # data, no secret
        at = int((first + timedelta(days=DAYS) * (n / mails)).timestamp() * 1000)
        received = n % 10 == 9
        tenant = int(TENANTS * dice.random() ** 2)
        person = f"user{dice.randrange(200_000)}@client{dice.randrange(2_000)}.example"
        subject = f"{dice.choice(WORDS)} {dice.choice(WORDS)} #{dice.randrange(10**6)}"
        yield {
            "id": f"{'inb' if received else 'msg'}_{n:026d}",
            "in": received,
            "tenant": f"ten_{tenant}",
            "at": at,
            "person": person,
            "desk": f"desk@tenant{tenant}.example",
            "subject": subject,
            "status": dice.choice(ARRIVALS if received else STATUSES),
            "product": dice.choice(("psa", "crm", "portal")),
        }


def _insert(raw: sqlite3.Connection, mails: list[dict[str, Any]]) -> None:
    sent = [m for m in mails if not m["in"]]
    raw.executemany(
        "INSERT INTO emails (id, tenant_id, thread_id, sender, subject, status, tags, created_at,"
        " sent_at, ses_message_id, error, reply_token, reply_address)"
        " VALUES (:id, :tenant, :id, :desk, :subject, :status, :tags, :at, :at, :id, '', '', '')",
        [m | {"tags": json.dumps({"product": m["product"]})} for m in sent],
    )
    raw.executemany(
        "INSERT INTO recipients (email_id, address, kind, status, updated_at, detail)"
        " VALUES (:id, :person, 'to', :status, :at, '')",
        sent,
    )
    raw.executemany(
        "INSERT INTO inbound (id, tenant_id, source, blob_key, recipient, envelope_from, verdicts,"
        " size, status, reason, received_at, message_id, from_address, from_name, subject, text,"
        " reply_text, reply_match_status, match_flags, kind, external_id, content_sha256, tags,"
        " fields) VALUES (:id, :tenant, 'x', :id, :desk, :person, '{}', 900, :status, 'delivered',"
        " :at, :id, :person, '', :subject, '', '', 'none', '[]', 'human', '', '', '[]', '{}')",
        [m for m in mails if m["in"]],
    )
    raw.executemany(
        "INSERT INTO log_search (rowid, id, words) VALUES (?, ?, ?)", map(_search_row, mails)
    )


def _search_row(mail: dict[str, Any]) -> Row:
    people = [mail["person"], mail["desk"]]
    tags = [] if mail["in"] else [f"#product={mail['product']}"]
    words = "\n" + "\n".join([*people, *tags]) + f"\n{SUBJECT}{mail['subject']}"
    return mail["at"] * SLOTS, mail["id"], words


def cases(total: int) -> dict[str, tuple[LogQuery, LogSpan]]:
    """Give what is measured, by name."""
    middle = LogSpan(size=50, skip=total // 2)

    def words(line: str) -> LogQuery:
        return read_log_query(line, NOW)

    tenant = LogQuery(tenant_id="ten_3")
    return {
        "first page": (LogQuery(), LogSpan(size=50)),
        "page in the middle, by position": (LogQuery(), middle),
        "last page": (LogQuery(), LogSpan(size=50, backward=True)),
        "page of one tenant": (tenant, LogSpan(size=50)),
        "page of a status": (words("status:bounced"), LogSpan(size=50)),
        "page of three statuses": (words("status:bounced,failed,held"), LogSpan(size=50)),
        "page by status": (LogQuery(sort=LogSort.STATUS), LogSpan(size=50)),
        "page of a day": (words("since:2026-10-01 until:2026-10-02"), LogSpan(size=50)),
        "search: a full address": (words("to:user77@client77.example"), LogSpan(size=50)),
        "search: a rare number": (words("#123456"), LogSpan(size=50)),
        "search: a common word": (words("printer"), LogSpan(size=50)),
        "search: a domain": (words("domain:client5.example"), LogSpan(size=50)),
        "search: a tag": (words("tag:product=crm"), LogSpan(size=50)),
        "search: two words, bounced": (words("printer reset status:bounced"), LogSpan(size=50)),
        "by id": (words(f"id:msg_{total // 20 * 10:026d}"), LogSpan(size=50)),
        "search: nothing": (words("nobody@nowhere"), LogSpan(size=50)),
    }


COUNTS = {
    "count: everything, exact": ("", None),
    "count: a status, capped": ("status:delivered", 10_000),
    "count: a status, exact": ("status:delivered", None),
    "count: sent, exact": ("dir:out", None),
    "count: 30 days, exact": ("since:30d", None),
    "count: a common word, capped": ("printer", 10_000),
}


async def timed(action: Callable[[], Any]) -> float:
    """Run something once and give milliseconds."""
    began = time.perf_counter()
    await action()
    return (time.perf_counter() - began) * 1000


async def measure(path: Path, size: int) -> None:
    """Measure every case and print a line for each."""
    db = open_database(f"sqlite:///{path}")
    bare = sqlite3.connect(path)
    total = (await db.read(log.count, LogQuery())).n
    ids = [f"msg_{n * 10 + 1:026d}" for n in range(0, total // 10, max(1, total // 1000))]

    async def floor() -> None:
        query = "SELECT * FROM emails WHERE id >= ? ORDER BY id LIMIT 50"
        bare.execute(query, (random.choice(ids),)).fetchall()

    print(f"{total:,} mails, {size / 2**20:,.0f} MB, {ROUNDS} rounds")
    print(f"{'':36}{'p50 ms':>9}{'p95 ms':>9}{'/ floor':>9}")
    for name, (query, span) in cases(total).items():
        await report(name, floor, partial(db.read, log.page, query, span))
    for name, (line, limit) in COUNTS.items():
        query = read_log_query(line, NOW)
        await report(name, floor, partial(db.read, log.count, query, limit))
    bare.close()
    db.close()


async def measure_console(path: Path) -> None:
    """Measure what the Logs screen waits for: its row source, scrolled, jumped and counted."""
    db = open_database(f"sqlite:///{path}")
    sent: list[str] = []
    clipboard = Clipboard(osc52=sent.append, folder=Path(), environ={})
    session = Session(actor="", readonly=True, clock=lambda: NOW, clipboard=clipboard)
    session.use(cast("Service", _Desk(db)))
    print(
        f"\n{'the Logs screen, p95 ms':36}{'rows':>11}{'count':>8}{'pgdn':>7}{'end':>7}{'jump':>7}"
    )
    for line in ("", "status:bounced", "tenant:ten_3", "printer"):
        source = LogSource(session, line)
        total = 0

        async def count() -> None:
            nonlocal total
            total = await source.count()  # noqa: B023  # awaited in this turn

        counted = await timed(count)
        places = {
            "pgdn": [38 * n for n in range(40)],
            "end": [total - 76 - 38 * n for n in range(40)],
            "jump": [random.randrange(max(1, total - 76)) for _ in range(20)],
        }
        took = {
            name: [await timed(partial(source.page, max(0, at), 76)) for at in starts]
            for name, starts in places.items()
        }
        p95 = (sorted(ms)[int(len(ms) * 0.95)] for ms in took.values())
        print(f"{line:36}{total:>11,}{counted:8.1f}" + "".join(f"{ms:7.1f}" for ms in p95))
    db.close()


class _Desk:
    """The two verbs a row source of the log needs."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.mail_log = LogDesk(db, SystemClock())

    async def tenants(self) -> list[Tenant]:
        return await self._db.read(tenants.all_by_name)


async def report(name: str, floor: Callable[[], Any], action: Callable[[], Any]) -> None:
    """Measure one case, alternating with the floor."""
    took, least = [], []
    began = time.perf_counter()
    for _ in range(ROUNDS):
        least.append(await timed(floor))
        took.append(await timed(action))
        if time.perf_counter() - began > 5:
            break
    p50, base = statistics.median(took), statistics.median(least)
    p95 = sorted(took)[int(len(took) * 0.95)]
    print(f"{name:36}{p50:9.2f}{p95:9.2f}{p50 / base:9.1f}")


def main() -> None:
    """Fill a file, unless there is one, and measure."""
    given = sys.argv[1:]
    if given and given[0].startswith("-"):
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(given[0]) if given else Path(folder) / "log.db"
        if not path.exists():
            began = time.perf_counter()
            fill(path, int(given[1]) if given[1:] else 1_000_000)
            print(f"filled in {time.perf_counter() - began:.0f} s")
        asyncio.run(measure(path, path.stat().st_size))
        asyncio.run(measure_console(path))


if __name__ == "__main__":
    main()
