"""How long a request waits for a database that hangs: then it is answered, though the thread below still waits."""

import time
from collections import deque
from collections.abc import Callable
from typing import Any

from gevent import get_hub

from deskbell_server.errors import OutcomeUnknownError, UnavailableError
from deskbell_server.store.wake import Job

EVERY_S = 0.2


class Waiting(Job):
    """A job that may be given up. Who takes the ticket first decides: the loop, or the thread before it commits."""

    __slots__ = ("_is_claimed", "_since", "_then", "_ticket")

    def __init__(self, work: Callable[[Any], Any], done: Callable[[Job], object]) -> None:
        super().__init__(work, self._tell)
        self._then: Callable[[Job], object] | None = done
        self._since = time.monotonic()
        self._ticket = [None]
        self._is_claimed = False

    @property
    def is_wanted(self) -> bool:
        return self._is_claimed or bool(self._ticket)

    @property
    def is_answered(self) -> bool:
        return self._then is None

    def claim(self) -> bool:
        """In the native thread: whether it is still wanted. From now on it counts as perhaps stored."""
        self._is_claimed = self._is_claimed or self._take_ticket()
        return self._is_claimed

    def is_late(self, now: float, patience_s: float) -> bool:
        return now - self._since >= patience_s

    def give_up(self) -> None:
        """In the loop: whoever waits is told now."""
        told = Job(self.work, self.done)
        told.problem = UnavailableError() if self._take_ticket() else OutcomeUnknownError()
        self._tell(told)

    def _take_ticket(self) -> bool:
        try:
            self._ticket.pop()
        except IndexError:
            return False
        return True

    def _tell(self, outcome: Job) -> None:
        then, self._then = self._then, None
        self.done = _nobody
        if then is not None:
            then(outcome)


class Patience:
    """Looks after the jobs of one server; made on the loop's thread. Without `seconds` it has no end."""

    def __init__(self, seconds: float | None) -> None:
        self._seconds = seconds
        self._jobs: deque[Waiting] = deque()
        self._timer = get_hub().loop.timer(EVERY_S, repeat=EVERY_S, ref=False)
        if seconds is not None:
            self._timer.start(self._look)

    def add(self, job: Waiting) -> None:
        """Those that are answered go at once: what they hold is memory for the next."""
        if self._seconds is not None:
            self._forget_answered()
            self._jobs.append(job)

    def close(self) -> None:
        self._timer.stop()
        self._timer.close()

    def _forget_answered(self) -> None:
        jobs = self._jobs
        while jobs and jobs[0].is_answered:
            jobs.popleft()

    def _look(self) -> None:
        assert self._seconds is not None
        now = time.monotonic()
        self._forget_answered()
        while self._jobs and self._jobs[0].is_late(now, self._seconds):
            self._jobs.popleft().give_up()
            self._forget_answered()


def _nobody(_outcome: Job) -> None:
    """It has been told."""
