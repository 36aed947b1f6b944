"""The one log by itself: ids, windows, read marks, and questions that nobody ought to ask. Source: LOG.md."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import msgspec
import pytest

from deskbell_protocol.errors import Code
from deskbell_protocol.wire import Event, Publish, Read, Sync
from deskbell_server.errors import RefusedError
from deskbell_server.messaging import appending, viewing
from deskbell_server.messaging.publishes import Request, Stored
from deskbell_server.people.groups import Groups
from deskbell_server.principals import Principal
from deskbell_server.store import births, channels, doors, log, marks, members, prune, users
from deskbell_server.store.births import Births
from deskbell_server.store.database import Connection, Database
from deskbell_server.store.log import Entry
from deskbell_server.store.members import Window
from deskbell_server.store.opening import open_database
from deskbell_server.store.sqlite import Commits

ANN, BOB, CID = (
    Principal(f"id-{name}", name, "", "", "", name == "ann", False, number)
    for number, name in enumerate(("ann", "bob", "cid"), start=1)
)


@pytest.fixture
def database(tmp_path: Path, database_url: str) -> Iterator[Database]:
    with closing(open_database(tmp_path / "a.db", database_url, Commits("normal"))) as opened:
        for who in (ANN, BOB, CID):
            user = users.User(who.user_id, who.name, "", "-", who.is_admin, False, None)
            opened.write(partial(users.add, user=user, name_key=user.name, display_key="", at=0))
        yield opened


def say(database: Database, sender: Principal, *to: str, body: str = "x", key: str | None = None) -> Stored:
    request = Request(sender, Publish(to=list(to), body=body), key, "-", 1)
    return database.write(lambda connection: appending.store(connection, request))


def synced(database: Database, who: Principal, after: int = 0, epoch: str | None = None, limit: int = 200) -> list[str]:
    """What the answer tells: bodies, or kinds of what is no message."""
    request = Sync(epoch, after, limit)
    answer = database.read(lambda connection: viewing.snapshot(connection, who, request))
    return [event.data.get("body", event.kind) for event in answer.events]


def walked(database: Database, who: Principal) -> list[Event]:
    """The whole view, answer by answer."""
    found: list[Event] = []
    request = Sync(None, 0)
    while True:
        answer = database.read(partial(viewing.snapshot, principal=who, request=request))
        found += answer.events
        if answer.upto == answer.head:
            return found
        request = Sync(answer.epoch, answer.upto)


def walked_back(database: Database, who: Principal, conversation: str | None) -> list[Event]:
    """The whole history, page by page."""
    found: list[Event] = []
    page = partial(viewing.history, principal=who, conversation=conversation, limit=100)
    while events := database.read(partial(page, before=found[-1].seq if found else 2**53)):
        found += events
    return found


def test_ids_outlive_a_restore() -> None:
    ids = Births([(1, "aa"), (5, "bb")])
    assert [ids.id(seq) for seq in (1, 4, 5, 9)] == ["aa.1", "aa.4", "bb.5", "bb.9"]
    assert [ids.seq(i) for i in ("aa.4", "bb.5")] == [4, 5]


@pytest.mark.parametrize(
    "written",
    ["", ".", "aa", "aa.", "aa.0", "bb.0", "aa.05", "aa.5", "bb.4", "cc.1", "aa.-1", "aa.1.1", "aa.٣", "x." + "9" * 20],
)
def test_what_is_no_id_is_none(written: str) -> None:
    assert Births([(1, "aa"), (5, "bb")]).seq(written) is None


def test_a_restore_in_an_epoch_without_messages_is_a_new_epoch_all_the_same(database: Database) -> None:
    database.write(lambda connection: births.begin(connection, "one"))
    database.write(lambda connection: births.begin(connection, "two"))
    assert say(database, ANN, "bob").id == "two.1"


def test_channels_are_told_apart() -> None:
    most = channels.NUMBER_MAX
    pairs = [channels.pair(1, 2), channels.pair(2, 1), channels.pair(1, 1), channels.pair(most, most)]
    assert [channels.pair_of(channel) for channel in pairs] == [(1, 2), (1, 2), (1, 1), (most, most)]
    assert [channels.group_of(channel) for channel in (channels.group(7), channels.EVERYONE)] == [7, 0]
    others = [channels.group(1), channels.own(1), channels.EVERYONE, channels.group(most), channels.own(most)]
    assert [channels.pair_of(channel) for channel in others] == [None] * 5
    assert len({*pairs, *others}) == 8
    assert max(pairs + others) < 2**63


def test_a_group_is_seen_from_joining_to_leaving(database: Database) -> None:
    groups = Groups(database)
    groups.add("@ops", ["bob"])
    say(database, BOB, "@ops", body="before")
    groups.add("@ops", ["cid"])
    say(database, BOB, "@ops", body="while")
    groups.remove("@ops", ["cid"])
    say(database, BOB, "@ops", body="after")
    groups.add("@ops", ["cid"])
    say(database, BOB, "@ops", body="again")
    assert synced(database, CID) == ["member", "while", "member", "member", "again"]
    assert synced(database, BOB) == ["member", "before", "while", "after", "again"]


def test_a_new_group_of_the_same_name_says_nothing_of_the_one_before(database: Database) -> None:
    groups = Groups(database)
    groups.add("@ops", ["bob"])
    say(database, BOB, "@ops", body="secret")
    groups.remove("@ops", [])
    groups.add("@ops", ["cid"])
    assert synced(database, CID) == ["member"]
    assert synced(database, BOB) == ["member", "secret", "member"]


def test_an_admin_sees_what_they_wrote_to_a_group_and_nothing_else_of_it(database: Database) -> None:
    Groups(database).add("@ops", ["bob"])
    say(database, BOB, "@ops", body="among us")
    say(database, ANN, "@ops", body="from above")
    say(database, BOB, "@ops", body="among us")
    assert synced(database, ANN) == ["from above"]


def test_a_window_goes_with_the_last_that_stood_in_it_and_devices_are_told_all_the_same(database: Database) -> None:
    groups = Groups(database)
    groups.add("@ops", ["bob"])
    single = say(database, ANN, "@ops").seq
    groups.add("@ops", ["cid"])
    say(database, BOB, "@ops")
    groups.remove("@ops", ["cid"])
    left = database.read(log.head)
    say(database, BOB, "@ops")

    def people() -> set[int]:
        sql = f"SELECT person FROM members WHERE {channels.OF_GROUP} AND channel > 0"
        return {row[0] for row in database.read(lambda connection: connection.execute(sql).fetchall())}

    def resets(who: Principal) -> list[bool]:
        """Of a device that is as far as each place."""
        end = database.read(log.end)
        asked = [Sync(end.epoch, after) for after in range(end.seq)]
        return [database.read(partial(viewing.snapshot, principal=who, request=request)).reset for request in asked]

    def forget(up_to: int | None) -> None:
        assert up_to
        standing = partial(prune.standing, channel=channels.group(1), after=0, up_to=up_to, limit=100)
        database.write(lambda connection: prune.take_out(connection, standing(connection)))

    assert (people(), single, left, database.read(log.head)) == ({1, 2, 3}, 2, 5, 6)
    forget(single)
    assert people() == {2, 3}
    assert resets(ANN) == resets(BOB) == [True, True, False, False, False, False]
    assert resets(CID) == [False] * 6
    forget(left)
    assert people() == {2, 3}, "the last that was forgotten stands before the end of the window"
    forget(6)
    assert people() == {2}
    assert resets(ANN) == [True, True, False, False, False, False]
    assert resets(BOB) == [True] * 6
    assert resets(CID) == [True] * 5 + [False]


def test_several_have_it_once_and_do_not_see_each_other(database: Database) -> None:
    stored = say(database, ANN, "bob", "cid", body="both", key="k")

    def job(connection: Connection) -> list[tuple[int, list[str], str | None]]:
        rows, _ = log.after(connection, ANN.number, 0, log.head(connection), 10)
        events = viewing.events(connection, ANN.number, "", 0, rows)
        assert {event.data["body"] for event in events} == {"both"}
        return [
            (row.publish, [party["name"] for party in event.data["to"]], event.data.get("cid"))
            for row, event in zip(rows, events, strict=True)
        ]

    assert database.read(job) == [(stored.seq, ["bob"], "k"), (stored.seq, ["cid"], None)]
    contents = database.read(lambda connection: connection.execute("SELECT content FROM log").fetchall())
    assert [row[0] is None for row in contents] == [False, True]


def test_rows_of_others_are_passed_in_one_answer(database: Database) -> None:
    say(database, ANN, "bob")
    for _ in range(20):
        say(database, BOB, "bob")
    answer = database.read(lambda connection: viewing.snapshot(connection, CID, Sync(None, 0)))
    assert (answer.events, answer.upto, answer.head) == ([], 21, 21)


def test_ranges_widen_until_there_is_enough(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "RANGE", 2)
    monkeypatch.setattr(log, "WIDER", 2)
    for number in range(30):
        say(database, ANN, "bob" if number % 7 else "cid", body=str(number))
    assert synced(database, CID, limit=4) == ["0", "7", "14", "21"]
    page = database.read(lambda connection: viewing.history(connection, CID, None, 2**53, 3))
    assert [event.data["body"] for event in page] == ["28", "21", "14"]


def test_history_of_one_conversation(database: Database) -> None:
    for number, (sender, to) in enumerate([(ANN, "bob"), (BOB, "ann"), (ANN, "cid"), (BOB, "bob"), (CID, "bob")]):
        say(database, sender, to, body=str(number))
    bodies = {
        conversation: [
            event.data["body"]
            for event in database.read(
                partial(viewing.history, principal=BOB, conversation=conversation, before=2**53, limit=10)
            )
        ]
        for conversation in (ANN.user_id, BOB.user_id, CID.user_id, "nobody")
    }
    assert bodies == {ANN.user_id: ["1", "0"], BOB.user_id: ["3"], CID.user_id: ["4"], "nobody": []}


@pytest.mark.parametrize("request_", [Sync("other", 0), Sync("other", 3), Sync(None, 99)])
def test_another_log_or_beyond_its_end_begins_anew(database: Database, request_: Sync) -> None:
    say(database, ANN, "bob")
    answer = database.read(lambda connection: viewing.snapshot(connection, BOB, request_))
    assert (answer.reset, answer.after, answer.upto, len(answer.events)) == (True, 0, 1, 1)


def test_a_read_of_what_is_not_ones_own_or_does_not_exist(database: Database) -> None:
    foreign = say(database, ANN, "cid").id
    for ids in ([foreign], ["aa.1"], ["x." + "9" * 20]):
        with pytest.raises(RefusedError) as refused:
            database.write(partial(viewing.read, principal=BOB, request=Read(ids=ids), at=1))
        assert refused.value.code == Code.NOT_FOUND
    with pytest.raises(RefusedError, match="the log ends at 1"):
        database.write(lambda connection: viewing.read(connection, BOB, Read(up_to=2), 1))


def test_marks_grow_and_exceptions_are_bounded(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marks, "EXCEPTIONS", 2)
    ids = [say(database, ANN, "bob").id for _ in range(5)]
    for message_id in (ids[4], ids[3], ids[2]):
        assert database.write(partial(viewing.read, principal=BOB, request=Read(ids=[message_id]), at=1))
    told = database.read(lambda connection: log.everything(connection, 7, 1))[0].content
    assert json.loads(told) == {"ids": ids[:3]}, "what fell to the mark is told"

    def state(connection: Connection) -> tuple[list[int], int]:
        rows, _ = log.after(connection, BOB.number, 0, log.head(connection), 5)
        kept = connection.execute("SELECT count(*) FROM exceptions").fetchone()[0]
        return [row.seq for row in marks.unread(connection, BOB.number, rows)], kept

    assert database.read(state) == ([], 2)  # the oldest fell to the mark, and the mark covers what is below
    assert database.write(lambda connection: viewing.read(connection, BOB, Read(up_to=1), 1)) is not None
    assert database.write(lambda connection: viewing.read(connection, BOB, Read(up_to=1), 1)) is None


def test_what_is_read_one_by_one_becomes_a_mark(database: Database) -> None:
    ids = [say(database, ANN, "bob", body=str(number)).id for number in range(6)]
    say(database, BOB, "ann", body="my own")
    for number in (0, 1, 2, 4, 5):
        database.write(partial(viewing.read, principal=BOB, request=Read(ids=[ids[number]]), at=1))

    def kept(connection: Connection) -> tuple[list[int], list[int]]:
        up_to = connection.execute("SELECT up_to FROM marks").fetchall()
        return [row[0] for row in up_to], [
            row[0] for row in connection.execute("SELECT seq FROM exceptions").fetchall()
        ]

    assert database.read(kept) == ([3], [5, 6])
    database.write(partial(viewing.read, principal=BOB, request=Read(ids=[ids[3]]), at=1))
    assert database.read(kept) == ([6], [])


def test_a_note_to_oneself_is_unread_until_it_is_read(database: Database) -> None:
    note = say(database, BOB, "bob").id
    assert database.write(partial(viewing.read, principal=BOB, request=Read(ids=[note]), at=1)) == 2
    assert database.write(partial(viewing.read, principal=BOB, request=Read(ids=[note]), at=1)) is None


def test_ten_thousand_windows_of_one_person(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """With and without rows in them, and rows between them: in a group, and in a pair that stands beside it."""
    monkeypatch.setattr(log, "RANGE", 700)
    group, cid = channels.group(1), CID.number
    Groups(database).add("@ops", ["bob"])
    windows = [Window(cid, group, seq, seq + seq % 5) for seq in range(10, 80_010, 8)]
    database.write(lambda connection: members.open_windows(connection, windows))
    say(database, ANN, "cid", body="first")
    said = [Entry(channel=group, kind="message", sender=2, at=1, content='{"body":"x"}') for _ in range(3, 2_003)]
    database.write(lambda connection: log.append(connection, said))
    say(database, ANN, "cid", body="last")
    within = [seq for window in windows for seq in range(window.from_seq, window.to_seq + 1) if seq < 2_003]
    events = walked(database, CID)
    assert [event.seq for event in events] == [2, *within, 2_003]
    assert [event.seq for event in walked_back(database, CID, None)] == [2_003, *within[::-1], 2]
    group_id = events[1].data["to"][0]["id"]
    assert [event.seq for event in walked_back(database, CID, group_id)] == within[::-1]
    assert [event.seq for event in walked_back(database, CID, ANN.user_id)] == [2_003, 2]


def test_what_is_new_is_found_without_walking_through_what_is_old(tmp_path: Path) -> None:
    def fill(connection: Connection) -> None:
        channel = channels.pair(1, 1)
        users.add(connection, users.User(ANN.user_id, "ann", "", "-", True, False, None), "ann", "", 0)
        members.open_windows(connection, [Window(1, channel)])
        log.append(connection, [Entry(channel=channel, kind="message", sender=1, at=1, content="{}")] * 20_000)

    with closing(open_database(tmp_path / "a.db", "", Commits("normal"))) as database:
        database.write(fill)
    counts: list[int] = []
    with closing(sqlite3.connect(tmp_path / "a.db")) as connection:
        connection.set_progress_handler(lambda: counts.append(1), 1_000)
        assert len(log.after(connection, 1, 19_990, 20_000, 200)[0]) == 10
    assert len(counts) < 10


def test_the_key_of_what_was_cancelled_stays_taken_for_a_while(database: Database) -> None:
    later = Request(ANN, Publish(to=["bob"], body="x", deliver_at=10), "key", "1", 1)
    waiting = database.write(partial(appending.store, request=later)).id
    assert database.write(partial(doors.cancel_scheduled, message_id=waiting, user_id=ANN.user_id, at=5))
    assert database.read(partial(doors.scheduled_of, user_id=ANN.user_id)) == []
    assert database.write(partial(appending.store, request=later)).duplicate
    repeated = msgspec.structs.replace(later, at=20)  # late enough to be sent at once
    other = Request(BOB, Publish(to=["cid"], body="x"), "key", "2", 20)
    assert [bool(done) for done in database.write(partial(appending.store_together, requests=[repeated, other]))] == [
        False,
        True,
    ]
    assert database.write(partial(appending.store, request=repeated)).duplicate
    database.write(partial(doors.forget_cancelled, before=5, limit=1))
    assert database.write(partial(appending.store, request=later)).duplicate
    database.write(partial(doors.forget_cancelled, before=6, limit=1))
    assert not database.write(partial(appending.store, request=later)).duplicate
