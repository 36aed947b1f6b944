"""The feed on a real database: everything that was committed, once, or a jump. Source: LOG.md 8 to 12."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import gevent
import msgspec
import pytest

from deskbell_server.delivery import feed
from deskbell_server.delivery.feed import Feed, Passed
from deskbell_server.people.groups import Groups
from deskbell_server.store import births, channels, known, log, prune, users
from deskbell_server.store.database import Connection, Database
from deskbell_server.store.log import Entry, LogEnd
from deskbell_server.store.opening import open_database
from deskbell_server.store.sqlite import Commits


@pytest.fixture
def database(tmp_path: Path, database_url: str) -> Iterator[Database]:
    with closing(open_database(tmp_path / "a.db", database_url, Commits("normal"))) as opened:
        for name in ("ann", "bob", "cid"):
            user = users.User(f"id-{name}", name, "", "-", False, False, None)
            opened.write(lambda connection, user=user: users.add(connection, user, user.name, "", 0))  # type: ignore[misc]
        yield opened


@pytest.fixture
def own(database: Database) -> Feed:
    return Feed(database.read(log.end))


def append(database: Database, *channel: int, content: str = '{"body":"x"}') -> None:
    entries = [Entry(channel=c, kind="message", sender=1, at=1, cid="k", content=content) for c in channel]
    database.write(lambda connection: log.append(connection, entries))


def known_people(database: Database) -> None:
    """As after messages among all of them."""
    ids = [f"id-{name}" for name in ("ann", "bob", "cid")]
    database.write(lambda connection: known.by_id(connection, known.checked(connection), ids))


def heard(given: list[Passed], database: Database) -> None:
    """The loop has heard of all."""
    end = database.read(log.end)
    with gevent.Timeout(10):
        while not given or given[-1].place != end:
            gevent.sleep(0.002)


def look(database: Database, own: Feed) -> tuple[Passed, bool] | None:
    return database.read(lambda connection: own.look(connection, False))


def seen(found: tuple[Passed, bool] | None) -> list[tuple[int, list[int] | None]]:
    assert found
    return [(e.seq, None if e.people is None else sorted(e.people)) for e in found[0].pushes]


def test_everything_comes_once_and_to_whom_it_is_for(database: Database, own: Feed) -> None:
    Groups(database).add("@ops", ["bob", "cid"])
    append(database, channels.pair(1, 2), channels.pair(1, 1), channels.EVERYONE, channels.group(1))
    Groups(database).remove("@ops", ["cid"])
    append(database, channels.group(1))
    found = look(database, own)
    assert seen(found) == [
        (1, [2]), (2, [3]), (3, [1, 2]), (4, [1]), (5, None), (6, [2, 3]), (7, [3]), (8, [2]),
    ]  # fmt: skip
    assert look(database, own) is None


def test_only_its_sender_is_told_the_key(database: Database, own: Feed) -> None:
    append(database, channels.pair(1, 2))
    found = look(database, own)
    assert found
    (push,) = found[0].pushes
    assert push.sender == 1
    assert push.own_tail
    assert msgspec.json.decode(b'{"x":0' + push.own_tail)["data"]["cid"] == "k"
    assert "cid" not in msgspec.json.decode(b'{"x":0' + push.tail)["data"]


def test_more_than_one_look_takes_comes_with_the_next(
    database: Database, own: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "AT_ONCE", 3)
    append(database, *[channels.pair(1, 2)] * 5)
    first, second = look(database, own), look(database, own)
    assert first
    assert second
    assert ([e.seq for e in first[0].pushes], first[1]) == ([1, 2, 3], True)
    assert (first[0].place, second[0].after) == (second[0].after, first[0].place)
    assert ([e.seq for e in second[0].pushes], second[1]) == ([4, 5], False)


@pytest.mark.parametrize(
    "trouble", ["hole", "gone", "unreadable", "nobody's", "far behind", "behind for long", "restored"]
)
def test_what_cannot_be_told_one_by_one_is_jumped_over(
    database: Database, own: Feed, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    append(database, *[channels.pair(1, 2)] * 4)

    def spoil(connection: Connection) -> None:
        if trouble == "hole":
            connection.execute("DELETE FROM log WHERE seq = 2")
        elif trouble == "gone":
            prune.take_out(connection, [(2, channels.pair(1, 2))])
        elif trouble == "unreadable":
            connection.execute("UPDATE log SET content = NULL WHERE seq = 2")
        elif trouble == "nobody's":
            connection.execute("UPDATE log SET sender = 99 WHERE seq = 2")
        elif trouble == "restored":
            births.renew(connection)
        elif trouble == "behind for long":
            own._even_at -= feed.BEHIND_S
        else:
            monkeypatch.setattr(feed, "BEHIND_MAX", 3)

    database.write(spoil)
    found = look(database, own)
    assert found
    end = database.read(log.end)
    assert (found[0].is_jump, found[0].place, list(found[0].pushes)) == (True, end, [])
    append(database, channels.pair(1, 2))
    assert seen(look(database, own)) == [(5, [1, 2])]
    assert database.read(log.end) == LogEnd(end.epoch, 5)


def test_what_is_told_at_once_is_what_a_look_finds(database: Database, own: Feed) -> None:
    """By `own` where nothing has to be asked, by `look` for the rest: to another process it is all new."""
    other, given, looks = Feed(database.read(log.end)), list[Passed](), list[bool]()

    def counted(connection: Connection, has_committed: bool) -> tuple[Passed, bool] | None:
        found = own.look(connection, has_committed)
        looks.append(found is not None)
        return found

    database.follow(own.own, counted, given.append)
    Groups(database).add("@ops", ["bob", "cid"])  # the first is looked for: it learns of the epochs
    known_people(database)
    at_once = channels.pair(1, 2), channels.pair(1, 1), channels.EVERYONE, channels.own(2)
    for channel in at_once:
        append(database, channel)
    looks.clear()
    for channel in at_once:
        append(database, channel)
    heard(given, database)
    assert looks == []
    append(database, channels.group(1))
    append(database, channels.pair(1, 3), channels.group(1), channels.pair(1, 2))
    heard(given, database)
    assert looks.count(True) == 2
    by_look = database.read(lambda connection: other.look(connection, False))
    assert by_look
    assert [one for passed in given for one in passed.pushes] == list(by_look[0].pushes)


def test_much_at_once_is_looked_for(database: Database, own: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "AT_ONCE", 3)
    given: list[Passed] = []
    database.follow(own.own, own.look, given.append)
    known_people(database)
    append(database, channels.pair(1, 2))
    append(database, *[channels.pair(1, 2)] * 4)
    heard(given, database)
    assert [[push.seq for push in passed.pushes] for passed in given] == [[1], [2, 3, 4], [5]]


def test_an_epoch_that_another_process_began_is_not_told_as_this_one(
    database: Database, own: Feed, tmp_path: Path, database_url: str
) -> None:
    given: list[Passed] = []
    database.follow(own.own, own.look, given.append)
    known_people(database)
    append(database, channels.pair(1, 2))
    with closing(open_database(tmp_path / "a.db", database_url, Commits("normal"))) as elsewhere:
        elsewhere.write(births.renew)
    append(database, channels.own(2))
    heard(given, database)
    end = database.read(log.end)
    assert (given[-1].is_jump, given[-1].place) == (True, end)
    assert not [passed for passed in given if passed.pushes and passed.place.seq == end.seq]


def test_what_lies_behind_something_of_others_is_looked_for(
    database: Database, own: Feed, tmp_path: Path, database_url: str
) -> None:
    given: list[Passed] = []
    database.follow(own.own, own.look, given.append)
    known_people(database)
    with closing(open_database(tmp_path / "a.db", database_url, Commits("normal"))) as elsewhere:
        append(elsewhere, channels.pair(1, 2), channels.pair(1, 3))
    append(database, channels.pair(1, 2))
    heard(given, database)
    assert [push.seq for passed in given for push in passed.pushes] == [1, 2, 3]
    assert [passed.after.seq for passed in given] == [0, *[passed.place.seq for passed in given][:-1]]
