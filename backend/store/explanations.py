"""Why each inbound message went its way: steps in order, one run per time it was processed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, func, insert, select

from backend.model.inbound import Finding, Reason, Stage, Step
from backend.store.bulk import Bulk
from backend.store.schema import explanation_steps as t

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from backend.store.types import Tx


def add_run(tx: Tx, inbound_id: str, steps: Sequence[Step], at: datetime) -> int:
    """Begin a new run with these steps and give its number, from 1."""
    run = _newest_run(tx, inbound_id) + 1
    _INSERT.run(tx, _rows((inbound_id, run, 0), steps, at))
    return run


def append(tx: Tx, inbound_id: str, steps: Sequence[Step], at: datetime) -> None:
    """Add steps to the newest run; the first run is made when there is none."""
    append_all(tx, {inbound_id: (steps, at)})


def append_all(tx: Tx, added: Mapping[str, tuple[Sequence[Step], datetime]]) -> None:
    """Add steps, and when they were taken, to the newest runs of several messages."""
    ends: dict[str, tuple[int, int]] = {}
    for row in tx.execute(_ENDS, {"ids": list(added)}):
        ends[row.inbound_id] = max(ends.get(row.inbound_id, (1, 0)), (row.run, row.steps))
    rows = []
    for inbound_id, (steps, at) in added.items():
        run, length = ends.get(inbound_id, (1, 0))
        rows += _rows((inbound_id, run, length), steps, at)
    _INSERT.run(tx, rows)


def begin_all(tx: Tx, begun: Mapping[str, tuple[Sequence[Step], datetime]]) -> None:
    """Write the first steps, and when they were taken, of messages that are new."""
    rows = []
    for inbound_id, (steps, at) in begun.items():
        rows += _rows((inbound_id, 1, 0), steps, at)
    _INSERT.run(tx, rows)


def newest(tx: Tx, inbound_id: str) -> tuple[Step, ...]:
    """Give the steps of the newest run, in order."""
    return of_run(tx, inbound_id, _newest_run(tx, inbound_id))


def of_run(tx: Tx, inbound_id: str, run: int) -> tuple[Step, ...]:
    """Give the steps of one run, in order; runs count from 1."""
    rows = select(t).where(t.c.inbound_id == inbound_id, t.c.run == run).order_by(t.c.position)
    return tuple(
        Step(
            stage=Stage(row.stage),
            finding=Finding(row.finding),
            reason=Reason(row.reason),
            evidence=row.evidence,
        )
        for row in tx.execute(rows)
    )


def _newest_run(tx: Tx, inbound_id: str) -> int:
    run = select(func.max(t.c.run)).where(t.c.inbound_id == inbound_id)
    return tx.execute(run).scalar_one() or 0


_ENDS = (
    select(t.c.inbound_id, t.c.run, func.count().label("steps"))
    .where(t.c.inbound_id.in_(bindparam("ids", expanding=True)))
    .group_by(t.c.inbound_id, t.c.run)
)
_INSERT = Bulk(insert(t), [column.key for column in t.columns])


def _rows(
    start: tuple[str, int, int], steps: Sequence[Step], at: datetime
) -> list[dict[str, object]]:
    """Give the rows of steps of ``(inbound id, run)`` from the position given third."""
    inbound_id, run, first = start
    return [
        {
            "inbound_id": inbound_id,
            "run": run,
            "position": position,
            "stage": step.stage.value,
            "finding": step.finding.value,
            "reason": step.reason.value,
            "evidence": dict(step.evidence),
            "at": at,
        }
        for position, step in enumerate(steps, start=first)
    ]
