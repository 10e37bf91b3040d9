"""The composition root: builds the adapters from the settings, joins the parts, runs the loops.

Read it to see what depends on what; nothing here decides anything about mail.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import httpx
import structlog

from backend.analytics.setup import add_loops
from backend.aws.client import Clients
from backend.aws.s3 import S3Blobs
from backend.aws.ses import SesIdentities, SesTransport
from backend.aws.sns import SnsTopics, SnsVerifier
from backend.aws.sqs import SqsQueue
from backend.aws.suppression import SesSuppressions
from backend.bus.setup import Telling, set_up_telling
from backend.clock import SystemClock, UlidIds
from backend.config import data_home
from backend.domains.register import DomainTools
from backend.facade import Backend, Parts
from backend.facade_doctor import Doctor, DoctorParts
from backend.facade_ingest import Ingest, IngestParts
from backend.feedback.poller import FeedbackPoller
from backend.inbound.auto_response_send import answer
from backend.inbound.deliver_files import FileSettings
from backend.inbound.intake import Intake
from backend.inbound.pipeline import Inbound
from backend.inbound.receiver import make_receiver
from backend.inbound.reprocess_job import ReprocessStep
from backend.inbound.retention import RETENTION, Retention
from backend.inbound.retention_settings import retention_settings
from backend.inbound.screen_context import ScreenSettings
from backend.inbound.sources.fetch import GuardedFetch
from backend.inbound.sources.http_event import HttpSource
from backend.inbound.sources.sns_post import SnsDoor, SnsInbound
from backend.inbound.sources.sqs import SqsSource
from backend.inbound.sources.sweeper import SWEEPER, Sweeper, SweepSettings
from backend.inbound.target_lines import TargetLines
from backend.inbound.targets import HttpTargets
from backend.mime.limits import MAX_BYTES
from backend.model.inbound import TargetName
from backend.model.jobs import JobKind
from backend.model.work import WorkKind
from backend.outbound.accept import accept
from backend.outbound.context import Outbound, open_outbound
from backend.outbound.sender import make_sender
from backend.queue.checkpointer import CHECKPOINTER, Checkpointer
from backend.queue.jobs import JobRunner
from backend.queue.owner import process_owner
from backend.queue.roles import RoleKeeper
from backend.queue.supervisor import Supervisor
from backend.queue.worker import Worker, WorkerSettings
from backend.store.blobs import FolderBlobs
from backend.store.database_clock import DatabaseClock
from backend.store.engine import Database, open_database
from backend.suppression.free import free

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping

    from backend.config import Config
    from backend.model.outbound import EmailDraft

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
    clock: DatabaseClock
    blobs: S3Blobs | FolderBlobs
    outbound: Outbound
    lines: TargetLines
    inbound: Inbound
    domains: DomainTools
    ses_list: SesSuppressions
    telling: Telling
    intake: Intake
    retention: Retention


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
        aws = Clients(config.aws_region, config.aws_endpoint_url, threads=config.send_threads)
        stack.callback(aws.close)
        clock = DatabaseClock(SystemClock())
        await clock.sync(db)
        rooms = _build(config, db, aws, http, clock)
        stack.callback(rooms.inbound.reader.close)
        stack.push_async_callback(rooms.lines.close)
        stack.push_async_callback(rooms.telling.bus.poster.close)
        worker = _worker(rooms)
        sender = make_sender(
            rooms.outbound,
            owner=process_owner(),
            threads=config.send_threads,
            settings=_worker_settings(config),
        )
        receiver = make_receiver(
            rooms.inbound, owner=process_owner(), settings=_worker_settings(config)
        )
        crew = {"worker": worker, "receiver": receiver, "sender": sender}

        def nudge() -> None:
            for one in crew.values():
                one.nudge()

        if workers:
            _warn_without_secret(config)
            await rooms.telling.start()
            supervisor = _supervise(rooms, crew)
            await supervisor.start()
            stack.push_async_callback(supervisor.stop)
        yield Backend(_parts(rooms, worker, nudge))


def _parts(rooms: _Rooms, worker: Worker, nudge: Callable[[], None]) -> Parts:
    """Give the facade the halves it speaks for."""
    return Parts(
        db=rooms.db,
        outbound=rooms.outbound,
        inbound=rooms.inbound,
        domains=rooms.domains,
        ses_list=rooms.ses_list,
        ingest=_ingest(rooms),
        webhooks=rooms.telling.webhook_desk(worker.nudge),
        usage=rooms.telling.usage_desk(),
        retention=rooms.retention,
        doctor=_doctor(rooms),
        nudge=nudge,
    )


def _build(
    config: Config, db: Database, aws: Clients, http: httpx.AsyncClient, clock: DatabaseClock
) -> _Rooms:
    """Build every part from the settings, the outermost last."""
    ids = UlidIds()
    blobs: S3Blobs | FolderBlobs = FolderBlobs(data_home() / "mail")
    if config.inbound_bucket:
        blobs = S3Blobs(aws, config.inbound_bucket)
    lines = TargetLines()
    outbound = open_outbound(config, db, SesTransport(aws, clock=clock), clock, ids)
    return _Rooms(
        config=config,
        db=db,
        aws=aws,
        clock=clock,
        blobs=blobs,
        outbound=outbound,
        lines=lines,
        inbound=Inbound(
            db=db,
            blobs=blobs,
            targets=_targets(config, lines, clock),
            clock=clock,
            ids=ids,
            inbound_domain=config.inbound_domain,
            retry_period=timedelta(hours=config.retry_hours),
            files=_file_settings(config, blobs),
            screening=_screen_settings(config),
            tokens=outbound.tokens,
        ),
        domains=_domain_tools(config, db, aws, clock, ids),
        ses_list=SesSuppressions(aws),
        telling=set_up_telling(config, db, http, clock=clock, ids=ids),
        intake=Intake(db, blobs, clock, ids, inbound_domain=config.inbound_domain),
        retention=Retention(
            db,
            blobs,
            clock,
            ids,
            settings=retention_settings(config),
            linked=blobs if isinstance(blobs, S3Blobs) else None,
        ),
    )


def _domain_tools(
    config: Config, db: Database, aws: Clients, clock: DatabaseClock, ids: UlidIds
) -> DomainTools:
    return DomainTools(
        db=db, identities=SesIdentities(aws), clock=clock, ids=ids, region=config.aws_region
    )


def _targets(config: Config, lines: TargetLines, clock: DatabaseClock) -> HttpTargets:
    key = config.integration_key.get_secret_value()
    return HttpTargets(_urls(config), key, lines, clock, at_once=config.workers)


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


def _warn_without_secret(config: Config) -> None:
    """Say once, at start, what the lack of a good secret means."""
    length = len(config.reply_token_secret.get_secret_value())
    if not length:
        log.warning("reply_tokens_off", hint="set RELAY_REPLY_TOKEN_SECRET to sign reply addresses")
    elif length < SECRET_LENGTH:
        log.warning("reply_secret_short", hint=f"give at least {SECRET_LENGTH} random characters")


def _worker(rooms: _Rooms) -> Worker:
    """Give its handler to every kind of work but mail in and mail out."""

    async def send_answer(tenant_id: str, draft: EmailDraft, *, key: str) -> str:
        return (await accept(rooms.outbound, tenant_id, draft, idempotency_key=key)).email_id

    return Worker(
        rooms.db,
        rooms.clock,
        {
            WorkKind.AUTO_RESPONSE: partial(
                answer, db=rooms.db, clock=rooms.clock, send=send_answer
            ),
            WorkKind.JOB: _job_runner(rooms).handle,
            **rooms.telling.handlers(),
            WorkKind.UNSUPPRESS: partial(
                free, db=rooms.db, account=rooms.ses_list, clock=rooms.clock
            ),
        },
        owner=process_owner(),
        settings=_worker_settings(rooms.config),
    )


def _worker_settings(config: Config) -> WorkerSettings:
    return WorkerSettings(
        concurrency=config.workers,
        poll_seconds=config.poll_seconds,
        lease_seconds=config.lease_seconds,
    )


def _job_runner(rooms: _Rooms) -> JobRunner:
    """Give every kind of bulk job its step."""
    return JobRunner(rooms.db, rooms.clock, {JobKind.REPROCESS: ReprocessStep(rooms.inbound)})


def _supervise(rooms: _Rooms, workers: Mapping[str, Worker]) -> Supervisor:
    """Give every loop to the supervisor; what brings new work ends first."""
    config, clock = rooms.config, rooms.clock
    supervisor = Supervisor(clock)
    if not rooms.db.is_sqlite:
        supervisor.add("clock", partial(clock.keep, rooms.db))
    keeper = RoleKeeper(rooms.db, clock, owner=process_owner())
    queued = _inbound_queue(rooms)
    if queued is not None:
        source = SqsSource(queued, rooms.intake, rooms.blobs, bucket=config.inbound_bucket)
        supervisor.add("inbound source", source.run)
    if config.sweep_seconds:
        sweeper = _sweeper(rooms, queued)
        supervisor.add("sweeper", partial(keeper.run_as, SWEEPER, sweeper.run))
    if config.retention_hours:
        supervisor.add("retention", partial(keeper.run_as, RETENTION, rooms.retention.run))
    if config.events_queue_url:
        queue = SqsQueue(rooms.aws, config.events_queue_url)
        outbound = rooms.outbound
        heard = outbound.hearing.heard if outbound.hearing else None
        poller = FeedbackPoller(rooms.db, queue, clock=clock, ids=outbound.ids, heard=heard)
        supervisor.add("feedback", poller.run, ask_to_stop=poller.stop)
    for role, loop in rooms.telling.loops().items():
        supervisor.add(role, partial(keeper.run_as, role, loop))
    for name, worker in workers.items():
        supervisor.add(name, worker.run, ask_to_stop=worker.stop)
    add_loops(supervisor, keeper, rooms.db, clock, config)
    checkpointer = Checkpointer(rooms.db, clock)
    supervisor.add("checkpointer", partial(keeper.run_as, CHECKPOINTER, checkpointer.run))
    return supervisor


def _doctor(rooms: _Rooms) -> Doctor:
    """Give the doctor everything mail depends on."""
    config = rooms.config
    events = SqsQueue(rooms.aws, config.events_queue_url) if config.events_queue_url else None
    return Doctor(
        DoctorParts(
            db=rooms.db,
            transport=rooms.outbound.transport,
            clock=rooms.clock,
            queues={"events queue": events, "inbound queue": _inbound_queue(rooms)},
            reply_secret=bool(config.reply_token_secret.get_secret_value()),
        )
    )


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
