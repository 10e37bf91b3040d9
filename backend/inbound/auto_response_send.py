"""Automatic answers to new tickets: decided on with the delivery, sent as work of their own.

The decision is written in the transaction that records the ticket; the work item then hands the
answer to the sending half under an Idempotency-Key, so that a crash between loses and doubles none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from backend.errors import PermanentError
from backend.inbound.auto_response import (
    DAY,
    HOUR,
    Answered,
    opens_ticket,
    why_not,
    write_answer,
)
from backend.model.address import domain_of
from backend.model.inbound import Finding, Reason, Stage, Step
from backend.model.outbound import EmailDraft
from backend.model.work import WorkKind
from backend.queue import items
from backend.store import auto_responses, domains, explanations

if TYPE_CHECKING:
    from datetime import datetime

    from backend.model.auto_response import AutoResponse, DueAnswer
    from backend.model.inbound import InboundMessage, ParsedMail
    from backend.model.work import WorkItem
    from backend.ports import Clock, TargetReceipt
    from backend.store.engine import Database
    from backend.store.types import Tx


class Sending(Protocol):
    """The sending half, as far as an answer needs it."""

    async def __call__(self, tenant_id: str, draft: EmailDraft, *, key: str) -> str:
        """Take responsibility for a mail once per key; give its id. Raises RelayError."""
        ...


def plan_answer(
    tx: Tx, message: InboundMessage, mail: ParsedMail, receipt: TargetReceipt, now: datetime
) -> Step | None:
    """Decide over the answer to a delivered message; None where no domain wants one."""
    setting = _setting(tx, message)
    if setting is None or not opens_ticket(message, receipt):
        return None
    if auto_responses.get(tx, message.id) is not None:
        return None  # processed once more
    why = why_not(message, mail, _answered(tx, message, mail, now), now)
    if why:
        return _step(Finding.NOTE, Reason.AUTO_RESPONSE_WITHHELD, {"why": why})
    auto_responses.add(tx, write_answer(setting, message, mail, receipt, now))
    items.enqueue(tx, WorkKind.AUTO_RESPONSE, message.id, run_at=now, now=now)
    return _step(Finding.OK, Reason.AUTO_RESPONSE_DUE, {"to": mail.from_address[:320]})


async def answer(item: WorkItem, *, db: Database, clock: Clock, send: Sending) -> None:
    """Hand one answer to the sending half; raises TransientError, and then it is tried again."""
    due = await db.read(auto_responses.get, item.ref)
    if due is None or due.email_id or due.error:
        await db.write(items.finish, item)
        return
    try:
        email_id = await send(due.tenant_id, _draft(due), key=f"auto-response/{due.inbound_id}")
    except PermanentError as error:
        step = _step(Finding.NOTE, Reason.AUTO_RESPONSE_REFUSED, {"why": str(error)[:300]})
        await db.write(_end, item, step, clock.now(), error=str(error)[:300])
        return
    step = _step(Finding.OK, Reason.AUTO_RESPONSE_SENT, {"email_id": email_id})
    await db.write(_end, item, step, clock.now(), email_id=email_id)


def _end(
    tx: Tx, item: WorkItem, step: Step, now: datetime, *, email_id: str = "", error: str = ""
) -> None:
    auto_responses.settle(tx, item.ref, email_id=email_id, error=error)
    explanations.append(tx, item.ref, [step], now)
    items.finish(tx, item)


def _setting(tx: Tx, message: InboundMessage) -> AutoResponse | None:
    domain = domains.by_name(tx, domain_of(message.recipient))
    if domain is None or domain.tenant_id != message.tenant_id:
        return None
    return domain.auto_response if domain.auto_response.enabled else None


def _answered(tx: Tx, message: InboundMessage, mail: ParsedMail, now: datetime) -> Answered:
    mine = (tx, message.tenant_id, mail.from_address.strip())
    return Answered(
        last_hour=auto_responses.count(*mine, now - HOUR),
        last_day=auto_responses.count(*mine, now - DAY),
        thread=bool(message.thread_id) and auto_responses.has_thread(tx, message.thread_id or ""),
    )


def _draft(due: DueAnswer) -> EmailDraft:
    return EmailDraft(
        sender=due.sender,
        to=(due.recipient,),
        subject=due.subject,
        text=due.text,
        headers=due.headers,
        tags=due.tags,
    )


def _step(finding: Finding, reason: Reason, evidence: dict[str, str]) -> Step:
    return Step(stage=Stage.SETTLE, finding=finding, reason=reason, evidence=evidence)
