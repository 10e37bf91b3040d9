"""Conversations: each outbound mail starts or continues one, replies and tickets join it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import and_, bindparam, delete, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from backend.model.inbound import Route, TargetAction, TargetName
from backend.model.matching import TicketStatus
from backend.store.bulk import Bulk
from backend.store.schema_threads import message_aliases as aliases
from backend.store.schema_threads import participants as people
from backend.store.schema_threads import threads as t

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime
    from typing import Any

    from sqlalchemy import Row

    from backend.store.types import Tx


MOST = 20  # conversations on one ticket that are looked at


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """A conversation; ``route`` is where its replies go when their address names no target.

    ``ticket_number`` is what people write in subjects, upper case; ``merged_into`` is the ref of
    the ticket that took its place. Both are known from answers of the target, if at all.
    """

    id: str
    tenant_id: str
    subject: str
    created_at: datetime
    route: Route | None = None
    ticket_number: str = ""
    ticket_status: TicketStatus = TicketStatus.OPEN
    merged_into: str = ""


def add(tx: Tx, *started: Thread) -> None:
    """Insert conversations."""
    _INSERT.run(tx, [_row(thread) for thread in started])


def get(tx: Tx, thread_id: str) -> Thread | None:
    """Read a conversation."""
    row = tx.execute(_GET, {"of_id": thread_id}).one_or_none()
    return None if row is None else _thread(row)


def known(tx: Tx, thread_ids: Collection[str]) -> frozenset[str]:
    """Give those of the conversations that there are."""
    return frozenset(tx.execute(_KNOWN, {"ids": list(thread_ids)}).scalars())


def of_ticket(tx: Tx, tenant_id: str | None, ref: str, target: TargetName) -> list[Thread]:
    """Give the conversations on a ticket or contact, oldest first; without a tenant of all.

    People write the id of a ticket or its number, and addresses may have lost their capitals.
    """
    spelt = {ref, ref.lower(), ref.upper()}
    named = or_(t.c.ref.in_(spelt), and_(t.c.ref != "", t.c.ticket_number == ref.upper()))
    query = select(t).where(t.c.target == target.value, named)
    if tenant_id is not None:
        query = query.where(t.c.tenant_id == tenant_id)
    return [_thread(row) for row in tx.execute(query.order_by(t.c.id).limit(MOST))]


def by_number(tx: Tx, tenant_id: str, numbers: Collection[str]) -> list[Thread]:
    """Give the conversations of tickets with these numbers (upper case), oldest first."""
    named = t.c.ticket_number.in_(numbers)
    query = select(t).where(t.c.tenant_id == tenant_id, t.c.ticket_number != "", named)
    return [_thread(row) for row in tx.execute(query.order_by(t.c.id).limit(MOST))]


def set_route(tx: Tx, thread_id: str, route: Route) -> None:
    """Let later replies of a conversation follow this route."""
    way = {"target": route.target.value, "action": route.action.value, "ref": route.ref}
    tx.execute(_CHANGE, {"of_id": thread_id, **way})


def learn_ticket(
    tx: Tx,
    thread_id: str,
    *,
    number: str = "",
    status: TicketStatus | None = None,
    merged_into: str = "",
) -> None:
    """Write what a target told of the ticket of a conversation; what is left out stays."""
    told: dict[str, str] = {}
    if number:
        told["ticket_number"] = number.upper()
    if status is not None:
        told["ticket_status"] = status.value
    if merged_into:
        told |= {"merged_into": merged_into, "ticket_status": TicketStatus.MERGED.value}
    if told:
        tx.execute(_CHANGE, {"of_id": thread_id, **told})


def join(tx: Tx, thread_id: str, addresses: Iterable[str]) -> None:
    """Let people take part in a conversation; who does already goes on doing so."""
    join_all(tx, [(thread_id, address) for address in addresses])


def join_all(tx: Tx, joining: Iterable[tuple[str, str]]) -> None:
    """Let people take part in conversations, given as pairs of a thread id and an address."""
    pairs = dict.fromkeys((thread, who.strip().lower()) for thread, who in joining if "@" in who)
    _JOIN.run(tx, [{"thread_id": thread, "address": address} for thread, address in pairs])


def participants(tx: Tx, thread_ids: Collection[str]) -> dict[str, frozenset[str]]:
    """Give who takes part in each of these conversations, in lower case."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for row in tx.execute(select(people).where(people.c.thread_id.in_(thread_ids))):
        found[row.thread_id].add(row.address)
    return {thread_id: frozenset(found[thread_id]) for thread_id in thread_ids}


def learn_alias(
    tx: Tx, tenant_id: str, message_id: str, thread_id: str, email_id: str | None = None
) -> None:
    """Let a Message-ID (without brackets) stand for a conversation from now on.

    It is for mail sent by other ways than SES, and for what a person attached by hand.
    """
    tx.execute(
        delete(aliases).where(
            aliases.c.tenant_id == tenant_id,
            aliases.c.message_id == message_id,
            aliases.c.thread_id == thread_id,
        )
    )
    tx.execute(
        insert(aliases).values(
            tenant_id=tenant_id, message_id=message_id, thread_id=thread_id, email_id=email_id
        )
    )


_COLUMNS = (
    "id tenant_id subject created_at target action ref ticket_number ticket_status merged_into"
)
_INSERT = Bulk(insert(t), _COLUMNS.split())
_GET = select(t).where(t.c.id == bindparam("of_id"))
_KNOWN = select(t.c.id).where(t.c.id.in_(bindparam("ids", expanding=True)))
_CHANGE = update(t).where(t.c.id == bindparam("of_id"))
_JOIN = Bulk(
    {
        "postgresql": postgresql.insert(people).on_conflict_do_nothing(),
        "sqlite": sqlite.insert(people).on_conflict_do_nothing(),
    },
    ["thread_id", "address"],
)


def _row(thread: Thread) -> dict[str, object]:
    route = thread.route
    return {
        "id": thread.id,
        "tenant_id": thread.tenant_id,
        "subject": thread.subject,
        "created_at": thread.created_at,
        "target": route.target.value if route else None,
        "action": route.action.value if route else None,
        "ref": route.ref if route else None,
        "ticket_number": thread.ticket_number.upper(),
        "ticket_status": thread.ticket_status.value,
        "merged_into": thread.merged_into,
    }


def _thread(row: Row[Any]) -> Thread:
    route = None
    if row.target:
        route = Route(
            target=TargetName(row.target),
            action=TargetAction(row.action),
            tenant_id=row.tenant_id,
            ref=row.ref or "",
        )
    return Thread(
        id=row.id,
        tenant_id=row.tenant_id,
        subject=row.subject,
        created_at=row.created_at,
        route=route,
        ticket_number=row.ticket_number,
        ticket_status=TicketStatus(row.ticket_status),
        merged_into=row.merged_into,
    )
