"""Hints between processes over Redis: `{origin, head}`. Losing or forging one changes nothing but the delay.

Nobody waits for Redis here: what cannot be sent is dropped, and what comes only makes the writer look at the log. Each
process hears its own beat come back; when that stays away, the link is renewed and the server says that it is degraded.
"""

import secrets
import time
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

import msgspec
from gevent.event import Event

from deskbell_server.delivery.delivery import Delivery
from deskbell_server.delivery.feed import Passed
from deskbell_server.periodic import Periodic
from deskbell_server.redis.link import Loop, into_loop, make_client
from deskbell_server.store.database import Database

if TYPE_CHECKING:
    import redis.client

CHANNEL = "deskbell:head"
BEAT_S = 1.0
SILENCE_S = 3.5
"""Without a beat for so long, the link is no good."""
REST_S = 0.005
"""Between two looks, so that a flood of hints is few looks."""


class Hint(msgspec.Struct, frozen=True):
    origin: str
    head: int = 0
    """Up to where something was committed; 0 for a beat."""


_decoder = msgspec.json.Decoder(Hint)


class Hints:
    """`passed` as `Delivery`, and the other processes hear of it."""

    def __init__(self, url: str, database: Database, delivery: Delivery) -> None:
        self._database = database
        self._delivery = delivery
        self._client = make_client(url)
        self._origin = secrets.token_hex(8)
        self._waiting: SimpleQueue[int] = SimpleQueue()
        self._beat_at = 0.0
        self._heard_at = time.monotonic()
        self._since = 0.0
        self._subscription: redis.client.PubSub | None = None
        self._in_loop = into_loop()
        self._looking = Event()
        self._sender = Loop("hints out", self._send, self._forget)
        self._listener = Loop("hints in", self._listen, self._unsubscribe)

    @property
    def is_well(self) -> bool:
        return time.monotonic() - self._heard_at < SILENCE_S + BEAT_S

    def passed(self, found: Passed) -> None:
        self._delivery.passed(found)
        if found.is_own:
            self._waiting.put(found.place.seq)

    def run(self) -> None:
        """The greenlet's work, for ever: lets the writer look at what another process committed."""
        self._sender.start()
        self._listener.start()
        Periodic("what others wrote", self._turn, REST_S).run()

    def close(self) -> None:
        for loop in (self._sender, self._listener):
            loop.stop()

    def _turn(self) -> None:
        """What is missed because the store is away is found by the look that comes every second."""
        self._looking.wait()
        self._looking.clear()
        self._database.nudge()

    def _send(self) -> None:
        """In its thread: what waits, as one, and now and then a beat."""
        head = self._last_waiting(max(0.001, self._beat_at + BEAT_S - time.monotonic()))
        pipe = self._client.pipeline(transaction=False)
        if head:
            pipe.publish(CHANNEL, msgspec.json.encode(Hint(self._origin, head)))
        now = time.monotonic()
        if now - self._beat_at >= BEAT_S:
            self._beat_at = now
            pipe.publish(CHANNEL, msgspec.json.encode(Hint(self._origin)))
        pipe.execute()

    def _last_waiting(self, patience_s: float) -> int:
        head = 0
        try:
            head = self._waiting.get(timeout=patience_s)
            while True:
                head = max(head, self._waiting.get_nowait())
        except Empty:
            return head

    def _forget(self) -> None:
        """Hints that are late are of no use."""
        while self._last_waiting(0.001):
            pass

    def _listen(self) -> None:
        """In its thread: one message, or none for a while."""
        if self._subscription is None:
            self._subscription = self._client.pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]
            self._subscription.subscribe(CHANNEL)
            self._since = time.monotonic()
        found = self._subscription.get_message(timeout=0.5)
        if found is not None:
            self._received(found["data"])
        elif time.monotonic() - max(self._heard_at, self._since) > SILENCE_S:
            raise OSError("no beat came back")

    def _received(self, data: Any) -> None:
        try:
            hint = _decoder.decode(data)
        except msgspec.MsgspecError:
            return  # anybody may write there
        if hint.origin == self._origin:
            self._heard_at = time.monotonic()
        elif hint.head:
            self._in_loop(self._wish, hint.head)

    def _wish(self, head: int) -> None:
        if head > self._delivery.place.seq:
            self._looking.set()

    def _unsubscribe(self) -> None:
        subscription, self._subscription = self._subscription, None
        if subscription is not None:
            subscription.close()
