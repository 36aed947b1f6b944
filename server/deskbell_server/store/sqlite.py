"""SQLite as the store: one file, one writer at a time among all processes, readers on snapshots."""

import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from deskbell_server.errors import UnavailableError
from deskbell_server.store.checkpoints import Checkpoints
from deskbell_server.store.database import Connection, Memory, Session
from deskbell_server.store.workers import GROUP, Threads

BUSY_S = 4.5
"""How long a group waits for another process's lock; then it is `unavailable`, within `limits.ANSWER_S`."""
BUSY_AGAIN_S = 0.25
"""How long the next ones wait while that lock lasts."""
CACHE_KIB = 32 * 1024
"""Of each connection, filled as needed: the leaves that the last messages touched stay in memory."""
CHECKPOINT_PAGES = 32_000
"""128 MB: then the writer itself writes the log back, if `Checkpoints` could not."""
PROVEN_S = 1.0
"""How long a commit proves that the disk takes what is written."""

_LOCKED = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_AWAY = _LOCKED | {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_NOMEM,
}
_UNWRITTEN = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE})
"""A commit that fails so was not written to its end, and is not stored; of any other failure nobody knows."""


@dataclass(frozen=True, slots=True)
class Commits:
    """How the writer commits: when it counts (`full`: on the disk), and how many jobs share one commit at most."""

    sync: str = "full"
    jobs: int = GROUP


FULL = Commits()


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


class SqliteDatabase(Threads):
    """Implements `Database`."""

    def __init__(self, path: Path, commits: Commits = FULL, patience_s: float | None = None) -> None:
        self._checkpoints = Checkpoints(partial(connect, path, busy_s=0))
        self._checkpoints.start()
        self._data_version = 0
        super().__init__(_Driver(path, commits, self._checkpoints.changed), patience_s, commits.jobs)

    def changed_elsewhere(self) -> bool:
        version = self.write(_look)
        changed, self._data_version = version != self._data_version, version
        return changed

    def close(self) -> None:
        super().close()
        self._checkpoints.end()


class _Driver:
    def __init__(self, path: Path, commits: Commits, changed: Callable[[int], object]) -> None:
        self._path = path
        self._commits = commits
        self._changed = changed

    def open(self) -> Session:
        connection = connect(self._path)
        if self._commits.sync == "normal":
            connection.execute("PRAGMA synchronous=NORMAL")
        return SqliteSession(connection, self._changed)

    def is_away(self, problem: BaseException) -> bool:
        return _code(problem) in _AWAY

    def is_conflict(self, problem: BaseException) -> bool:  # noqa: ARG002 - nobody else writes meanwhile
        return False

    def is_lost(self, session: Session, problem: BaseException) -> bool:  # noqa: ARG002
        return _code(problem) in _AWAY - _LOCKED


class SqliteSession:
    """Implements `Session`, on the connection's own methods."""

    def __init__(self, connection: sqlite3.Connection, changed: Callable[[int], object]) -> None:
        self._connection = connection
        self._changed = changed
        self.memory = Memory()
        self._begun_with = 0
        self._busy_s = BUSY_S
        self._proven_at = 0.0
        self._version: int | None = None
        self._only_reads = False
        self._writes = False
        self.execute = connection.execute
        self.executemany = connection.executemany

    @property
    def changes(self) -> int:
        return self._connection.total_changes

    @property
    def is_broken(self) -> bool:
        """Some errors end a transaction by themselves."""
        return not self._connection.in_transaction

    def begin(self) -> None:
        self._writes = True
        try:
            self.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            self._wait(BUSY_AGAIN_S)
            raise
        self._wait(BUSY_S)
        self._begun_with = self.changes

    def _wait(self, busy_s: float) -> None:
        """For another process's lock, from now on."""
        if busy_s != self._busy_s:
            self._busy_s = busy_s
            self.execute(f"PRAGMA busy_timeout={busy_s * 1000:.0f}")

    def begin_reading(self) -> None:
        if not self._only_reads and not self._writes:
            self.execute("PRAGMA query_only=ON")
            self._only_reads = True
        self.execute("BEGIN")

    def commit(self) -> None:
        try:
            self.execute("COMMIT")
        except sqlite3.OperationalError as problem:
            if problem.sqlite_errorcode in _UNWRITTEN:
                raise UnavailableError from problem
            raise
        changed = self.changes - self._begun_with
        if changed:
            self._proven_at = time.monotonic()
            self._changed(changed)

    def is_proven(self, version: int) -> bool:
        """Whether anybody has committed lately; `version` tells of others."""
        seen, self._version = self._version, version
        return seen not in (None, version) or time.monotonic() - self._proven_at < PROVEN_S

    def rollback(self) -> None:
        if self._connection.in_transaction:
            self.execute("ROLLBACK")

    def close(self) -> None:
        self._connection.close()


def _look(connection: Connection) -> int:
    """What moves only when somebody else has committed. Where nobody has for a while, this proves that one still can:
    a disk that is full, or hangs, is not noticed by looking.
    """
    assert isinstance(connection, SqliteSession)
    version = int(connection.execute("PRAGMA data_version").fetchone()[0])
    if not connection.is_proven(version):
        connection.execute("INSERT OR REPLACE INTO meta (key, value) VALUES ('proof', ?)", (str(time.time_ns()),))
    return version


def _code(problem: BaseException) -> int:
    return (getattr(problem, "sqlite_errorcode", 0) or 0) & 0xFF if isinstance(problem, sqlite3.Error) else 0
