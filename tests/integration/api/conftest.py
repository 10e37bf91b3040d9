"""The API on a socket over the real backend, without workers; one server per module."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from shutil import copyfile
from typing import TYPE_CHECKING

import httpx
import pytest_asyncio

from backend.api.app import create_app
from backend.api.server import ApiServer
from backend.app import open_backend
from backend.config import Config
from backend.model.tenant import Domain, DomainStatus, Scope
from backend.store import domains
from backend.store.engine import Database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import pytest

    from backend.app import Backend

ALL = frozenset(Scope) - {Scope.ADMIN}


@dataclass(frozen=True, kw_only=True)
class Served:
    """A running API: its URL, a client with the key of Acme, and the way to the backend.

    Acme owns acme.example, verified; Rival is another tenant with a key of its own.
    """

    url: str
    http: httpx.AsyncClient
    backend: Backend
    db: Database
    acme: str
    key: str
    rival_key: str

    def with_key(self, key: str) -> dict[str, str]:
        """Give the header that carries a key."""
        return {"Authorization": f"Bearer {key}"}

    async def key_for(self, *scopes: Scope) -> str:
        """Issue another key for Acme."""
        issued = await self.backend.issue_key(self.acme, "k", frozenset(scopes), actor="test")
        return issued.secret


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(
    migrated_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Served]:
    """Serve the API over a fresh database for the tests of one module."""
    path = tmp_path_factory.mktemp("api") / "relay.db"
    copyfile(migrated_file, path)
    config = Config(database=str(path), send_limits="none")
    db = Database(config.database_url)
    async with open_backend(config, workers=False) as backend:
        acme, key = await _tenant(backend, db, "Acme")
        _, rival_key = await _tenant(backend, db, "Rival")
        server = ApiServer(create_app(backend), "127.0.0.1", 0)
        url = await server.start()
        headers = {"Authorization": f"Bearer {key}"}
        async with httpx.AsyncClient(base_url=url, headers=headers) as http:
            yield Served(
                url=url, http=http, backend=backend, db=db, acme=acme, key=key, rival_key=rival_key
            )
        await server.stop()
    db.close()


async def _tenant(backend: Backend, db: Database, name: str) -> tuple[str, str]:
    """Make a tenant with a verified domain named after it and a key for everything."""
    tenant = await backend.add_tenant(name, actor="test")
    domain = Domain(
        id=f"dom_{name.lower()}",
        tenant_id=tenant.id,
        name=f"{name.lower()}.example",
        status=DomainStatus.VERIFIED,
        inbound_enabled=True,
        dkim_tokens=(),
        mail_from="",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    await db.write(domains.add, domain)
    issued = await backend.issue_key(tenant.id, "all", ALL, actor="test")
    return tenant.id, issued.secret
