"""PostgreSQL below the store: the schema, and sessions that are cut."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from deskbell_server.errors import SetupError
from deskbell_server.store import migrate, postgres_schema
from deskbell_server.store.database import Connection
from deskbell_server.store.postgres import LOCK, PostgresDatabase, check_durable, conninfo
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


def test_sessions_that_were_cut_while_idle_are_opened_again_unnoticed(database: PostgresDatabase, url: str) -> None:
    assert at_once(database, put("a")) == ["a"]
    assert keys(database) == {"a"}
    with beside(url) as other:
        cut_all(other)
    assert at_once(database, put("b"), put("c")) == ["b", "c"]
    assert keys(database) == {"a", "b", "c"}


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
    assert keys(database) == {"before", "cut", "cut2"}


def test_who_stops_in_the_middle_holds_up_the_others_for_seconds_only(database: PostgresDatabase, url: str) -> None:
    with closing(beside(url)) as stopped:
        stopped.execute("SET idle_in_transaction_session_timeout = 3000")  # as every session of ours has
        stopped.execute("BEGIN")
        stopped.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        assert at_once(database, put("a")) == ["a"]


def test_what_cannot_be_stored_is_never_found(database: PostgresDatabase) -> None:
    found = database.read(lambda c: c.execute("SELECT value FROM meta WHERE key = ?", ("a\0b",)).fetchall())
    assert found == []
