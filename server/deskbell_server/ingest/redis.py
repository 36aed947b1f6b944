"""The Redis stream: every entry is stored once. (`redis_channel.py` is the door that may lose.)

Both take `{token, to, body, title?, priority?, key?}` as JSON (in a stream's entry: in the field `json`, or as fields).
An entry is acknowledged after its commit; what can never be stored goes to the stream `deskbell:dead`.
"""

import contextlib
import logging
import secrets
import socket
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec

from deskbell_protocol import wire
from deskbell_protocol.errors import Code
from deskbell_server.errors import STORE_AWAY, LimitedError, RefusedError, UnavailableError
from deskbell_server.ingest.redis_entries import NAME, Done, Fields, Publisher, decoded, fields_of
from deskbell_server.messaging.messages import Stored
from deskbell_server.redis.link import Loop, into_loop, make_client

log = logging.getLogger(__name__)

DEAD = "deskbell:dead"
GROUP = "deskbell"
DEAD_MAX = 10_000
AT_ONCE = 100
BLOCK_MS = 500
FIRST = b"0-0"
TRY_AGAIN_MS = 200
"""Pause before the entries that wait are tried again."""
RESTS_LONGER = 4
"""Where there are thousands, the pause is so many times as long as trying them took."""
TAKE_OVER_MS = 8_000
"""An entry that a consumer has had for so long without an end is taken over."""
TAKE_OVER_EVERY_S = 4.0
OUTCOMES_S = 30.0
FORGET_CONSUMER_MS = 3_600_000
HARMLESS = frozenset({b"key", *(field.encode() for field in wire.Publish.__struct_fields__)})


class StreamDoor:
    """Reads as one consumer of the group; a batch is settled before the next is read.

    Entries that cannot be stored yet stay pending and are tried again, a page of them at a time. The other entries of
    their writer, who is known by the token, stay behind them; those of all other writers pass.
    """

    def __init__(self, url: str, publisher: Publisher, spawn: Callable[..., Any]) -> None:
        self._client = make_client(url)
        self._publisher = publisher
        self._in_loop = into_loop()
        self._spawn = spawn
        self._consumer = f"{socket.gethostname()}-{secrets.token_hex(6)}"
        self._has_group = False
        self._held: set[str] | None = None
        """The writers of pending entries; None until all of these were looked at, and nothing new is read before."""
        self._still_held: set[str] = set()
        """Those among them for whom it is still too early, as far as the pending entries were tried again by now."""
        self._after: bytes = FIRST
        """The pending entry that was tried last."""
        self._began_at = 0.0
        self._try_at = 0.0
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
        if self._held is None or (self._held and time.monotonic() >= self._try_at):
            self._try_again()
        if self._held is not None:
            self._settle(self._read(b">", self._block_ms()), self._held)

    def _block_ms(self) -> int | None:
        """How long to wait for something new: not in the middle of what is pending."""
        if not self._held:
            return BLOCK_MS
        return TRY_AGAIN_MS if self._after == FIRST else None

    def _try_again(self) -> None:
        """The next page of what is pending; after the last one, it is known who is still held."""
        if self._after == FIRST:
            self._began_at = time.monotonic()
        mine = self._read(self._after, None)
        if mine:
            self._after = mine[-1][0]
            self._settle(mine, self._still_held)
            return
        self._held, self._still_held, self._after = self._still_held, set(), FIRST
        now = time.monotonic()
        self._try_at = now + max(TRY_AGAIN_MS / 1000, RESTS_LONGER * (now - self._began_at))

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

        self._in_loop(self._spawn, in_order)
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


def _is_for_later(problem: Exception | None) -> bool:
    """Whether the same entry may be stored soon. `too_many` may last for months, until what is scheduled is due."""
    if isinstance(problem, LimitedError):
        return problem.code == Code.RATE_LIMITED
    return isinstance(problem, STORE_AWAY)


def _dead(entry_id: bytes, fields: Fields, problem: Exception) -> Any:
    """Of the entry what is known to be no secret, and why it cannot be stored."""
    if not isinstance(problem, RefusedError):
        log.error("entry %s failed", entry_id.decode(), exc_info=problem)
    refused = problem if isinstance(problem, RefusedError) else RefusedError(Code.INTERNAL, "the server failed on it")
    kept = {name: value for name, value in fields.items() if name in HARMLESS}
    with contextlib.suppress(RefusedError):  # what is not even JSON may hold the token anywhere
        if b"json" in fields:
            inner = {name: value for name, value in decoded(fields[b"json"]).items() if name.encode() in HARMLESS}
            kept[b"json"] = msgspec.json.encode(inner)
    log.warning("entry %s cannot be stored, and is in %s: %s", entry_id.decode(), DEAD, refused.code)
    return kept | {b"entry": entry_id, b"code": refused.code.encode(), b"message": refused.message.encode()}
