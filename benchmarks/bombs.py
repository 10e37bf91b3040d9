"""Mail made to exhaust its reader, end to end, with ordinary mail between: who is harmed?

Each bomb first goes alone through intake, pipeline and desk, and the processor time of this process
and of its readers is taken. Then all go together with ordinary mail, whose time in the pipeline is
compared with that of the same mail alone. A bomb must come to rest within three tries and ten
seconds of processor time; every ordinary mail must be forwarded, once.

Run: python benchmarks/bombs.py [ordinary]      (default 1200 ordinary mails)
"""

from __future__ import annotations

import asyncio
import resource
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from statistics import quantiles
from typing import TYPE_CHECKING

from backend.clock import SystemClock, UlidIds
from backend.desk.server import Desk, DeskSettings
from backend.inbound.bounded import BoundedReader
from backend.inbound.intake import Intake
from backend.inbound.pipeline import Inbound, process
from backend.inbound.target_lines import TargetLines
from backend.inbound.targets import HttpTargets
from backend.model.inbound import Arrival, InboundStatus, TargetName
from backend.model.work import WorkKind
from backend.queue.supervisor import first_to_end
from backend.queue.worker import Worker, WorkerSettings
from backend.store import inbound as rows
from backend.store.blobs import FolderBlobs
from backend.store.engine import open_database
from benchmarks.inbound_soak import KEY, SHARED, add_acme, ordinary_mail
from tests.mail_bombs import BOMBS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping

    from backend.model.inbound import InboundMessage
    from backend.model.work import WorkItem

TRIES, PROCESSOR_SECONDS = 3, 10.0
PATIENCE = 600.0  # seconds without which a run counts as stuck
_ON_THE_WAY = {InboundStatus.RECEIVED, InboundStatus.FORWARDING}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bomb:
    """What became of one bomb that went alone."""

    name: str
    status: InboundStatus
    reason: str
    tries: int
    processor_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What became of all; the two p95 are of ordinary mail, without bombs and among them."""

    bombs: tuple[Bomb, ...]
    together: Mapping[InboundStatus, int]
    most_tries: int
    ordinary: int
    forwarded: int
    quiet_p95: float
    bombed_p95: float

    @property
    def failures(self) -> list[str]:
        """Give what must not be, in sentences."""
        said = [
            f"{bomb.name}: {bomb.tries} tries, {bomb.processor_seconds:.1f} s"
            for bomb in self.bombs
            if bomb.tries > TRIES or bomb.processor_seconds > PROCESSOR_SECONDS
        ]
        if self.most_tries > TRIES:
            said.append(f"together one took {self.most_tries} tries")
        if self.forwarded != self.ordinary:
            said.append(f"{self.ordinary - self.forwarded} ordinary mails were not forwarded")
        return said


@dataclass(slots=True)
class _Way:
    """Intake, worker and pipeline, which note tries and seconds of each message."""

    inbound: Inbound
    tries: dict[str, int] = field(default_factory=dict)
    seconds: Counter[str] = field(default_factory=Counter)

    @property
    def intake(self) -> Intake:
        inbound = self.inbound
        return Intake(inbound.db, inbound.blobs, inbound.clock, inbound.ids, inbound_domain=SHARED)

    async def handle(self, item: WorkItem) -> None:
        began = time.perf_counter()
        try:
            await process(item, self.inbound)
        finally:
            self.tries[item.ref] = item.attempts
            self.seconds[item.ref] += time.perf_counter() - began  # type: ignore[assignment]

    async def take_in(self, name: str, raw: bytes) -> str:
        key = f"in/{name}"
        await self.inbound.blobs.put(key, raw)
        arrival = Arrival(
            source="ses",
            blob_key=key,
            recipients=("support@acme.example",),
            received_at=self.inbound.clock.now(),
        )
        (inbound_id,) = await self.intake.take_in(arrival)
        return inbound_id

    async def at_rest(self, ids: Iterable[str]) -> dict[str, InboundMessage]:
        wanted = list(ids)
        while True:
            found = await self.inbound.db.read(rows.get_many, wanted)
            if all(message.status not in _ON_THE_WAY for message in found.values()):
                return found
            await asyncio.sleep(0.02)


async def explode(folder: Path, names: Iterable[str], ordinary: int) -> Report:
    """Run it once in an empty folder, with the bombs of these names."""
    db = open_database(f"sqlite:///{folder / 'relay.db'}")
    await db.write(add_acme)
    desk, lines = Desk(DeskSettings(folder=folder, integration_key=KEY)), TargetLines()
    at = await desk.start()
    clock = SystemClock()
    inbound = Inbound(
        db=db,
        blobs=FolderBlobs(folder / "mail"),
        targets=HttpTargets(dict.fromkeys(TargetName, at.psa_url), KEY, lines, clock),
        clock=clock,
        ids=UlidIds(),
        inbound_domain=SHARED,
    )
    way = _Way(inbound)
    settings = WorkerSettings(poll_seconds=0.02)
    worker = Worker(db, clock, {WorkKind.INBOUND: way.handle}, owner="bombs", settings=settings)
    reports: list[Report] = []
    try:
        async with asyncio.timeout(PATIENCE):
            work = partial(_work, way, tuple(names), ordinary, reports)
            await first_to_end(work, worker.run)
    finally:
        way.inbound.reader.close()
        await lines.close()
        await desk.stop()
        db.close()
    return reports[0]


async def _work(way: _Way, names: tuple[str, ...], ordinary: int, reports: list[Report]) -> None:
    raws = {name: BOMBS[name]() for name in names}
    alone = [bomb async for bomb in _alone(way, raws)]
    way.inbound = replace(way.inbound, reader=BoundedReader())
    quiet, _ = await _together(way, "quiet", {}, ordinary)
    bombed, bombs = await _together(way, "bombed", raws, ordinary)
    report = Report(
        bombs=tuple(alone),
        together=Counter(message.status for message in bombs),
        most_tries=max(way.tries.values()),
        ordinary=2 * ordinary,
        forwarded=sum(one.status is InboundStatus.FORWARDED for one in (*quiet, *bombed)),
        quiet_p95=_p95(way, quiet),
        bombed_p95=_p95(way, bombed),
    )
    reports.append(report)


async def _alone(way: _Way, raws: Mapping[str, bytes]) -> AsyncIterator[Bomb]:
    for name, raw in raws.items():
        way.inbound = replace(way.inbound, reader=BoundedReader())
        before = _processor()
        inbound_id = await way.take_in(f"alone-{name}", raw)
        (message,) = (await way.at_rest([inbound_id])).values()
        way.inbound.reader.close()  # its processes end and are counted
        yield Bomb(
            name=name,
            status=message.status,
            reason=message.reason.value,
            tries=way.tries[inbound_id],
            processor_seconds=_processor() - before,
        )


async def _together(
    way: _Way, label: str, raws: Mapping[str, bytes], ordinary: int
) -> tuple[list[InboundMessage], list[InboundMessage]]:
    """Take in the ordinary mails with the bombs spread among them; give what became of both."""
    every = max(1, ordinary // max(1, len(raws)))
    left, sent, bombs = list(raws), [], []
    for number in range(ordinary):
        serial = number if label == "quiet" else ordinary + number
        sent.append(await way.take_in(f"{label}-{number}", ordinary_mail(serial)))
        while left and (number % every == 0 or number == ordinary - 1):
            name = left.pop()
            bombs.append(await way.take_in(f"{label}-{name}", raws[name] + b"\r\nonce more"))
            if number < ordinary - 1:
                break
    found = await way.at_rest([*sent, *bombs])
    return [found[one] for one in sent], [found[one] for one in bombs]


def _p95(way: _Way, messages: Iterable[InboundMessage]) -> float:
    return quantiles((way.seconds[one.id] for one in messages), n=20)[-1]


def _processor() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def main() -> int:
    ordinary = int([*sys.argv[1:], "1200"][0])
    with tempfile.TemporaryDirectory() as folder:
        report = asyncio.run(explode(Path(folder), BOMBS, ordinary))
    for bomb in sorted(report.bombs, key=lambda one: -one.processor_seconds):
        print(
            f"{bomb.name:32} {bomb.status.value:12} {bomb.reason:28} {bomb.tries} tries"
            f" {bomb.processor_seconds:6.2f} s"
        )
    print(f"bombs {len(report.bombs)}, together: {dict(report.together)}")
    print(f"most tries {report.most_tries}; forwarded {report.forwarded} of {report.ordinary}")
    print(f"p95 quiet {report.quiet_p95:.3f} s, among bombs {report.bombed_p95:.3f} s")
    for failure in report.failures:
        print(failure, file=sys.stderr)
    return bool(report.failures)


if __name__ == "__main__":
    sys.exit(main())
