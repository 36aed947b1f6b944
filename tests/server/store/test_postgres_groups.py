"""PostgreSQL below the store: groups, the guilty alone, others noticed, the schema, and sessions that are cut."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import gevent
import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from deskbell_server.errors import SetupError, UnavailableError
from deskbell_server.store import migrate, postgres_schema
from deskbell_server.store.database import Connection
from deskbell_server.store.postgres import COMMITS, LOCK, PostgresDatabase, check_durable, conninfo
from deskbell_server.store.schema import make_metadata
from tests.server.store.jobs import at_once, keys, put


@pytest.fixture
def url(postgres_url: str) -> str:
    postgres_schema.prepare(postgres_url)
    return postgres_url


@pytest.fixture
def database(url: str) -> Iterator[PostgresDatabase]:
    opened = PostgresDatabase(url)
    yield opened
    opened.close()


def beside(url: str) -> "psycopg.Connection[tuple[Any, ...]]":
    return psycopg.connect(conninfo(url), autocommit=True)


def cut_all(other: "psycopg.Connection[tuple[Any, ...]]") -> None:
    other.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )


def test_the_migrations_add_up_to_the_metadata(url: str) -> None:
    engine = postgres_schema.engine(url)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), make_metadata()) == []
    engine.dispose()
    assert postgres_schema.current_revision(url) == migrate.REVISION


def test_processes_that_begin_at_once_do_not_race(postgres_url: str) -> None:
    code = f"from deskbell_server.store.postgres_schema import prepare; prepare({postgres_url!r})"
    commands = [subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True) for _ in range(3)]
    errors = [command.communicate(timeout=60)[1] for command in commands]
    assert [command.returncode for command in commands] == [0] * 3, errors
    with beside(postgres_url) as other:
        assert other.execute("SELECT count(*) FROM meta WHERE key = 'epoch'").fetchone() == (1,)


def test_a_schema_of_a_newer_version_is_refused(url: str) -> None:
    with beside(url) as other:
        other.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SetupError, match="newer"):
        postgres_schema.prepare(url)


def test_a_database_that_does_not_answer_is_told(free_port: int) -> None:
    with pytest.raises(SetupError, match="cannot use the database"):
        postgres_schema.prepare(f"postgresql+psycopg://deskbell@127.0.0.1:{free_port}/postgres")


def test_commits_that_do_not_wait_for_the_disk_are_refused(url: str) -> None:
    check_durable(url)
    with beside(url) as other:
        other.execute("ALTER ROLE deskbell IN DATABASE " + url.rpartition("/")[2] + " SET synchronous_commit = off")
    with pytest.raises(SetupError, match="synchronous_commit off"):
        check_durable(url)


def test_many_that_wait_share_one_commit(database: PostgresDatabase, url: str) -> None:
    database.write(put("first"))
    with beside(url) as other:
        before = commits(other)
        other.execute("BEGIN")
        other.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        gevent.spawn_later(0.3, lambda: other.execute("ROLLBACK"))  # meanwhile all of them arrive
        outcomes = at_once(database, *[put(str(number)) for number in range(300)])
        assert outcomes == [str(number) for number in range(300)]
        assert commits(other) - before <= 3


def commits(other: "psycopg.Connection[tuple[Any, ...]]") -> int:
    row = other.execute("SELECT value FROM meta WHERE key = %s", (COMMITS,)).fetchone()
    assert row
    return int(row[0])


def test_only_the_guilty_fails(database: PostgresDatabase) -> None:
    def guilty(connection: Connection) -> None:
        put("guilty")(connection)
        raise ValueError("no")

    outcomes = at_once(database, put("a"), put("b"), guilty, put("c"), put("a"))
    assert outcomes[:2] == ["a", "b"]
    assert isinstance(outcomes[2], ValueError)
    assert outcomes[3] == "c"
    assert isinstance(outcomes[4], psycopg.errors.UniqueViolation)
    assert keys(database, COMMITS) == {"a", "b", "c"}


def test_a_refusal_before_any_change_does_not_disturb_the_group(database: PostgresDatabase) -> None:
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


def test_readers_cannot_write(database: PostgresDatabase) -> None:
    with pytest.raises((psycopg.Error, UnavailableError)):
        database.read(put("a"))
    assert keys(database, COMMITS) == set()


def test_other_processes_are_noticed_and_we_ourselves_are_not(database: PostgresDatabase, url: str) -> None:
    database.changed_elsewhere()
    database.write(put("mine"))
    assert not database.changed_elsewhere()
    elsewhere = PostgresDatabase(url)
    elsewhere.write(put("theirs"))
    assert database.changed_elsewhere()
    assert not database.changed_elsewhere()
    assert elsewhere.changed_elsewhere()
    elsewhere.close()


def test_sessions_that_were_cut_while_idle_are_opened_again_unnoticed(database: PostgresDatabase, url: str) -> None:
    assert at_once(database, put("a")) == ["a"]
    assert keys(database, COMMITS) == {"a"}
    with beside(url) as other:
        cut_all(other)
    assert at_once(database, put("b"), put("c")) == ["b", "c"]
    assert keys(database, COMMITS) == {"a", "b", "c"}


def test_a_session_that_is_cut_in_the_middle_tries_again_and_stores_once(database: PostgresDatabase, url: str) -> None:
    runs: list[int] = []
    database.write(put("before"))

    def cut(connection: Connection) -> str:
        runs.append(1)
        connection.execute("INSERT INTO meta (key, value) VALUES (?, ?)", ("cut", "x"))
        if len(runs) == 1:
            with beside(url) as other:
                cut_all(other)
        connection.execute("INSERT INTO meta (key, value) VALUES (?, ?)", ("cut2", "x"))
        return "done"

    assert at_once(database, cut) == ["done"]
    assert len(runs) == 2
    assert keys(database, COMMITS) == {"before", "cut", "cut2"}


def test_who_stops_in_the_middle_holds_up_the_others_for_seconds_only(database: PostgresDatabase, url: str) -> None:
    with closing(beside(url)) as stopped:
        stopped.execute("SET idle_in_transaction_session_timeout = 3000")  # as every session of ours has
        stopped.execute("BEGIN")
        stopped.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        assert at_once(database, put("a")) == ["a"]


def test_what_cannot_be_stored_is_never_found(database: PostgresDatabase) -> None:
    found = database.read(lambda c: c.execute("SELECT value FROM meta WHERE key = ?", ("a\0b",)).fetchall())
    assert found == []


def test_closing_finishes_what_waits_and_refuses_the_rest(url: str) -> None:
    database = PostgresDatabase(url)
    for number in range(50):
        database.write_soon(put(str(number)), lambda _job: None)
    database.close()
    with pytest.raises(UnavailableError):
        database.write(put("late"))
    with beside(url) as other:
        row = other.execute("SELECT count(*) FROM meta").fetchone()
        assert row == (53,)
