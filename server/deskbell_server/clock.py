"""What time it is, for whatever has an age: a clock that does not leap when somebody sets the machine's."""

import logging
import time
from collections.abc import Callable

from deskbell_protocol.ids import now_ms
from deskbell_server.store import ages
from deskbell_server.store.database import Connection

log = logging.getLogger(__name__)

TOLERANCE_MS = 30_000
"""The machine's clock is followed where it is off by less: a time server sets it right."""
BELIEVE_MS = 600_000
"""So long a leap must last before it is the time."""
CATCH_UP = 24
"""How many times as fast as time the clock of ages runs at most, while it is behind: an hour makes good a day."""


_RUNNING = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def running_ms() -> int:
    """How long this machine has run, in milliseconds; also while it slept, where the system counts that."""
    return time.clock_gettime_ns(_RUNNING) // 1_000_000


class Clock:
    """The machine's clock, but for its leaps; of one process. Set back by less than a leap, it stands until it is right
    again: what is written later is not older."""

    def __init__(self, wall: Callable[[], int] = now_ms, running: Callable[[], int] = running_ms) -> None:
        self._wall = wall
        self._running = running
        self._ahead = wall() - running()
        self._leapt_at: int | None = None
        self._leapt_to = 0
        self._last = 0

    def now(self) -> int:
        """Milliseconds since 1970-01-01 UTC."""
        running = self._running()
        ahead = self._wall() - running
        if abs(ahead - self._ahead) < TOLERANCE_MS:
            self._ahead, self._leapt_at = ahead, None
        elif self._has_lasted(running, ahead):
            self._ahead, self._leapt_at, self._last = ahead, None, 0
        self._last = now = max(self._last, running + self._ahead)
        return now

    def not_before(self, at: int) -> None:
        """It was that late already."""
        self._ahead = max(self._ahead, at - self._running())

    @property
    def has_leapt(self) -> bool:
        """Whether the machine's clock is not believed now."""
        self.now()
        return self._leapt_at is not None

    def _has_lasted(self, running: int, ahead: int) -> bool:
        since = self._leapt_at
        if since is None or abs(ahead - self._leapt_to) >= TOLERANCE_MS:  # another leap than the one before
            since, self._leapt_to = running, ahead
            self._leapt_at = since
            log.warning(
                "the clock of this machine leapt by %d s: not believed for a while", (ahead - self._ahead) / 1000
            )
        return running - since >= BELIEVE_MS


class Ages:
    """The time by which something is old, kept in the database: it never leaps ahead, not over a restart either.

    Where it is behind (the server did not run, or the clock was set) it catches up, a day in an hour: what is too old
    goes a little later, and nothing goes because a clock was wrong for a while. It is never ahead of the clock: what is
    new is not old because the clock was wrong before. Of several processes one moves it.
    """

    def __init__(self, clock: Clock, running: Callable[[], int] = running_ms) -> None:
        self._clock = clock
        self._running = running
        self._at = running()
        self._seen: int | None = None

    def advance(self, connection: Connection) -> int:
        """In a transaction: what time it is, in milliseconds since 1970-01-01 UTC."""
        running = self._running()
        passed, self._at = running - self._at, running
        now = self._clock.now()
        then = ages.last(connection) or now
        is_mine = self._seen is None or then == self._seen
        self._seen = min(now, then + CATCH_UP * passed if is_mine else then)
        ages.save(connection, self._seen)
        return self._seen
