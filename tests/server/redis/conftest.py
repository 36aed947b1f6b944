"""A Redis that may be stopped, killed and started again, and servers that use it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import require
from tests.desk.processes import wait_for
from tests.desk.server import Server
from tests.desk.services import REDIS, OwnRedis


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
