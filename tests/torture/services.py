"""What can befall PostgreSQL and Redis in a run: each fault begins now, and says for how long and how it ends."""

import contextlib
import random
from collections.abc import Callable, Mapping

import msgspec
import redis

from deskbell_server.redis.hints import CHANNEL
from tests.desk.services import OwnRedis
from tests.torture.databases import PostgresHouse
from tests.torture.relay import Relay

Fault = Callable[[random.Random], tuple[float, Callable[[], object]]]
"""Seconds, and what to do after them."""


class PostgresFaults:
    def __init__(self, house: PostgresHouse) -> None:
        self._service = house.service
        self._is_down = False

    def kinds(self) -> Mapping[str, tuple[int, Fault]]:
        return {
            "PostgreSQL restarts": (1, self._restart),
            "PostgreSQL hangs": (1, self._hang),
            "PostgreSQL session killed": (1, self._lose_session),
        }

    def _restart(self, chance: random.Random) -> tuple[float, Callable[[], object]]:
        if self._is_down:
            return 0.0, lambda: None
        self._is_down = True
        self._service.stop()
        return chance.uniform(0, 3), self._back

    def _back(self) -> None:
        self._service.start()
        self._is_down = False

    def _hang(self, chance: random.Random) -> tuple[float, Callable[[], object]]:
        self._service.pause(True)
        return chance.choice([0.5, 2.0, 7.0]), lambda: self._service.pause(False)

    def _lose_session(self, _chance: random.Random) -> tuple[float, Callable[[], object]]:
        self._service.kill_session()
        return 0.0, lambda: None


class RedisFaults:
    """`relay` is the servers' only way to it."""

    def __init__(self, service: OwnRedis, relay: Relay) -> None:
        self._service = service
        self._relay = relay
        self._is_paused = False

    def kinds(self) -> Mapping[str, tuple[int, Fault]]:
        return {
            "Redis killed": (1, self._kill),
            "Redis hangs": (1, self._hang),
            "Redis flushed": (1, self._flush),
            "Redis in a black hole": (1, self._swallow),
            "Redis cut": (1, self._cut),
            "forged hints": (1, self._forge),
        }

    def _kill(self, chance: random.Random) -> tuple[float, Callable[[], object]]:
        if self._is_gone:
            return 0.0, lambda: None
        self._service.kill()
        return chance.uniform(0.5, 8), self._back

    def _back(self) -> None:
        if self._is_gone:
            self._is_paused = False
            self._service.start()

    def _hang(self, chance: random.Random) -> tuple[float, Callable[[], object]]:
        self._pause(True)
        return chance.choice([1.0, 5.0, 12.0]), lambda: self._pause(False)

    def _pause(self, paused: bool) -> None:
        if not self._is_gone:
            self._is_paused = paused
            self._service.pause(paused)

    def _flush(self, _chance: random.Random) -> tuple[float, Callable[[], object]]:
        if not self._is_gone and not self._is_paused:
            with contextlib.suppress(redis.RedisError):
                self._service.client.flushall()
        return 0.0, lambda: None

    def _swallow(self, chance: random.Random) -> tuple[float, Callable[[], object]]:
        self._relay.swallow(True)
        return chance.choice([1.0, 5.0, 12.0]), lambda: self._relay.swallow(False)

    def _cut(self, _chance: random.Random) -> tuple[float, Callable[[], object]]:
        self._relay.cut()
        return 0.0, lambda: None

    def _forge(self, chance: random.Random) -> tuple[float, Callable[[], object]]:
        """Heads that are not; and what is no hint at all."""
        if not self._is_gone and not self._is_paused:
            with contextlib.suppress(redis.RedisError):
                for _ in range(200):
                    forged = {"head": chance.choice([-1, 0, 1, 10**9, 2**63 - 1])}
                    garbage = chance.choice([b"", b"{", b"[]", b"\xff\xfe", b'{"head":"1"}'])
                    said = msgspec.json.encode(forged) if chance.random() < 0.8 else garbage
                    self._service.client.publish(CHANNEL, said)
        return 0.0, lambda: None

    @property
    def _is_gone(self) -> bool:
        return self._service.process.exit_code is not None
