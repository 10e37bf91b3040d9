"""Answers as they are kept under an Idempotency-Key, and back. No I/O."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from backend.errors import AllSuppressedError, DomainNotVerifiedError, InvalidInputError
from backend.model.outbound import Accepted, BatchAccepted, EmailStatus, Refused, Skipped

if TYPE_CHECKING:
    from collections.abc import Mapping

_FAULTS = {
    kind.__name__: kind for kind in (InvalidInputError, DomainNotVerifiedError, AllSuppressedError)
}


def dump_answer(answer: BatchAccepted) -> dict[str, object]:
    """Write an answer as JSON values."""
    return {"results": [_dump(one) for one in answer.results]}


def load_answer(kept: Mapping[str, Any]) -> BatchAccepted:
    """Read back what ``dump_answer`` wrote, marked as replayed."""
    listed = kept.get("results", [kept])  # kept before there were batches: the one mail
    return BatchAccepted(results=tuple(_load(one) for one in listed), replayed=True)


def _dump(one: Accepted | Refused) -> dict[str, object]:
    if isinstance(one, Refused):
        fault = one.error
        return {"fault": type(fault).__name__, "message": str(fault), "field": fault.field}
    return {
        "email_id": one.email_id,
        "status": one.status.value,
        "skipped": [
            {"address": s.address, "reason": s.reason, "since": s.since.isoformat()}
            for s in one.skipped
        ],
    }


def _load(kept: Mapping[str, Any]) -> Accepted | Refused:
    if "fault" in kept:
        return Refused(error=_FAULTS[kept["fault"]](kept["message"], field=kept["field"]))
    return Accepted(
        email_id=kept["email_id"],
        status=EmailStatus(kept["status"]),
        skipped=tuple(
            Skipped(
                address=s["address"],
                reason=s["reason"],
                since=datetime.fromisoformat(s["since"]),
            )
            for s in kept["skipped"]
        ),
        replayed=True,
    )
