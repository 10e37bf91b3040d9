"""An event on its whole way, by the workers of an open backend: outbox, bus, subscriber."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import SecretStr
from standardwebhooks import Webhook

from backend.app import open_backend
from backend.bus.signing import written
from backend.config import Config
from backend.model.webhooks import EndpointWish
from backend.queue.announce import announce
from tests.waiting import until
from tests.webhook_world import event, receiving

if TYPE_CHECKING:
    from backend.store.engine import Database

SECRET = written(bytes(range(32)))


async def test_the_workers_tell_the_bus_and_a_subscriber_and_either_can_check_who_spoke(
    db: Database, sqlite_url: str
) -> None:
    async with receiving() as bus, receiving() as subscriber:
        config = Config(
            database=sqlite_url,
            poll_seconds=0.02,
            bus_api_url=bus.url,
            bus_secret=SecretStr(SECRET),
            webhooks_inside=True,
        )
        async with open_backend(config) as backend:
            tenant = await backend.add_tenant("Acme", actor="tester")
            wish = EndpointWish(tenant_id=tenant.id, url=subscriber.url)
            made = await backend.webhooks.create(wish, actor="tester")
            await db.write(announce, event(1, tenant=tenant.id))
            await until(lambda: bool(bus.seen and subscriber.seen))

    for receiver, secret in ((bus, SECRET), (subscriber, made.secret)):
        ((headers, body),) = receiver.seen
        assert Webhook(secret).verify(body, headers)["id"] == "evt_1"
