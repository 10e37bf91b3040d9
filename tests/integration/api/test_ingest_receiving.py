"""Received mail over the API: attachments as bytes, conversations, and whose they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import TYPE_CHECKING

import httpx
import pytest
import pytest_asyncio

from backend.api.app import create_app
from backend.api.server import ApiServer
from backend.app import open_backend
from backend.config import Config
from backend.model.inbound import InboundStatus
from backend.model.tenant import Domain, DomainStatus, Scope
from backend.store import domains
from backend.store.engine import Database
from tests.waiting import until_async

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from backend.app import Backend

pytestmark = pytest.mark.asyncio(loop_scope="module")

SHEET = b"name;amount\n<b>Jo</b>;10\n"


@dataclass(frozen=True, kw_only=True)
class Served:
    """An API with workers, two tenants, and one received mail of the first."""

    http: httpx.AsyncClient
    backend: Backend
    rival: dict[str, str]
    sender: dict[str, str]
    inbound_id: str


def letter() -> bytes:
    made = EmailMessage()
    made["From"] = "Jo <jo@client.example>"
    made["To"] = "support@acme.example"
    made["Subject"] = "Two files"
    made["Message-ID"] = "<files@client.example>"
    made.set_content("See the files.")
    made.add_attachment(SHEET, maintype="text", subtype="csv", filename="../page.csv")
    data = bytes(range(256))
    made.add_attachment(data, maintype="application", subtype="x-own", filename="b\u00e4r.dat")
    return made.as_bytes()


async def _tenant(backend: Backend, db: Database, name: str, *scopes: Scope) -> dict[str, str]:
    tenants = {tenant.name: tenant for tenant in await backend.tenants()}
    tenant = tenants.get(name) or await backend.add_tenant(name, actor="test")
    if name not in tenants:
        domain = Domain(
            id=f"dom_{name}",
            tenant_id=tenant.id,
            name=f"{name}.example",
            status=DomainStatus.VERIFIED,
            inbound_enabled=True,
            dkim_tokens=(),
            mail_from="",
            created_at=datetime(2026, 1, 1, tzinfo=UTC),
        )
        await db.write(domains.add, domain)
    issued = await backend.issue_key(tenant.id, "k", frozenset(scopes), actor="test")
    return {"Authorization": f"Bearer {issued.secret}"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    home: Path = tmp_path_factory.mktemp("receiving")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(home))
        config = Config(database=str(home / "relay.db"), poll_seconds=0.05)
        async with open_backend(config) as backend:
            db = Database(config.database_url)
            key = await _tenant(backend, db, "acme", Scope.READ_LOGS)
            sender = await _tenant(backend, db, "acme", Scope.SEND)
            rival = await _tenant(backend, db, "rival", Scope.READ_LOGS)
            taken = await backend.ingest.take_file(letter(), ["support@acme.example"])
            (inbound_id,) = taken.new

            async def processed() -> bool:
                found = await backend.inbound_message(inbound_id)
                return found.message.status is InboundStatus.HELD

            await until_async(processed)
            server = ApiServer(create_app(backend), "127.0.0.1", 0)
            url = await server.start()
            async with httpx.AsyncClient(base_url=url, headers=key) as http:
                yield Served(
                    http=http, backend=backend, rival=rival, sender=sender, inbound_id=inbound_id
                )
            await server.stop()
            db.close()


async def test_attachments_are_listed_with_ids_also_in_the_message(served: Served) -> None:
    at = f"/emails/receiving/{served.inbound_id}"
    listed = (await served.http.get(f"{at}/attachments")).json()
    message = (await served.http.get(at)).json()

    assert [(one["id"], one["size"]) for one in listed["data"]] == [("0", len(SHEET)), ("1", 256)]
    assert (listed["object"], listed["has_more"]) == ("list", False)
    assert message["attachments"] == listed["data"]


async def test_an_attachment_is_bytes_to_save_and_never_a_page(served: Served) -> None:
    at = f"/emails/receiving/{served.inbound_id}/attachments"
    page = await served.http.get(f"{at}/0")
    data = await served.http.get(f"{at}/1")

    assert (page.content, data.content) == (SHEET, bytes(range(256)))
    assert page.headers["content-type"] == "application/octet-stream"
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["content-disposition"] == "attachment; filename*=UTF-8''page.csv"
    assert data.headers["content-disposition"].endswith("b%C3%A4r.dat")


@pytest.mark.parametrize("attachment", ["2", "-1", "x", "1e1", "\u0661", "99999"])
async def test_an_attachment_that_is_not_there_is_not_found(
    served: Served, attachment: str
) -> None:
    at = f"/emails/receiving/{served.inbound_id}/attachments/{attachment}"

    assert (await served.http.get(at)).status_code == 404


async def test_a_conversation_holds_what_came_with_the_reply_metadata(served: Served) -> None:
    found = (await served.http.get(f"/emails/{served.inbound_id}/thread")).json()

    (mail,) = found["data"]
    assert (found["object"], found["subject"]) == ("thread", "Two files")
    assert (mail["direction"], mail["id"]) == ("in", served.inbound_id)
    assert (mail["thread_id"], mail["reply_match_status"]) == (found["id"], "none")
    assert mail["reply_to_email_id"] is None


@pytest.mark.parametrize("path", ["", "/attachments", "/attachments/0"])
async def test_another_tenants_mail_is_not_found(served: Served, path: str) -> None:
    at = f"/emails/receiving/{served.inbound_id}{path}"
    thread = f"/emails/{served.inbound_id}/thread"

    assert (await served.http.get(at, headers=served.rival)).status_code == 404
    assert (await served.http.get(thread, headers=served.rival)).status_code == 404


@pytest.mark.parametrize(
    "path", ["/receiving", "/receiving/x", "/receiving/x/attachments/0", "/x/thread"]
)
async def test_a_key_without_the_scope_reads_nothing(served: Served, path: str) -> None:
    answer = await served.http.get(f"/emails{path}", headers=served.sender)

    assert (answer.status_code, answer.json()["name"]) == (401, "restricted_api_key")


async def test_a_mail_without_a_conversation_is_not_found(served: Served) -> None:
    assert (await served.http.get("/emails/msg_none/thread")).status_code == 404
