"""Hints between processes over Redis: `{head}`. Losing or forging one changes nothing but the delay.

Nobody waits for Redis here: what cannot be sent is dropped, and what comes only makes the writer look at the log.
"""

from queue import SimpleQueue

import msgspec
from gevent.event import Event

from deskbell_server.delivery.delivery import Delivery
from deskbell_server.delivery.feed import Passed
from deskbell_server.periodic import Periodic
from deskbell_server.redis.link import Loop, into_loop, make_client
from deskbell_server.redis.subscription import Subscription
from deskbell_server.store.database import Database

CHANNEL = "deskbell:head"
REST_S = 0.005
"""Between two looks, so that a flood of hints is few looks."""


class Hint(msgspec.Struct, frozen=True):
    head: int
    """Up to where something was committed."""


_decoder = msgspec.json.Decoder(Hint)


class Hints:
    """`passed` as `Delivery`, and the other processes hear of it."""

    def __init__(self, url: str, subscription: Subscription, database: Database, delivery: Delivery) -> None:
        self._database = database
        self._delivery = delivery
        self._client = make_client(url)
        self._waiting: SimpleQueue[int] = SimpleQueue()
        self._in_loop = into_loop()
        self._looking = Event()
        self._sender = Loop("hints", self._send)
        subscription.on(CHANNEL, self._heard)

    def passed(self, found: Passed) -> None:
        self._delivery.passed(found)
        if found.is_own:
            self._waiting.put(found.place.seq)

    def run(self) -> None:
        """The greenlet's work, for ever: lets the writer look at what another process committed."""
        self._sender.start()
        try:
            Periodic("what others wrote", self._turn, REST_S).run()
        finally:
            self._sender.stop()
            self._waiting.put(0)  # or it would wait for a commit

    def _turn(self) -> None:
        """What is missed because the store is away is found by the look that comes every second."""
        self._looking.wait()
        self._looking.clear()
        self._database.nudge()

    def _send(self) -> None:
        """In its thread: what waits, as one."""
        head = self._waiting.get()
        while not self._waiting.empty():
            head = self._waiting.get()
        self._client.publish(CHANNEL, msgspec.json.encode(Hint(head)))

    def _heard(self, data: bytes) -> None:
        """In the subscription's thread."""
        try:
            self._in_loop(self._wish, _decoder.decode(data).head)
        except msgspec.MsgspecError:
            return  # anybody may write there

    def _wish(self, head: int) -> None:
        if head > self._delivery.place.seq:
            self._looking.set()
