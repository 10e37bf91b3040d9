"""Send one mail: the way out from the queue to SES, top to bottom."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from backend.errors import RelayError, SendingPausedError
from backend.mime.compose import compose
from backend.model.outbound import Attempt, AttemptState, Outcome, RetryAt, Sent, Suppressed
from backend.outbound.decide import PAUSED_WAIT, after_failure, unresolved, while_unknown
from backend.outbound.drafts import load_draft
from backend.outbound.pace import allowed_rate
from backend.outbound.record import Job, Result, begin, leave_out, load, record
from backend.outbound.replies import answerable
from backend.outbound.validate import validate
from backend.ports import OutgoingMail
from backend.queue import items

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from backend.model.address import Address
    from backend.model.work import WorkItem
    from backend.outbound.context import Outbound, OutboundSettings

ATTEMPT_TAG = "relay-attempt"
TENANT_TAG = "relay-tenant"


async def process(item: WorkItem, outbound: Outbound) -> None:
    """Carry one mail to SES at most once in a turn and record what came of it.

    Raises LeaseLostError when another worker has taken the mail over.
    """
    job = await outbound.db.read(load, item.ref)
    if job is None or not job.waiting:
        await outbound.db.write(items.finish, item)
        return
    attempt, outcome = await _turn(item, job, outbound)
    result = Result(
        item=item,
        outcome=outcome,
        attempt=attempt,
        at=outbound.clock.now(),
        event_id=outbound.ids.new("evt"),
    )
    await outbound.db.write(record, job.email.id, result)


async def _turn(item: WorkItem, job: Job, outbound: Outbound) -> tuple[Attempt | None, Outcome]:
    """Do what this turn of the mail allows; give the attempt it is about, if any, and its end."""
    # an attempt of unknown end: its SEND event marks the mail as sent (feedback/apply.py)
    undecided = while_unknown(job.attempts, outbound.clock.now(), outbound.settings.patience)
    lost = unresolved(job.attempts)
    if undecided is not None:
        return lost, undecided
    # who came onto the suppression list since the mail was accepted
    if job.held:
        now, event_id = outbound.clock.now(), outbound.ids.new("evt")
        await outbound.db.write(leave_out, item, job, now, event_id)
    waiting = job.waiting - job.held.keys()
    if not waiting:
        return None, Suppressed(reason="every recipient is on the suppression list")
    # the rate of the account
    later = await _wait_for_turn(outbound, len(waiting))
    if later is not None:
        return None, later
    # the attempt is on disk before SES is called, so that no call is ever forgotten
    attempt = Attempt(
        id=outbound.ids.new("att"),
        email_id=job.email.id,
        number=len(job.attempts) + 1,
        state=AttemptState.SENDING,
        started_at=outbound.clock.now(),
    )
    mail = await asyncio.to_thread(outgoing, job, attempt, waiting, outbound.settings)
    if not await outbound.db.write(begin, item, attempt, waiting, lost):
        return None, RetryAt(at=attempt.started_at, reason="an event changed the mail meanwhile")
    try:
        return attempt, Sent(ses_message_id=await outbound.transport.send(mail))
    except RelayError as error:
        tries = (*job.attempts, attempt)
        now = outbound.clock.now()
        return attempt, after_failure(error, tries, now, outbound.settings.patience)


def outgoing(
    job: Job, attempt: Attempt, waiting: frozenset[str], settings: OutboundSettings
) -> OutgoingMail:
    """Compose the mail for the recipients still waiting, with the tags its events bring back."""
    valid = validate(load_draft(job.draft))
    letter = replace(
        answerable(valid.letter, job.email),
        to=_only(valid.letter.to, waiting),
        cc=_only(valid.letter.cc, waiting),
    )
    return OutgoingMail(
        raw=compose(letter, attempt_id=attempt.id, date=attempt.started_at),
        sender=letter.sender.bare,
        to=_bare(letter.to),
        cc=_bare(letter.cc),
        bcc=_bare(_only(valid.bcc, waiting)),
        tags={**valid.tags, ATTEMPT_TAG: attempt.id, TENANT_TAG: job.email.tenant_id},
        configuration_set=settings.configuration_set,
    )


async def _wait_for_turn(outbound: Outbound, recipients: int) -> RetryAt | None:
    """Wait for the pace; a turn that is far off, or a paused account, gives when to come back."""
    state = await outbound.pacer.account(outbound.db, outbound.transport, outbound.clock)
    try:
        rate = allowed_rate(state)
    except SendingPausedError as error:
        return RetryAt(at=outbound.clock.now() + PAUSED_WAIT, reason=str(error))
    turn, ours = await outbound.pacer.turn(
        outbound.db, outbound.clock, rate=rate, recipients=recipients
    )
    if not ours:
        return RetryAt(at=turn, reason="")
    await asyncio.sleep(_seconds_until(turn, outbound.clock.now()))
    return None


def _only(addresses: Iterable[Address], waiting: frozenset[str]) -> tuple[Address, ...]:
    return tuple(address for address in addresses if address.key in waiting)


def _bare(addresses: Iterable[Address]) -> tuple[str, ...]:
    return tuple(address.bare for address in addresses)


def _seconds_until(moment: datetime, now: datetime) -> float:
    return max(0.0, (moment - now).total_seconds())
