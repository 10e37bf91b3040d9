"""What callers hand in, checked as far as that goes without the database: orders of mail. No I/O.

An order is one mail or a batch, from one key, under at most one Idempotency-Key.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.errors import AllSuppressedError, DomainNotVerifiedError, InvalidInputError
from backend.outbound.drafts import batch_hash, body_hash, dump_asked, dump_draft
from backend.outbound.validate import ValidDraft, validate
from backend.outbound.when import check_when, read_when

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from backend.model.limits import SendLimits
    from backend.model.outbound import EmailDraft
    from backend.ports import Ids
    from backend.reply_tokens import ReplyTokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """One mail that may be sent if the database agrees; ``stored`` is its draft as it is kept."""

    valid: ValidDraft
    stored: bytes
    scheduled_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One request on its way into the database.

    ``partly``: what is right in a batch is accepted even when other mails in it are wrong.
    """

    tenant_id: str
    key_id: str
    mails: tuple[Prepared | InvalidInputError, ...]
    body_hash: str
    is_batch: bool
    partly: bool
    once: str | None
    now: datetime
    limits: SendLimits
    tokens: ReplyTokens
    ids: Ids

    @property
    def claim(self) -> tuple[str, str] | None:
        """Give the tenant and its Idempotency-Key, if it gave one."""
        return None if self.once is None else (self.tenant_id, self.once)


def prepare(draft: EmailDraft, now: datetime) -> Prepared:
    """Check a draft; raises InvalidInputError naming the field."""
    at = draft.scheduled_at
    if at is not None:
        at = read_when(at, now) if isinstance(at, str) else check_when(at, now)
    return Prepared(valid=validate(draft), stored=dump_draft(draft), scheduled_at=at)


def prepare_all(
    wanted: Sequence[EmailDraft | InvalidInputError], now: datetime
) -> tuple[tuple[Prepared | InvalidInputError, ...], str]:
    """Check the mails of a batch; give each, or what is wrong with it, and the hash of all."""
    mails = tuple(_tried(one, now) for one in wanted)
    return mails, batch_hash(map(_as_given, wanted, mails))


def prepare_one(draft: EmailDraft, now: datetime) -> tuple[tuple[Prepared, ...], str]:
    """Check one mail; give it and its hash; raises InvalidInputError."""
    mail = prepare(draft, now)
    return (mail,), body_hash(mail.stored)


def plain_fault(error: InvalidInputError) -> InvalidInputError:
    """Give what is wrong with a mail as one of the three kinds that a kept answer tells apart."""
    kinds = (DomainNotVerifiedError, AllSuppressedError)
    kind = next((kind for kind in kinds if isinstance(error, kind)), InvalidInputError)
    return kind(str(error), field=error.field)


def _as_given(one: EmailDraft | InvalidInputError, mail: Prepared | InvalidInputError) -> bytes:
    return mail.stored if isinstance(mail, Prepared) else dump_asked(one)


def _tried(one: EmailDraft | InvalidInputError, now: datetime) -> Prepared | InvalidInputError:
    if isinstance(one, InvalidInputError):
        return plain_fault(one)
    try:
        return prepare(one, now)
    except InvalidInputError as error:
        return plain_fault(error)
