"""What a device asks about the log as its user sees it: catching up, history, read marks, and what it has stored."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from deskbell_protocol.errors import Code
from deskbell_protocol.wire import Ack, Event, Read, Sync, SyncAnswer
from deskbell_server.errors import LimitedError, RefusedError
from deskbell_server.limiter import Limiter
from deskbell_server.messaging import viewing
from deskbell_server.principals import Principal
from deskbell_server.store import devices, log
from deskbell_server.store.database import Connection, Database
from deskbell_server.store.log import LogEnd

T = TypeVar("T")
Job = Callable[[Connection], T]
UNIT_S = 0.005
SPENT_MAX_S = 1.0
"""What one question may cost its user: a disk that hangs is not the user's doing."""
HELD = 20
"""Taken while a conversation is looked for in a long log, so that one user asks only a few such questions at once."""


@dataclass(frozen=True, slots=True)
class Page:
    """Messages, newest first."""

    events: list[Event]
    more: bool


class Reading:
    """Each question of a user takes one from `limiter`, and one more for each `UNIT_S` for which it keeps the database.
    `synced` hears of each answer to a sync.
    """

    def __init__(
        self, database: Database, limiter: Limiter, now: Callable[[], int], synced: Callable[[LogEnd], object]
    ) -> None:
        self._database = database
        self._synced = synced
        self._limiter = limiter
        self._now = now

    def sync(self, principal: Principal, request: Sync) -> SyncAnswer:
        """One snapshot, contiguous; ends at 200 events or 256 KiB."""
        answer = self._paced(
            principal, self._database.read, lambda connection: viewing.snapshot(connection, principal, request)
        )
        self._synced(LogEnd(answer.epoch, answer.head))
        return answer

    def history(self, principal: Principal, conversation: str | None, before: int | None, limit: int) -> Page:
        """Messages of a conversation (or of all) whose `seq` lies below `before`."""

        def job(connection: Connection) -> Page:
            end = 2**53 if before is None else before
            events = viewing.history(connection, principal, conversation, end, limit + 1)
            return Page(events[:limit], more=len(events) > limit)

        return self._paced(principal, self._database.read, job, 0 if conversation is None else HELD)

    def read(self, principal: Principal, request: Read) -> int | None:
        """The mark's place in the log; None when nothing new was read."""
        if (request.up_to is None) == (request.ids is None):
            raise RefusedError(Code.INVALID, "exactly one of `up_to` and `ids` must be given")
        at = self._now()
        return self._paced(
            principal, self._database.write, lambda connection: viewing.read(connection, principal, request, at)
        )

    def ack(self, principal: Principal, request: Ack) -> None:
        """RefusedError when the device claims what was never given out."""

        def job(connection: Connection) -> None:
            end = log.end(connection)
            if request.epoch != end.epoch:
                raise RefusedError(Code.INVALID, viewing.FOREIGN)
            if max(request.seq, request.shown or 0) > end.seq:
                raise RefusedError(Code.INVALID, f"seq: the log ends at {end.seq}")
            devices.acked(connection, principal.device_id, request.seq, request.shown or 0)

        self._paced(principal, self._database.write, job)

    def _paced(self, principal: Principal, ask: "Callable[[Job[T]], T]", job: "Job[T]", held: int = 0) -> T:
        """Nobody's questions keep the others waiting for long. `held` is taken at once, and given back at the end."""
        wait = self._limiter.take(principal.user_id, time.monotonic())
        if wait:
            raise LimitedError("too many requests at once: wait a little", wait)
        self._limiter.charge(principal.user_id, held, time.monotonic())
        spent = 0.0

        def timed(connection: Connection) -> T:
            nonlocal spent
            began = time.monotonic()
            try:
                return job(connection)
            finally:
                spent = time.monotonic() - began

        try:
            return ask(timed)
        finally:
            self._limiter.charge(principal.user_id, min(spent, SPENT_MAX_S) / UNIT_S - held, time.monotonic())
