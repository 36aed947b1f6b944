"""SQL of the time by which something is old."""

from deskbell_server.store import meta
from deskbell_server.store.database import Connection

KEY = "clock"
LAST = f"SELECT CAST(value AS BIGINT) FROM meta WHERE key = '{KEY}'"
"""SQL of what was saved last, in milliseconds since 1970-01-01 UTC."""


def last(connection: Connection) -> int:
    """0 for nothing."""
    return int(meta.get(connection, KEY) or 0)


def save(connection: Connection, at: int) -> None:
    meta.put(connection, KEY, str(at))
