"""Native threads that carry a database: one commits in groups, a few others read. The loop never waits for the disk.

All jobs that wait are one transaction, so that one fsync makes them all durable. When one of them fails, the group is
rolled back and run one by one, so that only the guilty fails. After each group the writer tells those who follow what
was committed (`following`). A `Driver` says what is particular to a database.
"""

import logging
import threading
import time
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from typing import Any, Protocol, TypeVar, cast

from gevent.hub import Waiter

from deskbell_server.errors import STORE_AWAY, OutcomeUnknownError, UnavailableError
from deskbell_server.store.database import Connection, Session
from deskbell_server.store.following import Following
from deskbell_server.store.grouping import Together, gather, run_together
from deskbell_server.store.patience import Patience, Waiting
from deskbell_server.store.wake import Job, Wakeups

log = logging.getLogger(__name__)
T = TypeVar("T")

GROUP = 512
QUEUE_MAX = 5_000
READERS = 3
ATTEMPTS = 4
CLOSE_S = 3.0
"""How long a thread may still take at the end; one that hangs ends with the process."""
OPEN_EVERY_S = 0.25
"""While the database is away it is asked so often; who comes in between is told at once."""


class Driver(Protocol):
    """What is particular to a database."""

    def open(self) -> Session: ...

    def is_away(self, problem: BaseException) -> bool:
        """Whether the database itself cannot work now, rather than one statement being wrong."""
        ...

    def is_conflict(self, problem: BaseException) -> bool:
        """Whether the same transaction may succeed when it is tried again."""
        ...

    def is_lost(self, session: Session, problem: BaseException) -> bool:
        """Whether the session is of no more use after that."""
        ...


class Threads:
    """The waiting half of `Database`. Made on the loop's thread, and used from its greenlets."""

    def __init__(self, driver: Driver, patience_s: float | None = None, group: int = GROUP) -> None:
        self._wakeups = Wakeups()
        self._patience = Patience(patience_s)
        self._writes: SimpleQueue[Waiting | None] = SimpleQueue()
        self._reads: SimpleQueue[Waiting | None] = SimpleQueue()
        self._writer = Writer(driver, self._writes, self._wakeups, group)
        self._threads: list[Worker] = [self._writer]
        self._threads += [Reader(driver, self._reads, self._wakeups) for _ in range(READERS)]
        self._closed = False
        for thread in self._threads:
            thread.start()

    def write(self, job: Callable[[Connection], T]) -> T:
        return cast("T", self._wait(self._writes, job))

    def write_soon(self, job: Callable[[Connection], T], done: Callable[[Job], object]) -> None:
        self._put(self._writes, Waiting(job, done))

    def read(self, job: Callable[[Connection], T]) -> T:
        return cast("T", self._wait(self._reads, job))

    def follow(
        self,
        own: Callable[[Connection], Any],
        look: Callable[[Connection, bool], tuple[Any, bool] | None],
        give: Callable[[Any], object],
    ) -> None:
        self._writer.following = Following(own, look, give)

    def nudge(self) -> None:
        """One at a time: a database that hangs must not gather them."""
        following = self._writer.following
        if not following.is_nudged:
            following.is_nudged = True
            self._writes.put(Waiting(_nothing, _nobody))

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        for thread in self._threads:
            thread.queue.put(None)
        until = time.monotonic() + CLOSE_S
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        self._patience.close()
        self._wakeups.close()

    def _put(self, queue: "SimpleQueue[Waiting | None]", job: Waiting) -> None:
        if self._closed:
            raise UnavailableError("the server is shutting down")
        if queue.qsize() >= QUEUE_MAX:
            raise UnavailableError("too many requests wait for the database")
        queue.put(job)
        self._patience.add(job)

    def _wait(self, queue: "SimpleQueue[Waiting | None]", work: Callable[[Any], Any]) -> Any:
        waiter = Waiter()
        job = Waiting(work, waiter.switch)
        self._put(queue, job)
        told: Job = waiter.get()
        return told.outcome()


class Worker(threading.Thread):
    """A native thread with a session of its own, which it opens again after the database was away."""

    def __init__(self, driver: Driver, queue: "SimpleQueue[Waiting | None]", wakeups: Wakeups, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self.queue = queue
        self._driver = driver
        self._wakeups = wakeups
        self._session: Session | None = None
        self._away_since: float | None = None
        self._asked_at = 0.0

    def run(self) -> None:
        while (group := self._next_group()) is not None:
            self._serve(group)
            self._wakeups.done(group + self._own())
            del group  # what it held is free before the next comes
            self._follow()
        self._drop()

    def _own(self) -> list[Job]:
        """What is told together with the outcomes of a group."""
        return []

    def _follow(self) -> None:
        """After each group."""

    def _next_group(self) -> list[Waiting] | None:
        job = self.queue.get()
        return None if job is None else [job]

    def _serve(self, group: list[Waiting]) -> None:
        """Runs these jobs, each to its result or problem."""
        for attempt in range(ATTEMPTS):
            group[:] = [job for job in group if job.is_wanted]
            was_open = self._session is not None
            try:
                if group:
                    self._run(group, self._open())
            except _GivenUpError:
                continue
            except Exception as problem:  # noqa: BLE001 - each job has to be told
                if self._session is not None and self._driver.is_lost(self._session, _first(problem)):
                    self._drop()
                if attempt == ATTEMPTS - 1 or not self._is_worth_another(problem, was_open):
                    self._failed(group, problem)
                    return
            else:
                self._is_back()
                return
        self._failed(group, UnavailableError())

    def _run(self, group: list[Waiting], session: Session) -> None:
        raise NotImplementedError

    def _is_worth_another(self, problem: Exception, was_open: bool) -> bool:
        """Nothing was committed: a conflict may be over, and an idle session may have been cut long ago."""
        if isinstance(problem, STORE_AWAY):
            return False
        return self._driver.is_conflict(problem) or (was_open and self._session is None)

    def _failed(self, group: list[Waiting], problem: Exception) -> None:
        away = self._driver.is_away(_first(problem))
        if away and self._away_since is None:
            self._away_since = time.monotonic()
            log.error("database cannot be used: %s", _first(problem))
        for job in group:
            job.problem = UnavailableError() if away and not isinstance(problem, OutcomeUnknownError) else problem

    def _open(self) -> Session:
        if self._session is None:
            now = time.monotonic()
            if self._away_since is not None and now - self._asked_at < OPEN_EVERY_S:
                raise UnavailableError
            self._asked_at = now
            self._session = self._driver.open()
        return self._session

    def _rollback(self, session: Session) -> None:
        try:
            session.rollback()
        except Exception as problem:
            if not self._driver.is_away(problem):
                raise
            self._drop()

    def _drop(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def _is_back(self) -> None:
        if self._away_since is not None:
            log.warning("database works again after %.1f s", time.monotonic() - self._away_since)
            self._away_since = None


class Writer(Worker):
    """Commits in groups."""

    def __init__(
        self, driver: Driver, queue: "SimpleQueue[Waiting | None]", wakeups: Wakeups, most: int = GROUP
    ) -> None:
        super().__init__(driver, queue, wakeups, "deskbell-writer")
        self._most = most
        self._ending = False
        self._is_apart = False
        """Whether each job is to run alone, as together they have failed."""
        self.following = Following(_nothing, _nothing_more, _nobody)

    def _next_group(self) -> list[Waiting] | None:
        if self._ending:
            return None
        group = super()._next_group()
        if group is not None:
            self._ending = not gather(self.queue, group, self._most)
            self.following.begun()
        return group

    def _serve(self, group: list[Waiting]) -> None:
        super()._serve(group)
        if any(isinstance(job.problem, _TogetherError) for job in group):
            self._is_apart = True
            for job in group:
                super()._serve([job])
            self._is_apart = False

    def _run(self, group: list[Waiting], session: Session) -> None:
        """One transaction for all of them; none for those that only want the writer to look."""
        if all(job.work is _nothing for job in group):
            return
        before = session.changes
        session.memory.appended.clear()
        try:
            session.begin()
            self._run_all(group, session)
            if [job for job in group if not job.claim()]:  # each is asked, so that it can happen only once
                raise _GivenUpError
        except Exception:
            session.memory.forget()
            self._rollback(session)
            raise
        try:
            session.commit()
            self.following.has_written |= session.changes != before
        except Exception as problem:
            session.memory.forget()
            if self._driver.is_conflict(problem) or not self._driver.is_away(problem):
                self._rollback(session)
                raise
            raise OutcomeUnknownError from problem

    def _own(self) -> list[Job]:
        return [] if self._session is None else self.following.own(self._session)

    def _follow(self) -> None:
        """What cannot be looked at now is seen the next time. No job waits for more than one look."""
        has_more = self.following.is_due() and self._session is not None
        while has_more and self._session is not None:
            try:
                found = self.following.look(self._session, self._rollback)
            except Exception as problem:  # noqa: BLE001 - it is seen the next time
                self._not_seen(problem)
                return
            has_more = found is not None and found[1] and self.queue.empty()
            self._wakeups.done([] if found is None else [found[0]])

    def _not_seen(self, problem: Exception) -> None:
        if self._session is not None and self._driver.is_lost(self._session, problem):
            self._drop()
        if not self._driver.is_away(problem):
            log.exception("what was committed cannot be looked at")

    def _run_all(self, group: list[Waiting], session: Session) -> None:
        rest = group if self._is_apart else run_together(group, partial(self._together, session))
        for job in rest:
            before = session.changes
            job.run(session)
            problem = job.problem
            if problem is None:
                continue
            if self._driver.is_away(problem) or self._driver.is_conflict(problem):
                raise problem
            if session.is_broken or session.changes != before:
                raise problem if len(group) == 1 else _TogetherError

    def _together(self, session: Session, together: Together, jobs: list[Waiting]) -> list[Any]:
        try:
            return together(session, [job.work for job in jobs])
        except Exception as problem:
            if self._driver.is_away(problem) or self._driver.is_conflict(problem):
                raise
            log.exception("a group of %d cannot be stored together", len(jobs))
            raise _TogetherError from problem


class Reader(Worker):
    """Runs one job at a time on a snapshot."""

    def __init__(self, driver: Driver, queue: "SimpleQueue[Waiting | None]", wakeups: Wakeups) -> None:
        super().__init__(driver, queue, wakeups, "deskbell-reader")

    def _run(self, group: list[Waiting], session: Session) -> None:
        job = group[0]
        session.begin_reading()
        job.run(session)
        if job.problem is not None and (self._driver.is_away(job.problem) or self._driver.is_conflict(job.problem)):
            self._rollback(session)
            raise job.problem
        self._rollback(session)


class _GivenUpError(Exception):
    """One of a group was told meanwhile that nothing is stored: so it must not be."""


class _TogetherError(Exception):
    """One of a group failed after it had changed something: they are to be run one by one."""


def _nothing(_connection: Connection) -> None:
    """Work that only lets the writer look."""


def _nothing_more(_connection: Connection, _has_written: bool) -> None:
    """What is seen while nobody follows."""


def _nobody(_job: Job) -> None:
    """Whom a nudge is reported to."""


def _first(problem: Exception) -> BaseException:
    """What it came of, below what is made of it for whoever waits."""
    return problem.__cause__ or problem
