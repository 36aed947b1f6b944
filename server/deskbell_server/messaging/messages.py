"""Room 2 of the walk: `Messages.publish`, the one function behind every door that takes a message.

Who may, to whom, within which limits, and only once per key. What it returns is committed; then it is announced.
"""

import logging
import time
from collections.abc import Callable

import msgspec

from deskbell_protocol import limits, names
from deskbell_protocol.errors import Code
from deskbell_protocol.ids import new_id, now_ms
from deskbell_protocol.wire import Message, Party, Publish, saying
from deskbell_server.errors import LimitedError, RefusedError, UnavailableError
from deskbell_server.limiter import Limiter
from deskbell_server.messaging.addressing import Audience, resolve
from deskbell_server.messaging.publishes import Announcement, Request, Stored
from deskbell_server.messaging.together import store_together
from deskbell_server.people import texts
from deskbell_server.principals import Principal
from deskbell_server.store import doors, logs
from deskbell_server.store.database import Connection, Database
from deskbell_server.store.wake import Job

__all__ = ["Messages", "Request", "Stored", "append", "store"]

log = logging.getLogger(__name__)

AHEAD_MAX_MS = 366 * 86_400_000
"""How far in the future `deliver_at` may lie."""
SCHEDULED_MAX = 1_000
"""Messages that one user may have waiting."""


class Publishing(msgspec.Struct, frozen=True):
    """The writer's job; those that wait at the same time are stored together where they can."""

    request: Request

    def __call__(self, connection: Connection) -> Stored:
        return store(connection, self.request)

    @staticmethod
    def together(connection: Connection, jobs: "list[Publishing]") -> list[Stored | None]:
        return store_together(connection, [job.request for job in jobs])


class Messages:
    """`announce` is called after the commit, in its order."""

    def __init__(
        self,
        database: Database,
        limiter: Limiter,
        announce: Callable[[Announcement], None],
        now: Callable[[], int] = now_ms,
    ) -> None:
        self._database = database
        self._limiter = limiter
        self._now = now
        self._announce = announce
        self._closed = False
        self.in_flight = 0
        self.on_scheduled: Callable[[int], None] | None = None

    def publish(self, principal: Principal, draft: Publish, key: str | None, *, announced_by: str = "") -> Stored:
        """Waits for the commit. With a `key`, the same request gives the first answer again.

        `announced_by` is written down with the message, in the activity list; never for a message to one person.
        """
        request = self._checked(principal, draft, key, announced_by)
        self.in_flight += 1
        try:
            stored = self._database.write(Publishing(request))
        finally:
            self.in_flight -= 1
        return self._committed(stored)

    def publish_soon(
        self, principal: Principal, draft: Publish, key: str, done: Callable[[Stored | None, Exception | None], object]
    ) -> None:
        """The same for the hot path, in the loop: `done` gets the outcome after commit and announcement."""
        request = self._checked(principal, draft, key)

        def committed(job: Job) -> None:
            self.in_flight -= 1
            if job.problem is not None:
                done(None, job.problem)
            else:
                done(self._committed(job.result), None)

        self._database.write_soon(Publishing(request), committed)
        self.in_flight += 1

    def close(self) -> None:
        """From now on publishes are refused as `unavailable`; those in flight go on."""
        self._closed = True

    def _checked(self, principal: Principal, draft: Publish, key: str | None, announced_by: str = "") -> Request:
        if self._closed:
            raise UnavailableError("the server is shutting down")
        wait = self._limiter.take(principal.user_id, time.monotonic())
        if wait:
            raise LimitedError("too many messages at once: wait a little", wait)
        check_draft(draft)
        if key is not None:
            check_key(key)
        at = self._now()
        if draft.deliver_at is not None and draft.deliver_at > at + AHEAD_MAX_MS:
            raise RefusedError(Code.INVALID, "deliver_at: more than a year ahead")
        return Request(principal, draft, key, new_id(at), at, announced_by)

    def _committed(self, stored: Stored) -> Stored:
        if stored.announcement is not None:
            self._announce(stored.announcement)
        elif stored.deliver_at is not None and self.on_scheduled is not None:
            self.on_scheduled(stored.deliver_at)
        return stored


def check_draft(draft: Publish) -> None:
    if (draft.to is None) == (draft.reply_to is None):
        raise RefusedError(Code.INVALID, "exactly one of `to` and `reply_to` must be given")
    texts.check_body(draft.body)
    texts.check_text("title", draft.title)


def check_key(key: str) -> None:
    if not 1 <= len(key) <= limits.KEY_CHARS or not key.isprintable():
        raise RefusedError(Code.INVALID, f"the idempotency key must have 1 to {limits.KEY_CHARS} printable characters")


def store(connection: Connection, request: Request) -> Stored:
    """The job: once per key, all of it or nothing."""
    principal, key = request.principal, request.key
    try:
        audience = resolve(connection, principal, request.draft)
    except RefusedError:
        # A repeated request is answered as the first time, even if its recipient has left since.
        first = _first_answer(connection, request)
        if first is None:
            raise
        return first
    if request.is_later and (key is None or doors.claimed(connection, principal.user_id, key) is None):
        # Before the key is claimed: a refusal that has changed something breaks up the group it is stored with.
        check_room(connection, principal.user_id)
    if key is not None and not doors.claim(connection, principal.user_id, key, request.digest, request.id, request.at):
        first = _first_answer(connection, request)
        if first is None:
            raise UnavailableError
        return first
    if request.is_later:
        return schedule(connection, request, audience)
    stored = append(connection, principal.party, request.draft, audience, key, request.id, request.at)
    if request.announced_by:
        detail = f"{stored.recipients} recipients"
        doors.audit(connection, request.at, request.announced_by, "announce", stored.id, detail)
    return stored


def append(
    connection: Connection, sender: Party, draft: Publish, audience: Audience, cid: str | None, message_id: str, at: int
) -> Stored:
    """The message, and an event in the log of the sender and of each recipient."""
    message = saying(Message, draft, sender=sender, to=audience.parties, reply_to=draft.reply_to, cid=cid)
    count = len(audience.recipients)
    logs.insert_message(connection, message_id, message, count, at)
    everyone = sorted(audience.recipients | {sender.id})
    heads = logs.append_message(connection, everyone, message_id, at, message)
    announcement = Announcement(names.KIND_MESSAGE, message_id, at, heads, message)
    return Stored(message_id, at, heads[sender.id], count, duplicate=False, announcement=announcement)


def _first_answer(connection: Connection, request: Request) -> Stored | None:
    if request.key is None:
        return None
    claimed = doors.claimed(connection, request.principal.user_id, request.key)
    if claimed is None:
        return None
    digest, message_id = claimed
    if digest != request.digest:
        raise RefusedError(Code.IDEMPOTENCY_CONFLICT, "this key was used for another message")
    count = logs.recipients_of(connection, message_id)
    if count is None:
        count = doors.scheduled_recipients(connection, message_id)
        return Stored(message_id, request.at, None, count or 0, duplicate=True)
    seq = logs.seq_of(connection, request.principal.user_id, message_id)
    return Stored(message_id, request.at, seq, count, duplicate=True)


def check_room(connection: Connection, user_id: str) -> None:
    """LimitedError when no more of this user's messages may wait."""
    if doors.scheduled_count(connection, user_id) >= SCHEDULED_MAX:
        raise LimitedError("too many messages are waiting for their time", 60.0, Code.TOO_MANY)


def schedule(connection: Connection, request: Request, audience: Audience) -> Stored:
    deliver_at = request.draft.deliver_at
    assert deliver_at is not None
    row = doors.ScheduledRow(
        id=request.id,
        user_id=request.principal.user_id,
        draft=request.document.decode(),
        cid=request.key,
        recipients=len(audience.recipients),
        deliver_at=deliver_at,
        created_at=request.at,
        problem=None,
        request_hash=request.digest,
    )
    doors.schedule(connection, row)
    return Stored(request.id, request.at, None, row.recipients, duplicate=False, deliver_at=deliver_at)
