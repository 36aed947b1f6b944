"""Backups: one SQLite file, whichever database it was made of, so that it can be restored into the other kind, too."""

import os
import re
import shutil
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import Any

from deskbell_server.errors import SetupError
from deskbell_server.store import births, migrate
from deskbell_server.store.database import Connection

ROWS = 2_000
COPIES = "deskbell-restore-"
OWN_META = ("epoch", "commits", "origin")
"""What belongs to one database, and is not carried into another."""


def save_sqlite(database: Path, target: Path) -> None:
    """A snapshot of the file, while servers go on writing."""
    with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=rw", uri=True, timeout=30)) as source:
        source.execute("VACUUM INTO ?", (str(target),))
    with closing(sqlite3.connect(target)) as file, file:
        births.renew(file)


def make_empty(target: Path) -> None:
    """A file for `save_rows`."""
    migrate.prepare(target)


def save_rows(connection: Connection, target: Path) -> None:
    """All rows of one snapshot, into an empty backup."""
    with closing(sqlite3.connect(target, isolation_level=None)) as file:
        file.execute("PRAGMA journal_mode=DELETE")
        file.execute("PRAGMA foreign_keys=OFF")
        file.execute("BEGIN")
        for table in ("meta", "epochs"):
            file.execute(f"DELETE FROM {table}")
        for table, columns, key in _tables():
            for rows in _pages(connection, table, columns, key):
                file.executemany(_insert(table, columns), rows)
        file.execute("DELETE FROM meta WHERE key = 'commits'")
        births.renew(file)
        file.execute("COMMIT")


def load_rows(connection: Connection, file: Path) -> str:
    """Replaces everything by what stands in `file`, in this transaction; the new epoch."""
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as source:
        own = ",".join(f"'{key}'" for key in OWN_META)
        for table, _columns, _key in reversed(_tables()):
            connection.execute(f"DELETE FROM {table}" + (" WHERE key <> 'commits'" if table == "meta" else ""))
        for table, columns, _key in _tables():
            where = f" WHERE key NOT IN ({own}) AND key NOT LIKE 'online:%'" if table == "meta" else ""
            cursor = source.execute(f"SELECT {','.join(columns)} FROM {table}{where}")
            while rows := cursor.fetchmany(ROWS):
                connection.executemany(_insert(table, columns), rows)
    return births.renew(connection)


@contextmanager
def written_whole(target: Path) -> Iterator[Path]:
    """A name to write to; the file appears under its own when it is complete and on the disk."""
    if target.exists():
        raise SetupError(f"{target} exists: name another file, or remove it")
    draft = target.with_name(f"{_drafts(target)}{os.getpid()}")
    try:
        _forget_dead(target.absolute().parent, _drafts(target))
        yield draft
        draft.chmod(0o600)
        _sync(draft)
        draft.rename(target)
        _sync(target.absolute().parent)
    except (OSError, sqlite3.Error) as problem:
        raise SetupError(f"cannot write {target}: {problem}") from problem
    finally:
        for path in (draft, draft.with_name(draft.name + "-wal"), draft.with_name(draft.name + "-shm")):
            path.unlink(missing_ok=True)


@contextmanager
def readable(file: Path) -> Iterator[Path]:
    """A copy of the backup, sound and with the schema of this version. SetupError for anything else."""
    _forget_dead(Path(gettempdir()), COPIES)
    with TemporaryDirectory(prefix=f"{COPIES}{os.getpid()}-") as folder:
        copy = Path(folder) / "backup.db"
        try:
            copy.write_bytes(file.read_bytes())
            if migrate.current_revision(copy) is None:
                raise SetupError(f"{file} is no backup of Deskbell")
            with closing(sqlite3.connect(copy)) as opened:
                found = opened.execute("PRAGMA integrity_check").fetchone()[0]
        except (OSError, sqlite3.Error) as problem:
            raise SetupError(f"cannot read {file}: {problem}") from problem
        if found != "ok":
            raise SetupError(f"{file} is damaged: {found}")
        migrate.prepare(copy)
        yield copy


@contextmanager
def ending_in_order() -> Iterator[None]:
    """A signal that ends the program lets it clean up first."""

    def end(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _drafts(target: Path) -> str:
    return f".{target.name}.draft-"


def _forget_dead(folder: Path, prefix: str) -> None:
    """Removes what a killed process left: `PREFIX` and its number."""
    for left in folder.iterdir():
        number = re.match(re.escape(prefix) + "([0-9]+)", left.name)
        if number and left.lstat().st_uid == os.geteuid() and not _runs(int(number[1])):
            shutil.rmtree(left) if left.is_dir() else left.unlink()


def _runs(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True


def _sync(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _tables() -> list[tuple[str, list[str], list[str]]]:
    """Name, columns and primary key of each; who is referred to comes first."""
    from deskbell_server.store.schema import make_metadata  # SQLAlchemy takes 0.4 s, and no other command needs it

    return [
        (table.name, [column.name for column in table.columns], [column.name for column in table.primary_key.columns])
        for table in make_metadata().sorted_tables
    ]


def _insert(table: str, columns: list[str]) -> str:
    return f"INSERT INTO {table} ({','.join(columns)}) VALUES ({','.join('?' * len(columns))})"


def _pages(connection: Connection, table: str, columns: list[str], key: list[str]) -> Iterator[list[Any]]:
    """All rows in the order of the key, so that memory holds few of them."""
    after: list[Any] = []
    names, marks = ",".join(key), ",".join("?" * len(key))
    places = [columns.index(name) for name in key]
    while True:
        where = f" WHERE ({names}) > ({marks})" if after else ""
        rows = connection.execute(
            f"SELECT {','.join(columns)} FROM {table}{where} ORDER BY {names} LIMIT {ROWS}", after
        ).fetchall()
        if not rows:
            return
        yield rows
        after = [rows[-1][place] for place in places]
