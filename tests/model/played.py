"""The model's database: the real writer and reader on a real SQLite file, in the caller's own thread, to be killed
anywhere between BEGIN and the moment at which the loop hears of the commit.
"""

import contextlib
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVar, cast

from deskbell_server.errors import UnavailableError
from deskbell_server.store.database import Connection, Session
from deskbell_server.store.following import Following
from deskbell_server.store.patience import Waiting
from deskbell_server.store.sqlite import FULL, SqliteSession, connect
from deskbell_server.store.sqlite import _Driver as SqliteDriver
from deskbell_server.store.wake import Job
from deskbell_server.store.workers import Reader, Writer

T = TypeVar("T")


class Killed(BaseException):
    """`kill -9` of a process. Not an Exception: nothing in it can catch this."""


class NotPushedError(Exception):
    """The transport fails after the commit."""


class _ConflictError(Exception):
    """The commit failed, and may succeed when it is tried again."""


@dataclass
class Fate:
    """What will happen to the process within the next call."""

    before_commit: bool = False
    after_commit: bool = False
    """Killed before it looks at what it committed."""
    rooms_pushed: int | None = None
    """Killed after so many rooms heard of it."""
    push_fails: bool = False
    runs_twice: bool = False
    commit_fails: bool = False
    outcome_unknown: bool = False
    """It is committed, and the writer is not told so."""
    late: bool = False
    """The loop does not hear of it before `turn`."""


class Loop:
    """Implements `Wakeups`: what was handed over waits for `turn`."""

    def __init__(self) -> None:
        self._done: deque[Job] = deque()

    def done(self, jobs: Sequence[Job]) -> None:
        self._done.extend(jobs)

    def turn(self) -> None:
        while self._done:
            job = self._done.popleft()
            with contextlib.suppress(NotPushedError):  # the real loop only logs it
                job.done(job)


class _PlayedSession(SqliteSession):
    def __init__(self, connection: sqlite3.Connection, database: "PlayedDatabase") -> None:
        super().__init__(connection, database.committed)
        self._database = database

    def commit(self) -> None:
        fate = self._database.fate
        if fate.runs_twice:
            fate.runs_twice = False
            raise _ConflictError
        if fate.before_commit:
            raise Killed
        if fate.commit_fails:
            raise UnavailableError
        super().commit()
        if fate.after_commit:
            raise Killed
        if fate.outcome_unknown:
            lost = sqlite3.OperationalError("played")
            lost.sqlite_errorcode = sqlite3.SQLITE_IOERR
            raise lost


class _PlayedDriver(SqliteDriver):
    def __init__(self, path: Path, database: "PlayedDatabase") -> None:
        super().__init__(path, FULL, database.committed)
        self._database = database

    def open(self) -> Session:
        connection = connect(self._path)
        connection.execute("PRAGMA synchronous=OFF")  # processes die here, not machines
        session = _PlayedSession(connection, self._database)
        self._database.sessions.append(session)
        return session

    def is_conflict(self, problem: BaseException) -> bool:
        return isinstance(problem, _ConflictError)


class PlayedDatabase:
    """Implements the store's `Database`."""

    def __init__(self, path: Path) -> None:
        self.fate = Fate()
        self.commits = 0
        self.sessions: list[_PlayedSession] = []
        self._loop = Loop()
        loop: Any = self._loop
        driver = _PlayedDriver(path, self)
        self._writer = Writer(driver, SimpleQueue(), loop)
        self._reader = Reader(driver, SimpleQueue(), loop)
        self._waiting: list[Waiting] = []

    def committed(self, _changes: int) -> None:
        self.commits += 1

    def write(self, job: Callable[[Connection], T]) -> T:
        waiting = Waiting(job, _nobody)
        self._waiting.append(waiting)
        self.write_all()
        return cast("T", waiting.outcome())

    def write_soon(self, job: Callable[[Connection], T], done: Callable[[Job], object]) -> None:
        self._waiting.append(Waiting(job, done))

    def write_all(self) -> None:
        """What waits is one group; then the writer looks."""
        group, self._waiting = self._waiting, []
        if group:
            self._writer._serve(group)
            self._loop.done(group + self._writer._own())
        self._writer._follow()
        if not self.fate.late:
            self.turn()

    def turn(self) -> None:
        """The loop hears of all that is done."""
        self._loop.turn()

    def read(self, job: Callable[[Connection], T]) -> T:
        waiting = Waiting(job, _nobody)
        self._reader._serve([waiting])
        return cast("T", waiting.outcome())

    def follow(
        self,
        own: Callable[[Connection], Any],
        look: Callable[[Connection, bool], Any],
        give: Callable[[Any], object],
    ) -> None:
        self._writer.following = Following(own, look, give)

    def nudge(self) -> None:
        self._writer.following.is_nudged = True
        self.write_soon(_nothing, _nobody)
        self.write_all()

    def changed_elsewhere(self) -> bool:
        return False

    def close(self) -> None:
        for session in self.sessions:
            session.close()


def _nothing(_connection: Connection) -> None:
    """Work that only lets the writer look."""


def _nobody(_job: Job) -> None:
    """Whom a job is reported to that is waited for."""
