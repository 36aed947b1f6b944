"""A Redis that may be stopped, killed and started again, and servers that use it."""

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.conftest import require
from tests.desk.processes import Child, can_connect, free_port, wait_for
from tests.desk.server import Server
from tests.desk.services import REDIS


class OwnRedis:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.client: redis.Redis = redis.Redis(port=self.port, socket_timeout=5)
        self.start()

    def start(self) -> None:
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self._folder)]
        self.process = Child([REDIS, *options, "--appendonly", "no"], self._folder / "redis.log")
        self.process.wait_until(lambda: can_connect(self.port), "Redis")

    def kill(self) -> None:
        self.process.signal(signal.SIGKILL)
        self.process.wait()

    def pause(self, paused: bool) -> None:
        self.process.signal(signal.SIGSTOP if paused else signal.SIGCONT)

    def dead(self) -> list[dict[bytes, bytes]]:
        found: Any = self.client.xrange("deskbell:dead")
        return [fields for _, fields in found]

    def pending(self) -> int:
        found: Any = self.client.xpending("deskbell:publish", "deskbell")
        return int(found["pending"])

    def listeners(self) -> int:
        """How many processes hear the channel."""
        found: Any = self.client.pubsub_numsub("deskbell:publish")
        return int(found[0][1])

    def stop(self) -> None:
        self.client.close()
        self.process.signal(signal.SIGCONT)
        self.process.stop()


@pytest.fixture
def own_redis(folder: Path) -> Iterator[OwnRedis]:
    require(REDIS)
    place = folder / "redis"
    place.mkdir()
    own = OwnRedis(place)
    yield own
    own.stop()


@pytest.fixture
def desk(folder: Path, furnished: Path, own_redis: OwnRedis) -> Iterator[Server]:
    """A running server with both doors open."""
    with Server(folder, "--redis", own_redis.url, "--publish-rate", "0", "--log-level", "debug") as own:
        shutil.copytree(furnished, own.data)
        own.start()
        wait_for(lambda: own_redis.client.exists("deskbell:channel-reader"), "the doors to open")
        yield own
