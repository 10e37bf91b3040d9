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
import structlog

from backend.aws.client import Clients
from backend.aws.s3 import S3Blobs
from backend.aws.ses import SesIdentities, SesTransport
from backend.aws.sns import SnsTopics, SnsVerifier
from backend.aws.sqs import SqsQueue
from backend.bus.publish import Bus, publish
from backend.clock import SystemClock, UlidIds
from backend.config import data_home
from backend.domains.register import DomainTools
from backend.facade import Backend, Parts
from backend.facade_ingest import Ingest, IngestParts
from backend.feedback.poller import FeedbackPoller
from backend.inbound.deliver_files import FileSettings
from backend.inbound.intake import Intake
from backend.inbound.pipeline import Inbound
from backend.inbound.pipeline import process as process_inbound
from backend.inbound.screen_context import ScreenSettings
from backend.inbound.sources.fetch import GuardedFetch
from backend.inbound.sources.http_event import HttpSource
from backend.inbound.sources.sns_post import SnsDoor, SnsInbound
from backend.inbound.sources.sqs import SqsSource
from backend.inbound.sources.sweeper import SWEEPER, Sweeper, SweepSettings
from backend.inbound.targets import HttpTargets
from backend.mime.limits import MAX_BYTES
from backend.model.inbound import TargetName
from backend.model.work import WorkKind
from backend.outbound.context import Outbound, outbound_settings
from backend.outbound.send import process as process_send
from backend.queue.checkpointer import CHECKPOINTER, Checkpointer
from backend.queue.owner import process_owner
from backend.queue.roles import RoleKeeper
from backend.queue.supervisor import Supervisor
from backend.queue.worker import Worker, WorkerSettings
from backend.reply_tokens import ReplyTokens
from backend.store.blobs import FolderBlobs
from backend.store.engine import Database, open_database

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from backend.config import Config
    from backend.model.work import WorkItem

__all__ = ["Backend", "open_backend"]

log = structlog.get_logger()

CERTIFICATE_BYTES = 64 * 1024
SECRET_LENGTH = 16  # characters: what is shorter may be found by trying


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rooms:
    """All that was built for one open backend."""

    config: Config
    db: Database
    aws: Clients
    clock: SystemClock
    blobs: S3Blobs | FolderBlobs
    outbound: Outbound
    inbound: Inbound
    domains: DomainTools
    bus: Bus
    intake: Intake


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
        stack.callback(rooms.inbound.reader.close)
        worker = _worker(rooms)
        if workers:
            _warn_without_secret(config)
            supervisor = _supervise(rooms, worker)
            await supervisor.start()
            stack.push_async_callback(supervisor.stop)
        yield Backend(
            Parts(
                db=db,
                outbound=rooms.outbound,
                inbound=rooms.inbound,
                domains=rooms.domains,
                ingest=_ingest(rooms),
                nudge=worker.nudge,
            )
        )


def _build(config: Config, db: Database, aws: Clients, http: httpx.AsyncClient) -> _Rooms:
    """Build every part from the settings, the outermost last."""
    clock, ids = SystemClock(), UlidIds()
    blobs: S3Blobs | FolderBlobs = FolderBlobs(data_home() / "mail")
    if config.inbound_bucket:
        blobs = S3Blobs(aws, config.inbound_bucket)
    key, tokens = config.integration_key, _reply_tokens(config)
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
            tokens=tokens,
        ),
        inbound=Inbound(
            db=db,
            blobs=blobs,
            targets=HttpTargets(_urls(config), key.get_secret_value(), http, clock),
            clock=clock,
            ids=ids,
            inbound_domain=config.inbound_domain,
            retry_period=timedelta(hours=config.retry_hours),
            files=_file_settings(config, blobs),
            screening=_screen_settings(config),
            tokens=tokens,
        ),
        domains=DomainTools(
            db=db,
            identities=SesIdentities(aws),
            clock=clock,
            ids=ids,
            region=config.aws_region,
        ),
        bus=Bus(db=db, client=http, clock=clock, url=config.bus_api_url, key=key),
        intake=Intake(db, blobs, clock, ids, inbound_domain=config.inbound_domain),
    )


def _urls(config: Config) -> dict[TargetName, str]:
    return {
        TargetName.PSA: config.psa_api_url,
        TargetName.CRM: config.crm_api_url,
        TargetName.PORTAL: config.portal_api_url,
    }


def _screen_settings(config: Config) -> ScreenSettings:
    return ScreenSettings(
        authserv_id=config.authserv_id,
        sender_limit=config.sender_rate_limit,
        thread_limit=config.thread_rate_limit,
        window=timedelta(minutes=config.rate_window_minutes),
    )


def _file_settings(config: Config, blobs: S3Blobs | FolderBlobs) -> FileSettings:
    return FileSettings(
        content_bytes=config.target_attachment_mb * 1_048_576,
        api_url=config.public_api_url,
        links=blobs if isinstance(blobs, S3Blobs) else None,
    )


def _reply_tokens(config: Config) -> ReplyTokens:
    return ReplyTokens(
        current=config.reply_token_secret.get_secret_value(),
        previous=config.reply_token_secret_previous.get_secret_value(),
    )


def _warn_without_secret(config: Config) -> None:
    """Say once, at start, what the lack of a good secret means."""
    length = len(config.reply_token_secret.get_secret_value())
    if not length:
        log.warning("reply_tokens_off", hint="set RELAY_REPLY_TOKEN_SECRET to sign reply addresses")
    elif length < SECRET_LENGTH:
        log.warning("reply_secret_short", hint=f"give at least {SECRET_LENGTH} random characters")


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
    keeper = RoleKeeper(rooms.db, clock, owner=process_owner())
    queued = _inbound_queue(rooms)
    if queued is not None:
        source = SqsSource(queued, rooms.intake, rooms.blobs, bucket=config.inbound_bucket)
        supervisor.add("inbound source", source.run)
    if config.sweep_seconds:
        sweeper = _sweeper(rooms, queued)

        async def sweep() -> None:
            await keeper.run_as(SWEEPER, sweeper.run)

        supervisor.add("sweeper", sweep)
    if config.events_queue_url:
        queue = SqsQueue(rooms.aws, config.events_queue_url)
        poller = FeedbackPoller(rooms.db, queue, clock=clock, ids=rooms.outbound.ids)
        supervisor.add("feedback", poller.run, ask_to_stop=poller.stop)
    supervisor.add("worker", worker.run, ask_to_stop=worker.stop)
    checkpointer = Checkpointer(rooms.db, clock)

    async def checkpoint() -> None:
        await keeper.run_as(CHECKPOINTER, checkpointer.run)

    supervisor.add("checkpointer", checkpoint)
    return supervisor


def _inbound_queue(rooms: _Rooms) -> SqsQueue | None:
    url = rooms.config.inbound_queue_url
    return SqsQueue(rooms.aws, url) if url else None


def _sweeper(rooms: _Rooms, queued: SqsQueue | None) -> Sweeper:
    settings = SweepSettings(
        every=timedelta(seconds=rooms.config.sweep_seconds),
        horizon=timedelta(days=rooms.config.sweep_days),
        prefix=rooms.config.inbound_prefix,
    )
    return Sweeper(
        rooms.db,
        rooms.blobs,
        rooms.intake,
        rooms.clock,
        settings=settings,
        backlog=queued.backlog if queued is not None else None,
    )


def _ingest(rooms: _Rooms) -> Ingest:
    """Join what takes mail in over HTTP and from files."""
    config, db, blobs, clock = rooms.config, rooms.db, rooms.blobs, rooms.clock
    verifier = SnsVerifier(
        # with a VPC endpoint the host of SNS has a private address, and it is the only host
        GuardedFetch(limit=CERTIFICATE_BYTES, allows=lambda _address: True),
        clock,
        region=config.aws_region,
        topics=config.sns_topics,
    )
    bucket = config.inbound_bucket
    return Ingest(
        IngestParts(
            db=db,
            blobs=blobs,
            intake=rooms.intake,
            clock=clock,
            ids=rooms.inbound.ids,
            http=HttpSource(db, blobs, rooms.intake, clock, fetch=GuardedFetch(limit=MAX_BYTES)),
            sns=SnsDoor(verifier, SnsTopics(rooms.aws)),
            sns_inbound=SnsInbound(db, blobs, rooms.intake, clock, bucket=bucket),
            token=config.ingester_inbound_token,
        )
    )
