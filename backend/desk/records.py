"""What the desk keeps: each call makes one thing, once, in one transaction with its answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, or_, select, update

from backend.desk.calls import SLA, Action, Taken, TicketBody, number_prefix, priority_of
from backend.desk.tables import contacts, entries, files, metadata, received, tickets
from backend.errors import ForbiddenError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Row

    from backend.desk.calls import Call, FileBody
    from backend.store.types import Tx

FIRST_SERIAL = 1000
_SEED_SUBJECT = "Ticket from the start"


def prepare(
    tx: Tx, ticket_ids: Iterable[str], known_contacts: Mapping[str, str], at: datetime
) -> None:
    """Make the tables and the tickets and contacts known from the start, where missing."""
    metadata.create_all(tx)
    for ticket_id in ticket_ids:
        if _ticket(tx, ticket_id) is None:
            serial = int(ticket_id) if ticket_id.isdigit() else _next_serial(tx)
            seed = TicketBody.model_validate({"subject": _SEED_SUBJECT, "description": ""})
            _insert_ticket(tx, ticket_id, serial, seed, at)
    for contact_id, address in known_contacts.items():
        if _contact_id(tx, contact_id) is None:
            tx.execute(insert(contacts).values(id=contact_id, address=address))


def take(tx: Tx, call: Call) -> Taken:
    """Do what a call asks unless its key was seen.

    Raises NotFoundError for a ref not known, ForbiddenError for another tenant's ticket. The same
    key with the same path and body gives the first answer again (200); with anything else it is
    refused (409), with the first answer beside the reason.
    """
    first = tx.execute(
        select(received).where(received.c.idempotency_key == call.idempotency_key)
    ).one_or_none()
    if first is not None:
        return _repeat(tx, call, first)
    _keep_files(tx, call.body.attachments)
    answer = _make_ticket(tx, call) if call.action is Action.TICKET else _make_entry(tx, call)
    seq = tx.execute(
        insert(received)
        .values(
            at=call.at,
            target=call.target,
            path=call.path,
            idempotency_key=call.idempotency_key,
            body_hash=call.body_hash,
            answer=answer,
            body=_light(call),
            message_id=call.body.message_id,
            subject=call.body.subject,
            external_id=answer[f"{call.action.value}_id"],
            repeats=0,
        )
        .returning(received.c.seq)
    ).scalar_one()
    return Taken(status=201, answer=answer, seq=seq)


def _keep_files(tx: Tx, attachments: Sequence[FileBody]) -> None:
    """Write the content of the attachments that have one, each content once."""
    for file in attachments:
        known = select(files.c.sha256).where(files.c.sha256 == file.sha256)
        if file.content is not None and tx.execute(known).first() is None:
            tx.execute(insert(files).values(sha256=file.sha256, content=file.content))


def _listed(attachments: Sequence[FileBody]) -> list[dict[str, Any]]:
    """Give what is kept beside a ticket of each attachment; ``kept`` tells that we have it."""
    return [
        file.model_dump(exclude={"content"}) | {"kept": file.content is not None}
        for file in attachments
    ]


def _light(call: Call) -> dict[str, Any]:
    """Give the body as it came, but without the content of files: that is kept once already."""
    if not call.body.attachments:
        return dict(call.raw)
    return dict(call.raw) | {"attachments": _listed(call.body.attachments)}


def _repeat(tx: Tx, call: Call, first: Row[Any]) -> Taken:
    tx.execute(
        update(received).where(received.c.seq == first.seq).values(repeats=received.c.repeats + 1)
    )
    if (first.path, first.body_hash) == (call.path, call.body_hash):
        return Taken(status=200, answer=first.answer, seq=first.seq)
    detail = "this Idempotency-Key came before with another path or body; nothing was made"
    return Taken(status=409, answer=first.answer | {"detail": detail}, seq=first.seq)


def _make_ticket(tx: Tx, call: Call) -> dict[str, Any]:
    assert isinstance(call.body, TicketBody)  # noqa: S101  # the route of this action reads one
    serial = _next_serial(tx)
    row = _insert_ticket(tx, str(serial), serial, call.body, call.at)
    return {
        "ticket_id": row["id"],
        "number": row["number"],
        "url": f"{call.base_url}/tickets/{row['id']}",
        "priority": row["priority"],
        "sla_due_at": row["sla_due_at"].isoformat(timespec="milliseconds"),
    }


def _insert_ticket(
    tx: Tx, ticket_id: str, serial: int, body: TicketBody, at: datetime
) -> dict[str, Any]:
    priority = priority_of(body.subject, body.priority)
    row = {
        "id": ticket_id,
        "serial": serial,
        "number": f"{number_prefix(body.recipient)}-{serial}",
        "tenant_id": body.tenant_id,
        "subject": body.subject,
        "description": body.description,
        "sender": body.sender.address,
        "priority": priority.value,
        "queue": body.queue or "",
        "fields": body.fields,
        "tags": body.tags,
        "attachments": _listed(body.attachments),
        "status": "open",
        "sla_due_at": at + SLA[priority],
        "created_at": at,
    }
    tx.execute(insert(tickets).values(row))
    return row


def _make_entry(tx: Tx, call: Call) -> dict[str, Any]:
    """Add a note, activity or reply to its parent and give the answer of the contract."""
    parent = _parent(tx, call)
    count = tx.execute(select(func.count()).where(entries.c.kind == call.action.value)).scalar_one()
    entry_id = f"{call.action.value}-{count + 1}"
    tx.execute(
        insert(entries).values(
            id=entry_id,
            kind=call.action.value,
            parent_id=parent.get("ticket_id") or parent["contact_id"],
            subject=call.body.subject,
            text=getattr(call.body, "text", ""),
            sender=call.body.sender.address,
            message_id=call.body.message_id,
            fields=call.body.fields,
            attachments=_listed(call.body.attachments),
            created_at=call.at,
        )
    )
    return {f"{call.action.value}_id": entry_id, **parent}


def _parent(tx: Tx, call: Call) -> dict[str, Any]:
    """Find the ticket or contact a call is about; raises NotFoundError, ForbiddenError."""
    if call.action is Action.ACTIVITY:
        contact_id = _contact_id(tx, call.ref)
        if contact_id is None:
            raise NotFoundError(f"there is no contact {call.ref}; check the address it came from")
        return {"contact_id": contact_id}
    ticket = _ticket(tx, call.ref)
    if ticket is None:
        raise NotFoundError(f"there is no ticket {call.ref}; check the address it came from")
    if call.body.tenant_id and ticket.tenant_id not in ("", call.body.tenant_id):
        raise ForbiddenError(
            f"ticket {call.ref} is another client's; nothing was written, check how it was matched"
        )
    return {"ticket_id": ticket.id, "number": ticket.number}


def _next_serial(tx: Tx) -> int:
    newest = tx.execute(select(func.max(tickets.c.serial))).scalar_one()
    return max(newest or 0, FIRST_SERIAL) + 1


def _ticket(tx: Tx, ref: str) -> Row[Any] | None:
    """Find a ticket by its id or number, in any case: mail servers may fold it."""
    low = ref.lower()
    same = or_(func.lower(tickets.c.id) == low, func.lower(tickets.c.number) == low)
    return tx.execute(select(tickets).where(same)).first()


def _contact_id(tx: Tx, ref: str) -> str | None:
    found = select(contacts.c.id).where(func.lower(contacts.c.id) == ref.lower())
    return tx.execute(found).scalars().first()
