"""What a person decided about an inbound message, as the JSON of one column; none for most rows."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import update

from backend.model.inbound import (
    NO_HAND,
    ByHand,
    InboundStatus,
    PutAway,
    Reason,
    Route,
    TargetAction,
    TargetName,
)
from backend.store.schema import inbound as t

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backend.store.types import Tx


def save(tx: Tx, inbound_id: str, by_hand: ByHand) -> None:
    """Write what people decided about a message in place of what was there."""
    tx.execute(update(t).where(t.c.id == inbound_id).values(by_hand=_as_data(by_hand)))


def read(data: Mapping[str, Any] | None) -> ByHand:
    """Read the column."""
    if not data:
        return NO_HAND
    return ByHand(
        waived=frozenset(map(Reason, data["waived"])),
        released_by=data["released_by"],
        released_at=_moment(data["released_at"]),
        route=_route(data["route"]),
        routed_by=data["routed_by"],
        thread_id=data["thread_id"],
        attached_by=data["attached_by"],
        put_away=_put_away(data["put_away"]),
    )


def _as_data(by_hand: ByHand) -> dict[str, Any]:
    route, away = by_hand.route, by_hand.put_away
    return {
        "waived": sorted(by_hand.waived),
        "released_by": by_hand.released_by,
        "released_at": by_hand.released_at.isoformat() if by_hand.released_at else None,
        "route": [route.target.value, route.action.value, route.tenant_id, route.ref]
        if route
        else None,
        "routed_by": by_hand.routed_by,
        "thread_id": by_hand.thread_id,
        "attached_by": by_hand.attached_by,
        "put_away": [
            away.status.value,
            away.reason.value,
            away.by,
            away.at.isoformat(),
            away.entry_id,
        ]
        if away
        else None,
    }


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _route(data: list[str] | None) -> Route | None:
    if data is None:
        return None
    target, action, tenant_id, ref = data
    return Route(
        target=TargetName(target), action=TargetAction(action), tenant_id=tenant_id, ref=ref
    )


def _put_away(data: list[str] | None) -> PutAway | None:
    if data is None:
        return None
    status, reason, by, at, entry_id = data
    return PutAway(
        status=InboundStatus(status),
        reason=Reason(reason),
        by=by,
        at=datetime.fromisoformat(at),
        entry_id=entry_id,
    )
