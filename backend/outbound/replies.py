"""How answers to a mail find back to it: its conversation, its token, where replies are sent."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from backend.model.address import Address
from backend.model.inbound import Route, TargetAction, TargetName
from backend.reply_tokens import reply_address
from backend.store import domains

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backend.mime.compose import Letter
    from backend.model.outbound import Email
    from backend.model.tenant import Domain
    from backend.reply_tokens import ReplyTokens
    from backend.store.types import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """The token of a mail and the address it makes; both empty when answers cannot come to us."""

    token: str = ""
    address: str = ""


def sign_for(tokens: ReplyTokens, domain: Domain, home: str, email_id: str) -> Sign:
    """Make the token of a mail sent from ``domain`` whose answers come to ``home``, if anywhere."""
    if not home or not tokens.current:
        return Sign()
    token = tokens.make(tenant_id=domain.tenant_id, domain=home, email_id=email_id)
    return Sign(token=token, address=reply_address(token, home)) if token else Sign()


def home_of(tx: Tx, domain: Domain) -> str:
    """Give where answers come to: the domain itself, else a receiving domain below it, else ""."""
    if domain.inbound_enabled:
        return domain.name
    below = (
        one.name
        for one in domains.of_tenant(tx, domain.tenant_id)
        if one.inbound_enabled and one.name.endswith(f".{domain.name}")
    )
    return min(below, default="")


def thread_route(tenant_id: str, tags: Mapping[str, str]) -> Route | None:
    """Tell where replies to a mail with these tags go when their address names no target."""
    ticket, product = tags.get("ticket_id"), tags.get("product")
    if ticket and product == TargetName.PSA.value:
        target, action, ref = TargetName.PSA, TargetAction.ADD_NOTE, ticket
    elif ticket and product == TargetName.PORTAL.value:
        target, action, ref = TargetName.PORTAL, TargetAction.ADD_REPLY, ticket
    elif contact := tags.get("contact_id"):
        target, action, ref = TargetName.CRM, TargetAction.LOG_ACTIVITY, contact
    else:
        return None
    return Route(target=target, action=action, tenant_id=tenant_id, ref=ref)


def answerable(letter: Letter, email: Email) -> Letter:
    """Put the token on a letter; where replies go is the caller's choice before it is ours."""
    if not email.reply_token:
        return letter
    local, _, domain = email.reply_address.rpartition("@")
    ours = (Address(local=local, domain=domain),)
    return replace(
        letter,
        reply_to=letter.reply_to or ours,
        reply_token=email.reply_token,
        reply_domain=domain,
    )
