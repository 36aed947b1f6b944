"""Brings a PostgreSQL database to the schema of this version: the same migrations, under an advisory lock."""

import psycopg
import sqlalchemy as sa

from deskbell_server.errors import SetupError
from deskbell_server.store import migrate
from deskbell_server.store.postgres import COMMITS, LOCK, connect, conninfo


def prepare(url: str) -> None:
    """Makes or upgrades the schema. Several processes at once are safe: the others wait and find it done."""
    try:
        if current_revision(url) != migrate.REVISION:
            _upgrade(url)
    except (psycopg.Error, sa.exc.DBAPIError) as problem:
        raise SetupError(f"cannot use the database: {str(problem).splitlines()[0]}") from problem


def current_revision(url: str) -> str | None:
    """None for an empty database."""
    with connect(url) as connection:
        found = connection.execute("SELECT to_regclass('alembic_version')").fetchone()
        if not found or found[0] is None:
            return None
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return str(row[0]) if row else None


def engine(url: str) -> sa.Engine:
    """For migrations."""
    return sa.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(conninfo(url)))


def _upgrade(url: str) -> None:
    made = engine(url)
    try:
        with made.begin() as connection:
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
            migrate.upgrade_locked(connection, "the database")
            connection.execute(
                sa.text("INSERT INTO meta (key, value) VALUES (:key, '0') ON CONFLICT (key) DO NOTHING"),
                {"key": COMMITS},
            )
    finally:
        made.dispose()
