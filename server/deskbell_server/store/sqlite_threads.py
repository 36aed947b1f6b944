"""The native threads below the SQLite store: one commits in groups, the others read on snapshots.

All jobs that wait are one transaction, so that one fsync makes them all durable. When one of them fails, the group is
rolled back and run one by one, so that only the guilty fails.
"""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from deskbell_server.errors import UnavailableError
from deskbell_server.store.grouping import gather, run_together
from deskbell_server.store.wake import Job, Wakeups

log = logging.getLogger(__name__)

BUSY_S = 4.5
"""How long a group waits for another process's lock; then it is `unavailable`, within `limits.ANSWER_S`."""
BUSY_AGAIN_S = 0.25
"""How long the next ones wait while that lock lasts."""
CACHE_KIB = 32 * 1024
"""Of each connection, filled as needed: the leaves that the last messages touched stay in memory."""
CHECKPOINT_PAGES = 32_000
"""128 MB: then the writer itself writes the log back, if `Checkpoints` could not."""

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


@dataclass(frozen=True, slots=True)
class Commits:
    """How the writer commits: when it counts (`full`: on the disk), and how many jobs share one commit at most."""

    sync: str = "full"
    jobs: int = 512


def connect(path: Path, *, busy_s: float = BUSY_S) -> sqlite3.Connection:
    """A connection that commits durably. The file must exist: a deleted database is an error, not an empty one."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=busy_s, isolation_level=None, cached_statements=256
    )
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA temp_store=MEMORY")
    connection.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
    connection.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
    return connection


def is_away(problem: BaseException) -> bool:
    """Whether the database itself cannot work now, rather than one statement being wrong."""
    return isinstance(problem, sqlite3.Error) and (getattr(problem, "sqlite_errorcode", 0) or 0) & 0xFF in _AWAY


class Worker(threading.Thread):
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


class Writer(Worker):
    """Commits in groups."""

    def __init__(
        self,
        path: Path,
        queue: "SimpleQueue[Job | None]",
        wakeups: Wakeups,
        commits: Commits,
        changed: Callable[[int], object],
    ) -> None:
        super().__init__(path, queue, wakeups, "deskbell-writer")
        self._commits = commits
        self._changed = changed
        self._ending = False

    def _open(self) -> sqlite3.Connection:
        fresh = self._connection is None
        connection = super()._open()
        if fresh and self._commits.sync == "normal":
            connection.execute("PRAGMA synchronous=NORMAL")
        return connection

    def _next_group(self) -> list[Job] | None:
        if self._ending:
            return None
        group = super()._next_group()
        if group is not None:
            self._ending = not gather(self.queue, group, self._commits.jobs)
        return group

    def _serve(self, group: list[Job]) -> None:
        committed = 0
        try:
            if not self._commit_together(group):
                for job in group:
                    self._commit([job])
                    committed += 1
        except sqlite3.Error as problem:
            self._went_away(problem)
            for job in group[committed:]:
                job.problem = UnavailableError()
        else:
            self._is_back()

    def _commit_together(self, group: list[Job]) -> bool:
        try:
            return self._commit(group)
        except Exception as problem:
            if is_away(problem) or self._connection is None or len(group) == 1:
                raise
            log.exception("a group of %d cannot be stored together", len(group))
            return False

    def _commit(self, group: list[Job]) -> bool:
        """Runs the group in one transaction. False when it must be run one by one; raises when the database is away."""
        connection = self._open()
        at_first = connection.total_changes
        connection.execute("BEGIN IMMEDIATE")
        try:
            for job in run_together(group, lambda together, jobs: together(connection, [job.work for job in jobs])):
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
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        self._changed(connection.total_changes - at_first)
        return True


class Reader(Worker):
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
