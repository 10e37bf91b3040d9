"""How answers to a mail find back to it: its conversation, its token, where replies are sent."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from backend.model.address import Address
from backend.model.inbound import Route, TargetAction, TargetName
from backend.reply_tokens import reply_address
from backend.store import contacts, domains, threads
from backend.store.threads import Thread

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backend.mime.compose import Letter
    from backend.model.outbound import Email
    from backend.model.tenant import Domain
    from backend.ports import Ids
    from backend.reply_tokens import ReplyTokens
    from backend.store.types import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """The token of a mail and the address it makes; both empty when answers cannot come to us."""

    token: str = ""
    address: str = ""


def sign(tx: Tx, tokens: ReplyTokens, domain: Domain, email_id: str) -> Sign:
    """Make the token of a mail that is sent from ``domain``, if mail can come back."""
    home = _home(tx, domain) if tokens.current else ""
    token = tokens.make(tenant_id=domain.tenant_id, domain=home, email_id=email_id) if home else ""
    return Sign(token=token, address=reply_address(token, home)) if token else Sign()


def _home(tx: Tx, domain: Domain) -> str:
    """Give where answers come to: the domain itself, else a receiving domain below it."""
    if domain.inbound_enabled:
        return domain.name
    below = (
        one.name
        for one in domains.of_tenant(tx, domain.tenant_id)
        if one.inbound_enabled and one.name.endswith(f".{domain.name}")
    )
    return min(below, default="")


def conversation_of(tx: Tx, ids: Ids, email: Email) -> str:
    """Give the conversation on the ticket the tags name, else a new one; raises nothing."""
    route = thread_route(email.tenant_id, email.tags)
    if route is not None and route.target is not TargetName.CRM:
        known = threads.of_ticket(tx, email.tenant_id, route.ref, route.target)
        if known:
            return known[0].id
    thread = Thread(
        id=ids.new("thr"),
        tenant_id=email.tenant_id,
        subject=email.subject,
        created_at=email.created_at,
        route=route,
    )
    threads.add(tx, thread)
    return thread.id


def let_them_answer(tx: Tx, email: Email) -> None:
    """Let the recipients take part in the conversation, and learn whose contact id was given."""
    threads.join(tx, email.thread_id, (recipient.address for recipient in email.recipients))
    contact_id = email.tags.get("contact_id")
    if contact_id and len(email.recipients) == 1:
        address = email.recipients[0].address
        contacts.learn(tx, email.tenant_id, address, contact_id, email.created_at)


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
