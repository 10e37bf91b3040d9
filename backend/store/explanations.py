"""Why each inbound message went its way: steps in order, one run per time it was processed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select

from backend.model.inbound import Finding, Reason, Stage, Step
from backend.store.schema import explanation_steps as t

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from backend.store.types import Tx


def add_run(tx: Tx, inbound_id: str, steps: Sequence[Step], at: datetime) -> int:
    """Begin a new run with these steps and give its number, from 1."""
    run = _newest_run(tx, inbound_id) + 1
    _insert(tx, (inbound_id, run, 0), steps, at)
    return run


def append(tx: Tx, inbound_id: str, steps: Sequence[Step], at: datetime) -> None:
    """Add steps to the newest run; the first run is made when there is none."""
    run = max(1, _newest_run(tx, inbound_id))
    of_run = select(func.count()).where(t.c.inbound_id == inbound_id, t.c.run == run)
    _insert(tx, (inbound_id, run, tx.execute(of_run).scalar_one()), steps, at)


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


def _insert(tx: Tx, start: tuple[str, int, int], steps: Sequence[Step], at: datetime) -> None:
    """Insert steps of ``(inbound id, run)`` from the position given third."""
    inbound_id, run, first = start
    rows = [
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
    if rows:
        tx.execute(insert(t), rows)
