"""What would become of a message that is not here: the whole decision, nothing written."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from backend.errors import InvalidInputError
from backend.inbound.facts import look_up_place
from backend.inbound.pipeline import conclude, prepared
from backend.model.inbound import InboundMessage, InboundStatus, Reason, ScanVerdicts
from backend.model.views import InboundDetail

if TYPE_CHECKING:
    from backend.inbound.pipeline import Inbound

PREVIEW_ID = "inb_preview"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """A raw message and its envelope; the verdicts are what a source would say of it."""

    raw: bytes
    recipient: str
    envelope_from: str = ""
    verdicts: ScanVerdicts = field(default_factory=ScanVerdicts)


async def preview(inbound: Inbound, offered: Offered) -> InboundDetail:
    """Decide over a message on the live configuration; raises InvalidInputError, TransientError."""
    local, at, domain = offered.recipient.strip().rpartition("@")
    if not at:
        raise InvalidInputError(
            f"to: {offered.recipient[:100]!r} is not a mail address; write name@example.com",
            field="to",
        )
    address = f"{local}{at}{domain.lower()}"
    place = await inbound.db.read(look_up_place, address, inbound.inbound_domain)
    message = _message(inbound, offered, address, place.tenant_id)
    mail = await inbound.reader.read(offered.raw)
    decision = await conclude(inbound, message, mail)
    known = decision.message.thread_id  # a conversation that would be begun has no id yet
    ready = prepared(decision, inbound)
    steps = ready.rest.steps if ready.rest else ready.steps
    decided = replace(
        ready.message,
        status=ready.rest.status if ready.rest else InboundStatus.FORWARDING,
        reason=steps[-1].reason,
        thread_id=known,
    )
    return InboundDetail(message=decided, steps=steps, attachments=mail.attachments)


def _message(inbound: Inbound, offered: Offered, address: str, tenant_id: str) -> InboundMessage:
    return InboundMessage(
        id=PREVIEW_ID,
        tenant_id=tenant_id,
        source="preview",
        blob_key="",
        recipient=address,
        envelope_from=offered.envelope_from,
        status=InboundStatus.RECEIVED,
        reason=Reason.STORED,
        received_at=inbound.clock.now(),
        size=len(offered.raw),
        verdicts=offered.verdicts,
    )
