"""Jobs for a database's writer, and the outcomes of several that wait together."""

from pathlib import Path
from typing import Any

import gevent

from deskbell_server.store.database import Connection, Database
from deskbell_server.store.postgres import COMMITS
from tests.desk.processes import PATIENCE_S, wait_for


def put(key: str, value: str = "x") -> Any:
    def job(connection: Connection) -> str:
        connection.execute("INSERT INTO meta (key, value) VALUES (?, ?)", (key, value))
        return key

    return job


def keys(database: Database) -> set[str]:
    """What `put` has stored."""
    rows = database.read(lambda connection: connection.execute("SELECT key FROM meta").fetchall())
    return {key for (key,) in rows} - {"epoch", "server", "head", "proof", "origin", COMMITS}


def at_once(database: Database, *jobs: Any) -> list[Any]:
    """The outcomes of jobs that all wait together: results, or what was raised."""

    def outcome(job: Any) -> Any:
        try:
            return database.write(job)
        except Exception as problem:  # noqa: BLE001 - it is what we ask for
            return problem

    waiting = [gevent.spawn(outcome, job) for job in jobs]
    gevent.joinall(waiting, timeout=60, raise_error=True)
    return [greenlet.value for greenlet in waiting]


def wait_in_loop(condition: Any, timeout: float = PATIENCE_S) -> None:
    """`wait_for` that lets the loop turn."""

    def turned() -> bool:
        gevent.sleep(0.001)
        return bool(condition())

    wait_for(turned, "the condition", timeout, every=0)


def wal_commits(path: Path) -> int:
    """Frames of the write-ahead log that end a transaction: a size after the commit stands in their header."""
    wal = path.with_name(path.name + "-wal").read_bytes()
    page = int.from_bytes(wal[8:12], "big")
    salt = wal[16:24]
    frames = [wal[at : at + 24] for at in range(32, len(wal), 24 + page)]
    return sum(1 for head in frames if head[8:16] == salt and int.from_bytes(head[4:8], "big"))
