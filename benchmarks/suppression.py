"""Suppression at a million entries: the check of a mail, and the import, in one run.

The check is set against its floor: the same look into the same index by bare sqlite3. Both sides
alternate in small rounds and the best of each counts, so that the ratio holds on a busy machine; a
third of the recipients are on the list. The import runs in a process
of its own, which tells its time and the most memory it ever held.
Run: python benchmarks/suppression.py [rows]
"""

from __future__ import annotations

import asyncio
import json
import random
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from backend.clock import SystemClock, UlidIds
from backend.model.suppression import ImportWish
from backend.store.engine import open_database
from backend.suppression.check import held_back
from backend.suppression.importing import Importer, ImportListener

if TYPE_CHECKING:
    from backend.store.types import Tx

ROWS = 1_000_000
ROUNDS, IN_ROUND = 21, 200
RECIPIENTS = (1, 3, 50)
MOST_SECONDS, MOST_MEGABYTES, MOST_MILLISECONDS = 60.0, 200.0, 0.2
FLOOR = "SELECT * FROM suppressions WHERE address IN ({}) AND tenant_id IN ('', ?)"


def write_file(path: Path, rows: int) -> None:
    """Write a list in no order, as one comes from elsewhere; one line in fifty is there twice."""
    dice = random.Random(7)
    with path.open("w", encoding="ascii") as file:
        file.write("email,reason,created_at\n")
        for number in range(rows):
            at = f"2026-0{number % 9 + 1}-11T08:15:00Z"
            reason = "BOUNCE" if number % 3 else "COMPLAINT"
            address = f"{dice.getrandbits(40):x}.u{number}@d{dice.randrange(20_000)}.example"
            file.write(f"{address},{reason},{at}\n" * (2 if number % 50 == 0 else 1))


async def import_rows(folder: Path) -> None:
    """Import the file and tell how it went: the work of the other process."""
    db = open_database(f"sqlite:///{folder}/relay.db")
    began, chunks, last = time.perf_counter(), [], [0.0]

    def wrote(_rows: int, _total: int) -> None:
        now = time.perf_counter()
        chunks.append(now - last[0])
        last[0] = now

    importer = Importer(db, SystemClock(), UlidIds(), actor="benchmark")
    with (folder / "list.csv").open(encoding="utf-8-sig", newline="") as file:
        wish = ImportWish(source="list.csv", tenant_id="")
        report = await importer.run(file, wish, ImportListener(wrote=wrote))
    db.close()
    told = {
        "seconds": time.perf_counter() - began,
        "cpu": time.process_time(),
        "chunk": sorted(chunks[1:])[int(len(chunks) * 0.95) - 1],
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "added": report.added,
        "duplicates": report.duplicates,
    }
    print(json.dumps(told))


def check_rounds(
    tx: Tx, bare: sqlite3.Connection, size: int, listed: list[str]
) -> tuple[float, float]:
    """Give the seconds of a check and of its floor in the best round, for ``size`` recipients."""
    dice, now = random.Random(11), SystemClock().now()
    ours, floor = [], []
    for _ in range(ROUNDS):
        mails = [
            [
                dice.choice(listed)
                if dice.random() < 1 / 3
                else f"x{dice.getrandbits(40):x}@free.example"
                for _ in range(size)
            ]
            for _ in range(max(1, IN_ROUND // size))
        ]
        began = time.perf_counter()
        for mail in mails:
            held_back(tx, "ten_1", mail, now)
        ours.append((time.perf_counter() - began) / len(mails))
        began = time.perf_counter()
        for mail in mails:
            names = [*mail, *{address.partition("@")[2] for address in mail}]
            bare.execute(FLOOR.format(",".join("?" * len(names))), (*names, "ten_1")).fetchall()
        floor.append((time.perf_counter() - began) / len(mails))
    return min(ours), min(floor)


async def main(rows: int) -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_file(folder / "list.csv", rows)
        command = [sys.executable, __file__, "--import", name]
        told = json.loads(await asyncio.to_thread(subprocess.check_output, command))
        print(
            f"import  {told['added']:,} rows and {told['duplicates']:,} duplicates:"
            f" {told['seconds']:.1f} s ({told['cpu']:.1f} s of processor),"
            f" {told['megabytes']:.0f} MB,"
            f" 95 % of transactions within {told['chunk'] * 1000:.0f} ms"
        )
        url = f"{folder}/relay.db"
        db = open_database(f"sqlite:///{url}")
        bare = sqlite3.connect(url, check_same_thread=False)
        listed = [row[0] for row in bare.execute("SELECT address FROM suppressions LIMIT 5000")]
        worst = 0.0
        for size in RECIPIENTS:
            ours, floor = await db.read(check_rounds, bare, size, listed)
            worst = max(worst, ours * 1000 if size < 50 else 0.0)
            print(
                f"check   {size:2} recipients: {ours * 1e6:6.1f} us,"
                f" bare sqlite {floor * 1e6:6.1f} us, ratio {ours / floor:.1f}"
            )
        bare.close()
        db.close()
    good = told["seconds"] < MOST_SECONDS and told["megabytes"] < MOST_MEGABYTES
    return 0 if good and worst < MOST_MILLISECONDS else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["--import"]:
        asyncio.run(import_rows(Path(sys.argv[2])))
    else:
        sys.exit(asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS)))
