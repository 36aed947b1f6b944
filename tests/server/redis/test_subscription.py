"""One subscription to several channels on a real Redis: who hears what, and a link that is renewed."""

from collections.abc import Iterator

import pytest

from deskbell_server.redis.subscription import Subscription
from tests.desk.processes import wait_for
from tests.desk.services import OwnRedis


class Hearing:
    """What two who share a subscription were told by it."""

    def __init__(self, url: str) -> None:
        self.first: list[bytes] = []
        self.second: list[bytes] = []
        self.beats = 0
        self.losses = 0
        self.subscription = Subscription(url)
        self.subscription.on("first", self.first.append)
        self.subscription.on("second", self.second.append)
        self.subscription.on_beat(self._beat, self._lost)

    def _beat(self) -> None:
        self.beats += 1

    def _lost(self) -> None:
        self.losses += 1


@pytest.fixture
def hearing(own_redis: OwnRedis) -> Iterator[Hearing]:
    own = Hearing(own_redis.url)
    own.subscription.loop.start()
    wait_for(lambda: own.beats == 2, "the first beat to come back")
    yield own
    own.subscription.loop.stop()
    own.subscription.loop.join()


def test_each_hears_its_own_channel(own_redis: OwnRedis, hearing: Hearing) -> None:
    for channel, said in (("first", "a"), ("second", "b"), ("first", "c"), ("third", "d")):
        own_redis.client.publish(channel, said)
    wait_for(lambda: len(hearing.first) == 2, "the last of the first channel")
    assert (hearing.first, hearing.second, hearing.losses) == ([b"a", b"c"], [b"b"], 0)


def test_a_link_that_fell_silent_is_renewed(own_redis: OwnRedis, hearing: Hearing) -> None:
    hearing.subscription._pubsub.unsubscribe()
    wait_for(lambda: hearing.subscription.loop.problem == "no beat came back", "the silence to be noticed")
    wait_for(lambda: hearing.losses == 1, "it to be told")
    wait_for(lambda: not hearing.subscription.loop.problem, "the beat to come back")
    own_redis.client.publish("second", "again")
    wait_for(lambda: hearing.second == [b"again"], "what is said then")


def test_a_redis_that_hangs_is_lost_until_a_beat_comes_back(own_redis: OwnRedis, hearing: Hearing) -> None:
    own_redis.pause(True)
    wait_for(lambda: hearing.losses >= 2, "it to be lost, and tried again")
    assert hearing.subscription.loop.problem
    own_redis.pause(False)
    wait_for(lambda: not hearing.subscription.loop.problem, "the beat to come back")
