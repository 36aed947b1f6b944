"""What is done again and again by a greenlet of its own, and goes on whatever happens."""

import logging
import time
from collections.abc import Callable

import gevent

from deskbell_server.errors import STORE_AWAY

log = logging.getLogger(__name__)

HANGS_S = 3.0
"""A turn that takes so long counts as failed: with a second before it, it is said within `limits.ANSWER_S`."""


class Periodic:
    """`turn`, then `rest` (as `gevent.sleep`) for as many seconds as it returns, or `every_s` where it returns None or
    fails. `task` completes the sentences "… waits for the database" and "… failed".
    """

    def __init__(
        self,
        task: str,
        turn: Callable[[], float | None],
        every_s: float,
        *,
        first_s: float = 0.0,
        rest: Callable[[float], object] = gevent.sleep,
    ) -> None:
        self._task = task
        self._turn = turn
        self._every_s = every_s
        self._first_s = first_s
        self._rest = rest
        self._turning_since: float | None = None
        self._waits = False

    @property
    def is_well(self) -> bool:
        """Whether the store was there in the last turn, and the present one does not hang."""
        since = self._turning_since
        return not self._waits and (since is None or time.monotonic() - since < HANGS_S)

    def run(self) -> None:
        """The greenlet's work, for ever."""
        wait: float | None = self._first_s
        while True:
            self._rest(self._every_s if wait is None else wait)
            wait = self._one()

    def _one(self) -> float | None:
        self._turning_since = time.monotonic()
        try:
            wait = self._turn()
        except STORE_AWAY:
            if not self._waits:
                log.info("%s waits for the database", self._task)
            self._waits = True
            return None
        except Exception:
            log.exception("%s failed", self._task)
            return None
        finally:
            self._turning_since = None
        self._waits = False
        return wait
