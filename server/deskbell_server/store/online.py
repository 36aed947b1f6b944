"""SQL of who is connected to which process: one row of `meta` each, so that a page can show all of them."""

from deskbell_server.store import meta
from deskbell_server.store.database import Connection

PREFIX = "online:"


def tell(connection: Connection, process: str, text: str) -> None:
    meta.put(connection, PREFIX + process, text)


def told(connection: Connection) -> dict[str, str]:
    """By process."""
    rows = connection.execute("SELECT key, value FROM meta WHERE key LIKE ?", (PREFIX + "%",)).fetchall()
    return {key.removeprefix(PREFIX): value for key, value in rows}


def forget(connection: Connection, process: str, text: str | None = None) -> None:
    """With `text` only if it says that still."""
    connection.execute("DELETE FROM meta WHERE key = ? AND value = coalesce(?, value)", (PREFIX + process, text))
