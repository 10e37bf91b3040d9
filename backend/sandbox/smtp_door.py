"""The SMTP door: any client hands in a mail, and it goes the way SES's receiving goes."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

from backend.errors import ServiceUnavailableError
from backend.sandbox import receipt
from backend.sandbox.receipt import Arrival, Storage

if TYPE_CHECKING:
    from collections.abc import Callable

    from backend.sandbox.emitter import Emitter
    from backend.sandbox.ses_state import SesState

log = logging.getLogger(__name__)

_LARGEST_MESSAGE = 40 * 1024 * 1024
_LONGEST_LINE = 1024 * 1024
_START_SECONDS = 5.0
_ID_LETTERS = "0123456789abcdefghijklmnopqrstuv"


class Intake:
    """Stores a mail in S3 and publishes its notice; both before it returns."""

    def __init__(
        self,
        state: SesState,
        emitter: Emitter,
        *,
        put: Callable[[str, str, bytes], None],
        bucket: str,
        topic_arn: str,
    ) -> None:
        self._state = state
        self._emitter = emitter
        self._put = put
        self._bucket = bucket
        self._topic_arn = topic_arn

    @property
    def region(self) -> str:
        """The region whose SES this is."""
        return self._state.settings.region

    def receives(self, address: str) -> bool:
        """Tell whether the domain of an address takes mail here."""
        return address.rpartition("@")[2].lower() in self._state.receiving

    def take(
        self, sender: str, recipients: tuple[str, ...], raw: bytes, *, peer: str, helo: str
    ) -> str:
        """Carry a mail through; give its SES id."""
        settings = self._state.settings
        arrival = Arrival(
            id="".join(self._state.rng.choices(_ID_LETTERS, k=40)),
            at=self._state.clock.now(),
            sender=sender,
            recipients=recipients,
            raw=raw,
            peer=peer,
            helo=helo or "unknown",
            region=settings.region,
        )
        judged = receipt.verdicts(raw)
        stored = Storage(
            bucket=self._bucket, key=settings.object_prefix + arrival.id, topic_arn=self._topic_arn
        )
        final = receipt.stamped(arrival, judged)
        self._put(stored.bucket, stored.key, final)
        notice = receipt.notification(arrival, stored, judged, final)
        self._emitter.publish_now("inbound", self._topic_arn, notice)
        return arrival.id


class SmtpDoor:
    """Listens for SMTP in a thread of its own; ``port`` 0 takes a free one."""

    def __init__(self, intake: Intake, host: str, port: int) -> None:
        self._intake = intake
        self._socket = socket.create_server((host, port))
        self._up = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name="sandbox-smtp", daemon=True)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._socket.getsockname()[1])

    def start(self) -> None:
        """Begin to listen; raises ServiceUnavailableError when it does not come up."""
        self._thread.start()
        if not self._up.wait(_START_SECONDS):
            raise ServiceUnavailableError("the sandbox's SMTP door did not open within 5 seconds")

    def stop(self) -> None:
        """Close the door and every conversation."""
        if self._loop is not None and self._end is not None:
            self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()
        self._socket.close()

    def _run(self) -> None:
        asyncio.run(self._listen())

    async def _listen(self) -> None:
        from aiosmtpd.smtp import SMTP  # noqa: PLC0415  # of the sandbox extra

        class Door(SMTP):
            line_length_limit = _LONGEST_LINE

        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        conversations: set[Any] = set()

        def converse() -> Any:
            door = Door(
                _Conversation(self._intake),
                data_size_limit=_LARGEST_MESSAGE,
                enable_SMTPUTF8=False,
                hostname=f"inbound-smtp.{self._intake.region}.amazonaws.com",
                ident="ESMTP SimpleEmailService sandbox",
                loop=self._loop,
            )
            conversations.add(door)
            return door

        server = await self._loop.create_server(converse, sock=self._socket)
        self._up.set()
        await self._end.wait()
        server.close()
        for door in conversations:
            if door.transport is not None:
                door.transport.close()


class _Conversation:
    """The hooks aiosmtpd calls; it names them."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        """Take recipients of receiving domains only."""
        if not self._intake.receives(address):
            return "550 5.1.1 Requested action not taken: mailbox unavailable"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        """Answer 250 only when S3 and SNS have the mail."""
        take = partial(
            self._intake.take,
            (envelope.mail_from or "").strip("<>"),
            tuple(envelope.rcpt_tos),
            envelope.original_content,
            peer=session.peer[0],
            helo=str(session.host_name or ""),
        )
        try:
            ses_id = await asyncio.to_thread(take)
        except Exception:  # the loop's edge: the client tries again, the sandbox goes on
            log.exception("sandbox: a mail could not be stored")
            return "451 4.3.0 Requested action aborted: local error in processing"
        return f"250 OK {ses_id}"
