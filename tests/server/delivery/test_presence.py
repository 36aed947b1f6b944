"""Who is connected, and when each is due for a `head`."""

import random

import pytest

from deskbell_protocol import limits
from deskbell_protocol.errors import Code
from deskbell_server.delivery.attendant import HeadTimes
from deskbell_server.delivery.presence import Presence
from deskbell_server.errors import LimitedError
from deskbell_server.principals import Principal


def somebody(user: str, device: str) -> Principal:
    return Principal(user, user, "", device, "", is_admin=False, may_announce=False, number=1)


def test_a_device_holds_five_sockets_and_not_six() -> None:
    presence = Presence()
    for number in range(limits.SOCKETS_PER_DEVICE):
        presence.add(f"s{number}", somebody("u", "d"))
    with pytest.raises(LimitedError) as refused:
        presence.add("s5", somebody("u", "d"))
    assert refused.value.code is Code.TOO_MANY
    presence.add("other", somebody("u", "d2"))
    presence.remove("s0")
    presence.add("s5", somebody("u", "d"))
    assert len(list(presence.sockets())) == limits.SOCKETS_PER_DEVICE + 1


def test_nothing_is_left_of_those_who_went() -> None:
    presence = Presence()
    presence.add("a", somebody("u", "d"))
    presence.add("b", somebody("u", "d2"))
    presence.remove("a")
    presence.remove("a")
    presence.remove("never")
    assert presence.users() == ["u"]
    assert presence.devices() == ["d2"]
    presence.remove("b")
    assert (presence.users(), presence.devices(), len(list(presence.sockets()))) == ([], [], 0)


def test_heads_come_every_fifteen_seconds_give_or_take_a_fifth() -> None:
    times = HeadTimes(random.Random(7))
    for number in range(500):
        times.add(number, 100.0)
    assert times.take(100.0 + limits.HEAD_INTERVAL_S * 0.8 - 0.01) == []
    halfway = times.take(100.0 + limits.HEAD_INTERVAL_S)
    assert 150 < len(halfway) < 350
    rest = times.take(100.0 + limits.HEAD_INTERVAL_S * 1.2)
    assert len(halfway) + len(rest) == 500
