"""The reads of stage 4: which conversations the claims of a message lead to."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from backend.inbound.facts import look_up_place
from backend.inbound.match_claims import ses_id
from backend.inbound.match_known import Conversation, Hit, KnownMail
from backend.inbound.recipient import Pattern
from backend.model.address import domain_of
from backend.model.inbound import TargetName
from backend.model.matching import MatchBy
from backend.reply_tokens import email_id_in, same
from backend.store import citations, contacts, emails, threads

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from backend.inbound.facts import Place
    from backend.inbound.match_claims import Claims, TokenClaim
    from backend.model.inbound import InboundMessage
    from backend.model.outbound import Email
    from backend.reply_tokens import ReplyTokens
    from backend.store.citations import Citation
    from backend.store.threads import Thread
    from backend.store.types import Tx

MAX_MERGES = 10  # a circle of merged tickets must end somewhere
MAX_CITED = 50  # conversations to one message: beyond that it is no evidence
_TARGETS = {Pattern.TICKET: TargetName.PSA, Pattern.PORTAL: TargetName.PORTAL}


def look_up_match(
    tx: Tx, message: InboundMessage, claims: Claims, inbound_domain: str, tokens: ReplyTokens
) -> tuple[Place, KnownMail]:
    """Find the place of the envelope recipient and what is known of the message's claims."""
    place = look_up_place(tx, message.recipient, inbound_domain)
    # a domain that is not ours must not draw on a conversation of any tenant
    if not place.ours:
        return place, KnownMail()
    return place, _Reader(tx, place, tokens).read(message, claims)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads for one message; a conversation is read once, however often it is named."""

    tx: Tx
    place: Place
    tokens: ReplyTokens
    read_already: dict[str, Conversation] = field(default_factory=dict)

    def read(self, message: InboundMessage, claims: Claims) -> KnownMail:
        tenant_id = self.place.tenant_id
        hits, bad = self._by_tokens(claims.tokens)
        cited = self._cited(claims.message_ids)
        hits += self._by_ids(MatchBy.IN_REPLY_TO, claims.in_reply_to, cited)
        hits += self._by_ids(MatchBy.REFERENCES, claims.references, cited)
        addressed = self._addressed()
        if tenant_id:
            hits += self._by_numbers(claims.numbers)
            ref = self.place.recipient.ref
            hits += [Hit(by=MatchBy.ADDRESS, claim=ref, conversation=c) for c in addressed]
        # the tenant is known by the conversation when the shared domain does not tell it
        owner = tenant_id or next((hit.conversation.thread.tenant_id for hit in hits), "")
        return KnownMail(
            pattern=self.place.recipient.pattern,
            hits=tuple(hits),
            bad_tokens=tuple(bad),
            addressed=tuple(addressed),
            collision=citations.collides(
                self.tx, owner, message.id, message.message_id, message.content_sha256
            ),
            contact_id=contacts.find(self.tx, owner, message.from_address) if owner else None,
        )

    def _by_tokens(self, claims: Sequence[TokenClaim]) -> tuple[list[Hit], list[str]]:
        hits: list[Hit] = []
        bad: list[str] = []
        for claim in claims:
            email = self._signed(claim)
            if email is None:
                bad.append(claim.text)
            else:
                hits += self._hit(claim.by, claim.text, email.thread_id, email)
        return hits, bad

    def _signed(self, claim: TokenClaim) -> Email | None:
        """Give the mail a token was made for: signature, row and domain must all agree."""
        email_id = email_id_in(claim.text)
        email = emails.get(self.tx, email_id, self.place.tenant_id or None) if email_id else None
        if email is None:
            return None
        domain = domain_of(email.reply_address)
        signed = self.tokens.valid(claim.text, tenant_id=email.tenant_id, domain=domain)
        stored = same(claim.text, email.reply_token)
        return email if signed and stored and claim.domain in ("", domain) else None

    def _cited(self, message_ids: Sequence[str]) -> list[Citation]:
        """Find what the Message-IDs stand for; the newest of our own mail comes first."""
        if not message_ids:
            return []
        tenant_id = self.place.tenant_id
        ours = {found: message_id for message_id in message_ids if (found := ses_id(message_id))}
        sent = citations.sent(self.tx, tenant_id or None, ours)
        if not tenant_id:  # other ids can be made up: they count within a tenant only
            return sent
        return [
            *sent,
            *citations.learned(self.tx, tenant_id, message_ids),
            *citations.received(self.tx, tenant_id, message_ids),
        ]

    def _by_ids(
        self, by: MatchBy, message_ids: Sequence[str], cited: Sequence[Citation]
    ) -> list[Hit]:
        found = [
            citation
            for message_id in message_ids
            for citation in cited
            if citation.message_id == message_id
        ]
        return [
            hit
            for one in found[:MAX_CITED]
            for hit in self._hit(by, one.message_id, one.thread_id, self._email(one.email_id))
        ]

    def _by_numbers(self, numbers: Sequence[str]) -> list[Hit]:
        if not numbers:
            return []
        named = threads.by_number(self.tx, self.place.tenant_id, numbers)
        named.sort(key=lambda thread: numbers.index(thread.ticket_number))
        return [
            Hit(by=MatchBy.SUBJECT, claim=thread.ticket_number, conversation=self._of(thread))
            for thread in named
        ]

    def _addressed(self) -> list[Conversation]:
        """Find the conversations on the ticket that the address names, by its id or number."""
        recipient = self.place.recipient
        target = _TARGETS.get(recipient.pattern)
        if target is None:
            return []
        found = threads.of_ticket(self.tx, self.place.tenant_id or None, recipient.ref, target)
        return [self._of(thread) for thread in found]

    def _email(self, email_id: str | None) -> Email | None:
        return emails.get(self.tx, email_id, self.place.tenant_id or None) if email_id else None

    def _hit(self, by: MatchBy, claim: str, thread_id: str, email: Email | None) -> list[Hit]:
        """Make the hit of a claim; none when its conversation is gone."""
        thread = threads.get(self.tx, thread_id)
        if thread is None:
            return []
        return [Hit(by=by, claim=claim, conversation=self._of(thread), email=email)]

    def _of(self, thread: Thread) -> Conversation:
        """Read a conversation, or the one that its ticket was merged into."""
        if thread.id not in self.read_already:
            last, passed = _follow_merges(self.tx, thread)
            people = threads.participants(self.tx, passed)
            self.read_already[thread.id] = Conversation(
                thread=last,
                participants=frozenset().union(*people.values()),
                merged=last != thread,
            )
        return self.read_already[thread.id]


def _follow_merges(tx: Tx, thread: Thread) -> tuple[Thread, list[str]]:
    """Give the conversation of the ticket that took a ticket's place, and all on the way to it."""
    passed = [thread.id]
    while thread.merged_into and thread.route is not None and len(passed) <= MAX_MERGES:
        route = replace(thread.route, ref=thread.merged_into)
        heirs = threads.of_ticket(tx, thread.tenant_id, route.ref, route.target)
        heir = _not_in(heirs, passed)
        if heir is None:  # no mail was exchanged on that ticket yet
            return replace(thread, route=route), passed
        thread = heir
        passed.append(thread.id)
    return thread, passed


def _not_in(found: Iterable[Thread], passed: Sequence[str]) -> Thread | None:
    return next((thread for thread in found if thread.id not in passed), None)
