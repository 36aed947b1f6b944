"""The Redis channel: stores what arrives, if it does. Whatever is too much for the memory is dropped, and counted."""

import logging
import secrets
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from deskbell_protocol import limits
from deskbell_protocol.errors import Code
from deskbell_server.errors import RefusedError
from deskbell_server.ingest.redis_entries import NAME, Publisher, decoded
from deskbell_server.messaging.messages import Stored
from deskbell_server.redis.link import into_loop, make_client
from deskbell_server.redis.subscription import Subscription

log = logging.getLogger(__name__)

READER = "deskbell:channel-reader"
READER_MS = 4_000
"""How long the right to read the channel lasts: of several processes one stores what it hears."""
HEARD_MAX = 5_000
"""Messages of the channel that wait in memory, while the database hangs, say; more are dropped."""


class ChannelDoor:
    """What is published while nobody listens, or Redis is away, is gone: at most once."""

    def __init__(self, url: str, subscription: Subscription, publisher: Publisher, spawn: Callable[..., Any]) -> None:
        self._client = make_client(url)
        self._publisher = publisher
        self._in_loop = into_loop()
        self._spawn = spawn
        self._me = secrets.token_hex(8)
        self._mine_until = 0.0
        self._heard: deque[bytes] = deque()
        self._is_storing = False
        self.refused = 0
        self.dropped = 0
        self._told_dropped = 0
        subscription.on(NAME, self._hear)
        subscription.on_beat(self._beat, self._lost)

    def _lost(self) -> None:
        self._mine_until = 0.0

    def _beat(self) -> None:
        """All processes listen, and the one that has the right stores; it lasts longer than the pause between beats."""
        asked_at = time.monotonic()
        self._client.set(READER, self._me, nx=True, px=READER_MS)
        is_mine = self._client.get(READER) == self._me.encode() and self._client.pexpire(READER, READER_MS)
        self._mine_until = asked_at + READER_MS / 1000 if is_mine else 0.0
        self._tell_dropped()

    def _hear(self, data: bytes) -> None:
        """In the subscription's thread: what is too much must not wait for the loop either."""
        if time.monotonic() >= self._mine_until:
            return
        if len(data) > limits.REQUEST_BYTES or len(self._heard) >= HEARD_MAX:
            self.dropped += 1
            return
        self._heard.append(data)
        self._in_loop(self._begin_to_store)

    def _tell_dropped(self) -> None:
        """Now and then, not for each: there may be many."""
        if self.dropped > self._told_dropped:
            self._told_dropped = self.dropped
            log.warning("%d messages on the channel %s were dropped by now: too long or too many", self.dropped, NAME)

    def _begin_to_store(self) -> None:
        if not self._is_storing:
            self._is_storing = True
            self._spawn(self._store_all)

    def _store_all(self) -> None:
        """One after the other: looking up their tokens at the same time would swap them."""
        try:
            while self._heard:
                self._store(self._heard.popleft())
        finally:
            self._is_storing = False

    def _store(self, data: bytes) -> None:
        try:
            self._publisher.publish(decoded(data), secrets.token_hex(16), self._done)
        except Exception as problem:  # noqa: BLE001 - it is the outcome
            self._done(None, problem)

    def _done(self, _stored: Stored | None, problem: Exception | None) -> None:
        if problem is not None:
            self.refused += 1
            code = problem.code if isinstance(problem, RefusedError) else Code.INTERNAL
            log.warning("a message on the channel %s was refused: %s (%d until now)", NAME, code, self.refused)
