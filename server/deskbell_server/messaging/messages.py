"""Room 2 of the walk: `Messages.publish`, the one function behind every door that takes a message.

Who may, to whom, within which limits, and only once per key. What it returns is committed.
"""

import logging
import time
from collections.abc import Callable

import msgspec

from deskbell_protocol import limits
from deskbell_protocol.errors import Code
from deskbell_protocol.ids import new_id, now_ms
from deskbell_protocol.wire import Publish
from deskbell_server.errors import LimitedError, RefusedError, UnavailableError
from deskbell_server.limiter import Limiter
from deskbell_server.messaging.appending import store, store_together
from deskbell_server.messaging.publishes import Request, Stored
from deskbell_server.people import texts
from deskbell_server.principals import Principal
from deskbell_server.store.database import Connection, Database
from deskbell_server.store.wake import Job

__all__ = ["Messages", "Request", "Stored"]

log = logging.getLogger(__name__)

AHEAD_MAX_MS = 366 * 86_400_000
"""How far in the future `deliver_at` may lie."""


class Publishing(msgspec.Struct, frozen=True):
    """The writer's job; those that wait at the same time are stored together where they can."""

    request: Request

    def __call__(self, connection: Connection) -> Stored:
        return store(connection, self.request)

    @staticmethod
    def together(connection: Connection, jobs: "list[Publishing]") -> list[Stored | None]:
        return store_together(connection, [job.request for job in jobs])


class Messages:
    """Publishes, each checked and stored."""

    def __init__(self, database: Database, limiter: Limiter, now: Callable[[], int] = now_ms) -> None:
        self._database = database
        self._limiter = limiter
        self._now = now
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
        self,
        principal: Principal,
        draft: Publish,
        key: str | None,
        done: Callable[[Stored | None, Exception | None], object],
    ) -> None:
        """The same for the hot path, in the loop: `done` gets the outcome after the commit."""
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
        return Request(principal, draft, key, new_id(at) if draft.deliver_at is not None else "", at, announced_by)

    def _committed(self, stored: Stored) -> Stored:
        if stored.deliver_at is not None and self.on_scheduled is not None:
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
