"""A batch of the Redis doors in this process, on a real Redis: what one entry does to the others."""

from collections.abc import Callable, Iterator
from typing import Any

import gevent
import pytest

from deskbell_server.ingest.redis import NAME, Done, Publisher, StreamDoor
from deskbell_server.redis_link import Crossing
from tests.desk.processes import wait_for
from tests.desk.services import OwnRedis


class FakePublisher(Publisher):
    """Does with each entry's body what the test says, and keeps those that it stored."""

    def __init__(self, outcome: Callable[[str], Exception | None]) -> None:
        self._outcome = outcome
        self.stored: list[str] = []

    def publish(self, fields: dict[str, Any], _key: str, done: Done) -> None:
        problem = self._outcome(fields["body"])
        if problem is None:
            self.stored.append(fields["body"])
        done(None, problem)


@pytest.fixture
def crossing() -> Iterator[Crossing]:
    made = Crossing()
    yield made
    made.close()


@pytest.fixture
def open_stream(own_redis: OwnRedis, crossing: Crossing) -> Iterator[Callable[[FakePublisher], None]]:
    doors: list[StreamDoor] = []

    def opened(publisher: FakePublisher) -> None:
        doors.append(StreamDoor(own_redis.url, publisher, crossing, gevent.spawn))
        doors[-1].loop.start()

    yield opened
    for door in doors:
        door.loop.stop()
        door.loop.join()


def wait_in_loop(condition: Callable[[], object], what: str, timeout: float = 5.0) -> None:
    """`wait_for` that lets the loop turn."""

    def turned() -> bool:
        gevent.sleep(0.001)
        return bool(condition())

    wait_for(turned, what, timeout, every=0)


def test_whatever_one_entry_raises_the_others_go_on(
    own_redis: OwnRedis, open_stream: Callable[[FakePublisher], None], caplog: pytest.LogCaptureFixture
) -> None:
    def outcome(body: str) -> Exception | None:
        if body == "1":
            raise ZeroDivisionError("secret words")
        return None

    for number in range(3):
        own_redis.client.xadd(NAME, {"token": "t", "body": str(number)})
    publisher = FakePublisher(outcome)
    open_stream(publisher)
    wait_in_loop(lambda: own_redis.client.xlen(NAME) == 0, "the stream to be empty")
    assert publisher.stored == ["0", "2"]
    (dead,) = own_redis.dead()
    assert (dead[b"body"], dead[b"code"], dead[b"message"]) == (b"1", b"internal", b"the server failed on it")
    assert "ZeroDivisionError" in caplog.text
