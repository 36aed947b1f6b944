"""PostgreSQL as the store: the same SQL as SQLite's, and the same one writer at a time, now among all processes.

Every writing transaction begins with one advisory lock. So jobs that look before they write need no thought about
others, no two of them can deadlock, and `seq` is dense; the price, one commit after the other, is small because a
commit carries a whole group. A process that stops in the middle is cut off by PostgreSQL after `IDLE_S`.
"""

import contextlib
import logging
import secrets
import time
from collections.abc import Iterable, Sequence
from typing import Any

import psycopg
from psycopg import errors
from psycopg.types.numeric import Int8Dumper
from psycopg.types.string import StrDumper

from deskbell_server.errors import SetupError
from deskbell_server.store import births, meta
from deskbell_server.store.database import Connection, Memory, Session
from deskbell_server.store.workers import Threads

log = logging.getLogger(__name__)

SCHEME = "postgresql+psycopg"
LOCK = 0x6465736B62656C6C
"""The advisory lock of whoever writes: "deskbell"."""
PROGRAM = "deskbell-server"
CONNECT_S = 3
LOCK_S = 4.5
"""How long a group waits for the other processes; then it is `unavailable`, within `limits.ANSWER_S`."""
IDLE_S = 3.0
STATEMENT_S = 30.0
COMMITS = "commits"
"""The row of `meta` that counts writing commits: by it a process notices those of others."""
ORIGIN = "origin"
"""The row that says in which PostgreSQL the log was written last."""

_AWAY = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    errors.IdleInTransactionSessionTimeout,
    errors.ReadOnlySqlTransaction,
)
_CONFLICT = (errors.DeadlockDetected, errors.SerializationFailure)
_LOCK = f"SELECT pg_advisory_xact_lock({LOCK})"
_BEGIN = f"BEGIN ISOLATION LEVEL READ COMMITTED; {_LOCK}; SELECT value FROM meta WHERE key = '{COMMITS}'"
_COMMIT = f"UPDATE meta SET value = (value::bigint + 1)::text WHERE key = '{COMMITS}'; COMMIT"


def conninfo(url: str) -> str:
    """The URL as libpq knows it."""
    return url.replace(SCHEME, "postgresql", 1)


def connect(url: str, name: str = PROGRAM) -> "psycopg.Connection[tuple[Any, ...]]":
    """Each statement by itself; transactions are begun by hand."""
    connection = psycopg.connect(
        conninfo(url),
        autocommit=True,
        connect_timeout=CONNECT_S,
        application_name=name,
        tcp_user_timeout=5000,
        keepalives_idle=10,
    )
    connection.adapters.register_dumper(int, Int8Dumper)  # else each size of number is a statement of its own
    connection.adapters.register_dumper(str, _TextDumper)
    connection.execute(
        f"SET lock_timeout = {LOCK_S * 1000:.0f}; SET statement_timeout = {STATEMENT_S * 1000:.0f};"
        f" SET idle_in_transaction_session_timeout = {IDLE_S * 1000:.0f}"
    )
    return connection


def check_durable(url: str) -> None:
    """SetupError when a commit may be lost with the power."""
    try:
        with connect(url) as connection:
            found = {name: _shown(connection, name) for name in ("fsync", "synchronous_commit")}
    except psycopg.Error as problem:
        raise SetupError(f"cannot use the database: {str(problem).splitlines()[0]}") from problem
    off = [name for name, value in found.items() if value == "off"]
    if off:
        raise SetupError(
            f"PostgreSQL runs with {' and '.join(off)} off, so what is acknowledged may be lost."
            " Turn it on, or start with --i-accept-loss."
        )


class PostgresDatabase(Threads):
    """Implements `Database`."""

    def __init__(self, url: str, patience_s: float | None = None) -> None:
        super().__init__(_Driver(url), patience_s)
        self._seen: tuple[int, int] | None = None

    def changed_elsewhere(self) -> bool:
        foreign = self.write(_foreign)
        changed, self._seen = foreign != self._seen, foreign
        return changed


class _Driver:
    def __init__(self, url: str) -> None:
        self._url = url
        self._name = f"{PROGRAM} {secrets.token_hex(4)}"
        """The same for all sessions of this process, and of no other."""

    def open(self) -> Session:
        session = PostgresSession(connect(self._url, self._name))
        try:
            _notice_restore(session)
        except BaseException:
            session.close()
            raise
        return session

    def is_away(self, problem: BaseException) -> bool:
        return isinstance(problem, _AWAY) and not isinstance(problem, _CONFLICT)

    def is_conflict(self, problem: BaseException) -> bool:
        return isinstance(problem, _CONFLICT)

    def is_lost(self, session: Session, problem: BaseException) -> bool:  # noqa: ARG002
        return isinstance(session, PostgresSession) and session.is_cut


class PostgresSession:
    """Implements `Session`: question marks become psycopg's, and what others committed is counted."""

    def __init__(self, connection: "psycopg.Connection[tuple[Any, ...]]") -> None:
        self._connection = connection
        self.memory = Memory()
        self._texts: dict[str, str] = {}
        self._opened = time.monotonic_ns()
        self._commits: int | None = None
        self._foreign = 0
        self._begun_with = 0
        self.changes = 0

    @property
    def foreign(self) -> tuple[int, int]:
        """Another value than before: somebody else may have committed meanwhile."""
        return self._opened, self._foreign

    @property
    def is_broken(self) -> bool:
        return self._connection.info.transaction_status == psycopg.pq.TransactionStatus.INERROR

    @property
    def is_cut(self) -> bool:
        """Whether the connection has ended."""
        return bool(self._connection.closed)

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> "_Result":
        cursor = self._connection.execute(self._translated(sql), parameters or None)
        return self._counted(cursor)

    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]], /) -> "_Result":
        cursor = self._connection.cursor()
        cursor.executemany(self._translated(sql), parameters)
        return self._counted(cursor)

    def begin(self) -> None:
        cursor = self._connection.execute(_BEGIN)
        while cursor.nextset():
            pass
        row = cursor.fetchone()
        assert row, "the count of commits is made with the schema"
        commits = int(row[0])
        if commits != self._commits:
            self._foreign += 1
        self._commits = commits
        self._begun_with = self.changes

    def begin_reading(self) -> None:
        self._connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")

    def commit(self) -> None:
        if self.changes == self._begun_with:
            self._connection.execute("COMMIT")
            return
        commits, self._commits = self._commits, None  # what became of it is known only when this returns
        self._connection.execute(_COMMIT)
        self._commits = None if commits is None else commits + 1

    def rollback(self) -> None:
        self._connection.execute("ROLLBACK")

    def close(self) -> None:
        self._connection.close()

    def _translated(self, sql: str) -> str:
        text = self._texts.get(sql)
        if text is None:
            text = self._texts[sql] = sql.replace("%", "%%").replace("?", "%s") if "?" in sql else sql
        return text

    def _counted(self, cursor: "psycopg.Cursor[tuple[Any, ...]]") -> "_Result":
        if not (cursor.statusmessage or "").startswith("SELECT"):
            self.changes += max(0, cursor.rowcount)
        return _Result(cursor)


class _Result:
    """A statement that returns nothing has no rows, as with SQLite."""

    def __init__(self, cursor: "psycopg.Cursor[tuple[Any, ...]]") -> None:
        self._cursor = cursor
        self.rowcount = cursor.rowcount

    def fetchone(self) -> Any:
        return self._cursor.fetchone() if self._cursor.description else None

    def fetchall(self) -> list[Any]:
        return self._cursor.fetchall() if self._cursor.description else []


class _TextDumper(StrDumper):
    """NUL, which PostgreSQL's text cannot hold, is never stored: it comes only in what is looked for, and not found."""

    def dump(self, obj: str) -> Any:
        return super().dump(obj.replace("\0", "\ufffd"))


def _notice_restore(session: PostgresSession) -> None:
    """Another system, timeline or database than the log was written in last: a restore, or a failover that may have
    lost something. What comes now is another epoch. Source: LOG.md 2.
    """
    origin = _origin(session)
    if _is_same(meta.get(session, ORIGIN), origin):
        return
    session.begin()
    known = meta.get(session, ORIGIN)
    if known is not None and not _is_same(known, origin):
        log.warning("PostgreSQL is another one, or was restored: a new epoch begins")
        births.renew(session)
    meta.put(session, ORIGIN, origin)
    session.commit()


def _origin(session: PostgresSession) -> str:
    here = "SELECT substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) || '/' || oid::text FROM pg_database"
    found = [session.execute(f"{here} WHERE datname = current_database()").fetchone()[0]]
    with contextlib.suppress(errors.InsufficientPrivilege):
        found.append(session.execute("SELECT system_identifier::text FROM pg_control_system()").fetchone()[0])
    return "/".join(found)


def _is_same(known: str | None, origin: str) -> bool:
    """As far as both tell: not every role may ask for the system's number."""
    return known is not None and all(a == b for a, b in zip(known.split("/"), origin.split("/"), strict=False))


def _foreign(connection: Connection) -> tuple[int, int]:
    assert isinstance(connection, PostgresSession)
    return connection.foreign


def _shown(connection: "psycopg.Connection[tuple[Any, ...]]", name: str) -> str:
    row = connection.execute(f"SHOW {name}").fetchone()
    return str(row[0]) if row else ""
