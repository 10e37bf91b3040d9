"""Nothing is lost and nothing doubled while notices are doubled, reordered and lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.inbound_soak import soak

if TYPE_CHECKING:
    from pathlib import Path

MESSAGES = 300  # benchmarks/inbound_soak.py runs 10,000


async def test_hundreds_of_messages_reach_the_desk_once_each(tmp_path: Path) -> None:
    report = await soak(tmp_path, MESSAGES, seed=7)

    assert (report.lost, report.delivered_twice) == (0, 0)
    assert (report.rows, report.forwarded, report.delivered) == (MESSAGES,) * 3
    assert report.swept == report.dropped > 0
    assert min(report.doubled, report.reordered) > MESSAGES * 0.07
