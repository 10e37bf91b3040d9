"""From a mail as it was asked for to one that may be accepted: its template and its sender."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from backend.errors import ForbiddenError, InvalidInputError, NotFoundError
from backend.model.address import domain_of, parse_address

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backend.api.service import ApiService
    from backend.model.outbound import EmailDraft
    from backend.model.tenant import ApiKey


async def drafted(service: ApiService, key: ApiKey, draft: EmailDraft) -> EmailDraft:
    """Fill in the template a draft names and check that the key may send from its domain.

    Raises InvalidInputError and its kinds, NotFoundError for a template that is not there, and
    ForbiddenError for a sender outside the key's domains.
    """
    if draft.template is not None:
        blank = replace(draft, template=None)
        draft = await service.templates.filled(key.tenant_id, draft.template, blank)
    if key.domains:
        _check_sender(key, draft.sender)
    return draft


async def all_drafted(
    service: ApiService, key: ApiKey, wanted: Sequence[EmailDraft | InvalidInputError]
) -> list[EmailDraft | InvalidInputError]:
    """Do the same for a batch; what is wrong with one mail stands in its place."""
    return [
        one if isinstance(one, InvalidInputError) else await _drafted_or_not(service, key, one)
        for one in wanted
    ]


async def _drafted_or_not(
    service: ApiService, key: ApiKey, draft: EmailDraft
) -> EmailDraft | InvalidInputError:
    try:
        return await drafted(service, key, draft)
    except InvalidInputError as error:
        return error
    except NotFoundError as error:
        return InvalidInputError(f"template: {error}", field="template")
    except ForbiddenError as error:
        return InvalidInputError(str(error), field="from")


def _check_sender(key: ApiKey, sender: str) -> None:
    domain = domain_of(parse_address(sender, field="from").bare)
    if not key.sends_from(domain):
        allowed = ", ".join(sorted(key.domains))
        raise ForbiddenError(f"from: this API key sends from {allowed} only, not from {domain}")
