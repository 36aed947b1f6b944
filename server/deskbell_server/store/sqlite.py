"""SQLite as the store: one native thread commits in groups, a few others read. The loop never waits for the disk.

All jobs that wait are one transaction, so that one fsync makes them all durable. When one of them fails, the group is
rolled back and run one by one, so that only the guilty fails.
"""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeVar, cast

from gevent.hub import Waiter

from deskbell_server.errors import UnavailableError
from deskbell_server.store.database import Connection
from deskbell_server.store.wake import Job, Wakeups

log = logging.getLogger(__name__)
T = TypeVar("T")

BUSY_S = 4.5
"""How long a group waits for another process's lock; then it is `unavailable`, within `limits.ANSWER_S`."""
BUSY_AGAIN_S = 0.25
"""How long the next ones wait while that lock lasts."""
GROUP = 512
QUEUE_MAX = 5_000
READERS = 3

_AWAY = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_NOMEM,
    }
)


def connect(path: Path, *, busy_s: float = BUSY_S) -> sqlite3.Connection:
    """A connection that commits durably. The file must exist: a deleted database is an error, not an empty one."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=busy_s, isolation_level=None, cached_statements=256
    )
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA temp_store=MEMORY")
    return connection


def is_away(problem: BaseException) -> bool:
    """Whether the database itself cannot work now, rather than one statement being wrong."""
    return isinstance(problem, sqlite3.Error) and (getattr(problem, "sqlite_errorcode", 0) or 0) & 0xFF in _AWAY


class SqliteDatabase:
    """Implements `Database`. Made on the loop's thread, and used from its greenlets."""

    def __init__(self, path: Path) -> None:
        self._wakeups = Wakeups()
        self._writes: SimpleQueue[Job | None] = SimpleQueue()
        self._reads: SimpleQueue[Job | None] = SimpleQueue()
        self._threads: list[_Worker] = [_Writer(path, self._writes, self._wakeups)]
        self._threads += [_Reader(path, self._reads, self._wakeups) for _ in range(READERS)]
        self._data_version = 0
        self._closed = False
        for thread in self._threads:
            thread.start()

    def write(self, job: Callable[[Connection], T]) -> T:
        return cast("T", self._wait(self._writes, job))

    def write_soon(self, job: Callable[[Connection], T], done: Callable[[Job], object]) -> None:
        self._put(self._writes, Job(job, done))

    def read(self, job: Callable[[Connection], T]) -> T:
        return cast("T", self._wait(self._reads, job))

    def changed_elsewhere(self) -> bool:
        # On the writer's connection this number moves only when somebody else has committed.
        version = self.write(lambda connection: int(connection.execute("PRAGMA data_version").fetchone()[0]))
        changed, self._data_version = version != self._data_version, version
        return changed

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        for thread in self._threads:
            thread.queue.put(None)
        for thread in self._threads:
            thread.join()
        self._wakeups.close()

    def _put(self, queue: "SimpleQueue[Job | None]", job: Job) -> None:
        if self._closed:
            raise UnavailableError("the server is shutting down")
        if queue.qsize() >= QUEUE_MAX:
            raise UnavailableError("too many requests wait for the database")
        queue.put(job)

    def _wait(self, queue: "SimpleQueue[Job | None]", work: Callable[[Any], Any]) -> Any:
        waiter = Waiter()
        job = Job(work, waiter.switch)
        self._put(queue, job)
        waiter.get()
        return job.outcome()


class _Worker(threading.Thread):
    """A native thread with a connection of its own, which it opens again after the database was away."""

    def __init__(self, path: Path, queue: "SimpleQueue[Job | None]", wakeups: Wakeups, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self.queue = queue
        self._path = path
        self._wakeups = wakeups
        self._connection: sqlite3.Connection | None = None
        self._away_since: float | None = None

    def run(self) -> None:
        while (group := self._next_group()) is not None:
            self._serve(group)
            self._wakeups.done(group)
        self._drop_connection()

    def _next_group(self) -> list[Job] | None:
        job = self.queue.get()
        return None if job is None else [job]

    def _serve(self, group: list[Job]) -> None:
        raise NotImplementedError

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = connect(self._path, busy_s=BUSY_S if self._away_since is None else BUSY_AGAIN_S)
        return self._connection

    def _drop_connection(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _went_away(self, problem: BaseException) -> None:
        if self._away_since is None:
            self._away_since = time.monotonic()
            log.error("database cannot be used: %s", problem)
        self._drop_connection()

    def _is_back(self) -> None:
        if self._away_since is not None:
            log.warning("database works again after %.1f s", time.monotonic() - self._away_since)
            self._away_since = None
            self._drop_connection()  # it was opened with the short timeout


class _Writer(_Worker):
    """Commits in groups."""

    def __init__(self, path: Path, queue: "SimpleQueue[Job | None]", wakeups: Wakeups) -> None:
        super().__init__(path, queue, wakeups, "deskbell-writer")
        self._ending = False

    def _next_group(self) -> list[Job] | None:
        if self._ending:
            return None
        group = super()._next_group()
        while group and len(group) < GROUP:
            try:
                job = self.queue.get_nowait()
            except Empty:
                break
            if job is None:
                self._ending = True
                break
            group.append(job)
        return group

    def _serve(self, group: list[Job]) -> None:
        try:
            if not self._commit(group):
                for job in group:
                    self._commit([job])
        except sqlite3.Error as problem:
            self._went_away(problem)
            for job in group:
                job.problem = UnavailableError()
        else:
            self._is_back()

    def _commit(self, group: list[Job]) -> bool:
        """Runs the group in one transaction. False when it must be run one by one; raises when the database is away."""
        connection = self._open()
        connection.execute("BEGIN IMMEDIATE")
        try:
            for job in group:
                before = connection.total_changes
                job.run(connection)
                if job.problem is None:
                    continue
                if is_away(job.problem):
                    raise job.problem
                if connection.total_changes != before:
                    connection.execute("ROLLBACK")
                    return len(group) == 1
            connection.execute("COMMIT")
        except sqlite3.Error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return True


class _Reader(_Worker):
    """Runs one job at a time on a snapshot."""

    def __init__(self, path: Path, queue: "SimpleQueue[Job | None]", wakeups: Wakeups) -> None:
        super().__init__(path, queue, wakeups, "deskbell-reader")

    def _open(self) -> sqlite3.Connection:
        fresh = self._connection is None
        connection = super()._open()
        if fresh:
            connection.execute("PRAGMA query_only=ON")
        return connection

    def _serve(self, group: list[Job]) -> None:
        job = group[0]
        try:
            connection = self._open()
            connection.execute("BEGIN")
            job.run(connection)
            if job.problem is not None and is_away(job.problem):
                raise job.problem
            connection.execute("ROLLBACK")
        except sqlite3.Error as problem:
            self._went_away(problem)
            job.problem = UnavailableError()
        else:
            self._is_back()
