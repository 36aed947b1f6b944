"""SQLite below the store: a database that is locked, full, read-only or gone, and comes back."""

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gevent
import pytest

from deskbell_server.errors import UnavailableError
from deskbell_server.store import checkpoints, migrate, sqlite
from deskbell_server.store.database import Connection
from deskbell_server.store.sqlite import BUSY_S, SqliteDatabase
from tests.server.store.jobs import at_once, keys, put, wait_in_loop, wal_commits


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "a.db"
    migrate.prepare(path)
    return path


@pytest.fixture
def database(path: Path) -> Iterator[SqliteDatabase]:
    opened = SqliteDatabase(path)
    yield opened
    opened.close()


def test_the_loop_goes_on_while_a_lock_lasts_and_all_succeed_after_it(database: SqliteDatabase, path: Path) -> None:
    lock = locked(path)

    def turn() -> None:
        for _ in range(50):  # one that stood still would keep the lock until there is no more patience
            gevent.sleep(0.01)
        lock.rollback()

    beside = gevent.spawn(turn)
    outcomes = at_once(database, put("a"), put("b"))
    beside.join(5)
    lock.close()
    assert outcomes == ["a", "b"]


def test_a_long_lock_is_unavailable_in_time_and_heals_by_itself(database: SqliteDatabase, path: Path) -> None:
    lock = locked(path)
    begin = time.monotonic()
    outcomes = at_once(database, put("a"), put("b"))
    assert all(isinstance(outcome, UnavailableError) for outcome in outcomes)
    assert BUSY_S - 0.5 < time.monotonic() - begin < 2 * BUSY_S
    assert keys(database) == set()  # reading goes on
    begin = time.monotonic()
    assert isinstance(at_once(database, put("c"))[0], UnavailableError)
    assert time.monotonic() - begin < BUSY_S - 0.5  # the next ones do not wait as long
    lock.rollback()
    lock.close()
    wait_in_loop(lambda: at_once(database, put("d")) == ["d"])
    assert keys(database) == {"d"}


def test_a_full_disk_is_unavailable_and_heals_by_itself(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pages: list[int] = []
    connect = sqlite.connect

    def small(path: Path, **more: Any) -> sqlite3.Connection:
        connection = connect(path, **more)
        connection.execute(f"PRAGMA max_page_count = {pages[-1]}")
        return connection

    used = sqlite3.connect(path)
    pages.append(used.execute("PRAGMA page_count").fetchone()[0] + 4)
    used.close()
    monkeypatch.setattr(sqlite, "connect", small)
    database = SqliteDatabase(path)
    outcomes = [at_once(database, put(str(number), "x" * 4000))[0] for number in range(20)]
    full = [outcome for outcome in outcomes if isinstance(outcome, UnavailableError)]
    kept = {outcome for outcome in outcomes if isinstance(outcome, str)}
    assert full
    assert kept
    assert keys(database) == kept
    pages.append(1_000_000)
    wait_in_loop(lambda: at_once(database, put("after", "x" * 4000)) == ["after"])
    assert database.read(lambda c: c.execute("PRAGMA integrity_check").fetchone()[0]) == "ok"
    database.close()


def test_what_is_committed_stays_so_when_the_disk_fills_up_in_the_middle_of_a_group(path: Path) -> None:
    database = SqliteDatabase(path)
    tries = iter(range(10))

    def guilty(connection: Connection) -> None:
        connection.execute("INSERT INTO meta (key, value) VALUES ('guilty', '')")
        raise ValueError("not this one")

    def needs_room(connection: Connection) -> str:
        if next(tries):
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count = {pages}")
        return str(put("large", "x" * 100_000)(connection))

    lock = locked(path)
    gevent.spawn_later(0.2, lock.rollback)  # meanwhile all of them arrive
    outcomes = at_once(database, put("first"), needs_room, guilty, put("last"))
    lock.close()
    assert outcomes[0] == "first"
    assert isinstance(outcomes[1], UnavailableError)
    database.close()
    again = SqliteDatabase(path)
    assert keys(again) == {"first"}
    again.close()


def test_the_log_is_written_back_beside_the_commits(database: SqliteDatabase, path: Path) -> None:
    before = path.stat().st_size

    def many(connection: Connection) -> None:
        for number in range(checkpoints.ROWS):
            connection.execute("INSERT INTO meta (key, value) VALUES (?, 'x')", (str(number),))

    database.write(many)
    wait_in_loop(lambda: path.stat().st_size > before)


def test_a_database_that_went_away_is_not_made_anew(database: SqliteDatabase, path: Path, tmp_path: Path) -> None:
    database.write(put("a"))
    database.close()
    again = SqliteDatabase(path)
    moved = tmp_path / "moved.db"
    path.rename(moved)
    assert isinstance(at_once(again, put("b"))[0], UnavailableError)
    assert not path.exists()
    moved.rename(path)
    wait_in_loop(lambda: at_once(again, put("c")) == ["c"])
    assert keys(again) == {"a", "c"}
    again.close()


def test_a_relaxed_database_is_so_only_when_asked(path: Path) -> None:
    relaxed = SqliteDatabase(path, sqlite.Commits(sync="normal"))
    assert relaxed.write(lambda c: c.execute("PRAGMA synchronous").fetchone()[0]) == 1  # NORMAL
    relaxed.close()


def test_one_commit_for_each_when_asked(path: Path) -> None:
    single = SqliteDatabase(path, sqlite.Commits(jobs=1))
    lock = locked(path)
    gevent.spawn_later(0.1, lock.rollback)
    at_once(single, *[put(str(number)) for number in range(20)])
    lock.close()
    assert wal_commits(path) >= 20
    single.close()


def test_commits_are_synchronous(database: SqliteDatabase) -> None:
    assert database.write(lambda c: c.execute("PRAGMA synchronous").fetchone()[0]) == 2  # FULL


def locked(path: Path) -> sqlite3.Connection:
    lock = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    lock.execute("BEGIN IMMEDIATE")
    return lock
