"""What a message says it belongs to: tokens, Message-IDs, ticket numbers. No facts yet. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.inbound.match_subject import ticket_numbers
from backend.model.address import ascii_domain
from backend.model.matching import MatchBy
from backend.reply_tokens import token_in

if TYPE_CHECKING:
    from collections.abc import Iterable

    from backend.model.inbound import ParsedMail

MAX_IDS = 50  # of In-Reply-To, and of References: a hostile header must not cost a thousand reads
MAX_TOKENS = 10
MAX_TOKEN = 200  # characters
# QUIRK(SES): it writes <id@email.amazonses.com> in us-east-1, <id@region.amazonses.com> elsewhere
_SES_ID = re.compile(r"([^@]+)@(?:[a-z0-9-]+\.)*amazonses\.com", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenClaim:
    """Something that stands where a token would; ``domain`` is empty when its place names none."""

    by: MatchBy
    text: str
    domain: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """All a message claims, each list with the strongest claim first.

    Message-IDs are without brackets; those of References run from right to left, the nearest
    parent first (RFC 5322 3.6.4). ``numbers`` are upper case.
    """

    tokens: tuple[TokenClaim, ...] = ()
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()

    @property
    def message_ids(self) -> tuple[str, ...]:
        """Every Message-ID it names, each once."""
        return tuple(dict.fromkeys(self.in_reply_to + self.references))

    @property
    def answers_something(self) -> bool:
        """Whether it presents itself as an answer."""
        return bool(self.tokens or self.in_reply_to or self.references)


def read_claims(recipient: str, mail: ParsedMail) -> Claims:
    """Read the claims of a message for one envelope recipient."""
    local, _, domain = recipient.strip().strip("<>").rpartition("@")
    tokens = [*_token(MatchBy.TOKEN_ADDRESS, local, domain)]
    if header := mail.facts.reply_token.strip().lower()[:MAX_TOKEN]:
        text = token_in(header.partition("@")[0]) or header
        tokens.append(TokenClaim(by=MatchBy.TOKEN_HEADER, text=text))
    references = _nearest_first(mail.references)
    in_reply_to = mail.in_reply_to[:MAX_IDS]
    for message_id in (*in_reply_to, *references):
        local, _, domain = message_id.rpartition("@")
        tokens += _token(MatchBy.TOKEN_HEADER, local, domain)
    return Claims(
        tokens=tuple(dict.fromkeys(tokens))[:MAX_TOKENS],
        in_reply_to=_plain_ids(in_reply_to),
        references=_plain_ids(references),
        numbers=ticket_numbers(mail.subject),
    )


def ses_id(message_id: str) -> str:
    """Give the id SES gave a mail of ours, empty when the Message-ID is of another kind.

    A Message-ID that was cut off is no id of ours: its domain shows it.
    """
    found = _SES_ID.fullmatch(message_id)
    return found[1].lower() if found else ""


def _nearest_first(references: tuple[str, ...]) -> tuple[str, ...]:
    """Turn References round; of a long one keep the nearest and the root, as clients do."""
    if len(references) > MAX_IDS:
        references = (references[0], *references[1 - MAX_IDS :])
    return tuple(reversed(references))


def _token(by: MatchBy, local_part: str, domain: str) -> list[TokenClaim]:
    text = token_in(local_part) if local_part else None
    return [] if text is None else [TokenClaim(by=by, text=text, domain=ascii_domain(domain))]


def _plain_ids(message_ids: Iterable[str]) -> tuple[str, ...]:
    """Leave out what is no id (RFC 5322 3.6.4 asks for an @) and what is a token."""
    return tuple(
        message_id
        for message_id in dict.fromkeys(message_ids)
        if "@" in message_id.strip("@") and token_in(message_id.rpartition("@")[0]) is None
    )
