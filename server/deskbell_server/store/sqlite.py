"""SQLite as the store: jobs go to native threads and come back to the loop, which never waits for the disk."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVar, cast

from gevent.hub import Waiter

from deskbell_server.errors import UnavailableError
from deskbell_server.store.checkpoints import Checkpoints
from deskbell_server.store.database import Connection
from deskbell_server.store.sqlite_threads import BUSY_S, Commits, Reader, Worker, Writer, connect
from deskbell_server.store.wake import Job, Wakeups

__all__ = ["BUSY_S", "Commits", "SqliteDatabase", "connect"]

T = TypeVar("T")

QUEUE_MAX = 5_000
READERS = 3
FULL = Commits()


class SqliteDatabase:
    """Implements `Database`. Made on the loop's thread, and used from its greenlets."""

    def __init__(self, path: Path, commits: Commits = FULL) -> None:
        self._wakeups = Wakeups()
        self._writes: SimpleQueue[Job | None] = SimpleQueue()
        self._reads: SimpleQueue[Job | None] = SimpleQueue()
        self._checkpoints = Checkpoints(partial(connect, path, busy_s=0))
        self._threads: list[Worker] = [Writer(path, self._writes, self._wakeups, commits, self._checkpoints.changed)]
        self._threads += [Reader(path, self._reads, self._wakeups) for _ in range(READERS)]
        self._data_version = 0
        self._closed = False
        for thread in (self._checkpoints, *self._threads):
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
        self._checkpoints.end()
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
