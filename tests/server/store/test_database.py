"""What every database promises to those who use it: one contract, kept by each driver on the common threads."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

import gevent
import psycopg
import pytest

from deskbell_server.errors import UnavailableError
from deskbell_server.store import migrate, postgres_schema
from deskbell_server.store.database import Connection, Database
from deskbell_server.store.postgres import COMMITS, LOCK, PostgresDatabase, conninfo
from deskbell_server.store.sqlite import SqliteDatabase
from tests.server.store.jobs import at_once, keys, put, wait_in_loop, wal_commits


class Place(Protocol):
    """A database that was prepared: opened as often as one likes, and looked at from beside it."""

    def open(self) -> Database: ...

    def lock(self) -> Callable[[], object]:
        """Keeps the writers out until what it returns is called."""
        ...

    def commits(self) -> int:
        """How many there were, after the first."""
        ...


class SqlitePlace:
    def __init__(self, path: Path) -> None:
        self._path = path
        migrate.prepare(path)

    def open(self) -> Database:
        return SqliteDatabase(self._path)

    def lock(self) -> Callable[[], object]:
        lock = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        lock.execute("BEGIN IMMEDIATE")
        return lock.close

    def commits(self) -> int:
        return wal_commits(self._path)


class PostgresPlace:
    def __init__(self, url: str) -> None:
        self._url = url
        postgres_schema.prepare(url)

    def open(self) -> Database:
        return PostgresDatabase(self._url)

    def lock(self) -> Callable[[], object]:
        lock = psycopg.connect(conninfo(self._url))
        lock.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        return lock.close

    def commits(self) -> int:
        with psycopg.connect(conninfo(self._url)) as beside:
            row = beside.execute("SELECT value FROM meta WHERE key = %s", (COMMITS,)).fetchone()
        return int(row[0]) if row else 0


@pytest.fixture
def place(database_url: str, tmp_path: Path) -> Place:
    return PostgresPlace(database_url) if database_url else SqlitePlace(tmp_path / "a.db")


@pytest.fixture
def database(place: Place) -> Iterator[Database]:
    with closing(place.open()) as opened:
        yield opened


def test_what_was_written_is_read(database: Database) -> None:
    assert database.write(put("a")) == "a"
    assert keys(database) == {"a"}


def test_many_that_wait_share_one_commit(database: Database, place: Place) -> None:
    database.write(put("first"))
    before = place.commits()
    gevent.spawn_later(0.2, place.lock())  # meanwhile all of them arrive
    outcomes = at_once(database, *[put(str(number)) for number in range(300)])
    assert outcomes == [str(number) for number in range(300)]
    commits = place.commits() - before
    assert commits <= 3, f"{commits} commits for 300 jobs"


def test_only_the_guilty_fails(database: Database) -> None:
    def guilty(connection: Connection) -> None:
        put("guilty")(connection)
        raise ValueError("no")

    outcomes = at_once(database, put("a"), put("b"), guilty, put("c"), put("a"))
    assert outcomes[:2] == ["a", "b"]
    assert isinstance(outcomes[2], ValueError)
    assert outcomes[3] == "c"
    assert isinstance(outcomes[4], (sqlite3.IntegrityError, psycopg.errors.UniqueViolation))
    assert keys(database) == {"a", "b", "c"}


def test_a_refusal_before_any_change_does_not_disturb_the_group(database: Database) -> None:
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
def test_jobs_that_can_run_together_do_and_the_rest_alone(database: Database, place: Place, fails: bool) -> None:
    Half.fails, Half.calls = fails, []
    gevent.spawn_later(0.2, place.lock())
    outcomes = at_once(database, *[Half(number) for number in range(20)])
    assert isinstance(outcomes[13], ValueError)
    common = "alone" if fails else "together"
    expected = [f"{'alone' if number % 2 else common} {number}" for number in range(20) if number != 13]
    assert max(Half.calls) > 10
    if not fails:  # the first may have waited for the lock by itself
        expected[0] = outcomes[0]
    assert outcomes[:13] + outcomes[14:] == expected
    assert keys(database) == {str(number) for number in range(20) if number != 13}


def test_a_group_is_reported_in_the_order_in_which_it_was_stored(database: Database, place: Place) -> None:
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
    unlock = place.lock()
    database.write_soon(put("first"), lambda _job: None)  # it waits for the lock, and all others behind it
    gevent.sleep(0.1)
    for name in names:
        database.write_soon(Together(name), lambda job: reported.append(job.result))
    unlock()
    wait_in_loop(lambda: len(reported) == len(names))
    assert reported == ran == ["a", "b", "c", "alone 1", "alone 2"]


def test_results_come_in_the_order_of_the_commits(database: Database) -> None:
    done: list[int] = []
    for number in range(200):
        database.write_soon(put(str(number)), lambda job: done.append(int(job.result)))
    wait_in_loop(lambda: len(done) == 200)
    assert done == list(range(200))


def test_readers_cannot_write(database: Database) -> None:
    with pytest.raises((sqlite3.OperationalError, psycopg.Error, UnavailableError)):
        database.read(put("a"))
    # by the writer: that reader may be refused for a moment, as if the disk could not be written
    count = "SELECT count(*) FROM meta WHERE key = 'a'"
    assert database.write(lambda connection: connection.execute(count).fetchone()) == (0,)


def test_other_processes_are_noticed_and_we_ourselves_are_not(database: Database, place: Place) -> None:
    database.changed_elsewhere()
    database.write(put("mine"))
    assert not database.changed_elsewhere()
    with closing(place.open()) as elsewhere:
        elsewhere.write(put("theirs"))
        assert database.changed_elsewhere()
        assert not database.changed_elsewhere()
        assert elsewhere.changed_elsewhere()


def test_closing_finishes_what_waits_and_refuses_the_rest(place: Place) -> None:
    database = place.open()
    for number in range(50):
        database.write_soon(put(str(number)), lambda _job: None)
    database.close()
    with pytest.raises(UnavailableError):
        database.write(put("late"))
    with closing(place.open()) as again:
        assert keys(again) == {str(number) for number in range(50)}
