"""What publishing works with, joined by backend/app.py."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from backend.sealing import Seal

if TYPE_CHECKING:
    import httpx
    from pydantic import SecretStr

    from backend.bus.gate import Gate
    from backend.bus.poster import Poster
    from backend.ports import Clock, Ids
    from backend.store.engine import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Bus:
    """The dependencies of publishing.

    An empty ``url`` leaves events in the outbox; an empty ``secret`` leaves posts to the bus
    unsigned; an endpoint that fails for ``disable_after`` is switched off; ``seal`` closes the
    secrets of endpoints.
    """

    db: Database
    client: httpx.AsyncClient
    poster: Poster
    gate: Gate
    clock: Clock
    ids: Ids
    url: str
    key: SecretStr
    secret: SecretStr
    disable_after: timedelta = timedelta(days=5)
    seal: Seal = field(default_factory=Seal)
