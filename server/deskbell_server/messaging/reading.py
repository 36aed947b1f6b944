"""What a device asks about its user's log: catching up, history, read marks, and what it has stored."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from deskbell_protocol import limits, names
from deskbell_protocol.errors import Code
from deskbell_protocol.ids import new_id
from deskbell_protocol.wire import Ack, Event, Read, ReadMark, Sync, SyncAnswer
from deskbell_server.errors import LimitedError, RefusedError
from deskbell_server.limiter import Limiter
from deskbell_server.messaging import views
from deskbell_server.messaging.publishes import Announcement
from deskbell_server.people import groups
from deskbell_server.principals import Principal
from deskbell_server.store import devices, logs, users
from deskbell_server.store.database import Connection, Database

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
    """`announce` is called after the commit of a read mark that says something new. Each question of a user takes one
    from `limiter`, and one more for each `UNIT_S` for which it keeps the database.
    """

    def __init__(
        self, database: Database, announce: Callable[[Announcement], None], limiter: Limiter, now: Callable[[], int]
    ) -> None:
        self._database = database
        self._announce = announce
        self._limiter = limiter
        self._now = now

    def sync(self, principal: Principal, request: Sync) -> SyncAnswer:
        """One snapshot, contiguous; ends at 200 events or 256 KiB."""
        return self._paced(principal, self._database.read, lambda connection: snapshot(connection, principal, request))

    def history(self, principal: Principal, conversation: str | None, before: int | None, limit: int) -> Page:
        """Messages of a conversation (or of all) whose `seq` lies below `before`."""

        def job(connection: Connection) -> Page:
            epoch = users.epoch(connection)
            end = 2**53 if before is None else before
            rows = logs.before(connection, principal.user_id, conversation, end, limit + 1)
            events = [views.event(epoch, row, principal.party) for row in rows[:limit]]
            return Page(events, more=len(rows) > limit)

        return self._paced(principal, self._database.read, job, 0 if conversation is None else HELD)

    def read(self, principal: Principal, request: Read) -> int | None:
        """The mark's place in the log; None when nothing new was read."""
        if (request.up_to is None) == (request.ids is None):
            raise RefusedError(Code.INVALID, "exactly one of `up_to` and `ids` must be given")
        at, mark_id = self._now(), new_id()

        def job(connection: Connection) -> Announcement | None:
            mark = _mark(connection, principal.user_id, request, at)
            if mark is None:
                return None
            seq = logs.append(connection, principal.user_id, names.KIND_READ, mark_id, at, mark)
            return Announcement(names.KIND_READ, mark_id, at, {principal.user_id: seq}, mark)

        marked = self._paced(principal, self._database.write, job)
        if marked is None:
            return None
        self._announce(marked)
        return marked.heads[principal.user_id]

    def ack(self, principal: Principal, request: Ack) -> None:
        """RefusedError when the device claims what was never given out."""

        def job(connection: Connection) -> None:
            if request.epoch != users.epoch(connection):
                raise RefusedError(Code.INVALID, "epoch: not the one of this server's log: sync first")
            head = logs.stream(connection, principal.user_id).head
            if max(request.seq, request.shown or 0) > head:
                raise RefusedError(Code.INVALID, f"seq: the log ends at {head}")
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


def snapshot(connection: Connection, principal: Principal, request: Sync) -> SyncAnswer:
    epoch = users.epoch(connection)
    stream = logs.stream(connection, principal.user_id)
    is_first = request.epoch is None and request.after == 0
    foreign = (request.epoch != epoch and not is_first) or request.after > stream.head
    after = stream.floor if foreign else request.after
    events: list[Event] = []
    size = 0
    for row in logs.after(connection, principal.user_id, after, request.limit):
        event = views.event(epoch, row, principal.party)
        size += len(msgspec.json.encode(event))
        if events and size > limits.SYNC_BYTES:
            break
        events.append(event)
    return SyncAnswer(
        epoch=epoch,
        after=after,
        upto=events[-1].seq if events else stream.head,
        head=stream.head,
        events=events,
        reset=foreign or (stream.floor > after and not is_first),
        groups=groups.writable(connection, principal.user_id),
    )


def _mark(connection: Connection, user_id: str, request: Read, at: int) -> ReadMark | None:
    """Moves the marks; what is new of it, if anything."""
    if request.up_to is not None:
        stream = logs.stream(connection, user_id)
        if request.up_to > stream.head:
            raise RefusedError(Code.INVALID, f"up_to: the log ends at {stream.head}")
        if request.up_to <= stream.read_up_to:
            return None
        logs.set_read_up_to(connection, user_id, request.up_to)
        return ReadMark(up_to=request.up_to)
    ids = list(dict.fromkeys(request.ids or []))
    known, unread = logs.unread_of(connection, user_id, ids) if ids else (0, [])
    if ids and not known:
        raise RefusedError(Code.NOT_FOUND, "ids: there are no such messages")
    if not unread:
        return None
    logs.mark_read(connection, user_id, unread, at)
    return ReadMark(ids=unread)
