"""From a mail as it was asked for to one that may be accepted: its template and its sender."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from backend.errors import ForbiddenError, InvalidInputError, NotFoundError
from backend.model.address import domain_of, parse_address
from backend.model.outbound import EmailDraft
from backend.outbound.drafts import asked_batch_hash, asked_hash

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backend.api.service import ApiService
    from backend.errors import RelayError
    from backend.model.outbound import Accepted
    from backend.model.tenant import ApiKey


async def hand_in(
    service: ApiService, key: ApiKey, draft: EmailDraft, once: str | None
) -> Accepted:
    """Have a mail accepted, its template filled in, under the Idempotency-Key ``once``, if any.

    What counts as the same mail is what the caller asked for: a template that was published anew,
    or is gone, does not make another mail of it. Raises NotFoundError for a template that is not
    there, ForbiddenError for a sender outside the key's domains, and as ``accept`` does.
    """
    if draft.template is None:
        _check_sender(key, draft.sender)
        return await service.send(key.tenant_id, draft, idempotency_key=once, key_id=key.id)
    try:
        made: EmailDraft | RelayError = await _filled(service, key, draft)
    except (InvalidInputError, NotFoundError) as fault:
        made = fault
    return await service.send(
        key.tenant_id, made, idempotency_key=once, key_id=key.id, asked=asked_hash(draft)
    )


async def _filled(service: ApiService, key: ApiKey, draft: EmailDraft) -> EmailDraft:
    """Fill in the template a draft names, if any, and check that the key may send from there."""
    if draft.template is not None:
        blank = replace(draft, template=None)
        draft = await service.templates.filled(key.tenant_id, draft.template, blank)
    _check_sender(key, draft.sender)
    return draft


async def all_drafted(
    service: ApiService, key: ApiKey, wanted: Sequence[EmailDraft | InvalidInputError]
) -> list[EmailDraft | InvalidInputError]:
    """Fill in the templates of a batch; what is wrong with one mail stands in its place."""
    return [
        one if isinstance(one, InvalidInputError) else await _drafted_or_not(service, key, one)
        for one in wanted
    ]


def asked_in_batch(wanted: Sequence[EmailDraft | InvalidInputError], once: str | None) -> str:
    """Give the hash of what a batch asks for when that is not what is sent: templates fill it."""
    if once is None or not any(isinstance(one, EmailDraft) and one.template for one in wanted):
        return ""
    return asked_batch_hash(wanted)


async def _drafted_or_not(
    service: ApiService, key: ApiKey, draft: EmailDraft
) -> EmailDraft | InvalidInputError:
    try:
        return await _filled(service, key, draft)
    except InvalidInputError as error:
        return error
    except NotFoundError as error:
        return InvalidInputError(f"template: {error}", field="template")
    except ForbiddenError as error:
        return InvalidInputError(str(error), field="from")


def _check_sender(key: ApiKey, sender: str) -> None:
    if not key.domains:
        return
    domain = domain_of(parse_address(sender, field="from").bare)
    if not key.sends_from(domain):
        allowed = ", ".join(sorted(key.domains))
        raise ForbiddenError(f"from: this API key sends from {allowed} only, not from {domain}")
