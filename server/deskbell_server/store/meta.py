"""SQL of `meta`: what there is one of in a database, by name."""

from deskbell_server.store.database import Connection

ACCOUNTS = "accounts"
"""How often accounts were changed."""


def get(connection: Connection, key: str) -> str | None:
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return None if row is None else str(row[0])


def count(connection: Connection, key: str) -> None:
    """One more."""
    put(connection, key, str(int(get(connection, key) or 0) + 1))


def put(connection: Connection, key: str, value: str) -> None:
    connection.execute(
        "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (key, value),
    )
