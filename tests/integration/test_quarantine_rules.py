"""What holds whatever people do: no target gets a message twice; both databases keep it all."""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING

import httpx
import pytest

from backend.inbound.hand_write import carry_out
from backend.inbound.reprocess import reprocess
from backend.model.inbound import (
    InboundMessage,
    InboundStatus,
    Reason,
    TargetName,
)
from backend.model.quarantine import (
    Attach,
    Discard,
    MarkSpam,
    Release,
    Reroute,
    Restore,
    SenderPart,
)
from backend.model.screening import ListKind
from backend.model.tenant import Tenant
from backend.store import audit, explanations, sender_lists, tenants
from backend.store import inbound as store
from backend.store.audit import Hand
from backend.store.blobs import FolderBlobs
from tests.integration.inbound_world import PASSED, LoopbackTarget, World, answer, mail
from tests.integration.quarantine_world import SAM, SPAM, SUPPORT, VIRUS, Quarantine, with_file

if TYPE_CHECKING:
    from pathlib import Path

    from backend.model.quarantine import Act, ActReport
    from backend.store.engine import Database
    from backend.store.types import Tx
    from tests.settable import CountingIds, SettableClock

ACTS: tuple[Act, ...] = (
    Release(),
    Release(allow=SenderPart.ADDRESS),
    Reroute(target=TargetName.PSA),
    Reroute(target=TargetName.PSA, ref="1042", again=True),
    Reroute(target=TargetName.CRM, ref="c-7", again=True),
    Reroute(target=TargetName.PORTAL, ref="1042"),
    Attach(to="ACM-1042"),
    Discard(),
    Restore(),
    MarkSpam(block=SenderPart.ADDRESS),
)


@pytest.mark.parametrize("seed", range(2))
async def test_whatever_people_do_no_target_gets_a_message_twice(
    db: Database, clock: SettableClock, ids: CountingIds, tmp_path: Path, seed: int
) -> None:
    dice = random.Random(seed)
    target = LoopbackTarget()
    await target.start()
    async with httpx.AsyncClient() as client:
        q = Quarantine(World(db, clock, ids, FolderBlobs(tmp_path), target, client))
        await q.world.settle_tenants()
        chosen = [
            await q.world.arrive(raw, to, verdicts=verdicts)
            for raw, to, verdicts in (
                (mail("a"), SUPPORT, SPAM),
                (with_file("run.bat"), SUPPORT, SPAM),
                (mail("c"), SUPPORT, VIRUS),
                (mail("d"), "nobody@acme.example", PASSED),
                (mail("e"), SUPPORT, PASSED),
                (mail("f", "In-Reply-To: <x@y.example>"), "ticket+9@acme.example", PASSED),
            )
        ]
        refusals = 0
        for _ in range(40):
            some = dice.sample(chosen, dice.randrange(1, 4))
            if dice.random() < 0.2:
                target.script.append(answer(dice.choice((404, 503))))
            if dice.random() < 0.2:
                await reprocess(db, clock, ids, some, actor=SAM)
            else:
                refusals += len((await q.act(dice.choice(ACTS), *some)).refused)
            clock.advance(dice.choice((1, 400)))
            await q.world.work()
        clock.advance(90_000)
        target.script.clear()
        await q.world.work()
        rows = [await q.world.row(one) for one in chosen]
        taken = Counter(
            call.headers["idempotency-key"] for call in target.calls if call.answered == 201
        )
    await target.stop()
    assert refusals
    assert taken
    assert set(taken.values()) == {1}
    assert not [row for row in rows if row.status is InboundStatus.RECEIVED]
    virus = rows[2]
    assert not [key for key in taken if key.startswith(virus.id)]


def test_both_databases_keep_what_people_do(
    any_db: Database, clock: SettableClock, ids: CountingIds
) -> None:
    hand = Hand(actor=SAM, at=clock.now(), ids=ids)

    def scene(tx: Tx) -> list[ActReport]:
        tenants.add(tx, Tenant(id="acme", name="Acme", created_at=clock.now()))
        store.add(tx, held(clock))
        acts: tuple[Act, ...] = (
            MarkSpam(block=SenderPart.ADDRESS),
            Restore(),
            Discard(note="noise"),
            Restore(),
            Reroute(target=TargetName.CRM, ref="c-7"),
        )
        return [carry_out(tx, hand, ["inb_1", "inb_2"], act, {}) for act in acts]

    import asyncio

    reports = asyncio.run(any_db.write(scene))
    row, steps, told, blocked = asyncio.run(any_db.read(_read))

    assert [len(report.done) for report in reports] == [1] * 5
    assert {one.why for report in reports for one in report.refused} == {"there is no such message"}
    assert row is not None
    assert (row.status, row.reason) == (InboundStatus.RECEIVED, Reason.ROUTED_BY_HAND)
    assert row.by_hand.route is not None
    assert (row.by_hand.route.target, row.by_hand.routed_by) == (TargetName.CRM, SAM)
    assert steps == ["routed_by_hand"]
    assert told == 7  # five acts, a block and its end
    assert blocked == []


def held(clock: SettableClock) -> InboundMessage:
    return InboundMessage(
        id="inb_1",
        tenant_id="acme",
        source="test",
        blob_key="in/1",
        recipient=SUPPORT,
        envelope_from="jo@client.example",
        status=InboundStatus.QUARANTINED,
        reason=Reason.SPAM_VERDICT,
        received_at=clock.now(),
        size=1,
        verdicts=SPAM,
        from_address="jo@client.example",
    )


def _read(tx: Tx) -> tuple[InboundMessage | None, list[str], int, list[object]]:
    return (
        store.get(tx, "inb_1"),
        [step.reason.value for step in explanations.newest(tx, "inb_1")],
        len(audit.newest(tx, 50)),
        list(sender_lists.entries(tx, ListKind.BLOCK)),
    )
