"""Hints between processes over Redis: `{user, head, origin}`. Losing or forging one changes nothing but the delay.

Nobody waits for Redis here: what cannot be sent is dropped, and what comes only says whose log is to be looked at. Each
process hears its own beat come back; when that stays away, the link is renewed and the server says that it is degraded.
"""

import secrets
import time
from collections.abc import Iterable
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

import msgspec
from gevent.event import Event

from deskbell_server.delivery.delivery import Delivery
from deskbell_server.delivery.presence import Presence
from deskbell_server.messaging.publishes import Announcement
from deskbell_server.periodic import Periodic
from deskbell_server.redis.link import Loop, into_loop, make_client
from deskbell_server.store import users
from deskbell_server.store.database import Database

if TYPE_CHECKING:
    import redis.client

CHANNEL = "deskbell:heads"
BEAT_S = 1.0
SILENCE_S = 3.5
"""Without a beat for so long, the link is no good."""
WAITING_MAX = 20_000
AT_ONCE = 500
REST_S = 0.005
"""Between two looks, so that a flood of hints is few looks."""


class Hint(msgspec.Struct, frozen=True):
    origin: str
    user: str = ""
    head: int = 0


_decoder = msgspec.json.Decoder(Hint)


class Hints:
    """`announce` as `Delivery`, and the other processes hear of it."""

    def __init__(self, url: str, database: Database, presence: Presence, delivery: Delivery) -> None:
        self._database = database
        self._presence = presence
        self._delivery = delivery
        self._client = make_client(url)
        self._origin = secrets.token_hex(8)
        self._waiting: SimpleQueue[tuple[str, int]] = SimpleQueue()
        self._beat_at = 0.0
        self._heard_at = time.monotonic()
        self._since = 0.0
        self._subscription: redis.client.PubSub | None = None
        self._in_loop = into_loop()
        self._wanted: set[str] = set()
        self._looking = Event()
        self._sender = Loop("hints out", self._send, self._forget)
        self._listener = Loop("hints in", self._listen, self._unsubscribe)

    @property
    def is_well(self) -> bool:
        return time.monotonic() - self._heard_at < SILENCE_S + BEAT_S

    def announce(self, announcement: Announcement) -> None:
        self._delivery.announce(announcement)
        self._tell(announcement.heads.items())

    def run(self) -> None:
        """The greenlet's work, for ever: looks after those whose log another process moved."""
        self._sender.start()
        self._listener.start()
        Periodic("what others wrote", self._turn, REST_S).run()

    def close(self) -> None:
        for loop in (self._sender, self._listener):
            loop.stop()

    def _tell(self, heads: Iterable[tuple[str, int]]) -> None:
        if self._waiting.qsize() < WAITING_MAX:
            for head in heads:
                self._waiting.put(head)

    def _turn(self) -> None:
        """What is missed because the store is away is found by the look that comes every second."""
        self._looking.wait()
        self._looking.clear()
        wanted, self._wanted = self._wanted, set()
        self._look(wanted)

    def _look(self, wanted: Iterable[str]) -> None:
        here = {user_id for user_id in wanted if self._presence.has_user(user_id)}
        if here:
            heads = self._database.read(lambda connection: users.heads(connection, here))
            pushed = self._delivery.pushed
            self._delivery.head({u: head for u, head in heads.items() if head > pushed.get(u, 0)})

    def _send(self) -> None:
        """In its thread: what waits, and now and then a beat."""
        heads = self._next_heads(max(0.001, self._beat_at + BEAT_S - time.monotonic()))
        pipe = self._client.pipeline(transaction=False)
        for user_id, head in heads:
            pipe.publish(CHANNEL, msgspec.json.encode(Hint(self._origin, user_id, head)))
        now = time.monotonic()
        if now - self._beat_at >= BEAT_S:
            self._beat_at = now
            pipe.publish(CHANNEL, msgspec.json.encode(Hint(self._origin)))
        pipe.execute()

    def _next_heads(self, patience_s: float) -> list[tuple[str, int]]:
        heads = []
        try:
            heads.append(self._waiting.get(timeout=patience_s))
            while len(heads) < AT_ONCE:
                heads.append(self._waiting.get_nowait())
        except Empty:
            pass
        return heads

    def _forget(self) -> None:
        """Hints that are late are of no use."""
        while self._next_heads(0.001):
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
        elif hint.user:
            self._in_loop(self._wish, hint.user)

    def _wish(self, user_id: str) -> None:
        if self._presence.has_user(user_id):
            self._wanted.add(user_id)
            self._looking.set()

    def _unsubscribe(self) -> None:
        subscription, self._subscription = self._subscription, None
        if subscription is not None:
            subscription.close()
