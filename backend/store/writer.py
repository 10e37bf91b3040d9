"""The writer thread: takes the jobs that wait, runs them in one transaction, answers them all.

Whatever a job, the disk or the server does, the thread lives on and every job gets an answer. Jobs
that gather are run by one call for all of them: ten mails cost little more than one.
"""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy.exc import DBAPIError

from backend.errors import DatabaseBusyError
from backend.store.faults import is_collision, spoils_transaction, translated
from backend.store.linger import Linger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sqlalchemy import Engine

    from backend.store.types import Tx

R = TypeVar("R")
T = TypeVar("T")

GROUP = 50  # jobs one commit may carry
GATHERED = 200  # the same where they gather: they are cheap then
TRIES = 3  # of a job that loses against other PostgreSQL transactions


@dataclass(slots=True, eq=False)
class _Job:
    """One unit of work: ``run`` takes the transaction, or nothing when it is to run ``alone``.

    When it ``gathers``, ``run`` takes the ``item`` of every such job in the group at once and gives
    what becomes of each: a value, or the error to be raised.
    """

    run: Callable[..., Any]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    alone: bool = False
    gathers: bool = False
    item: Any = None
    tries: int = 0
    value: Any = None
    error: BaseException | None = None


class Writer:
    """The thread that owns the writing connection."""

    def __init__(self, engine: Engine) -> None:
        self.closed = False
        self._engine = engine
        self._waiting: deque[_Job] = deque()
        self._changed = threading.Condition()
        self._arrived = 0
        self._released = False
        self._linger = Linger(self._release, lambda: self._arrived, lambda: len(self._waiting))
        self._thread = threading.Thread(target=self._run, name="db-write", daemon=True)
        self._thread.start()

    async def submit(self, run: Callable[[Tx], R]) -> R:
        """Run within the next group and give its result once the group is committed."""
        loop = asyncio.get_running_loop()
        job = _Job(run, loop, loop.create_future())
        return await self._hand_in(job)  # type: ignore[no-any-return]  # a job of any type

    async def submit_gathered(
        self, run: Callable[[Tx, Sequence[T]], Sequence[R | BaseException]], item: T
    ) -> R:
        """Run within the next group, together with the others of it that gave the same ``run``."""
        loop = asyncio.get_running_loop()
        job = _Job(run, loop, loop.create_future(), gathers=True, item=item)
        return await self._hand_in(job)  # type: ignore[no-any-return]  # a job of any type

    async def submit_alone(self, run: Callable[[], R]) -> R:
        """Run on the writer thread outside any transaction."""
        loop = asyncio.get_running_loop()
        job = _Job(run, loop, loop.create_future(), alone=True)
        return await self._hand_in(job)  # type: ignore[no-any-return]  # a job of any type

    def close(self) -> None:
        """Run what waits, then end the thread."""
        with self._changed:
            self.closed = True
            self._changed.notify()
        self._thread.join()

    def _hand_in(self, job: _Job) -> asyncio.Future[Any]:
        with self._changed:
            if self.closed:
                raise DatabaseBusyError("the database is closed")
            self._waiting.append(job)
            self._arrived += 1
        self._linger.expect(job.loop)
        return job.future

    def _release(self) -> None:
        with self._changed:
            self._released = bool(self._waiting)  # the thread may have taken all with others
            self._changed.notify()

    def _run(self) -> None:
        while group := self._take():
            # a caller who stopped waiting before the work began does not want it any more
            wanted = [job for job in group if not job.future.cancelled()]
            while wanted:
                self._do(wanted)
                again = [job for job in wanted if _may_try_again(job)]
                _answer(job for job in wanted if job not in again)
                wanted = again

    def _take(self) -> list[_Job]:
        """Wait for work and take what may share a transaction; empty when closed and done."""
        with self._changed:
            while not (self._waiting and self._released) and not self.closed:
                self._changed.wait()
            group: list[_Job] = []
            while self._waiting and len(group) < GATHERED:
                first = self._waiting[0]
                if group and (first.alone or (len(group) >= GROUP and not first.gathers)):
                    break
                group.append(self._waiting.popleft())
                if group[0].alone:
                    break
            self._released = bool(self._waiting)  # what did not fit goes next
            self._linger.last_group = len(group)
            return group

    def _do(self, group: list[_Job]) -> None:
        """Run a group and commit it; every job ends with a value or an error."""
        try:
            if group[0].alone:
                group[0].value = group[0].run()
                return
            with self._engine.begin() as tx:
                for jobs in _gathered(group):
                    _in_savepoint(tx, jobs)
        except BaseException as error:  # noqa: BLE001  # the thread must live on; all callers hear of it
            failed = translated(error) if isinstance(error, DBAPIError) else error
            for job in group:
                # nothing was written; those that raised by themselves keep their own error
                job.error = job.error or failed


def _gathered(group: list[_Job]) -> Iterable[list[_Job]]:
    """Give the jobs in their order, those that gather joined to the first of their kind."""
    parts: dict[object, list[_Job]] = {}
    for job in group:
        parts.setdefault(job.run if job.gathers else id(job), []).append(job)
    return parts.values()


def _in_savepoint(tx: Tx, jobs: list[_Job]) -> None:
    for job in jobs:
        job.error = None
        job.tries += 1
    savepoint = tx.begin_nested()
    try:
        _perform(tx, jobs)
        savepoint.commit()
    except BaseException as error:  # it belongs to the caller, who gets it
        if isinstance(error, DBAPIError) and spoils_transaction(error):
            raise
        savepoint.rollback()
        if len(jobs) == 1:
            jobs[0].error = error
            return
        for job in jobs:  # one of them spoilt it for all
            _in_savepoint(tx, [job])


def _perform(tx: Tx, jobs: list[_Job]) -> None:
    if not jobs[0].gathers:
        jobs[0].value = jobs[0].run(tx)
        return
    for job, ended in zip(jobs, jobs[0].run(tx, [job.item for job in jobs]), strict=True):
        if isinstance(ended, BaseException):
            job.error = ended
        else:
            job.value = ended


def _may_try_again(job: _Job) -> bool:
    if not isinstance(job.error, DBAPIError) or not is_collision(job.error):
        return False
    if job.tries < TRIES:
        return True
    job.error = translated(job.error)
    return False


def _answer(jobs: Iterable[_Job]) -> None:
    """Wake each event loop once for all its jobs, however big the group."""
    by_loop: defaultdict[asyncio.AbstractEventLoop, list[_Job]] = defaultdict(list)
    for job in jobs:
        by_loop[job.loop].append(job)
    for loop, answered in by_loop.items():
        try:
            loop.call_soon_threadsafe(_settle, answered)
        except RuntimeError:
            continue  # the loop is closed: nobody waits there any more


def _settle(jobs: list[_Job]) -> None:
    for job in jobs:
        if job.future.done():
            continue  # its caller was cancelled meanwhile
        if job.error is None:
            job.future.set_result(job.value)
        elif isinstance(job.error, StopIteration):
            # a future refuses it: it would end the awaiting coroutine instead of failing it
            job.future.set_exception(RuntimeError("the unit of work raised StopIteration"))
        else:
            job.future.set_exception(job.error)
