"""The desk on a socket, with its own SQLite file, inside another asyncio program."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from backend.clock import SystemClock
from backend.desk import records
from backend.desk.app import DeskParts, create_desk
from backend.desk.faults import Faults
from backend.http_server import HttpServer
from backend.store.connections import make_private
from backend.store.engine import Database

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from backend.ports import Clock

FILE = "desk.db"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskSettings:
    """Where the desk keeps its file and listens, whom it obeys, and what it knows at first.

    ``tickets`` are ticket ids, ``contacts`` maps contact ids to mail addresses.
    """

    folder: Path
    integration_key: str
    host: str = "127.0.0.1"
    port: int = 0
    tickets: tuple[str, ...] = ()
    contacts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskAddresses:
    """Base URLs, without a slash at the end: of the views and of the four products."""

    desk_url: str
    psa_url: str
    crm_url: str
    portal_url: str
    books_url: str


class Desk:
    """PSA, CRM and Portal in one; what it made survives a restart in the same folder."""

    def __init__(self, settings: DeskSettings, clock: Clock | None = None) -> None:
        self._settings = settings
        self._clock = clock or SystemClock()
        self._db: Database | None = None
        self._server: HttpServer | None = None

    async def start(self) -> DeskAddresses:
        """Open the file, listen and give the addresses; raises ConfigError when it cannot."""
        path = self._settings.folder / FILE
        make_private(path)
        db = self._db = Database(f"sqlite:///{path.absolute()}")
        try:
            known = self._settings
            await db.write(records.prepare, known.tickets, known.contacts, self._clock.now())
            parts = DeskParts(
                db=db,
                clock=self._clock,
                faults=Faults(self._clock),
                integration_key=known.integration_key,
            )
            self._server = HttpServer(create_desk(parts), known.host, known.port)
            url = await self._server.start()
        except BaseException:
            await self.stop()
            raise
        return DeskAddresses(
            desk_url=url,
            psa_url=f"{url}/psa",
            crm_url=f"{url}/crm",
            portal_url=f"{url}/portal",
            books_url=f"{url}/books",
        )

    async def stop(self) -> None:
        """Finish the requests under way and close the file; safe to call twice."""
        if self._server is not None:
            await self._server.stop()
            self._server = None
        if self._db is not None:
            await self._db.checkpoint()
            self._db.close()
            self._db = None
