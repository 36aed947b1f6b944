"""The writer: groups, the guilty alone, and a database that is locked, full, read-only or gone, and comes back."""

import sqlite3
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import gevent
import pytest

from deskbell_server.errors import UnavailableError
from deskbell_server.store import checkpoints, migrate, sqlite
from deskbell_server.store.database import Connection
from deskbell_server.store.sqlite import BUSY_S, SqliteDatabase
from tests.desk.processes import wait_for
from tests.server.store.jobs import at_once, keys, put


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


def test_what_was_written_is_read(database: SqliteDatabase) -> None:
    assert database.write(put("a")) == "a"
    assert keys(database) == {"a"}


def test_many_that_wait_share_one_commit(database: SqliteDatabase, path: Path) -> None:
    lock = locked(path)
    gevent.spawn_later(0.2, lock.rollback)  # meanwhile all of them arrive
    outcomes = at_once(database, *[put(str(number)) for number in range(300)])
    lock.close()
    assert outcomes == [str(number) for number in range(300)]
    commits = wal_commits(path)
    assert commits <= 3, f"{commits} commits for 300 jobs"


def test_only_the_guilty_fails(database: SqliteDatabase) -> None:
    def guilty(connection: Connection) -> None:
        connection.execute("INSERT INTO meta (key, value) VALUES ('guilty', '')")
        raise ValueError("no")

    outcomes = at_once(database, put("a"), put("b"), guilty, put("c"), put("a"))
    assert outcomes[:2] == ["a", "b"]
    assert isinstance(outcomes[2], ValueError)
    assert outcomes[3] == "c"
    assert isinstance(outcomes[4], sqlite3.IntegrityError)
    assert keys(database) == {"a", "b", "c"}


def test_a_refusal_before_any_change_does_not_disturb_the_group(database: SqliteDatabase) -> None:
    runs: list[str] = []

    def counted(key: str) -> Any:
        def job(connection: Connection) -> str:
            runs.append(key)
            return str(put(key)(connection))

        return job

    def refused(_connection: Connection) -> None:
        raise ValueError("refused before it wrote")

    outcomes = at_once(database, counted("a"), refused, counted("b"))
    assert [outcomes[0], outcomes[2]] == ["a", "b"]
    assert runs == ["a", "b"]


class Half:
    """Jobs of this class can run together, but odd ones are run alone; `fails` breaks the common run."""

    fails = False
    calls: list[int] = []  # noqa: RUF012 - each test sets its own

    def __init__(self, number: int) -> None:
        self.number = number

    def __call__(self, connection: Connection) -> str:
        if self.number == 13:
            raise ValueError("unlucky")
        return f"alone {put(str(self.number))(connection)}"

    @staticmethod
    def together(connection: Connection, jobs: "list[Half]") -> list[str | None]:
        Half.calls.append(len(jobs))
        even = [job.number for job in jobs if not job.number % 2]
        connection.executemany("INSERT INTO meta (key, value) VALUES (?, '')", [(str(number),) for number in even])
        if Half.fails:
            raise RuntimeError("in the middle")
        return [f"together {job.number}" if not job.number % 2 else None for job in jobs]


@pytest.mark.parametrize("fails", [False, True])
def test_jobs_that_can_run_together_do_and_the_rest_alone(path: Path, fails: bool) -> None:
    Half.fails, Half.calls = fails, []
    database = SqliteDatabase(path)
    lock = locked(path)
    gevent.spawn_later(0.2, lock.rollback)
    outcomes = at_once(database, *[Half(number) for number in range(20)])
    lock.close()
    assert isinstance(outcomes[13], ValueError)
    common = "alone" if fails else "together"
    expected = [f"{'alone' if number % 2 else common} {number}" for number in range(20) if number != 13]
    assert max(Half.calls) > 10
    if not fails:  # the first may have waited for the lock by itself
        expected[0] = outcomes[0]
    assert outcomes[:13] + outcomes[14:] == expected
    assert keys(database) == {str(number) for number in range(20) if number != 13}
    database.close()


def test_a_group_is_reported_in_the_order_in_which_it_was_stored(database: SqliteDatabase, path: Path) -> None:
    ran: list[str] = []
    reported: list[str] = []

    class Together:
        def __init__(self, name: str) -> None:
            self.name = name

        def __call__(self, connection: Connection) -> str:
            ran.append(self.name)
            return str(put(self.name)(connection))

        @staticmethod
        def together(connection: Connection, jobs: "list[Together]") -> list[str | None]:
            return [None if job.name.startswith("alone") else job(connection) for job in jobs]

    names = ["alone 1", "a", "b", "alone 2", "c"]
    lock = locked(path)
    database.write_soon(put("first"), lambda _job: None)  # it waits for the lock, and all others behind it
    gevent.sleep(0.1)
    for name in names:
        database.write_soon(Together(name), lambda job: reported.append(job.result))
    lock.rollback()
    lock.close()
    wait_in_loop(lambda: len(reported) == len(names))
    assert reported == ran == ["a", "b", "c", "alone 1", "alone 2"]


def test_results_come_in_the_order_of_the_commits(database: SqliteDatabase) -> None:
    done: list[int] = []
    for number in range(200):
        database.write_soon(put(str(number)), lambda job: done.append(int(job.result)))
    wait_in_loop(lambda: len(done) == 200)
    assert done == list(range(200))


def test_the_loop_goes_on_while_a_lock_lasts_and_all_succeed_after_it(database: SqliteDatabase, path: Path) -> None:
    lock = locked(path)
    turns: list[float] = []

    def turn() -> None:
        while lock.in_transaction:
            turns.append(time.monotonic())
            gevent.sleep(0.01)

    beside = gevent.spawn(turn)
    gevent.spawn_later(1.0, lock.rollback)
    outcomes = at_once(database, put("a"), put("b"))
    beside.join(5)
    lock.close()
    assert outcomes == ["a", "b"]
    assert max(later - earlier for earlier, later in pairwise(turns)) < 0.5


def test_a_long_lock_is_unavailable_in_time_and_heals_by_itself(database: SqliteDatabase, path: Path) -> None:
    lock = locked(path)
    begin = time.monotonic()
    outcomes = at_once(database, put("a"), put("b"))
    assert all(isinstance(outcome, UnavailableError) for outcome in outcomes)
    assert BUSY_S - 0.5 < time.monotonic() - begin < 5.5
    assert keys(database) == set()  # reading goes on
    begin = time.monotonic()
    assert isinstance(at_once(database, put("c"))[0], UnavailableError)
    assert time.monotonic() - begin < 1.5  # the next ones do not wait as long
    lock.rollback()
    lock.close()
    wait_in_loop(lambda: at_once(database, put("d")) == ["d"], 2.0)
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


def test_readers_cannot_write(database: SqliteDatabase) -> None:
    with pytest.raises((sqlite3.OperationalError, UnavailableError)):
        database.read(put("a"))
    # by the writer: that reader is refused for a moment, as if the disk could not be written
    count = "SELECT count(*) FROM meta WHERE key = 'a'"
    assert database.write(lambda connection: connection.execute(count).fetchone()) == (0,)


def test_other_processes_are_noticed_and_we_ourselves_are_not(database: SqliteDatabase, path: Path) -> None:
    database.changed_elsewhere()
    database.write(put("mine"))
    assert not database.changed_elsewhere()
    other = sqlite3.connect(path)
    other.execute("INSERT INTO meta (key, value) VALUES ('theirs', '')")
    other.commit()
    other.close()
    assert database.changed_elsewhere()
    assert not database.changed_elsewhere()


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


def test_closing_finishes_what_waits_and_refuses_the_rest(path: Path) -> None:
    database = SqliteDatabase(path)
    done: list[str] = []
    for number in range(50):
        database.write_soon(put(str(number)), lambda job: done.append(job.result))
    database.close()
    with pytest.raises(UnavailableError):
        database.write(put("late"))
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT count(*) FROM meta").fetchone()[0] == 52
    connection.close()


def locked(path: Path) -> sqlite3.Connection:
    lock = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    lock.execute("BEGIN IMMEDIATE")
    return lock


def wait_in_loop(condition: Any, timeout: float = 5.0) -> None:
    """`wait_for` that lets the loop turn."""

    def turned() -> bool:
        gevent.sleep(0.001)
        return bool(condition())

    wait_for(turned, "the condition", timeout, every=0)


def wal_commits(path: Path) -> int:
    """Frames of the write-ahead log that end a transaction: a size after the commit stands in their header."""
    wal = path.with_name(path.name + "-wal").read_bytes()
    page = int.from_bytes(wal[8:12], "big")
    salt = wal[16:24]
    frames = [wal[at : at + 24] for at in range(32, len(wal), 24 + page)]
    return sum(1 for head in frames if head[8:16] == salt and int.from_bytes(head[4:8], "big"))
