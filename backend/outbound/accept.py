"""Accept a draft: one transaction that checks it and promises it will be sent."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from backend.errors import (
    AllSuppressedError,
    DomainNotVerifiedError,
    IdempotencyConflictError,
    InvalidInputError,
)
from backend.model.bus import BusEvent
from backend.model.outbound import (
    Accepted,
    Email,
    EmailDraft,
    EmailStatus,
    Recipient,
    RecipientKind,
    RecipientStatus,
    Skipped,
)
from backend.model.stats import Counter
from backend.model.tenant import DomainStatus
from backend.model.work import WorkKind
from backend.outbound.drafts import body_hash, dump_draft
from backend.outbound.replies import conversation_of, let_them_answer, sign
from backend.outbound.validate import ValidDraft, validate
from backend.queue import items
from backend.queue.announce import announce
from backend.store import counters, domains, emails, idempotency, suppressions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backend.model.address import Address
    from backend.model.suppression import Suppression
    from backend.model.tenant import Domain
    from backend.outbound.context import Outbound
    from backend.ports import Ids
    from backend.reply_tokens import ReplyTokens
    from backend.store.types import Tx

MAX_KEY = 256
KEPT_FOR = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    """One validated draft of one tenant on its way into the database."""

    tenant_id: str
    draft: ValidDraft
    stored: bytes
    key: str | None
    now: datetime
    tokens: ReplyTokens


async def accept(
    outbound: Outbound, tenant_id: str, draft: EmailDraft, *, idempotency_key: str | None = None
) -> Accepted:
    """Take responsibility for a draft; it is on disk when this returns.

    Raises InvalidInputError (naming the field), DomainNotVerifiedError, AllSuppressedError,
    IdempotencyConflictError and DatabaseBusyError; nothing is kept then.
    """
    if idempotency_key is not None and not 1 <= len(idempotency_key) <= MAX_KEY:
        raise InvalidInputError(
            f"Idempotency-Key: give 1 to {MAX_KEY} characters", field="idempotency_key"
        )
    if draft.attachments:
        valid, stored = await asyncio.to_thread(_prepare, draft)
    else:
        valid, stored = _prepare(draft)
    request = _Request(
        tenant_id=tenant_id,
        draft=valid,
        stored=stored,
        key=idempotency_key,
        now=outbound.clock.now(),
        tokens=outbound.tokens,
    )
    return await outbound.db.write(_accept, request, outbound.ids)


def _prepare(draft: EmailDraft) -> tuple[ValidDraft, bytes]:
    return validate(draft), dump_draft(draft)


def _accept(tx: Tx, request: _Request, ids: Ids) -> Accepted:
    """Do all that belongs to one promise: replay an earlier one, or check and insert."""
    if request.key is None:
        return _insert(tx, request, ids)
    claim = idempotency.Claim(
        tenant_id=request.tenant_id,
        key=request.key,
        body_hash=body_hash(request.stored),
        at=request.now,
    )
    kept = idempotency.claim(tx, claim, expired=request.now - KEPT_FOR)
    if kept is None:
        accepted = _insert(tx, request, ids)
        idempotency.keep(tx, claim, _dump_answer(accepted))
        return accepted
    if kept.body_hash != claim.body_hash:
        raise IdempotencyConflictError(
            "this Idempotency-Key was used for another mail within 24 hours; use a new key"
        )
    return _load_answer(kept.answer)


def _insert(tx: Tx, request: _Request, ids: Ids) -> Accepted:
    domain = _check_domain(tx, request)
    recipients, skipped = _recipients(tx, request)
    scheduled = request.draft.scheduled_at
    waits = scheduled is not None and scheduled > request.now
    letter = request.draft.letter
    email_id = ids.new("msg")
    reply = sign(tx, request.tokens, domain, email_id)
    email = Email(
        id=email_id,
        tenant_id=request.tenant_id,
        sender=_shown(letter.sender),
        subject=letter.subject,
        status=EmailStatus.SCHEDULED if waits else EmailStatus.QUEUED,
        created_at=request.now,
        recipients=recipients,
        thread_id="",
        tags=request.draft.tags,
        scheduled_at=scheduled,
        reply_token=reply.token,
        reply_address=reply.address,
    )
    email = replace(email, thread_id=conversation_of(tx, ids, email))
    emails.insert(tx, email, request.stored)
    let_them_answer(tx, email)
    _count_and_tell(tx, email, ids)
    run_at = scheduled if scheduled is not None and waits else request.now
    items.enqueue(tx, WorkKind.SEND, email.id, run_at=run_at, now=request.now)
    return Accepted(email_id=email.id, status=email.status, skipped=skipped)


def _shown(address: Address) -> str:
    return f"{address.name} <{address.bare}>" if address.name else address.bare


def _check_domain(tx: Tx, request: _Request) -> Domain:
    name = request.draft.letter.sender.domain
    domain = domains.by_name(tx, name)
    if domain is None or domain.tenant_id != request.tenant_id:
        raise DomainNotVerifiedError(
            f"from: {name} is not a domain of this tenant; add it and publish its DNS records",
            field="from",
        )
    if domain.status is not DomainStatus.VERIFIED:
        raise DomainNotVerifiedError(
            f"from: {name} is {domain.status}, not verified; publish its DNS records", field="from"
        )
    return domain


def _recipients(tx: Tx, request: _Request) -> tuple[tuple[Recipient, ...], tuple[Skipped, ...]]:
    """Make the recipient rows, the suppressed ones marked, and name those."""
    draft = request.draft
    listed: list[tuple[RecipientKind, Address]] = [
        *((RecipientKind.TO, address) for address in draft.letter.to),
        *((RecipientKind.CC, address) for address in draft.letter.cc),
        *((RecipientKind.BCC, address) for address in draft.bcc),
    ]
    held = suppressions.find(tx, request.tenant_id, [address.key for _, address in listed])
    if len(held) == len(listed):
        raise AllSuppressedError(f"to: every recipient is suppressed: {_named(held)}", field="to")
    rows = tuple(
        Recipient(
            address=address.key,
            kind=kind,
            status=RecipientStatus.SUPPRESSED if address.key in held else RecipientStatus.QUEUED,
            updated_at=request.now,
            detail=f"on the list: {held[address.key].reason}" if address.key in held else "",
        )
        for kind, address in listed
    )
    skipped = tuple(
        Skipped(address=entry.address, reason=entry.reason.value, since=entry.created_at)
        for entry in held.values()
    )
    return rows, skipped


def _named(held: Mapping[str, Suppression]) -> str:
    return ", ".join(
        f"{entry.address} ({entry.reason} since {entry.created_at:%Y-%m-%d})"
        for entry in held.values()
    )


def _count_and_tell(tx: Tx, email: Email, ids: Ids) -> None:
    """Count the recipients and announce the mail."""
    skipped = [r.address for r in email.recipients if r.status is RecipientStatus.SUPPRESSED]
    queued = [r.address for r in email.recipients if r.status is RecipientStatus.QUEUED]
    counters.bump(tx, email.tenant_id, Counter.ACCEPTED, email.created_at, len(queued))
    told: dict[str, list[str]] = {"accepted": queued}
    if skipped:
        counters.bump(tx, email.tenant_id, Counter.SUPPRESSED, email.created_at, len(skipped))
        told["suppressed"] = skipped
    for what, addresses in told.items():
        announce(
            tx,
            BusEvent(
                id=ids.new("evt"),
                type=f"relay.email.{what}",
                created_at=email.created_at,
                tenant_id=email.tenant_id,
                data={"email_id": email.id, "recipients": addresses, "tags": dict(email.tags)},
            ),
        )


def _dump_answer(accepted: Accepted) -> dict[str, object]:
    return {
        "email_id": accepted.email_id,
        "status": accepted.status.value,
        "skipped": [
            {"address": s.address, "reason": s.reason, "since": s.since.isoformat()}
            for s in accepted.skipped
        ],
    }


def _load_answer(kept: Mapping[str, Any]) -> Accepted:
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
