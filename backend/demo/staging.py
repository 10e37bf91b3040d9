"""What stands ready in the demo world before its day begins, and the technician who works in it.

Templates and webhooks are made as a person would make them; the technician lets go of the one
message whose attachment looks harmful and is expected.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from backend.demo import places
from backend.demo.ledger import Fate
from backend.model.inbound import InboundStatus, Reason
from backend.model.quarantine import Release
from backend.model.template import TemplateWish
from backend.model.views import InboundQuery
from backend.model.webhooks import EndpointChange, EndpointWish

if TYPE_CHECKING:
    from backend.app import Backend
    from backend.demo.world import World
    from backend.model.tenant import Tenant

ACTOR = "demo"
LOOK = 1.0  # seconds between two looks of the technician
_HARMFUL = InboundQuery(
    statuses=frozenset({InboundStatus.QUARANTINED}),
    reasons=frozenset({Reason.UNSAFE_ATTACHMENT}),
    subject=places.CONTRACT,
)


async def stage_templates(backend: Backend, owners: dict[str, Tenant]) -> None:
    """Make a template for every client; ``owners`` are the tenants by domain."""
    for client in places.CLIENTS:
        await _template(backend, owners[client.domain].id, client.sender)


async def stage_webhooks(backend: Backend, desk_url: str) -> None:
    """Make two webhooks at the desk, one of which answers 503 to everything."""
    owners = {tenant.name: tenant.id for tenant in await backend.tenants()}
    _, fabrikam, tailspin = (owners[client.name] for client in places.CLIENTS)
    await _webhook(backend, fabrikam, f"{desk_url}/hooks/fabrikam")
    await _webhook(backend, tailspin, f"{desk_url}/hooks/closed")


async def _template(backend: Backend, tenant_id: str, sender: str) -> None:
    if await backend.templates.page(tenant_id, size=1):
        return  # the folder of an earlier demo
    wish = TemplateWish(
        name="Ticket opened",
        alias=places.TEMPLATE,
        sender=sender,
        subject="[Ticket #{{ticket}}] {{title}}",
        text="Hello {{who}},\n\nwe have your request and look into it: {{title}}\n",
        html="<p>Hello {{who}},</p><p>we have your request and look into it: {{title}}</p>",
    )
    await backend.templates.create(tenant_id, wish, actor=ACTOR)
    await backend.templates.publish(tenant_id, places.TEMPLATE, actor=ACTOR)


async def _webhook(backend: Backend, tenant_id: str, url: str) -> None:
    known = await backend.webhooks.endpoints(tenant_id)
    if known:  # the desk listens on another port now
        change = EndpointChange(url=url, enabled=True)
        await backend.webhooks.update(known[0].id, change, actor=ACTOR)
        return
    wish = EndpointWish(tenant_id=tenant_id, url=url, description="the demo's desk")
    await backend.webhooks.create(wish, actor=ACTOR)


async def watch_over(backend: Backend, world: World) -> None:
    """Look for alerts and for the message to be let go, until cancelled."""
    while True:
        await asyncio.sleep(LOOK)
        await backend.compliance.look()
        for message in await backend.inbound(_HARMFUL, 0, 10):
            marker = message.message_id.strip("<>")
            if marker in world.ledger.inbound:
                # first the book: that the desk has it not yet is known to the audit
                world.ledger.inbound[marker] = Fate.FORWARDED
                await backend.quarantine.act(
                    [message.id], Release(note="the signed contract is awaited"), actor=ACTOR
                )
