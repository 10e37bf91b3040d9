"""What a rule would have done to stored messages: each is decided twice, without it and with it.

The same pure stages decide as in the pipeline, on the present configuration; nothing is written.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from backend.errors import InvalidInputError, NotFoundError
from backend.inbound.pipeline import conclude
from backend.inbound.rules import facts_of, why_not
from backend.inbound.rules_read import Trial
from backend.model.inbound import InboundStatus
from backend.model.rules import Course, RuleTrial
from backend.model.views import InboundQuery
from backend.store import inbound as store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from backend.inbound.pipeline import Inbound
    from backend.model.inbound import InboundMessage, ParsedMail, Route
    from backend.model.rules import Rule

MAX_LAST = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tried:
    """A stored message, read again."""

    message: InboundMessage
    mail: ParsedMail


async def try_rule(inbound: Inbound, rule: Rule, last: int) -> AsyncIterator[RuleTrial]:
    """Try a rule on the last messages of its tenant, newest first; raises InvalidInputError."""
    if not 1 <= last <= MAX_LAST:
        raise InvalidInputError(f"last: try 1 to {MAX_LAST} messages at once", field="last")
    query = InboundQuery(tenant_id=rule.tenant_id or None)
    for message in await inbound.db.read(store.page, query, 0, last):
        yield await _try_on(inbound, rule, message)


async def _try_on(inbound: Inbound, rule: Rule, message: InboundMessage) -> RuleTrial:
    trial = RuleTrial(
        inbound_id=message.id,
        received_at=message.received_at,
        sender=message.from_address or message.envelope_from,
        subject=message.subject,
        recorded=_course(message, message.status),
    )
    try:
        raw = await inbound.blobs.get(message.blob_key)
    except NotFoundError:
        return replace(trial, error="the raw message is no longer in the store")
    mail = await inbound.reader.read(raw)
    tried = _Tried(message=message, mail=mail)
    read = replace(message, kind=mail.facts.classification.kind)
    fits, why = why_not(rule.when, facts_of(read, mail, message.tenant_id, [rule]))
    return replace(
        trial,
        sender=mail.from_address or trial.sender,
        subject=mail.subject,
        without=await _decide(inbound, tried, Trial(rule=rule, included=False)),
        with_rule=await _decide(inbound, tried, Trial(rule=rule, included=True)),
        fits=fits,
        why=why,
    )


async def _decide(inbound: Inbound, tried: _Tried, trial: Trial) -> Course:
    fresh = replace(tried.message, status=InboundStatus.RECEIVED, route=None)
    decision = await conclude(inbound, fresh, tried.mail, trial=trial)
    status = decision.rest.status if decision.rest else InboundStatus.FORWARDING
    decided = replace(decision.message, reason=decision.steps[-1].reason)
    return _course(decided, status)


def _course(message: InboundMessage, status: InboundStatus) -> Course:
    return Course(
        status=status.value,
        reason=message.reason.value,
        way=_way(message.route),
        tags=message.tags,
        fields=message.fields,
    )


def _way(route: Route | None) -> str:
    return f"{route.target} {route.action} {route.ref}".rstrip() if route else ""
