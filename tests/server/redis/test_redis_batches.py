"""A batch of the Redis doors in this process, on a real Redis: what one entry does to the others."""

from collections.abc import Callable, Iterable, Iterator
from itertools import count
from typing import Any

import gevent
import pytest
from gevent.event import Event

from deskbell_protocol import limits
from deskbell_protocol.errors import Code
from deskbell_server.errors import LimitedError, UnavailableError
from deskbell_server.ingest.redis import GROUP, StreamDoor
from deskbell_server.ingest.redis_channel import HEARD_MAX, READER, ChannelDoor
from deskbell_server.ingest.redis_entries import NAME, Done, Publisher
from deskbell_server.redis.subscription import Subscription
from tests.desk.processes import PATIENCE_S, wait_for
from tests.desk.services import OwnRedis


class FakePublisher(Publisher):
    """Does with each entry what the test says of its token and body, and keeps the bodies that it stored."""

    def __init__(self, outcome: Callable[[str, str], Exception | None]) -> None:
        self._outcome = outcome
        self.stored: list[str] = []

    def publish(self, fields: dict[str, Any], _key: str, done: Done) -> None:
        problem = self._outcome(fields["token"], fields["body"])
        if problem is None:
            self.stored.append(fields["body"])
        done(None, problem)


@pytest.fixture
def open_stream(own_redis: OwnRedis) -> Iterator[Callable[[FakePublisher], None]]:
    doors: list[StreamDoor] = []

    def opened(publisher: FakePublisher) -> None:
        doors.append(StreamDoor(own_redis.url, publisher, gevent.spawn))
        doors[-1].loop.start()

    yield opened
    for door in doors:
        door.loop.stop()
        door.loop.join()


def wait_in_loop(condition: Callable[[], object], what: str, timeout: float = PATIENCE_S) -> None:
    """`wait_for` that lets the loop turn."""

    def turned() -> bool:
        gevent.sleep(0.001)
        return bool(condition())

    wait_for(turned, what, timeout, every=0)


def add(own_redis: OwnRedis, token: str, numbers: Iterable[int]) -> list[Any]:
    with own_redis.client.pipeline() as pipe:
        for number in numbers:
            pipe.xadd(NAME, {"token": token, "body": str(number)})
        added: list[Any] = pipe.execute()
    return added


def the_dead_of_three(
    own_redis: OwnRedis,
    open_stream: Callable[[FakePublisher], None],
    outcome: Callable[[str, str], Exception | None],
) -> dict[bytes, bytes]:
    """Of the entries 0, 1 and 2 the one in the middle, which nobody stored; the others are."""
    add(own_redis, "t", range(3))
    publisher = FakePublisher(outcome)
    open_stream(publisher)
    wait_in_loop(lambda: own_redis.client.xlen(NAME) == 0, "the stream to be empty")
    assert publisher.stored == ["0", "2"]
    (dead,) = own_redis.dead()
    return dict(dead)


def test_whatever_one_entry_raises_the_others_go_on(
    own_redis: OwnRedis, open_stream: Callable[[FakePublisher], None], caplog: pytest.LogCaptureFixture
) -> None:
    def outcome(_token: str, body: str) -> Exception | None:
        if body == "1":
            raise ZeroDivisionError("secret words")
        return None

    dead = the_dead_of_three(own_redis, open_stream, outcome)
    assert (dead[b"body"], dead[b"code"], dead[b"message"]) == (b"1", b"internal", b"the server failed on it")
    assert "ZeroDivisionError" in caplog.text


def test_who_writes_too_fast_is_stored_in_order_and_delays_nobody(
    own_redis: OwnRedis, open_stream: Callable[[FakePublisher], None]
) -> None:
    tries = count()

    def outcome(token: str, _body: str) -> Exception | None:
        return LimitedError("wait", 0.01) if token == "fast" and next(tries) % 50 == 49 else None

    add(own_redis, "fast", range(300))
    publisher = FakePublisher(outcome)
    open_stream(publisher)
    wait_in_loop(lambda: len(publisher.stored) > 100, "the first to be stored")
    add(own_redis, "fast", range(300, 600))
    add(own_redis, "slow", range(1000, 1010))
    wait_in_loop(lambda: own_redis.client.xlen(NAME) == 0, "the stream to be empty", 20)
    stored = [int(body) for body in publisher.stored]
    assert [number for number in stored if number < 1000] == list(range(600))
    assert [number for number in stored if number >= 1000] == list(range(1000, 1010))
    assert own_redis.dead() == []


def test_what_can_not_be_stored_for_long_keeps_nothing_else_waiting(
    own_redis: OwnRedis, open_stream: Callable[[FakePublisher], None]
) -> None:
    is_away = True

    def outcome(token: str, _body: str) -> Exception | None:
        if is_away:
            return UnavailableError()
        return LimitedError("wait", 60.0) if token == "limited" else None

    own_redis.client.xgroup_create(NAME, GROUP, id="0", mkstream=True)
    add(own_redis, "limited", range(250))
    add(own_redis, "other", range(1000, 1010))
    publisher = FakePublisher(outcome)
    open_stream(publisher)
    wait_in_loop(lambda: own_redis.pending() == 260, "all to be pending")
    is_away = False
    wait_in_loop(lambda: own_redis.client.xlen(NAME) == 250, "the others to be stored")
    assert publisher.stored == [str(number) for number in range(1000, 1010)]


def test_too_many_for_later_is_a_refusal_that_does_not_wait(
    own_redis: OwnRedis, open_stream: Callable[[FakePublisher], None]
) -> None:
    def outcome(_token: str, body: str) -> Exception | None:
        return LimitedError("too many are waiting", 60.0, Code.TOO_MANY) if body == "1" else None

    dead = the_dead_of_three(own_redis, open_stream, outcome)
    assert (dead[b"body"], dead[b"code"]) == (b"1", b"too_many")


def test_what_is_taken_over_is_stored_before_what_is_new(
    own_redis: OwnRedis, open_stream: Callable[[FakePublisher], None]
) -> None:
    own_redis.client.xgroup_create(NAME, GROUP, id="0", mkstream=True)
    taken = add(own_redis, "t", range(250))
    own_redis.client.xreadgroup(GROUP, "one that died", {NAME: ">"})
    own_redis.client.xclaim(NAME, GROUP, "one that died", 0, taken, idle=60_000)
    add(own_redis, "t", range(250, 300))
    publisher = FakePublisher(lambda _token, _body: None)
    open_stream(publisher)
    wait_in_loop(lambda: own_redis.client.xlen(NAME) == 0, "the stream to be empty")
    assert publisher.stored == [str(number) for number in range(300)]


def test_what_the_channel_keeps_in_memory_is_bounded_and_the_rest_is_counted(
    own_redis: OwnRedis, caplog: pytest.LogCaptureFixture
) -> None:
    may_go_on = Event()

    def outcome(_token: str, _body: str) -> None:
        may_go_on.wait()

    publisher = FakePublisher(outcome)
    subscription = Subscription(own_redis.url)
    door = ChannelDoor(own_redis.url, subscription, publisher, gevent.spawn)
    subscription.loop.start()
    wait_in_loop(lambda: own_redis.client.exists(READER), "the door to open")
    with own_redis.client.pipeline() as pipe:
        pipe.publish(NAME, '{"token": "t", "body": "secret words"}' + " " * limits.REQUEST_BYTES)
        for number in range(HEARD_MAX + 100):
            pipe.publish(NAME, f'{{"token": "t", "body": "secret words {number}"}}')
        pipe.execute()
    wait_in_loop(lambda: door.dropped >= 100, "some to be dropped")  # one is being stored
    wait_in_loop(lambda: f"{door.dropped} messages on the channel" in caplog.text, "it to be said")
    may_go_on.set()
    wait_in_loop(lambda: len(publisher.stored) + door.dropped == HEARD_MAX + 101, "the others to be stored")
    assert HEARD_MAX <= len(publisher.stored) <= HEARD_MAX + 1
    assert "secret words" not in caplog.text
    subscription.loop.stop()
    subscription.loop.join()
