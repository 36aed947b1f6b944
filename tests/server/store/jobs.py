"""Jobs for a database's writer, and the outcomes of several that wait together."""

from typing import Any

import gevent

from deskbell_server.store.database import Connection, Database


def put(key: str, value: str = "x") -> Any:
    def job(connection: Connection) -> str:
        connection.execute("INSERT INTO meta (key, value) VALUES (?, ?)", (key, value))
        return key

    return job


def keys(database: Database, *known: str) -> set[str]:
    """What `put` has stored: all but what a new database holds and what else is `known` to be there."""
    rows = database.read(lambda connection: connection.execute("SELECT key FROM meta").fetchall())
    return {key for (key,) in rows} - {"epoch", "server", *known}


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
