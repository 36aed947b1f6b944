"""SQL of floors: up to where a channel's entries were removed. Source: LOG.md 5 and 17."""

from deskbell_server.store.database import Connection


def hides(connection: Connection, person: int, after: int) -> bool:
    """Whether something of what the person could see behind `after` was removed."""
    row = connection.execute(
        "SELECT 1 FROM floors f JOIN members m ON m.channel = f.channel"
        " WHERE m.person = ? AND f.up_to > ? AND m.to_seq > ? AND m.from_seq <= f.up_to LIMIT 1",
        (person, after, after),
    ).fetchone()
    return row is not None


def raise_floor(connection: Connection, channel: int, up_to: int) -> None:
    connection.execute(
        "INSERT INTO floors (channel, up_to) VALUES (?, ?) ON CONFLICT (channel)"
        " DO UPDATE SET up_to = CASE WHEN floors.up_to < excluded.up_to THEN excluded.up_to ELSE floors.up_to END",
        (channel, up_to),
    )
