"""What the checker of a torture run counts as stored twice, and what it does not."""

from collections import Counter

from tests.torture.checker import audience, doubles
from tests.torture.databases import Line
from tests.torture.office import TEAM

BODY = "key1 robot1 1 ..."


def test_the_parts_of_a_publish_are_no_doubles() -> None:
    assert doubles([Line(7, "e.7", BODY, "e.7", 12), Line(8, "e.8", BODY, "e.7", 13)]) == []


def test_a_key_with_two_publishes_is_a_double() -> None:
    assert doubles([Line(7, "e.7", BODY, "e.7", 12), Line(9, "e.9", BODY, "e.9", 12)]) == ["key1"]
    assert doubles([Line(7, "e.7", BODY, "e.7", 12), Line(9, "e.9", BODY, "e.9", 13)]) == ["key1"]


def test_a_publish_that_stands_twice_in_a_channel_is_a_double() -> None:
    assert doubles([Line(7, "e.7", BODY, "e.7", 12), Line(8, "e.8", BODY, "e.7", 12)]) == ["e.7"]


def test_who_is_in_the_team_and_named_besides_has_it_twice_and_the_sender_has_all() -> None:
    team = {"alice": [], "bob": [], "robot1": [1, 2]}
    assert audience("robot1", ("alice", TEAM), team) == Counter(alice=2, bob=1, robot1=2)
    assert audience("robot1", ("alice", "bob"), team) == Counter(alice=1, bob=1, robot1=2)
    assert audience("alice", ("bob",), team) == Counter(alice=1, bob=1)
