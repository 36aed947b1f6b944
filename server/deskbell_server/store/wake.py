"""How native threads hand results to the loop: one async watcher for all jobs that are done."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from gevent import get_hub


class Job:
    """Work for a native thread; `done(job)` is called in the loop afterwards, and must not block."""

    __slots__ = ("done", "problem", "result", "work")

    def __init__(self, work: Callable[[Any], Any], done: "Callable[[Job], object]") -> None:
        self.work = work
        self.done = done
        self.result: Any = None
        self.problem: Exception | None = None

    def run(self, connection: Any) -> None:
        """In the native thread. May be called again after a rollback: the last outcome counts."""
        self.problem = None
        try:
            self.result = self.work(connection)
        except Exception as problem:  # noqa: BLE001 - it belongs to the one who waits
            self.problem = problem

    def outcome(self) -> Any:
        """What the work returned or raised."""
        if self.problem is not None:
            raise self.problem
        return self.result


class Wakeups:
    """Made on the loop's thread. `done` may be called from any thread; jobs are reported in the order of the calls."""

    def __init__(self) -> None:
        self._done: deque[Job] = deque()
        self._loop = get_hub().loop
        self._watcher = self._loop.async_()
        self._watcher.start(self._wake)

    def done(self, jobs: Sequence[Job]) -> None:
        self._done.extend(jobs)
        self._watcher.send()

    def close(self) -> None:
        self._watcher.stop()
        self._watcher.close()

    def _wake(self) -> None:
        while self._done:
            job = self._done.popleft()
            try:
                job.done(job)
            except Exception as problem:  # noqa: BLE001 - one waiter must not stop the others
                self._loop.handle_error(job, type(problem), problem, problem.__traceback__)
