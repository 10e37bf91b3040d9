"""Send one mail: the way out from the queue to SES, top to bottom.

Many mails are on this way at a time. What each asks of the database goes into one transaction with
what the others ask at that moment (outbound/batches.py); SES is called in bounded threads.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from backend.errors import QuotaSpentError, RelayError, SendingPausedError
from backend.faultpoints import FaultPoint, faultpoint
from backend.mime.compose import compose
from backend.model.outbound import (
    AccountHeld,
    Attempt,
    AttemptState,
    Outcome,
    RetryAt,
    Sent,
    Suppressed,
)
from backend.model.sending import SendState
from backend.outbound.batches import SMALL, Beginning, begin, load, nothing_left, record_all
from backend.outbound.brake import LOOK_AGAIN
from backend.outbound.decide import Failure, after_failure, unresolved, while_unknown
from backend.outbound.drafts import load_draft
from backend.outbound.pace import FRESH, allowed_rate
from backend.outbound.record import Job, Result, leave_out
from backend.outbound.replies import answerable
from backend.outbound.validate import validate
from backend.ports import OutgoingMail
from backend.store import emails

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from backend.model.address import Address
    from backend.model.work import WorkItem
    from backend.outbound.context import Outbound, OutboundSettings

ATTEMPT_TAG = "relay-attempt"
TENANT_TAG = "relay-tenant"
_JUST_NOW = timedelta(seconds=5)


class _End(NamedTuple):
    """How a turn ended: the attempt it is about, if any, and whether SES was called in it."""

    outcome: Outcome
    attempt: Attempt | None = None
    called: bool = False


async def process(item: WorkItem, outbound: Outbound) -> None:
    """Carry one mail to SES at most once in a turn and record what came of it.

    Raises LeaseLostError when another worker has taken the mail over.
    """
    faultpoint(FaultPoint.SEND_CLAIMED)
    job = await outbound.db.read_gathered(load, (item.ref, outbound.clock.now()))
    if job is None or not job.waiting:
        await outbound.db.write(nothing_left, item, outbound.clock.now())
        return
    if job.draft is not None:
        await _take_turn(item, job, outbound)
        return
    async with outbound.large:
        draft = await outbound.db.read(emails.draft, job.email.id)
        await _take_turn(item, replace(job, draft=draft), outbound)


async def _take_turn(item: WorkItem, job: Job, outbound: Outbound) -> None:
    end = await _turn(item, job, outbound)
    result = Result(
        item=item,
        email_id=job.email.id,
        outcome=end.outcome,
        attempt=end.attempt,
        called=end.called,
        at=outbound.clock.now(),
        event_id=outbound.ids.new("evt"),
    )
    await _company(outbound.settings.linger)
    await outbound.db.write_gathered(record_all, result)
    faultpoint(FaultPoint.SEND_RESULT_WRITTEN)


async def _company(linger: float) -> None:
    """Wait for the next beat that all results wait for, so that they share a transaction."""
    if linger:
        await asyncio.sleep(linger - asyncio.get_running_loop().time() % linger)


async def _turn(item: WorkItem, job: Job, outbound: Outbound) -> _End:
    """Do what this turn of the mail allows."""
    # an attempt of unknown end: its SEND event marks the mail as sent (feedback/apply.py)
    lost = unresolved(job.attempts)
    if lost is not None:
        now, policy = outbound.clock.now(), load_draft(job.draft or b"").on_unknown
        undecided = while_unknown(job.attempts, now, outbound.patience, policy)
        if undecided is not None:
            return _End(undecided, lost)
    # who came onto the suppression list since the mail was accepted
    if job.held:
        now, event_id = outbound.clock.now(), outbound.ids.new("evt")
        await outbound.db.write(leave_out, item, job, now, event_id)
    waiting = job.waiting - job.held.keys()
    if not waiting:
        return _End(Suppressed(reason="every recipient is on the suppression list"))
    # the brake of the tenant, a place among the calls, then the rate of the account
    if job.braked:
        return _End(RetryAt(at=outbound.clock.now() + LOOK_AGAIN, reason=job.braked))
    async with outbound.calls:
        later = await _wait_for_turn(outbound, job, len(waiting))
        if later is not None:
            return _End(later)
        return await _attempt(item, job, waiting, outbound)


async def _attempt(item: WorkItem, job: Job, waiting: frozenset[str], outbound: Outbound) -> _End:
    """Compose the mail and call SES; the attempt is on disk before, so no call is forgotten."""
    attempt = Attempt(
        id=outbound.ids.new("att"),
        email_id=job.email.id,
        number=len(job.attempts) + 1,
        state=AttemptState.SENDING,
        started_at=outbound.clock.now(),
    )
    mail = await _composed(job, attempt, waiting, outbound.settings)
    lost = unresolved(job.attempts)
    beginning = Beginning(item=item, attempt=attempt, expected=waiting, lost=lost)
    begun = await outbound.db.write_gathered(begin, beginning)
    if isinstance(begun, AccountHeld):
        return _End(begun)
    if not begun:
        return _End(RetryAt(at=attempt.started_at, reason="an event changed the mail meanwhile"))
    faultpoint(FaultPoint.SEND_ATTEMPT_WRITTEN)
    outcome = await _call(mail, (*job.attempts, attempt), outbound)
    return _End(outcome, attempt, called=True)


async def _call(mail: OutgoingMail, attempts: tuple[Attempt, ...], outbound: Outbound) -> Outcome:
    """Call SES once and tell what its answer, or the lack of one, means."""
    try:
        ses_message_id = await outbound.transport.send(mail)
    except RelayError as error:
        known = outbound.pacer.known
        failure = Failure(
            error=error,
            attempts=attempts,
            at=outbound.clock.now(),
            in_sandbox=known is not None and not known.production_access,
        )
        return after_failure(failure, outbound.patience)
    faultpoint(FaultPoint.SEND_AFTER_CALL)
    return Sent(ses_message_id=ses_message_id)


async def _composed(
    job: Job, attempt: Attempt, waiting: frozenset[str], settings: OutboundSettings
) -> OutgoingMail:
    if len(job.draft or b"") <= SMALL:
        return outgoing(job, attempt, waiting, settings)
    return await asyncio.to_thread(outgoing, job, attempt, waiting, settings)


def outgoing(
    job: Job, attempt: Attempt, waiting: frozenset[str], settings: OutboundSettings
) -> OutgoingMail:
    """Compose the mail for the recipients still waiting, with the tags its events bring back."""
    valid = validate(load_draft(job.draft or b""))
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


async def _wait_for_turn(
    outbound: Outbound, job: Job, recipients: int
) -> RetryAt | AccountHeld | None:
    """Wait for the pace; a held account or a turn far off tells what to do instead."""
    state = await outbound.pacer.account(
        outbound.db, outbound.transport, outbound.clock, fresh=_JUST_NOW if job.probes else FRESH
    )
    try:
        turn, ours = await outbound.pacer.turn(
            outbound.db, outbound.clock, rate=allowed_rate(state), recipients=recipients
        )
        if not ours:
            return RetryAt(at=turn, reason="")
        await asyncio.sleep(_seconds_until(turn, outbound.clock.now()))
        allowed_rate(outbound.pacer.known)  # what SES has said meanwhile
    except QuotaSpentError as error:
        return AccountHeld(state=SendState.QUOTA_SPENT, reason=str(error))
    except SendingPausedError as error:
        return AccountHeld(state=SendState.PAUSED, reason=str(error))
    return None


def _only(addresses: Iterable[Address], waiting: frozenset[str]) -> tuple[Address, ...]:
    return tuple(address for address in addresses if address.key in waiting)


def _bare(addresses: Iterable[Address]) -> tuple[str, ...]:
    return tuple(address.bare for address in addresses)


def _seconds_until(moment: datetime, now: datetime) -> float:
    return max(0.0, (moment - now).total_seconds())
