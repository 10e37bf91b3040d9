"""Mail made to exhaust its reader comes to rest, and the mail beside it does not suffer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.model.inbound import InboundStatus
from benchmarks.bombs import explode

if TYPE_CHECKING:
    from pathlib import Path

# benchmarks/bombs.py takes all of them: one read in a thread, one in a process, one refused
BOMBS = ("depth 1,000", "headers of 10 MB", "one long address")


async def test_three_bombs_come_to_rest_at_once_and_harm_no_other_mail(tmp_path: Path) -> None:
    report = await explode(tmp_path, BOMBS, ordinary=6)

    assert report.failures == []
    assert report.most_tries == 1
    assert (report.forwarded, report.ordinary) == (12, 12)
    assert report.together == {InboundStatus.QUARANTINED: 2, InboundStatus.HELD: 1}
    assert {bomb.reason for bomb in report.bombs} == {"unreadable", "target_refused"}
