"""SQL of the time by which something is old."""

from deskbell_server.store.database import Connection

LAST = "SELECT CAST(value AS BIGINT) FROM meta WHERE key = 'clock'"
"""SQL of what was saved last, in milliseconds since 1970-01-01 UTC."""


def last(connection: Connection) -> int:
    """0 for nothing."""
    row = connection.execute(LAST).fetchone()
    return int(row[0]) if row else 0


def save(connection: Connection, at: int) -> None:
    connection.execute("DELETE FROM meta WHERE key = 'clock'")
    connection.execute("INSERT INTO meta (key, value) VALUES ('clock', ?)", (str(at),))
