"""Who has been of no use yet: a place that is full makes room among its own, and whoever is of use stays."""

import pytest

from deskbell_server.transport.newcomers import Newcomers
from deskbell_server.transport.refusals import HandshakeError


class Room:
    def __init__(self) -> None:
        self.newcomers = Newcomers(8, 2.0, "full")
        self.closed: list[str] = []

    def add(self, key: str, place: str, now: float) -> None:
        self.newcomers.add(key, place, now, lambda: self.closed.append(key))


@pytest.fixture
def room() -> Room:
    return Room()


def test_one_place_has_a_quarter_and_makes_room_among_its_own(room: Room) -> None:
    room.add("other", "b", 0.0)
    for number in range(6):
        room.add(f"a{number}", "a", 10.0 * number)
    assert room.closed == ["a0", "a1", "a2", "a3"]


def test_who_came_just_now_does_not_give_way(room: Room) -> None:
    room.add("a0", "a", 0.0)
    room.add("a1", "a", 1.0)
    with pytest.raises(HandshakeError, match="full"):
        room.add("a2", "a", 1.9)
    room.add("a2", "a", 2.0)
    assert room.closed == ["a0"]


def test_when_all_is_full_who_has_waited_longest_gives_way_wherever_it_is_from(room: Room) -> None:
    for number in range(8):
        room.add(f"a{number}", "" if number % 2 else f"place {number}", number / 10)
    room.add("new", "elsewhere", 9.0)
    assert room.closed == ["a0"]


def test_who_is_of_use_keeps_its_place_and_who_has_gone_leaves_it(room: Room) -> None:
    room.add("a0", "a", 0.0)
    room.add("a1", "a", 0.0)
    room.newcomers.busy("a0")
    room.add("a2", "a", 5.0)
    assert room.closed == ["a1"]
    room.newcomers.remove("a2")
    room.add("a3", "a", 5.0)
    room.newcomers.idle("a0", 6.0)
    with pytest.raises(HandshakeError):
        room.add("a4", "a", 6.5)
    assert (room.closed, len(room.newcomers)) == (["a1"], 2)
