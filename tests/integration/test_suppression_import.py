"""Importing and exporting whole lists, on both databases."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest

from backend.errors import InvalidInputError, NotFoundError
from backend.model.suppression import (
    ImportState,
    ImportWish,
    LineFault,
    SuppressionReason,
    SuppressionWish,
)
from backend.model.tenant import Tenant
from backend.model.views import SuppressionQuery
from backend.store import suppressions, tenants
from backend.suppression import importing
from backend.suppression.desk import SuppressionDesk
from backend.suppression.importing import ImportListener
from tests.settable import START, CountingIds, SettableClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from backend.ports import HeldAddress
    from backend.store.engine import Database

FILE = """address,reason,note
kim@client.example,bounce,first
lee@client.example,complaint,
nonsense,,
KIM@client.example,complaint,again
held@client.example,bounce,on the list already
blocked.example,,a domain
ann@client.example,,
"""


class NoAccount:
    """SES is not asked here."""

    async def pages(self) -> AsyncIterator[list[HeldAddress]]:
        nothing: tuple[list[HeldAddress], ...] = ()
        for page in nothing:
            yield page

    async def put(self, address: str, reason: SuppressionReason) -> None:
        raise AssertionError

    async def delete(self, spelling: str) -> bool:
        raise AssertionError


@pytest.fixture
async def desk(any_db: Database, clock: SettableClock, ids: CountingIds) -> SuppressionDesk:
    for tenant_id in ("ten_1", "ten_2"):
        await any_db.write(tenants.add, Tenant(id=tenant_id, name=tenant_id, created_at=START))
    made = SuppressionDesk(any_db, clock, ids, NoAccount())
    await made.add(SuppressionWish(address="held@client.example", tenant_id="ten_1"), actor="ann")
    return made


WISH = ImportWish(source="list.csv", tenant_id="ten_1")


async def listed(desk: SuppressionDesk) -> list[str]:
    return sorted(one.address for one in await desk.older(SuppressionQuery(), "", 99))


async def test_a_file_comes_on_the_list_in_chunks_and_off_it_again(
    desk: SuppressionDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "CHUNK", 2)
    wrote: list[tuple[int, int]] = []
    faults: list[LineFault] = []
    heard = ImportListener(wrote=lambda *told: wrote.append(told), fault=faults.append)
    dry = ImportWish(source="list.csv", tenant_id="ten_1", dry_run=True)
    would = await desk.import_file(io.StringIO(FILE), dry, actor="ann")
    assert await listed(desk) == ["held@client.example"]
    report = await desk.import_file(io.StringIO(FILE), WISH, actor="ann", heard=heard)

    assert (report.lines, report.added, report.duplicates, report.fault_count) == (7, 4, 2, 1)
    assert (would.id, would.lines, would.added, would.duplicates) == ("", 7, 4, 2)
    assert would.faults == report.faults == tuple(faults)
    assert [fault.line for fault in faults] == [4]
    assert wrote == [(2, 6), (4, 6), (5, 6)]
    kim = await desk.get("kim@client.example", "ten_1")
    assert (kim.reason, kim.note, kim.import_id) == (SuppressionReason.BOUNCE, "first", report.id)
    (done,) = await desk.imports()
    assert (done.state, done.added, done.duplicates, done.faults) == (ImportState.DONE, 4, 2, 1)
    # what has a cause of its own meanwhile is no longer the import's to take off
    await desk.add(SuppressionWish(address="lee@client.example", tenant_id="ten_1"), actor="bob")

    assert await desk.undo_import(report.id, actor="ann") == 3
    assert await listed(desk) == ["held@client.example", "lee@client.example"]
    (done,) = await desk.imports("ten_1")
    assert (done.state, done.undone_at) == (ImportState.UNDONE, START)
    with pytest.raises(InvalidInputError, match="undone already"):
        await desk.undo_import(report.id, actor="ann")
    with pytest.raises(NotFoundError, match="no import imp_9"):
        await desk.undo_import("imp_9", actor="ann")


async def test_what_no_database_takes_as_text_is_marked_and_ends_no_import(
    desk: SuppressionDesk,
) -> None:
    line = '{"address": "kim@client.example", "note": "\\u0000\\ud800", "source_id": "\\udfff"}\n'
    report = await desk.import_file(io.StringIO(line), WISH, actor="ann")
    by_hand = SuppressionWish(address="lee@client.example", tenant_id="ten_1", note="\ud800\0")
    lee = await desk.add(by_hand, actor="ann")

    assert (report.added, report.fault_count) == (1, 0)
    kim = await desk.get("kim@client.example", "ten_1")
    assert (kim.note, kim.source_email_id) == ("\ufffd\ufffd", "\ufffd")
    assert (await desk.get(lee.id, "ten_1")).note == "\ufffd\ufffd"


async def test_undo_leaves_what_a_person_has_removed_changed_or_put_back(
    desk: SuppressionDesk,
) -> None:
    names = ("gone", "again", "longer", "same")
    text = "".join(f"{name}@x.example,bounce\n" for name in names)
    report = await desk.import_file(io.StringIO(text), WISH, actor="ann")
    entries = {name: await desk.get(f"{name}@x.example", "ten_1") for name in names}
    for name in ("gone", "again"):
        await desk.remove(entries[name].id, actor="bob")
    for name in ("again", "longer"):
        wish = SuppressionWish(address=f"{name}@x.example", tenant_id="ten_1", note="by hand")
        await desk.add(wish, actor="bob")

    assert await desk.undo_import(report.id, actor="ann") == 1
    assert await listed(desk) == ["again@x.example", "held@client.example", "longer@x.example"]


@pytest.mark.parametrize(
    ("listed", "mail", "held"),
    [
        ("Kim@Client.Example", "kim@client.example", True),
        ("kim@client.example", "KIM@CLIENT.EXAMPLE", True),
        ("kim@client.example", "kim+news@client.example", False),
        ("kim+news@client.example", "kim@client.example", False),
        ("kim@m\u00fcnchen.example", "Kim@xn--mnchen-3ya.example", True),
        ("m\u00dcnchen.example.", "kim@xn--mnchen-3ya.example", True),
        ("client.example", "kim@mail.client.example", False),
        ("*.client.example", "kim@a.mail.client.example", True),
        ("*.client.example", "kim@client.example", False),
        ("*.client.example", "kim@notclient.example", False),
        ("@client.example", "kim@client.example", True),
    ],
)
async def test_what_an_entry_holds_back(
    desk: SuppressionDesk, listed: str, mail: str, held: bool
) -> None:
    await desk.add(SuppressionWish(address=listed, tenant_id="ten_1"), actor="ann")

    assert set(await desk.check([mail], "ten_1")) == ({mail} if held else set())


async def test_an_import_run_twice_adds_nothing_the_second_time(desk: SuppressionDesk) -> None:
    await desk.import_file(io.StringIO(FILE), WISH, actor="ann")
    again = await desk.import_file(io.StringIO(FILE), WISH, actor="ann")

    assert (again.added, again.duplicates, again.fault_count) == (0, 6, 1)
    assert await desk.undo_import(again.id, actor="ann") == 0
    assert len(await listed(desk)) == 5


async def test_lines_may_name_their_tenants(desk: SuppressionDesk) -> None:
    text = "tenant,email\nten_1,a@x.example\nten_2,a@x.example\nten_9,a@x.example\n"
    wish = ImportWish(source="all.csv")
    report = await desk.import_file(io.StringIO(text), wish, actor="ann")

    assert (report.added, report.fault_count) == (2, 1)
    assert "no tenant 'ten_9'" in report.faults[0].problem
    unknown = ImportWish(source="x", tenant_id="ten_9")
    with pytest.raises(NotFoundError, match="no tenant ten_9"):
        await desk.import_file(io.StringIO(text), unknown, actor="ann")


@pytest.mark.parametrize("form", ["csv", "jsonl"])
async def test_an_export_is_exactly_the_filter_and_an_import_reads_it_back(
    desk: SuppressionDesk, any_db: Database, form: str
) -> None:
    hostile = '=HYPERLINK("x")\t,\n+1'
    for address in ("=cmd@x.example", "Kim@x.example", "x.example"):
        wish = SuppressionWish(
            address=address, tenant_id="ten_2", note=hostile, reason=SuppressionReason.COMPLAINT
        )
        await desk.add(wish, actor="@ann")
    query = SuppressionQuery(tenant_id="ten_2")
    before = await desk.older(query, "", 99)
    text = "".join([piece async for piece in desk.export(query, form)])
    lines = text.splitlines() if form == "jsonl" else []

    assert "held@client.example" not in text
    assert "\n=" not in text.replace('"', "")
    assert [json.loads(line)["address"] for line in lines] in (
        [],
        ["x.example", "Kim@x.example", "=cmd@x.example"],
    )
    for one in before:
        await any_db.write(suppressions.remove, one.id)
    wish_back = ImportWish(source="back", tenant_id="ten_2")
    report = await desk.import_file(io.StringIO(text, newline=""), wish_back, actor="ann")
    after = await desk.older(query, "", 99)
    assert (report.added, report.fault_count) == (3, 0)
    said = [
        {(e.address, e.note, e.reason, e.created_at, e.spelling) for e in es}
        for es in (before, after)
    ]
    assert said[0] == said[1]


async def test_an_unknown_export_format_is_named(desk: SuppressionDesk) -> None:
    with pytest.raises(InvalidInputError, match="use one of csv, jsonl"):
        [piece async for piece in desk.export(SuppressionQuery(), "xml")]
