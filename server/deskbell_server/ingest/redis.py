"""The Redis doors: a stream from which every entry is stored once, and a channel that stores what arrives, if it does.

Both take `{token, to, body, title?, priority?, key?}` as JSON (in a stream's entry: in the field `json`, or as fields).
An entry is acknowledged after its commit; what can never be stored goes to the stream `deskbell:dead`.
"""

import logging
import re
import secrets
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec

from deskbell_protocol import limits, wire
from deskbell_protocol.errors import Code
from deskbell_server.devices import Devices
from deskbell_server.errors import LimitedError, OutcomeUnknownError, RefusedError, UnavailableError
from deskbell_server.ingest import wording
from deskbell_server.messages import Messages, Stored
from deskbell_server.redis_link import Crossing, Loop, make_client

log = logging.getLogger(__name__)

NAME = "deskbell:publish"
DEAD = "deskbell:dead"
GROUP = "deskbell"
DEAD_MAX = 10_000
AT_ONCE = 100
BLOCK_MS = 500
FIRST = b"0-0"
TRY_AGAIN_S = 0.2
"""Pause before the entries that wait are tried again."""
TAKE_OVER_MS = 8_000
"""An entry that a consumer has had for so long without an end is taken over."""
TAKE_OVER_EVERY_S = 4.0
OUTCOMES_S = 30.0
FORGET_CONSUMER_MS = 3_600_000
HEARD_MAX = 5_000
"""Messages of the channel that may wait for the store; more are dropped."""
DROPPED_TELL = 1_000
"""At the first, and then once for so many, it is said that messages are dropped."""
READER = "deskbell:channel-reader"
READER_MS = 4_000
"""How long the right to read the channel lasts: of several processes one stores what it hears."""

TOKEN = re.compile(rb'"token"\s*:\s*"[^"]*"?')
TIME = re.compile(r"[0-9]{1,16}")

Fields = dict[bytes, bytes]
Done = Callable[[Stored | None, Exception | None], None]


class Publisher:
    """Called in the loop with what came in; `done` gets what became of it in the store."""

    def __init__(self, devices: Devices, messages: Messages) -> None:
        self._devices = devices
        self._messages = messages

    def publish(self, fields: dict[str, Any], key: str, done: Done) -> None:
        """In a greenlet. `key` counts when the fields bring none. Raises what is wrong before it reaches the store."""
        token, own_key, draft = parse(fields)
        principal = self._devices.identify(token)
        self._messages.publish_soon(principal, draft, own_key or key, done)


def fields_of(raw: Fields) -> dict[str, Any]:
    """A stream's entry as JSON would have it. RefusedError `invalid`."""
    if sum(len(name) + len(value) for name, value in raw.items()) > limits.REQUEST_BYTES:
        raise RefusedError(Code.TOO_LARGE, f"an entry has at most {limits.REQUEST_BYTES} bytes")
    try:
        if b"json" in raw:
            return decoded(raw[b"json"])
        fields: dict[str, Any] = {name.decode(): value.decode() for name, value in raw.items()}
    except UnicodeDecodeError as problem:
        raise RefusedError(Code.INVALID, "this is not UTF-8") from problem
    if "deliver_at" in fields and TIME.fullmatch(fields["deliver_at"]):
        fields["deliver_at"] = int(fields["deliver_at"])
    return fields


def decoded(text: bytes) -> dict[str, Any]:
    """A JSON object. RefusedError."""
    if len(text) > limits.REQUEST_BYTES:
        raise RefusedError(Code.TOO_LARGE, f"a message has at most {limits.REQUEST_BYTES} bytes")
    try:
        found = msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
        raise RefusedError(Code.INVALID, "this is not JSON") from problem
    if not isinstance(found, dict):
        raise RefusedError(Code.INVALID, "this is not a JSON object")
    return found


def parse(fields: dict[str, Any]) -> tuple[str, str | None, wire.Publish]:
    """Token, key and message. `to` may be one text with commas. RefusedError `invalid` or `unauthorized`."""
    rest = dict(fields)
    token, key, to = rest.pop("token", None), rest.pop("key", None), rest.get("to")
    if not isinstance(token, str):
        raise RefusedError(Code.UNAUTHORIZED, "token: missing")
    if key is not None and not isinstance(key, str):
        raise RefusedError(Code.INVALID, "key: must be a text")
    if isinstance(to, str):
        rest["to"] = [name.strip() for name in to.split(",")]
    try:
        return token, key, wire.parse(wire.Publish, rest)
    except msgspec.ValidationError as problem:
        raise wording.refused(problem) from problem


class StreamDoor:
    """Reads as one consumer of the group; a batch is settled before the next is read.

    Entries that cannot be stored yet stay pending and are tried again, a page of them at a time. The other entries of
    their writer, who is known by the token, stay behind them; those of all other writers pass.
    """

    def __init__(self, url: str, publisher: Publisher, crossing: Crossing, spawn: Callable[..., Any]) -> None:
        self._client = make_client(url)
        self._publisher = publisher
        self._crossing = crossing
        self._spawn = spawn
        self._consumer = f"{socket.gethostname()}-{secrets.token_hex(6)}"
        self._has_group = False
        self._held: set[str] | None = None
        """The writers of pending entries; None until all of these were looked at, and nothing new is read before."""
        self._still_held: set[str] = set()
        """Those among them for whom it is still too early, as far as the pending entries were tried again by now."""
        self._after: bytes = FIRST
        """The pending entry that was tried last."""
        self._took_over_at = 0.0
        self._take_over_from: bytes = FIRST
        self.loop = Loop("stream door", self._turn, self._lost)

    def _lost(self) -> None:
        self._has_group = False
        self._begin_again()

    def _begin_again(self) -> None:
        """There may be pending entries that were not looked at."""
        self._held, self._still_held, self._after = None, set(), FIRST

    def _turn(self) -> None:
        """In its thread."""
        if not self._has_group:
            self._make_group()
        if time.monotonic() - self._took_over_at > TAKE_OVER_EVERY_S:
            self._take_over()
        if self._held is None or self._held:
            self._try_again()
        if self._held is not None:
            self._settle(self._read(b">", None if self._held else BLOCK_MS), self._held)

    def _try_again(self) -> None:
        """The next page of what is pending; after the last one, it is known who is still held."""
        mine = self._read(self._after, None)
        if mine:
            self._after = mine[-1][0]
            self._settle(mine, self._still_held)
            return
        self._held, self._still_held, self._after = self._still_held, set(), FIRST
        if self._held:
            self.loop.pause(TRY_AGAIN_S)

    def _make_group(self) -> None:
        import redis

        try:
            self._client.xgroup_create(NAME, GROUP, id="0", mkstream=True)
        except redis.ResponseError as problem:
            if "BUSYGROUP" not in str(problem):
                raise
        self._has_group = True

    def _take_over(self) -> None:
        """Entries of consumers that ended; and the consumers that are long gone."""
        found: Any = self._client.xinfo_consumers(NAME, GROUP)
        others = [consumer for consumer in found if consumer["name"] != self._consumer.encode()]
        if any(consumer["pending"] for consumer in others):
            self._take_over_some()
        else:
            self._take_over_from = FIRST
        if self._take_over_from == FIRST:
            self._took_over_at = time.monotonic()
        for consumer in others:
            if not consumer["pending"] and consumer["idle"] > FORGET_CONSUMER_MS:
                self._client.xgroup_delconsumer(NAME, GROUP, consumer["name"])

    def _take_over_some(self) -> None:
        taken: Any = self._client.xautoclaim(
            NAME, GROUP, self._consumer, TAKE_OVER_MS, start_id=self._take_over_from, count=AT_ONCE
        )
        self._take_over_from = taken[0]
        if taken[1]:
            log.warning("%d entries of another consumer are taken over", len(taken[1]))
            self._begin_again()

    def _read(self, after: bytes, block_ms: int | None) -> list[tuple[bytes, Fields]]:
        found: Any = self._client.xreadgroup(GROUP, self._consumer, {NAME: after}, count=AT_ONCE, block=block_ms)
        if isinstance(found, dict):
            found = [(name, entries[0]) for name, entries in found.items()]
        return [(entry_id, fields or {}) for _, entries in found or [] for entry_id, fields in entries]

    def _settle(self, entries: list[tuple[bytes, Fields]], held: set[str]) -> None:
        """Stores them, in their order; but nothing of those who are `held`, or become so because one is for later."""
        if not entries:
            return
        outcomes = self._outcomes(entries, held)
        pipe = self._client.pipeline(transaction=True)
        for (entry_id, fields), problem in zip(entries, outcomes, strict=True):
            if _is_for_later(problem):
                continue
            if problem is not None:
                pipe.xadd(DEAD, _dead(entry_id, fields, problem), maxlen=DEAD_MAX, approximate=True)
            pipe.xack(NAME, GROUP, entry_id)
            pipe.xdel(NAME, entry_id)
        pipe.execute()

    def _outcomes(self, entries: list[tuple[bytes, Fields]], held: set[str]) -> list[Exception | None]:
        """What became of each; None: it is stored."""
        outcomes: list[Exception | None] = [UnavailableError()] * len(entries)
        missing = [len(entries)]
        all_known = threading.Event()

        def known(number: int, _stored: Stored | None, problem: Exception | None) -> None:
            outcomes[number] = problem
            missing[0] -= 1
            if not missing[0]:
                all_known.set()

        def in_order() -> None:
            for number, (entry_id, raw) in enumerate(entries):
                self._one(entry_id, raw, held, partial(known, number))

        self._crossing.call(lambda: self._spawn(in_order))
        end = time.monotonic() + OUTCOMES_S
        while not all_known.wait(0.2):
            if self.loop.is_ending or time.monotonic() > end:
                self._begin_again()
                return list(outcomes)  # the others stay with this consumer, and are tried again or taken over
        return outcomes

    def _one(self, entry_id: bytes, raw: Fields, held: set[str], done: Done) -> None:
        writer = ""

        def ended(stored: Stored | None, problem: Exception | None) -> None:
            if _is_for_later(problem):
                held.add(writer)
            done(stored, problem)

        try:
            fields = fields_of(raw)
            writer = str(fields.get("token"))
            if writer in held:
                raise UnavailableError
            self._publisher.publish(fields, entry_id.decode(), ended)
        except Exception as problem:  # noqa: BLE001 - it is the outcome, and the entries behind it go on
            ended(None, problem)


class ChannelDoor:
    """What is published while nobody listens, or Redis is away, is gone: at most once."""

    def __init__(self, url: str, publisher: Publisher, crossing: Crossing, spawn: Callable[..., Any]) -> None:
        self._client = make_client(url)
        self._publisher = publisher
        self._crossing = crossing
        self._spawn = spawn
        self._me = secrets.token_hex(8)
        self._asked_at = 0.0
        self._mine_until = 0.0
        self._subscription: Any = None
        self._heard: deque[bytes] = deque()
        self._is_storing = False
        self._refused = 0
        # Each is written by one thread: its own, its own, the loop's.
        self._offered = self._dropped = self._done_with = 0
        self.loop = Loop("channel door", self._turn, self._lost)

    def _lost(self) -> None:
        subscription, self._subscription = self._subscription, None
        self._mine_until = self._asked_at = 0.0
        if subscription is not None:
            subscription.close()

    def _turn(self) -> None:
        """In its thread. All processes listen, and the one whose turn it is stores."""
        if self._subscription is None:
            self._subscription = self._client.pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]
            self._subscription.subscribe(NAME)
        if time.monotonic() - self._asked_at > READER_MS / 4000:
            self._ask_for_the_right()
        found = self._subscription.get_message(timeout=0.5)
        if found is not None and time.monotonic() < self._mine_until:
            self._offer(found["data"])

    def _offer(self, data: bytes) -> None:
        """Hands it to the loop, as long as not too much waits there."""
        if len(data) > limits.REQUEST_BYTES or self._offered - self._done_with >= HEARD_MAX:
            self._dropped += 1
            if self._dropped % DROPPED_TELL == 1:
                log.warning("the channel %s: too long, or too many at once: %d dropped until now", NAME, self._dropped)
            return
        self._offered += 1
        self._crossing.call(lambda: self._hear(data))

    def _ask_for_the_right(self) -> None:
        """Checks that the link lives, too: a PING that fails renews it."""
        self._asked_at = time.monotonic()
        self._client.set(READER, self._me, nx=True, px=READER_MS)
        if self._client.get(READER) == self._me.encode():
            self._client.pexpire(READER, READER_MS)
            self._mine_until = self._asked_at + READER_MS / 1000
        else:
            self._mine_until = 0.0
        subscribed: Any = self._client.pubsub_numsub(NAME)
        if not subscribed or not subscribed[0][1]:
            raise OSError("the subscription is gone")

    def _hear(self, data: bytes) -> None:
        self._heard.append(data)
        if not self._is_storing:
            self._is_storing = True
            self._spawn(self._store_all)

    def _store_all(self) -> None:
        """One after the other: looking up their tokens at the same time would swap them."""
        try:
            while self._heard:
                self._store(self._heard.popleft())
                self._done_with += 1
        finally:
            self._is_storing = False

    def _store(self, data: bytes) -> None:
        try:
            self._publisher.publish(decoded(data), secrets.token_hex(16), self._done)
        except Exception as problem:  # noqa: BLE001 - it is the outcome
            self._done(None, problem)

    def _done(self, _stored: Stored | None, problem: Exception | None) -> None:
        if problem is not None:
            self._refused += 1
            code = problem.code if isinstance(problem, RefusedError) else Code.INTERNAL
            log.warning("a message on the channel %s was refused: %s (%d until now)", NAME, code, self._refused)


class RedisDoors:
    """Both doors, with one owner."""

    def __init__(self, url: str, devices: Devices, messages: Messages, spawn: Callable[..., Any]) -> None:
        self._crossing = Crossing()
        publisher = Publisher(devices, messages)
        self._doors = [
            StreamDoor(url, publisher, self._crossing, spawn).loop,
            ChannelDoor(url, publisher, self._crossing, spawn).loop,
        ]

    def open(self) -> None:
        for loop in self._doors:
            loop.start()

    def close(self) -> None:
        """What is on its way is acknowledged by the next one who takes it over, and stored once."""
        for loop in self._doors:
            loop.stop()
        self._crossing.close()


def _is_for_later(problem: Exception | None) -> bool:
    """Whether the same entry may be stored another time."""
    if isinstance(problem, LimitedError):
        return problem.code is not Code.TOO_MANY  # those may wait for months, and this one would as long
    return isinstance(problem, (UnavailableError, OutcomeUnknownError))


def _dead(entry_id: bytes, fields: Fields, problem: Exception) -> Any:
    """The entry as it came, but for its token, and why it cannot be stored."""
    if not isinstance(problem, RefusedError):
        log.error("entry %s failed", entry_id.decode(), exc_info=problem)
    refused = problem if isinstance(problem, RefusedError) else RefusedError(Code.INTERNAL, "the server failed on it")
    kept = {name: value for name, value in fields.items() if name != b"token"}
    try:
        inner = decoded(fields[b"json"]) if b"json" in fields else {}
        if inner.pop("token", None) is not None:
            kept[b"json"] = msgspec.json.encode(inner)
    except RefusedError:
        kept[b"json"] = TOKEN.sub(b'"token":""', fields[b"json"])  # not even JSON
    log.warning("entry %s cannot be stored, and is in %s: %s", entry_id.decode(), DEAD, refused.code)
    return kept | {b"entry": entry_id, b"code": refused.code.encode(), b"message": refused.message.encode()}
