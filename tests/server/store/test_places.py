"""Where a message stands in a long log: found wherever it is, and not by walking through all of it."""

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from deskbell_server.store import logs, migrate, users

EVENTS = 30_000
STEPS = 1_000
"""SQLite's instructions between two counts."""
OFTEN = 130
"""Counts that one question may take: a walk through this log takes three times as many."""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log whose times are out of order by up to five seconds, and a message that stands in another's."""
    path = tmp_path_factory.mktemp("places") / "deskbell.db"
    migrate.prepare(path)
    chance = random.Random(7)
    at = [1_800_000_000_000 + number * 400 + chance.randrange(5_000) for number in range(EVENTS)]
    with closing(sqlite3.connect(path)) as connection, connection:
        for user in ("bob", "alice"):
            users.add(connection, users.User(user, user, "", "", False, False, None), user, "", 0)
        connection.execute("DELETE FROM streams")
        connection.execute("INSERT INTO streams (user_id, head) VALUES ('bob', ?), ('alice', 1)", (EVENTS,))
        connection.executemany(
            "INSERT INTO messages (id, sender_id, sender, parties, content, recipients, at)"
            """ VALUES (?, 'bob', '{"id":"bob","name":"bob"}', '[]', '{"body":""}', 1, ?)""",
            [(f"m{number}", at[number]) for number in range(EVENTS)] + [("foreign", at[EVENTS // 2])],
        )
        connection.executemany(
            "INSERT INTO events (user_id, seq, kind, id, at) VALUES (?, ?, 'message', ?, ?)",
            [("bob", number + 1, f"m{number}", at[number]) for number in range(EVENTS)]
            + [("alice", 1, "foreign", at[EVENTS // 2])],
        )
    return path


@pytest.fixture
def connection(file: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(file)) as opened:
        yield opened


@pytest.mark.parametrize("number", [0, 1, 7, 4_321, EVENTS // 2, EVENTS - 5_001, EVENTS - 5_000, EVENTS - 1])
def test_a_message_is_found_wherever_it_stands(connection: sqlite3.Connection, number: int) -> None:
    assert logs.seq_of(connection, "bob", f"m{number}") == number + 1
    assert logs.seen_by(connection, "bob", f"m{number}") is not None


def test_what_was_forgotten_is_not_found(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE streams SET floor = 100 WHERE user_id = 'bob'")
    connection.execute("DELETE FROM events WHERE user_id = 'bob' AND seq <= 100")
    assert logs.seq_of(connection, "bob", "m99") is None
    assert logs.seq_of(connection, "bob", "m100") == 101
    connection.rollback()


@pytest.mark.parametrize("message_id", ["foreign", "m3", "nothing"])
def test_a_question_does_not_walk_through_the_log(connection: sqlite3.Connection, message_id: str) -> None:
    counts = 0

    def count() -> int:
        nonlocal counts
        counts += 1
        return 0

    connection.set_progress_handler(count, STEPS)
    for _ in range(3):
        assert logs.seq_of(connection, "alice" if message_id == "m3" else "bob", message_id) is None
        assert logs.seen_by(connection, "alice" if message_id == "m3" else "bob", message_id) is None
        logs.unread_of(connection, "bob", [message_id])
    assert counts <= 9 * OFTEN


@pytest.mark.parametrize("number", [0, 14_999, 15_000, 22_000, 24_999])
def test_a_message_of_a_busy_time_is_found_too(connection: sqlite3.Connection, number: int) -> None:
    """Thousands a second came, so that many more than are looked through at the log's end are of nearly one time."""
    for table, place in (("events", "seq"), ("messages", "CAST(substr(id, 2) AS INTEGER) + 1")):
        connection.execute(f"UPDATE {table} SET at = 1800000000000 + ({place}) / 2 WHERE id <> 'foreign'")
    assert logs.seq_of(connection, "bob", f"m{number}") == number + 1
    connection.rollback()


def test_of_many_messages_those_in_the_log_are_told_in_its_order(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE streams SET read_up_to = 10 WHERE user_id = 'bob'")
    connection.execute("INSERT INTO reads (user_id, message_id, at) VALUES ('bob', 'm20', 0)")
    asked = ["foreign", "m29999", "m20", "m15000", "m3", "m12", "nothing"]
    assert logs.unread_of(connection, "bob", asked) == (5, ["m12", "m15000", "m29999"])
    connection.rollback()
