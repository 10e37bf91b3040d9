"""Reading mail off the event loop and within bounds: no message may hold up the others.

An ordinary message is read in a thread: measured, no bomb of that size takes more than a second. A
larger one goes to a process of its own with limits on memory, processor and wall time; when it
exceeds them twice it is given up as unreadable, which quarantines it.
"""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import traceback
from dataclasses import dataclass, replace
from multiprocessing import get_context
from typing import TYPE_CHECKING

from backend.inbound.screen_facts import read_facts, read_mail
from backend.mime.parse import unreadable

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from backend.model.inbound import ParsedMail

TRIES = 2
READY_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What reading one message may cost; ``small`` is the size up to which a thread will do."""

    small: int = 256 * 1024
    wall_seconds: float = 5.0
    processor_seconds: int = 10
    memory_bytes: int = 2 * 1024**3  # address space: 40 MB of text take about 0.5 GB
    processes: int = 2


class BoundedReader:
    """Reads messages within ``Bounds``; processes start with the first large message."""

    def __init__(self, bounds: Bounds | None = None) -> None:
        self._bounds = bounds or Bounds()
        self._slots = asyncio.Semaphore(self._bounds.processes)
        self._idle: list[_Child] = []

    async def read(self, raw: bytes) -> ParsedMail:
        """Parse and classify a message; one that exceeds the bounds has an unreadable defect."""
        if len(raw) <= self._bounds.small:
            return await asyncio.to_thread(read_mail, raw)
        why = ""
        async with self._slots:
            for _ in range(TRIES):
                try:
                    return await self._ask(raw)
                except TimeoutError:
                    why = f"reading it took longer than {self._bounds.wall_seconds:g} s"
                except (EOFError, OSError):
                    why = "reading it took more memory or processor time than is allowed"
        return await asyncio.to_thread(_given_up, raw, why)

    def close(self) -> None:
        """End the processes."""
        while self._idle:
            self._idle.pop().kill()

    async def _ask(self, raw: bytes) -> ParsedMail:
        child = self._idle.pop() if self._idle else await asyncio.to_thread(_Child, self._bounds)
        answered = False
        try:
            mail = await asyncio.to_thread(child.ask, raw)
            answered = True
            return mail
        finally:  # also when the caller is cancelled: the child may still be at work
            if answered:
                self._idle.append(child)
            else:
                child.kill()


class _Child:
    """A process that reads one message after the other."""

    def __init__(self, bounds: Bounds) -> None:
        context = get_context("spawn")  # a fork of a program with threads may hang
        self._bounds = bounds
        self._line, far_end = context.Pipe()
        self._process = context.Process(target=_serve, args=(far_end, bounds), daemon=True)
        self._process.start()
        far_end.close()
        if not self._line.poll(READY_SECONDS):
            self.kill()
            raise TimeoutError
        self._line.recv()

    def ask(self, raw: bytes) -> ParsedMail:
        """Read a message; raises TimeoutError, and EOFError or OSError when the process died."""
        self._line.send_bytes(raw)
        if not self._line.poll(self._bounds.wall_seconds):
            raise TimeoutError
        answer: tuple[ParsedMail | None, str] = self._line.recv()
        mail, trouble = answer
        if mail is None:
            raise RuntimeError(trouble)
        return mail

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()
        self._process.join()
        self._process.close()
        self._line.close()


def _serve(line: Connection, bounds: Bounds) -> None:
    """Read messages in a process of its own until the other end of the line is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the terminal is for the parent
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):  # the terminal belongs to the console
        os.dup2(nowhere, stream)
    resource.setrlimit(resource.RLIMIT_AS, (bounds.memory_bytes, bounds.memory_bytes))
    line.send("ready")
    while True:
        try:
            raw = line.recv_bytes()
        except EOFError:
            return
        _allow_more_time(bounds.processor_seconds)
        line.send(_answer(raw))


def _answer(raw: bytes) -> tuple[ParsedMail | None, str]:
    try:
        return read_mail(raw), ""
    except MemoryError:
        os._exit(1)  # what is left of the heap cannot be trusted
    except Exception:  # noqa: BLE001 - the edge of the loop: the parent records the traceback
        return None, traceback.format_exc()


def _allow_more_time(seconds: int) -> None:
    """Set the limit anew for each message: it counts from the start of the process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    allowed = int(used.ru_utime + used.ru_stime) + seconds + 1
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (allowed, hard))


def _given_up(raw: bytes, why: str) -> ParsedMail:
    mail, _ = unreadable(raw, why)
    return replace(mail, facts=read_facts(mail.header_fields))
