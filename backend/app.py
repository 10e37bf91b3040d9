"""The composition root: builds the adapters from the settings, joins the parts, runs the loops.

Read it to see what depends on what; nothing here decides anything about mail.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import httpx

from backend.aws.client import Clients
from backend.aws.s3 import S3Blobs
from backend.aws.ses import SesIdentities, SesTransport
from backend.aws.sqs import SqsQueue
from backend.bus.publish import Bus, publish
from backend.clock import SystemClock, UlidIds
from backend.config import data_home
from backend.domains.register import DomainTools
from backend.facade import Backend, Parts
from backend.feedback.poller import FeedbackPoller
from backend.inbound.intake import Intake
from backend.inbound.pipeline import Inbound
from backend.inbound.pipeline import process as process_inbound
from backend.inbound.sources.sqs import SqsSource
from backend.inbound.targets import HttpTargets
from backend.model.inbound import TargetName
from backend.model.work import WorkKind
from backend.outbound.context import Outbound, outbound_settings
from backend.outbound.send import process as process_send
from backend.queue.checkpointer import CHECKPOINTER, Checkpointer
from backend.queue.owner import process_owner
from backend.queue.roles import RoleKeeper
from backend.queue.supervisor import Supervisor
from backend.queue.worker import Worker, WorkerSettings
from backend.store.blobs import FolderBlobs
from backend.store.engine import Database, open_database

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from backend.config import Config
    from backend.model.work import WorkItem
    from backend.ports import BlobStore

__all__ = ["Backend", "open_backend"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rooms:
    """All that was built for one open backend."""

    config: Config
    db: Database
    aws: Clients
    clock: SystemClock
    blobs: BlobStore
    outbound: Outbound
    inbound: Inbound
    domains: DomainTools
    bus: Bus


@asynccontextmanager
async def open_backend(config: Config, *, workers: bool = True) -> AsyncGenerator[Backend]:
    """Open the database and, unless told otherwise, run the loops beside it.

    Without workers it looks and acts, and leaves the loops to a server on the same database.
    Raises SchemaTooNewError and DatabaseBusyError. Leaving the context drains the work under way.
    """
    async with AsyncExitStack() as stack:
        db = await asyncio.to_thread(open_database, config.database_url)
        stack.callback(db.close)
        http = await stack.enter_async_context(httpx.AsyncClient(timeout=10))
        aws = Clients(config.aws_region, config.aws_endpoint_url)
        stack.callback(aws.close)
        rooms = _build(config, db, aws, http)
        worker = _worker(rooms)
        if workers:
            supervisor = _supervise(rooms, worker)
            await supervisor.start()
            stack.push_async_callback(supervisor.stop)
        yield Backend(
            Parts(
                db=db,
                outbound=rooms.outbound,
                inbound=rooms.inbound,
                domains=rooms.domains,
                nudge=worker.nudge,
            )
        )


def _build(config: Config, db: Database, aws: Clients, http: httpx.AsyncClient) -> _Rooms:
    """Build every part from the settings, the outermost last."""
    clock, ids = SystemClock(), UlidIds()
    blobs: BlobStore = FolderBlobs(data_home() / "mail")
    if config.inbound_bucket:
        blobs = S3Blobs(aws, config.inbound_bucket)
    urls = {
        TargetName.PSA: config.psa_api_url,
        TargetName.CRM: config.crm_api_url,
        TargetName.PORTAL: config.portal_api_url,
    }
    key = config.integration_key
    return _Rooms(
        config=config,
        db=db,
        aws=aws,
        clock=clock,
        blobs=blobs,
        outbound=Outbound(
            db=db,
            transport=SesTransport(aws, clock=clock),
            clock=clock,
            ids=ids,
            settings=outbound_settings(config, clock.now()),
        ),
        inbound=Inbound(
            db=db,
            blobs=blobs,
            targets=HttpTargets(urls, key.get_secret_value(), http, clock),
            clock=clock,
            ids=ids,
            inbound_domain=config.inbound_domain,
            retry_period=timedelta(hours=config.retry_hours),
        ),
        domains=DomainTools(
            db=db,
            identities=SesIdentities(aws),
            clock=clock,
            ids=ids,
            region=config.aws_region,
        ),
        bus=Bus(db=db, client=http, clock=clock, url=config.bus_api_url, key=key),
    )


def _worker(rooms: _Rooms) -> Worker:
    """Give every kind of work its handler."""

    async def send(item: WorkItem) -> None:
        await process_send(item, rooms.outbound)

    async def receive(item: WorkItem) -> None:
        await process_inbound(item, rooms.inbound)

    async def announce(item: WorkItem) -> None:
        await publish(item, rooms.bus)

    return Worker(
        rooms.db,
        rooms.clock,
        {WorkKind.SEND: send, WorkKind.INBOUND: receive, WorkKind.PUBLISH: announce},
        owner=process_owner(),
        settings=WorkerSettings(
            concurrency=rooms.config.workers,
            poll_seconds=rooms.config.poll_seconds,
            lease_seconds=rooms.config.lease_seconds,
        ),
    )


def _supervise(rooms: _Rooms, worker: Worker) -> Supervisor:
    """Give every loop to the supervisor; what brings new work ends first."""
    config, clock = rooms.config, rooms.clock
    supervisor = Supervisor(clock)
    if config.inbound_queue_url:
        source = _inbound_source(rooms)
        supervisor.add("inbound source", source.run)
    if config.events_queue_url:
        queue = SqsQueue(rooms.aws, config.events_queue_url)
        poller = FeedbackPoller(rooms.db, queue, clock=clock, ids=rooms.outbound.ids)
        supervisor.add("feedback", poller.run, ask_to_stop=poller.stop)
    supervisor.add("worker", worker.run, ask_to_stop=worker.stop)
    keeper = RoleKeeper(rooms.db, clock, owner=process_owner())
    checkpointer = Checkpointer(rooms.db, clock)

    async def checkpoint() -> None:
        await keeper.run_as(CHECKPOINTER, checkpointer.run)

    supervisor.add("checkpointer", checkpoint)
    return supervisor


def _inbound_source(rooms: _Rooms) -> SqsSource:
    intake = Intake(
        rooms.db,
        rooms.blobs,
        rooms.clock,
        rooms.inbound.ids,
        inbound_domain=rooms.config.inbound_domain,
    )
    queue = SqsQueue(rooms.aws, rooms.config.inbound_queue_url)
    return SqsSource(queue, intake, rooms.blobs, bucket=rooms.config.inbound_bucket)
