"""What the database knows for screening, read before each of its two looks. Changes nothing.

The first look comes before the match. The second comes after the route, when the conversation,
the target and, for an address of the shared domain, the tenant are known.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from backend.inbound.loops import OwnMail
from backend.inbound.screen import (
    ConversationRate,
    Known,
    Screening,
    screen,
    screen_conversation,
)
from backend.inbound.sender_lists import decide_sender
from backend.model.address import domain_of
from backend.model.inbound import MatchStatus
from backend.model.patterns import candidates
from backend.model.screening import RateScope
from backend.store import (
    attempts,
    breakers,
    citations,
    domains,
    emails,
    screen_policies,
    sender_lists,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from backend.model.inbound import InboundMessage, ParsedMail, Reason
    from backend.model.screening import ScreenPolicy
    from backend.ports import Clock
    from backend.store.types import Tx


KEPT = timedelta(days=1)  # the longest window there can be


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenSettings:
    """What the configuration says for every tenant; limits are messages in a window, 0 is none.

    ``authserv_id`` is the name our own mail server writes into Authentication-Results.
    """

    inbound_domain: str = ""
    authserv_id: str = ""
    sender_limit: int = 500
    thread_limit: int = 30
    window: timedelta = timedelta(minutes=10)


class Screener:
    """Screens messages with what the database knows at the moment.

    ``waived`` are the reasons a person has released the message from; those that may not be
    waived are held all the same.
    """

    def __init__(
        self,
        clock: Clock,
        settings: ScreenSettings,
        *,
        waived: frozenset[Reason] = frozenset(),
    ) -> None:
        self._clock = clock
        self._settings = settings
        self._waived = waived

    @property
    def waived(self) -> frozenset[Reason]:
        """Give the reasons a person has released the message from."""
        return self._waived

    def first(self, tx: Tx, message: InboundMessage, mail: ParsedMail) -> Screening:
        """Weigh verdicts, lists, loops, attachments, rate and reports."""
        known = look_up_known(tx, message, mail, self._settings, self._clock.now())
        return screen(message, mail, replace(known, waived=self._waived))

    def second(
        self, tx: Tx, before: InboundMessage, message: InboundMessage, mail: ParsedMail
    ) -> Screening | None:
        """Weigh what match and route have told; None when the message may go on.

        ``before`` is the message as the first look saw it: a tenant found since then has lists
        and a policy of its own.
        """
        if before.tenant_id != message.tenant_id:
            again = self.first(tx, message, mail)
            if again.stopped is not None:
                return replace(again, steps=again.steps[-1:])
        since = self._clock.now() - self._settings.window
        policy, count = _look_up_conversation(tx, message, since)
        rate = ConversationRate(count=count, limit=self._settings.thread_limit)
        return screen_conversation(message, policy, rate, waived=self._waived)


def look_up_known(
    tx: Tx, message: InboundMessage, mail: ParsedMail, settings: ScreenSettings, now: datetime
) -> Known:
    """Read what the first look weighs."""
    senders = candidates(mail.from_address) + candidates(message.envelope_from)
    entries = sender_lists.matching(tx, message.tenant_id, senders, now) if senders else ()
    count = 0
    if settings.sender_limit and (sender := sender_key(message)):
        count = breakers.within(
            tx, message.tenant_id, RateScope.SENDER, sender, now - settings.window
        )
    return Known(
        inbound_domain=settings.inbound_domain,
        authserv_id=settings.authserv_id,
        policy=screen_policies.get(tx, message.tenant_id),
        entry=decide_sender(mail.from_address, message.envelope_from, entries),
        own=_look_up_own(tx, message, mail),
        sender_count=count,
        sender_limit=settings.sender_limit,
    )


def count_rates(tx: Tx, messages: Sequence[InboundMessage], now: datetime) -> None:
    """Count messages for the breakers, the first time they are processed and no other."""
    fresh = [message for message in messages if message.processed_at is None]
    if not fresh:
        return
    breakers.sweep(tx, now, KEPT)
    counted = [
        (message.tenant_id, scope, key, now)
        for message in fresh
        for scope, key in (
            (RateScope.SENDER, sender_key(message)),
            (RateScope.THREAD, thread_key(message)),
        )
        if key
    ]
    breakers.count(tx, counted)


def sender_key(message: InboundMessage) -> str:
    """Give what a sender is counted by, empty when the message names none."""
    return (message.from_address or message.envelope_from).strip().lower()[:320]


def thread_key(message: InboundMessage) -> str:
    """Give what a conversation is counted by; a message that begins one is not counted."""
    matched = message.reply_match_status is MatchStatus.MATCHED
    return (message.thread_id or "") if matched else ""


def _look_up_own(tx: Tx, message: InboundMessage, mail: ParsedMail) -> OwnMail:
    facts = mail.facts
    attempt = attempts.get(tx, facts.attempt_id) if facts.attempt_id else None
    tried = emails.get(tx, attempt.email_id) if attempt else None
    sent = emails.by_ses_message_id(tx, mail.message_id.partition("@")[0], None)
    taught = citations.taught_by(tx, mail.message_id, message.tenant_id)
    domain = domains.by_name(tx, domain_of(mail.from_address))
    return OwnMail(
        attempt_tenant=tried.tenant_id if tried else None,
        sent_tenant=sent.tenant_id if sent else taught,
        domain_tenant=domain.tenant_id if domain else None,
        domain_receives=domain.inbound_enabled if domain else False,
    )


def _look_up_conversation(
    tx: Tx, message: InboundMessage, since: datetime
) -> tuple[ScreenPolicy, int]:
    key = thread_key(message)
    count = breakers.within(tx, message.tenant_id, RateScope.THREAD, key, since) if key else 0
    return screen_policies.get(tx, message.tenant_id), count
