"""Who is connected to another process is known here, and forgotten when that process ends or dies."""

from deskbell_server.delivery.presence import Presence
from deskbell_server.delivery.shared_presence import BEAT_S, SILENT_S, SharedPresence
from deskbell_server.people.people import People
from deskbell_server.principals import Principal


def connected(user: str, device: str) -> Principal:
    return Principal(user, user, "", device, "", False, False, 1)


def test_each_process_knows_who_is_connected_to_the_others(people: People) -> None:
    here, there = Presence(), Presence()
    first, second = SharedPresence(people.database, here), SharedPresence(people.database, there)
    here.add("s1", connected("ann", "a1"))
    there.add("s2", connected("bob", "b1"))
    for now in (0.0, 1.0):
        first.exchange(now)
        second.exchange(now)
    for one in (first, second):
        assert sorted(one.users()) == ["ann", "bob"]
        assert sorted(one.devices()) == ["a1", "b1"]
        assert one.has_user("ann")
        assert one.has_user("bob")
    assert here.users() == ["ann"]
    there.remove("s2")
    second.exchange(2.0)
    first.exchange(2.0)
    assert not first.has_user("bob")


def test_a_process_that_ends_is_forgotten_at_once_and_one_that_died_soon(people: People) -> None:
    presences = [Presence() for _ in range(3)]
    ends, dies, stays = (SharedPresence(people.database, presence) for presence in presences)
    presences[0].add("s", connected("ann", "a1"))
    presences[1].add("s", connected("bob", "b1"))
    for one in (ends, dies, stays):
        one.exchange(0.0)
    ends.close()
    stays.exchange(1.0)
    assert stays.users() == ["bob"]
    stays.exchange(SILENT_S - 1)
    assert stays.users() == ["bob"]
    dies.exchange(SILENT_S - 1 + BEAT_S)  # it was only slow
    stays.exchange(SILENT_S + BEAT_S)
    assert stays.users() == ["bob"]
    stays.exchange(2 * SILENT_S + BEAT_S + 1)
    assert stays.users() == []


def test_what_does_not_change_is_not_written_again(people: People) -> None:
    one = SharedPresence(people.database, Presence())
    one.exchange(0.0)

    def said() -> object:
        return people.database.read(
            lambda c: c.execute("SELECT value FROM meta WHERE key LIKE ?", ("online:%",)).fetchall()
        )

    before = said()
    one.exchange(BEAT_S - 1)
    assert said() == before
    one.exchange(BEAT_S)
    assert said() != before
