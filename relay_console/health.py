"""What is wrong just now, as read for the top of every screen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backend import Alert, Endpoint, SendingStatus
    from relay_console.service import Service


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What was read together; see backend/model/sending.py, compliance.py and webhooks.py."""

    sending: SendingStatus
    alerts: Sequence[Alert] = ()
    endpoints: Sequence[Endpoint] = ()


async def read_health(service: Service) -> Health:
    """Ask for holds, open alerts and webhooks; raises RelayError."""
    return Health(
        sending=await service.sending_status(),
        alerts=tuple(await service.compliance.alerts()),
        endpoints=tuple(await service.webhooks.endpoints()),
    )
