"""Which database a place has, prepared and opened: the only module that knows both kinds."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deskbell_server.errors import SetupError, remedy
from deskbell_server.store import migrate
from deskbell_server.store.database import Database
from deskbell_server.store.sqlite import Commits, SqliteDatabase


def open_database(file: Path, postgres: str, commits: Commits, patience_s: float | None = None) -> Database:
    """The database of the URL `postgres`, or else of `file`, with the newest schema. SetupError when it cannot.

    `patience_s`: how long a database or a disk that hangs is waited for.
    """
    if not postgres:
        migrate.prepare(file)
        return SqliteDatabase(file, commits, patience_s)
    with _needing_postgres():
        from deskbell_server.store import postgres_schema
        from deskbell_server.store.postgres import PostgresDatabase
    postgres_schema.prepare(postgres)
    return PostgresDatabase(postgres, patience_s)


@contextmanager
def _needing_postgres() -> Iterator[None]:
    try:
        yield
    except ImportError as problem:
        raise SetupError(f"this needs {problem.name}. {remedy('server,postgres')}") from problem


def check_durable(postgres: str) -> None:
    """SetupError when what PostgreSQL acknowledges may be lost with the power."""
    with _needing_postgres():
        from deskbell_server.store import postgres as found
    found.check_durable(postgres)


def other_sessions(database: Database) -> int:
    """How many sessions of other processes of Deskbell a PostgreSQL has."""
    return database.read(
        lambda connection: int(
            connection.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND application_name LIKE 'deskbell-server%'"
                " AND application_name <> current_setting('application_name')"
            ).fetchone()[0]
        )
    )
