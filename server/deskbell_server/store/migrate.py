"""Brings the database to the schema of this version, under a lock, before anything else opens it."""

import secrets
import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deskbell_server.errors import SetupError

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection, Engine

REVISION = "0005"
"""The newest revision in `migrations/versions`; a test holds the two together."""
LOCK_WAIT_S = 60.0
MIGRATIONS = Path(__file__).parent / "migrations"


def prepare(path: Path) -> None:
    """Makes or upgrades the database at `path`. Two commands at once are safe: the second waits and finds it done."""
    try:
        if current_revision(path) != REVISION:
            _upgrade(path)
    except sqlite3.Error as problem:
        raise SetupError(f"cannot use the database {path}: {problem}") from problem


def current_revision(path: Path) -> str | None:
    """None for a database that does not exist or is empty. Imports nothing heavy: every command begins with this."""
    if not path.exists():
        return None
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=LOCK_WAIT_S)
    try:
        found = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone() if found else None
        return str(row[0]) if row else None
    finally:
        connection.close()


def alembic_config() -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def sqlite_engine(path: Path) -> "Engine":
    """For migrations: transactions begin with the write lock, and hold schema changes too."""
    import sqlalchemy as sa

    def on_connect(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None
        _keep_log(connection)
        connection.execute("PRAGMA synchronous=FULL")

    engine = sa.create_engine(
        sa.URL.create("sqlite", database=str(path.absolute())), connect_args={"timeout": LOCK_WAIT_S}
    )
    sa.event.listen(engine, "connect", on_connect)
    sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    return engine


def _keep_log(connection: sqlite3.Connection) -> None:
    """Tried again here: while another process makes the same file, SQLite does not wait for its lock."""
    until = time.monotonic() + LOCK_WAIT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as problem:
            if problem.sqlite_errorcode not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) or time.monotonic() > until:
                raise
            time.sleep(0.05)


def _upgrade(path: Path) -> None:
    from sqlalchemy.exc import DBAPIError

    engine = sqlite_engine(path)
    try:
        with engine.begin() as connection:
            upgrade_locked(connection, str(path))
    except DBAPIError as problem:
        raise SetupError(f"cannot prepare the database {path}: {problem.orig}") from problem
    finally:
        engine.dispose()


def upgrade_locked(connection: "Connection", name: str) -> None:
    """On a connection that holds the lock, whichever database it is."""
    import sqlalchemy as sa
    from alembic import command
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory

    config = alembic_config()
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    found = MigrationContext.configure(connection).get_current_revision()
    if found is not None and found not in known:
        if found < min(known):
            raise SetupError(
                f"{name} was made by a Deskbell from before its first release (revision {found}): begin anew"
            )
        raise SetupError(f"{name} was made by a newer Deskbell (revision {found}): upgrade this one")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    connection.execute(
        sa.text("INSERT INTO meta (key, value) VALUES ('epoch', :epoch) ON CONFLICT (key) DO NOTHING"),
        {"epoch": secrets.token_hex(8)},
    )
    connection.execute(
        sa.text(
            "INSERT INTO epochs (first_seq, epoch) SELECT 1, value FROM meta"
            " WHERE key = 'epoch' AND NOT EXISTS (SELECT 1 FROM epochs)"
        )
    )
