"""The file of the local store: opened, made, or put aside when it cannot be used. Never a reason not to start."""

import contextlib
import hashlib
import logging
import os
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from deskbell_desktop.core.events import Account, Outgoing
from deskbell_desktop.core.words import Words
from deskbell_desktop.io.store_schema import MERGE, MIGRATIONS, OUTBOX, SCHEMA, SCHEMA_VERSION

log = logging.getLogger(__name__)


class StoreError(Exception):
    """The local store cannot go on.

    StoreError
    ├── StoreDamagedError     what is in the file cannot be read
    ├── StoreOutdatedError    the file is of another version
    └── StoreUnwritableError  the disk is full, gone or read-only
    """


class StoreDamagedError(StoreError):
    pass


class StoreOutdatedError(StoreError):
    pass


class StoreUnwritableError(StoreError):
    pass


@dataclass(frozen=True)
class Salvage:
    """What exists nowhere else: rows of `outbox` and `drafts`."""

    outbox: Sequence[tuple[Any, ...]] = ()
    drafts: Sequence[tuple[Any, ...]] = ()


@dataclass(frozen=True)
class Opened:
    """`problem` is a sentence for the person when the store is not the one they had."""

    database: sqlite3.Connection
    problem: str = ""
    in_memory: bool = False
    whole: bool = True
    """Nothing of what the file holds is missing."""


def find_file(profile: Path, account: Account, *before: str) -> Path:
    """Of this person on this server. One that was named by an address of the server, its present one or one from
    `before`, gets its new name; what was not sent from further ones comes into it.
    """
    new = _named(profile, account.server_id or account.server, account)
    for old in dict.fromkeys(_named(profile, place, account) for place in (account.server, *before)):
        if old == new or not old.exists():
            continue
        try:
            _take_over(old, new)
        except (OSError, sqlite3.Error, StoreError) as error:
            log.warning("local store %s keeps its name: %s", old, error)
            if not new.exists():
                return old
    return new


def _take_over(old: Path, new: Path) -> None:
    _connect(old).close()  # brought to this version
    if new.exists():
        with contextlib.closing(_connect(new)) as database:
            _insert(database, _all_of(old))
        _set_aside(old, "joined")
        return
    with contextlib.closing(sqlite3.connect(old)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # what lies beside it would lose its name
    old.rename(new)


def _named(profile: Path, place: str, account: Account) -> Path:
    digest = hashlib.sha256(f"{place}\n{account.user.id}".encode()).hexdigest()[:16]
    return profile / f"account-{digest}.db"


def open_file(path: Path, words: Words) -> Opened:
    """The store at `path`; a fresh one in its place when it cannot be used; in memory when nothing can be written."""
    try:
        return Opened(_connect(path))
    except StoreUnwritableError as error:
        return in_memory(path, str(error), words)
    except StoreError as error:
        return replace_file(path, error, words)


def replace_file(path: Path, reason: StoreError, words: Words) -> Opened:
    """Put the file aside, begin a new one, and save into it what the server does not have."""
    log.warning("local store %s: %s", path, reason)
    if isinstance(reason, StoreUnwritableError):
        return in_memory(path, str(reason), words)
    salvage = _salvage(path)
    outdated = isinstance(reason, StoreOutdatedError)
    try:
        aside = _set_aside(path, "outdated" if outdated else "damaged")
        database = _connect(path)
        _restore(database, salvage)
    except (OSError, StoreError) as error:
        return in_memory(path, str(error), words, salvage)
    return Opened(database, words.store_outdated(aside) if outdated else words.store_set_aside(aside))


def in_memory(path: Path, why: str, words: Words, salvage: Salvage | None = None) -> Opened:
    log.warning("local store %s: %s; going on in memory", path, why)
    problem = words.store_unwritable(str(path.parent), why)
    copy = None if salvage else _copied(path)
    if copy is not None:
        return Opened(copy, problem, in_memory=True)
    database = sqlite3.connect(":memory:", isolation_level=None)
    _create(database)
    _restore(database, salvage or _salvage(path))
    database.executescript(
        "CREATE TEMP TABLE saved AS SELECT cid FROM outbox UNION ALL SELECT conversation FROM drafts"
    )
    return Opened(database, problem, in_memory=True, whole=False)


def bring_back(memory: sqlite3.Connection, path: Path, words: Words, *, whole: bool) -> sqlite3.Connection:
    """The file again, with all that memory was given meanwhile. Raises `StoreError` where that is not possible yet."""
    try:
        database = _connect(path)
    except StoreUnwritableError:
        raise
    except StoreError as error:
        opened = replace_file(path, error, words)
        if opened.in_memory:
            raise StoreUnwritableError(str(error)) from error
        database = opened.database
    try:
        if whole:
            memory.backup(database, progress=_no_waiting)
        else:
            _merge(memory, path)
    except sqlite3.DatabaseError as error:
        database.close()
        raise translated(error) from error
    return database


def _copied(path: Path) -> sqlite3.Connection | None:
    """All of a file that can be read but not written; None where it cannot be read to the end."""
    database = sqlite3.connect(":memory:", isolation_level=None)
    beside = path.with_name(path.name + "-wal")
    for how in _READING[:1] if beside.exists() and beside.stat().st_size else _READING:
        with (
            contextlib.suppress(sqlite3.Error, StoreOutdatedError),
            contextlib.closing(_read_only(path, how)) as source,
        ):
            source.backup(database, progress=_no_waiting)
            _migrate(database)
            database.execute("DELETE FROM meta WHERE key = 'clean'")
            return database
    database.close()
    return None


def _no_waiting(status: int, _left: int, _all: int) -> None:
    """Python itself would wait for a lock without end."""
    if status in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        raise sqlite3.OperationalError("database is locked")


def _merge(memory: sqlite3.Connection, path: Path) -> None:
    memory.execute("ATTACH ? AS kept", (str(path),))
    try:
        memory.executescript(MERGE)
    except sqlite3.Error:
        with contextlib.suppress(sqlite3.Error):
            memory.execute("ROLLBACK")
        raise
    finally:
        memory.execute("DETACH kept")


def _connect(path: Path) -> sqlite3.Connection:
    database = None
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        database = sqlite3.connect(path, isolation_level=None, timeout=2.0)
        _prepare(database)
    except BaseException as error:
        if database is not None:
            database.close()
        if isinstance(error, OSError):
            raise StoreUnwritableError(error.strerror or str(error)) from error
        if isinstance(error, sqlite3.DatabaseError):
            raise translated(error) from error
        raise
    return database


def translated(error: sqlite3.DatabaseError) -> StoreError:
    """Our word for SQLite's. Only a broken file is put aside; a full disk is not the file's fault."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    unwritable = {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_PERM,
    }
    return StoreUnwritableError(str(error)) if code in unwritable else StoreDamagedError(str(error))


def _prepare(database: sqlite3.Connection) -> None:
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    version = database.execute("PRAGMA user_version").fetchone()[0]
    if version == 0 and database.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0:
        _create(database)
        return
    _check_version(version)
    clean = database.execute("SELECT value FROM meta WHERE key = 'clean'").fetchone()
    if clean is None:  # the program did not end by itself the last time
        found = database.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise StoreDamagedError(found)
    _migrate(database)
    database.execute("DELETE FROM meta WHERE key = 'clean'")


def _check_version(version: int) -> None:
    if version not in {*MIGRATIONS, SCHEMA_VERSION}:
        raise StoreOutdatedError(f"schema {version}, not {SCHEMA_VERSION}")


def _migrate(database: sqlite3.Connection) -> None:
    found = database.execute("PRAGMA user_version").fetchone()[0]
    _check_version(found)
    for version in range(found, SCHEMA_VERSION):
        database.executescript(f"BEGIN IMMEDIATE; {MIGRATIONS[version]} PRAGMA user_version = {version + 1}; COMMIT;")


def _create(database: sqlite3.Connection) -> None:
    database.executescript(f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")


def _set_aside(path: Path, why: str) -> str:
    aside = path.with_name(f"{path.name}.{why}-{time.strftime('%Y%m%d-%H%M%S')}")
    number = 1
    while aside.exists():
        number += 1
        aside = aside.with_name(f"{aside.name.removesuffix(f'-{number - 1}')}-{number}")
    path.rename(aside)
    for suffix in ("-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(aside.with_name(aside.name + suffix))
    return aside.name


DRAFTS = "SELECT conversation, text FROM drafts"


def _all_of(path: Path) -> Salvage:
    """Raises sqlite3.Error or `StoreError` where any of it cannot be read."""
    with contextlib.closing(_read_only(path, _READING[0])) as database:
        found = Salvage(database.execute(OUTBOX).fetchall(), database.execute(DRAFTS).fetchall())
    if not all(_is_outgoing(row[2]) for row in found.outbox):
        raise StoreOutdatedError("what waits in it is written in another way")
    return found


def _salvage(path: Path) -> Salvage:
    """As much as can still be read and understood."""
    for how in _READING:
        try:
            database = _read_only(path, how)
        except sqlite3.Error:
            continue
        with contextlib.closing(database):
            outbox, drafts = _readable(database, OUTBOX), _readable(database, DRAFTS)
        if outbox or drafts:
            return Salvage([row for row in outbox if _is_outgoing(row[2])], drafts)
    return Salvage()


_READING = ("mode=ro", "mode=ro&immutable=1")
"""Immutable reads without making files beside it, as in a folder that is read-only; but it does not see the WAL."""


def _read_only(path: Path, how: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True, timeout=1.0)


def _readable(database: sqlite3.Connection, query: str) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    with contextlib.suppress(sqlite3.Error):
        rows.extend(database.execute(query))
    return rows


def _is_outgoing(raw: object) -> bool:
    try:
        msgspec.json.decode(str(raw), type=Outgoing)
    except msgspec.MsgspecError:
        return False
    return True


def _restore(database: sqlite3.Connection, salvage: Salvage) -> None:
    with contextlib.suppress(sqlite3.Error):
        _insert(database, salvage)


def _insert(database: sqlite3.Connection, salvage: Salvage) -> None:
    database.execute("BEGIN IMMEDIATE")
    database.executemany(
        "INSERT OR IGNORE INTO outbox (cid, conversation, item, message_id) VALUES (?, ?, ?, ?)", salvage.outbox
    )
    database.executemany("INSERT OR IGNORE INTO drafts VALUES (?, ?)", salvage.drafts)
    database.execute("COMMIT")
