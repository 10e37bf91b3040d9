"""What every screen is given: the service, who is at work, and whether they may write."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from backend import RelayError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from datetime import datetime

    from backend import Foreseen, InboundMessage, Tenant
    from relay_console.clipboard import Clipboard
    from relay_console.health import Health
    from relay_console.service import Service


@dataclass(slots=True, kw_only=True)
class Session:
    """One technician at work; ``actor`` goes into the audit log with every write.

    ``service`` waits until the backend is there: a demo takes seconds to start, the first paint
    does not wait for it.
    """

    actor: str
    readonly: bool
    clock: Callable[[], datetime]
    clipboard: Clipboard
    # what was discarded in this session and can be undone, the newest last
    put_away: list[Sequence[str]] = field(default_factory=list)
    # what was wrong when it was last looked at; None until then
    health: Health | None = None
    # the waiting message last looked at, and what a release would make of it
    foreseen: tuple[InboundMessage, Foreseen] | None = None
    _service: Service | None = None
    _failure: str = ""
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)
    _tenants: tuple[Tenant, ...] = ()

    async def open(self, factory: Callable[[], Awaitable[Service]]) -> None:
        """Start the backend and let the waiting screens go on; raises RelayError."""
        try:
            self._service = await factory()
        except RelayError as error:
            self._failure = f"The backend did not start: {error}"
            raise
        finally:
            self._arrived.set()

    def use(self, service: Service) -> None:
        """Take a service that is there already."""
        self._service = service
        self._arrived.set()

    async def service(self) -> Service:
        """Give the service, as soon as it is there; raises RelayError when it cannot be."""
        await self._arrived.wait()
        if self._service is None:
            raise RelayError(self._failure or "The backend did not start.")
        return self._service

    @property
    def starting(self) -> bool:
        """Whether the backend is still on its way."""
        return not self._arrived.is_set()

    @property
    def failed(self) -> bool:
        """Whether the backend could not be started."""
        return self._arrived.is_set() and self._service is None

    async def tenants(self) -> Sequence[Tenant]:
        """Give the tenants, read once until something was written."""
        if not self._tenants:
            self._tenants = tuple(await (await self.service()).tenants())
        return self._tenants

    def forget_tenants(self) -> None:
        """Read the tenants anew when they are next asked for."""
        self._tenants = ()

    async def tenant_names(self, needed: set[str]) -> Mapping[str, str]:
        """Give id to name; asks again when an id that is needed is new."""
        names = {tenant.id: tenant.name for tenant in await self.tenants()}
        if not needed - {""} <= names.keys():
            self._tenants = ()
            names = {tenant.id: tenant.name for tenant in await self.tenants()}
        return names
