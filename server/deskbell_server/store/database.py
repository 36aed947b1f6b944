"""The store's contract: jobs on a connection, written in groups and read from snapshots."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, TypeVar

from deskbell_server.store.wake import Job

Row = tuple[Any, ...]
T = TypeVar("T")


class Cursor(Protocol):
    """The result of one statement."""

    @property
    def rowcount(self) -> int: ...
    def fetchone(self) -> Any: ...
    def fetchall(self) -> list[Any]: ...


class Connection(Protocol):
    """What a job may use. SQL text has `?` placeholders and is constant, so that it is prepared once."""

    def execute(self, sql: str, parameters: Sequence[Any] = ..., /) -> Cursor: ...
    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]], /) -> Cursor: ...


class Memory:
    """What a connection keeps from one transaction to the next: what the writer knows and need not ask again, and what
    the last one has appended. Nothing of a transaction that was rolled back.
    """

    __slots__ = ("appended", "count", "epoch", "ids", "names", "pairs", "parties", "state")

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self.state: Any = None
        """What has to be the same for the rest to be true; `known` compares it."""
        self.names: dict[str, Any] = {}
        self.ids: dict[str, Any] = {}
        self.parties: dict[int, Any] = {}
        self.count: int | None = None
        self.pairs: set[int] = set()
        self.epoch = ""
        """Of what was appended last."""
        self.appended: list[Any] = []


class Session(Connection, Protocol):
    """One thread's connection, and how its transactions begin and end."""

    memory: Memory

    @property
    def changes(self) -> int:
        """How many rows it has changed, ever."""
        ...

    @property
    def is_broken(self) -> bool:
        """Whether the transaction can only be rolled back."""
        ...

    def begin(self) -> None: ...
    def begin_reading(self) -> None: ...
    def commit(self) -> None: ...
    def rollback(self) -> None: ...
    def close(self) -> None: ...


def memory_of(connection: Connection) -> Memory:
    """That of a connection; of one that has none, an empty one."""
    found: Memory | None = getattr(connection, "memory", None)
    return Memory() if found is None else found


class Database(Protocol):
    """Where jobs run. Calls wait without blocking the loop, and raise what the job raised, or `UnavailableError`."""

    def write(self, job: Callable[[Connection], T]) -> T:
        """Runs `job` in a transaction, maybe together with others; returns after a commit that survives power loss.

        A job may run twice (when another one of its group failed), so it does nothing but talk to the connection.
        Jobs whose class has a static `together(connection, jobs)` may be given to it at once: it returns for each its
        result, or None where that job is to be called alone after all.
        """
        ...

    def write_soon(self, job: Callable[[Connection], T], done: Callable[[Job], object]) -> None:
        """The same without waiting: `done(job)` is called in the loop after the commit; `job.outcome()` tells."""
        ...

    def read(self, job: Callable[[Connection], T]) -> T:
        """Runs `job` on one snapshot. It must not write."""
        ...

    def follow(
        self,
        own: Callable[[Connection], T | None],
        look: Callable[[Connection, bool], tuple[T, bool] | None],
        give: Callable[[T], object],
    ) -> None:
        """From now on the writer's thread, after each group of its jobs, calls `own`: what comes of what the group has
        appended, by the connection's memory alone. Where that is None it calls `look` on a snapshot: what it finds, and
        whether there is more; None for nothing. Both go to `give`, in the loop and in that order, what is own together
        with the outcomes of the group; where there is more and no job waits, it looks again. `look` hears whether the
        group committed; what it raises is tried again after the next group.
        """
        ...

    def nudge(self) -> None:
        """Makes the writer look soon."""
        ...

    def changed_elsewhere(self) -> bool:
        """Whether another process may have committed since the last call."""
        ...

    def close(self) -> None:
        """Finishes the jobs that wait, then ends the threads."""
        ...
