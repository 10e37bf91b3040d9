"""The three transactions of the way out, over many mails at once: load, begin, record.

Each takes the questions that came together (Database.read_gathered and write_gathered) and
answers each; a mail whose lease is lost gets its LeaseLostError and leaves the others alone.
"""

from __future__ import annotations

from collections import Counter as Tally
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from backend.errors import LeaseLostError
from backend.faultpoints import FaultPoint, faultpoint
from backend.model.outbound import AccountHeld, AttemptState, Email, RecipientStatus, Sent
from backend.model.stats import Counter
from backend.outbound import hold
from backend.outbound.brake import held_back
from backend.outbound.record import Job, Result, learn, news, queued, record
from backend.queue import items
from backend.queue.announce import announce
from backend.queue.items import lease_lost
from backend.store import attempts, counters, emails, holds, outgoing
from backend.store.outgoing import SentMail
from backend.suppression import check

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from backend.model.outbound import Attempt
    from backend.model.sending import Hold
    from backend.model.suppression import Suppression
    from backend.model.work import WorkItem
    from backend.store.types import Tx

Begun: TypeAlias = "bool | AccountHeld"
"""True to call SES, False when an event changed the mail meanwhile, or that no mail may go out."""
SMALL = 64 * 1024  # bytes of a draft that is read with the others
_NOT_YET = frozenset({RecipientStatus.QUEUED, RecipientStatus.SUPPRESSED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """An attempt about to be made for ``expected`` recipients.

    ``lost`` is the attempt before it whose SEND event never came.
    """

    item: WorkItem
    attempt: Attempt
    expected: frozenset[str]
    lost: Attempt | None


class _Plain(NamedTuple):
    """A success that needs no second look."""

    result: Result
    email: Email
    mail: SentMail


def load(tx: Tx, asked: Sequence[tuple[str, datetime]]) -> Sequence[Job | None]:
    """Read all that the turns of some mails need, None for a mail that is gone.

    ``asked`` are ids of mails and when each was asked for.
    """
    email_ids = [email_id for email_id, _ in asked]
    found = emails.get_many(tx, email_ids)
    drafts = emails.drafts(tx, email_ids, longest=SMALL)
    tried = attempts.of_emails(tx, email_ids)
    lists = _suppressed(tx, found.values(), max(at for _, at in asked))
    holding = holds.get(tx) is not None
    braked = {tenant: held_back(tx, tenant) for tenant in {e.tenant_id for e in found.values()}}
    return [
        Job(
            email=email,
            draft=drafts.get(email_id),
            attempts=tried[email_id],
            held={
                who: entry for who, entry in lists[email.tenant_id].items() if who in queued(email)
            },
            braked=braked[email.tenant_id],
            probes=holding,
        )
        if (email := found.get(email_id))
        else None
        for email_id in email_ids
    ]


def _suppressed(
    tx: Tx, some: Collection[Email], now: datetime
) -> dict[str, dict[str, Suppression]]:
    """Give, by tenant, the entries that hold any queued recipient of these mails."""
    wanted: defaultdict[str, set[str]] = defaultdict(set)
    for email in some:
        wanted[email.tenant_id] |= queued(email)
    return {tenant: check.held_back(tx, tenant, who, now) for tenant, who in wanted.items()}


def begin(tx: Tx, questions: Sequence[Beginning]) -> Sequence[Begun | Exception]:
    """Write the attempts before the calls; an attempt lost before is marked as tried again."""
    known = emails.lock_many(tx, [question.attempt.email_id for question in questions])
    ours = items.held(tx, [question.item for question in questions])
    held = holds.get(tx)
    answers = [_may_begin(question, known, ours, held) for question in questions]
    granted = [q for q, answer in zip(questions, answers, strict=True) if answer is True]
    for question in granted:
        if question.lost is not None:
            _give_up_on(tx, question.lost, question.attempt)
    if granted:
        attempts.add(tx, *(question.attempt for question in granted))
        faultpoint(FaultPoint.SEND_ATTEMPT_UNCOMMITTED)
    return answers


def _may_begin(
    question: Beginning,
    known: dict[str, Email],
    ours: frozenset[str],
    held: Hold | None,
) -> Begun | Exception:
    if question.item.id not in ours:
        return lease_lost(question.item)
    if held is not None and hold.forbids(held, question.item):
        return AccountHeld(state=held.state, reason=held.reason, told=False)
    email = known.get(question.attempt.email_id)
    return email is not None and queued(email) == question.expected


def _give_up_on(tx: Tx, lost: Attempt, following: Attempt) -> None:
    flagged = f"no SEND event came; sent again as attempt {following.number}. {lost.error}"
    done = replace(lost, state=AttemptState.UNKNOWN, error=flagged.strip())
    attempts.settle(tx, done, following.started_at)
    emails.flag_duplicate(tx, lost.email_id)


def record_all(tx: Tx, results: Sequence[Result]) -> Sequence[Exception | None]:
    """Write outcomes and end the turns: the plain successes together, the rest one by one."""
    plain = _plain(tx, results)
    if plain:
        _record_plain(tx, plain)
    done = {one.result.item.id for one in plain}
    answers = [None if r.item.id in done else _alone(tx, r) for r in results]
    # a call that SES took, begun after the hold was: the account may send again
    calls = [r.attempt.started_at for r in results if isinstance(r.outcome, Sent) and r.attempt]
    if calls:
        holds.end(tx, max(calls))
    # whoever had the turn to try and did not call SES passes it on
    idle = [r for r in results if not r.called and not isinstance(r.outcome, AccountHeld)]
    if idle:
        holds.pass_probe(tx, [r.item.id for r in idle], now=idle[0].at)
    faultpoint(FaultPoint.SEND_RESULT_UNCOMMITTED)
    return answers


def nothing_left(tx: Tx, item: WorkItem, now: datetime) -> None:
    """End the work about a mail that has no recipient left to send to."""
    items.finish(tx, item)
    holds.pass_probe(tx, [item.id], now=now)


def _plain(tx: Tx, results: Sequence[Result]) -> list[_Plain]:
    """Find those sent for the first time, by us, to all their recipients still waiting."""
    sent = [(r, r.outcome, r.attempt) for r in results if isinstance(r.outcome, Sent) and r.attempt]
    if not sent:
        return []
    known = emails.lock_many(tx, [result.email_id for result, _, _ in sent])
    ours = items.held(tx, [result.item for result, _, _ in sent])
    return [
        _Plain(result, email, SentMail(email.id, attempt.id, outcome.ses_message_id, result.at))
        for result, outcome, attempt in sent
        if result.item.id in ours
        and (email := known.get(result.email_id)) is not None
        and email.ses_message_id is None
        and all(recipient.status in _NOT_YET for recipient in email.recipients)
    ]


def _record_plain(tx: Tx, plain: Sequence[_Plain]) -> None:
    tally: Tally[tuple[str, datetime]] = Tally()
    happened = []
    for one in plain:
        email, at, ses_id = one.email, one.result.at, one.mail.ses_message_id
        tally[email.tenant_id, at.replace(second=0, microsecond=0)] += len(queued(email))
        happened.append(news(email, "sent", at, one.result.event_id, ses_message_id=ses_id))
    outgoing.mark_sent(tx, [one.mail for one in plain])
    for (tenant_id, minute), n in tally.items():
        counters.bump(tx, tenant_id, Counter.SENT, minute, n)
    announce(tx, *happened)
    items.finish_held(tx, [one.result.item for one in plain])


def _alone(tx: Tx, result: Result) -> Exception | None:
    try:
        with tx.begin_nested():
            record(tx, result)
    except LeaseLostError as error:
        learn(tx, result)
        return error
    return None
