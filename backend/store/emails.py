"""Outbound mail: the row, its recipients and its draft, always read and written together."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from sqlalchemy import and_, bindparam, func, or_, select, update
from sqlalchemy import insert as insert_into

from backend.model.outbound import (
    Email,
    EmailStatus,
    Recipient,
    RecipientKind,
    RecipientStatus,
    summarise,
)
from backend.store.bulk import Bulk
from backend.store.log_changes import changed
from backend.store.schema import attempts, email_bodies, recipients
from backend.store.schema import emails as t

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime
    from typing import Any

    from sqlalchemy import Row

    from backend.store.types import Tx

_KINDS = tuple(RecipientKind)
_COLUMNS = (
    "id tenant_id thread_id sender subject status tags created_at scheduled_at sent_at"
    " ses_message_id error reply_token reply_address attachments template"
)
_INSERT = Bulk(insert_into(t), _COLUMNS.split())
_INSERT_RECIPIENTS = Bulk(insert_into(recipients), [column.key for column in recipients.c])
_INSERT_BODIES = Bulk(insert_into(email_bodies), ["email_id", "draft"])


def insert(tx: Tx, email: Email, draft: bytes) -> None:
    """Insert a mail, its recipients (addresses in lower case) and its draft."""
    insert_many(tx, [(email, draft)])


def insert_many(tx: Tx, mails: Sequence[tuple[Email, bytes]]) -> None:
    """Insert mails, each with its draft: three statements, however many there are."""
    _INSERT.run(tx, [_email_row(email) for email, _ in mails])
    people = [
        {
            "email_id": email.id,
            "address": recipient.address,
            "kind": recipient.kind.value,
            "status": recipient.status.value,
            "updated_at": recipient.updated_at,
            "detail": recipient.detail,
        }
        for email, _ in mails
        for recipient in email.recipients
    ]
    _INSERT_RECIPIENTS.run(tx, people)
    _INSERT_BODIES.run(tx, [{"email_id": email.id, "draft": draft} for email, draft in mails])
    changed(tx, *(email.id for email, _ in mails), searched=True)


def get(tx: Tx, email_id: str, tenant_id: str | None = None) -> Email | None:
    """Read a mail; with a tenant, only when it is that tenant's."""
    query = select(t).where(t.c.id == email_id)
    if tenant_id is not None:
        query = query.where(t.c.tenant_id == tenant_id)
    row = tx.execute(query).one_or_none()
    return None if row is None else _email(row, recipients_of(tx, [email_id])[email_id])


def get_many(tx: Tx, email_ids: Collection[str]) -> dict[str, Email]:
    """Read several mails, by id; those that are gone are left out."""
    rows = tx.execute(select(t).where(t.c.id.in_(email_ids))).all()
    to = recipients_of(tx, [row.id for row in rows])
    return {row.id: _email(row, to[row.id]) for row in rows}


def of_thread(tx: Tx, thread_id: str, tenant_id: str) -> list[Email]:
    """Give the mails of a conversation, oldest first."""
    mine = (t.c.thread_id == thread_id, t.c.tenant_id == tenant_id)
    rows = tx.execute(select(t).where(*mine).order_by(t.c.id)).all()
    to = recipients_of(tx, [row.id for row in rows])
    return [_email(row, to[row.id]) for row in rows]


def lock(tx: Tx, email_id: str) -> Email | None:
    """Read a mail and let nobody change it before this transaction ends."""
    tx.execute(select(t.c.id).where(t.c.id == email_id).with_for_update())
    return get(tx, email_id)


def lock_many(tx: Tx, email_ids: Collection[str]) -> dict[str, Email]:
    """Read several mails and let nobody change them before this transaction ends."""
    if tx.dialect.name != "sqlite":  # there a writer is alone anyway
        mine = select(t.c.id).where(t.c.id.in_(email_ids)).order_by(t.c.id)
        tx.execute(mine.with_for_update())
    return get_many(tx, email_ids)


def by_ses_message_id(tx: Tx, local_part: str, tenant_id: str | None) -> Email | None:
    """Find the mail SES gave this MessageId: the local part of the Message-ID on the wire.

    A mail whose answer was lost may have gone out under several ids; all of them are known by
    their attempts.
    """
    if not local_part:
        return None
    email_id = tx.execute(_BY_SES_ID, {"of_ses": local_part}).scalar()
    return None if email_id is None else get(tx, email_id, tenant_id)


_TRIED = select(attempts.c.email_id).where(attempts.c.ses_message_id == bindparam("of_ses"))
_BY_SES_ID = (
    select(t.c.id)
    .where(or_(t.c.ses_message_id == bindparam("of_ses"), t.c.id.in_(_TRIED)))
    .order_by(t.c.id)
    .limit(1)
)


def newest_to(tx: Tx, addresses: Collection[str], tenant_id: str) -> Email | None:
    """Find the newest mail of a tenant to any of these lower case addresses."""
    mine = select(t.c.id).join(recipients, recipients.c.email_id == t.c.id)
    mine = mine.where(t.c.tenant_id == tenant_id, recipients.c.address.in_(list(addresses)))
    email_id = tx.execute(mine.order_by(t.c.id.desc()).limit(1)).scalar()
    return None if email_id is None else get(tx, email_id)


def draft(tx: Tx, email_id: str) -> bytes:
    """Read the draft of a mail as it was accepted (see outbound/drafts.py), empty when gone."""
    found = tx.execute(select(email_bodies.c.draft).where(email_bodies.c.email_id == email_id))
    return found.scalar() or b""


def drafts(tx: Tx, email_ids: Collection[str], *, longest: int) -> dict[str, bytes]:
    """Read those drafts of several mails that have at most ``longest`` bytes, by mail."""
    wanted = email_bodies.c.email_id.in_(email_ids)
    short = func.length(email_bodies.c.draft) <= longest
    rows = tx.execute(select(email_bodies).where(wanted, short))
    return {row.email_id: row.draft for row in rows}


def recipients_of(tx: Tx, email_ids: Collection[str]) -> dict[str, tuple[Recipient, ...]]:
    """Read the recipients of several mails: to first, then cc, then bcc, by address."""
    found: defaultdict[str, list[Recipient]] = defaultdict(list)
    for row in tx.execute(select(recipients).where(recipients.c.email_id.in_(email_ids))):
        found[row.email_id].append(
            Recipient(
                address=row.address,
                kind=RecipientKind(row.kind),
                status=RecipientStatus(row.status),
                updated_at=row.updated_at,
                detail=row.detail,
            )
        )
    return {
        email_id: tuple(sorted(found[email_id], key=lambda r: (_KINDS.index(r.kind), r.address)))
        for email_id in email_ids
    }


def move(tx: Tx, email_id: str, moved: Iterable[Recipient]) -> None:
    """Write the new status and detail of recipients and, from all of them, that of the mail."""
    for recipient in moved:
        tx.execute(
            update(recipients)
            .where(recipients.c.email_id == email_id, recipients.c.address == recipient.address)
            .values(
                status=recipient.status.value,
                updated_at=recipient.updated_at,
                detail=recipient.detail,
            )
        )
    set_status(tx, email_id, summarise(_statuses(tx, email_id)))


def mark_sent(tx: Tx, email_id: str, ses_message_id: str, at: datetime) -> int:
    """Record that SES has the mail: queued recipients become sent; give how many.

    So do failed ones: we had given up too early. Who an event has moved further stays there; the
    first SES id and moment are kept.
    """
    waiting = (RecipientStatus.QUEUED.value, RecipientStatus.FAILED.value)
    moved = tx.execute(
        update(recipients)
        .where(recipients.c.email_id == email_id, recipients.c.status.in_(waiting))
        .values(status=RecipientStatus.SENT.value, updated_at=at, detail="")
    ).rowcount
    tx.execute(
        update(t)
        .where(and_(t.c.id == email_id, t.c.ses_message_id.is_(None)))
        .values(ses_message_id=ses_message_id, sent_at=at)
    )
    set_status(tx, email_id, summarise(_statuses(tx, email_id)))
    return moved


def flag_duplicate(tx: Tx, email_id: str) -> None:
    """Remember that a mail is sent again though SES may have had it."""
    tx.execute(update(t).where(t.c.id == email_id).values(possible_duplicate=True))


def set_status(tx: Tx, email_id: str, status: EmailStatus, error: str = "") -> None:
    """Write the one word for a mail, with the reason when it is held up or has failed."""
    tx.execute(update(t).where(t.c.id == email_id).values(status=status.value, error=error[:500]))
    changed(tx, email_id, searched=False)


def queued_of(tx: Tx, tenant_id: str, size: int) -> list[str]:
    """Give the ids of a tenant's mail that waits to be sent, oldest first."""
    which = (t.c.tenant_id == tenant_id, t.c.status == EmailStatus.QUEUED.value)
    query = select(t.c.id).where(*which).order_by(t.c.created_at).limit(size)
    return list(tx.execute(query).scalars())


def count_recipients(tx: Tx, statuses: Collection[RecipientStatus]) -> int:
    """Count the recipients, over all mail, that stand at one of ``statuses``."""
    among = recipients.c.status.in_([status.value for status in statuses])
    return int(tx.execute(select(func.count()).select_from(recipients).where(among)).scalar_one())


def reschedule(tx: Tx, email_id: str, at: datetime) -> None:
    """Write another time for a mail that waits for one."""
    tx.execute(
        update(t)
        .where(t.c.id == email_id)
        .values(scheduled_at=at, status=EmailStatus.SCHEDULED.value, error="")
    )
    changed(tx, email_id, searched=False)


def _statuses(tx: Tx, email_id: str) -> Sequence[RecipientStatus]:
    found = tx.execute(select(recipients.c.status).where(recipients.c.email_id == email_id))
    return [RecipientStatus(value) for value in found.scalars()]


def _email_row(email: Email) -> dict[str, object]:
    return {
        "id": email.id,
        "tenant_id": email.tenant_id,
        "thread_id": email.thread_id,
        "sender": email.sender,
        "subject": email.subject,
        "status": email.status.value,
        "tags": dict(email.tags),
        "created_at": email.created_at,
        "scheduled_at": email.scheduled_at,
        "sent_at": email.sent_at,
        "ses_message_id": email.ses_message_id,
        "error": email.error,
        "reply_token": email.reply_token,
        "reply_address": email.reply_address,
        "attachments": email.attachments,
        "template": email.template or None,
    }


def _email(row: Row[Any], to: tuple[Recipient, ...]) -> Email:
    return Email(
        id=row.id,
        tenant_id=row.tenant_id,
        sender=row.sender,
        subject=row.subject,
        status=EmailStatus(row.status),
        created_at=row.created_at,
        recipients=to,
        thread_id=row.thread_id,
        tags=row.tags,
        scheduled_at=row.scheduled_at,
        sent_at=row.sent_at,
        ses_message_id=row.ses_message_id,
        error=row.error,
        reply_token=row.reply_token,
        reply_address=row.reply_address,
        attachments=row.attachments,
        template=row.template or "",
        possible_duplicate=row.possible_duplicate,
    )
