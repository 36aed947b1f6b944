"""The database below a torture run, of either kind: filled before, troubled meanwhile, read at the end."""

import contextlib
import json
import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import psycopg

from deskbell_server.store import migrate, postgres_schema
from deskbell_server.store.database import Connection
from deskbell_server.store.postgres import LOCK, PostgresSession, connect
from tests.desk.seen import with_views
from tests.desk.services import Postgres


class Database(Protocol):
    """What differs between the two kinds."""

    @property
    def url(self) -> str:
        """For `--database`; empty where it is a file in the data folder."""
        ...

    def filling(self) -> contextlib.AbstractContextManager[Connection]:
        """A transaction on the prepared schema, beside the product."""
        ...

    def rows(self, query: str, *values: str) -> list[tuple[Any, ...]]: ...

    def problems(self) -> list[str]:
        """What is damaged."""
        ...

    def lock(self, held: threading.Event, seconds: float) -> None:
        """Another process's long transaction, in this thread."""
        ...

    def close(self) -> None: ...


class SqliteFile:
    """Implements `Database`."""

    url = ""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)

    @contextmanager
    def filling(self) -> Iterator[Connection]:
        migrate.prepare(self.path)
        with closing(sqlite3.connect(self.path)) as connection, connection:
            yield connection

    def rows(self, query: str, *values: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(f"{self.path.absolute().as_uri()}?mode=ro", uri=True, timeout=30)) as connection:
            return connection.execute(query, values).fetchall()

    def problems(self) -> list[str]:
        return [row[0] for row in self.rows("PRAGMA integrity_check") if row[0] != "ok"]

    def lock(self, held: threading.Event, seconds: float) -> None:
        with (
            closing(sqlite3.connect(self.path, timeout=10, isolation_level=None)) as connection,
            contextlib.suppress(sqlite3.OperationalError),
        ):
            connection.execute("BEGIN IMMEDIATE")
            held.set()
            time.sleep(seconds)  # the fault itself: so long it is locked
            connection.execute("ROLLBACK")

    def close(self) -> None:
        """Its folder is removed by the run."""


class PostgresHouse:
    """Implements `Database`: a PostgreSQL of the run's own, which restarts, hangs and loses its sessions."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self._folder = folder / "postgres"
        self._folder.mkdir(parents=True)
        for place in (folder, self._folder):
            place.chmod(0o755)  # it runs as another user below it
        self.service = Postgres(self._folder, programs)
        self.service.start()

    @property
    def url(self) -> str:
        return self.service.url

    @contextmanager
    def filling(self) -> Iterator[Connection]:
        postgres_schema.prepare(self.url)
        with closing(PostgresSession(connect(self.url, "torture"))) as session:
            session.begin()
            yield session
            session.commit()

    def rows(self, query: str, *values: str) -> list[tuple[Any, ...]]:
        """Asked again while it is just starting, or cuts us off as it does the servers."""
        until = time.monotonic() + 20
        while True:
            try:
                with psycopg.connect(self.url.replace("+psycopg", ""), connect_timeout=10) as connection:
                    return connection.execute(query.replace("?", "%s").encode(), values).fetchall()
            except psycopg.OperationalError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)

    def problems(self) -> list[str]:
        """Rows that their index does not find, or the index finds without a row."""
        with psycopg.connect(self.url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute("CREATE EXTENSION IF NOT EXISTS amcheck")
            try:
                connection.execute(
                    "SELECT bt_index_check(c.oid, true) FROM pg_class c JOIN pg_am a ON a.oid = c.relam"
                    " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE a.amname = 'btree' AND n.nspname = 'public'"
                )
            except psycopg.errors.DataCorrupted as problem:
                return [str(problem)]
        return []

    def lock(self, held: threading.Event, seconds: float) -> None:
        with (
            contextlib.suppress(psycopg.OperationalError),
            psycopg.connect(self.url.replace("+psycopg", ""), autocommit=True) as connection,
        ):
            connection.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
            held.set()
            time.sleep(seconds)  # the fault itself: so long it is locked

    def close(self) -> None:
        self.service.stop()
        shutil.rmtree(self._folder, ignore_errors=True)


class Line(NamedTuple):
    """A message as one person sees it. `publish`: the id of the first part, which all parts have in common."""

    seq: int
    id: str
    body: str
    publish: str
    channel: int

    @property
    def mark(self) -> str:
        """What its writer calls it: the same however often it is stored."""
        return self.body.split(" ", 1)[0]


LAST_SEEN = (
    "SELECT u.id, coalesce(max((SELECT max(l.seq) FROM log l"
    " WHERE l.channel = m.channel AND l.seq >= m.from_seq AND l.seq <= m.to_seq)), 0)"
    " FROM users u LEFT JOIN members m ON m.person = u.number GROUP BY u.id"
)
"""Cheap: of each window its last place, from the index."""


class Records:
    """What the database says, read beside the running servers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def heads(self) -> dict[str, int]:
        """user id → the last place that they see; 0 where there is none."""
        return dict(self._database.rows(LAST_SEEN))

    def log(self, user_id: str) -> list[Line]:
        """The messages in this user's view."""
        query = (
            "SELECT seq, id, content, publish, channel FROM views WHERE user_id = ? AND kind = 'message' ORDER BY seq"
        )
        rows = self._database.rows(with_views(query), user_id)
        return [Line(seq, id_, json.loads(content)["body"], *rest) for seq, id_, content, *rest in rows]

    def problems(self) -> list[str]:
        return self._database.problems()


class Lock:
    """Holds it from a thread of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def hold(self, seconds: float) -> None:
        held = threading.Event()
        threading.Thread(target=self._database.lock, args=(held, seconds), daemon=True).start()
        held.wait(10)
