"""SQL of forgetting: a log's floor moves up, in small transactions; what no log refers to any more goes last."""

from deskbell_server.store.database import Connection
from deskbell_server.store.sets import chunks


def floors(connection: Connection, before: int, keep: int | None) -> dict[str, int]:
    """Where the logs are to begin that hold something older than the time `before`, or more than `keep` events."""
    young = dict(
        connection.execute("SELECT user_id, min(seq) FROM events WHERE at >= ? GROUP BY user_id", (before,)).fetchall()
    )
    found = {}
    for user_id, head, floor in connection.execute("SELECT user_id, head, floor FROM streams").fetchall():
        wanted = max(young.get(user_id, head + 1) - 1, 0 if keep is None else head - keep)
        if wanted > floor:
            found[user_id] = min(wanted, head)
    return found


def raise_floor(connection: Connection, user_id: str, floor: int, limit: int) -> tuple[int, int]:
    """One step towards `floor`: where the log begins now, and how many events went."""
    now = connection.execute("SELECT floor, head FROM streams WHERE user_id = ?", (user_id,)).fetchone()
    if now is None:
        return floor, 0
    step = min(floor, int(now[0]) + limit, int(now[1]))
    if step <= now[0]:
        return int(now[0]), 0
    gone = connection.execute(
        "DELETE FROM events WHERE user_id = ? AND seq <= ? RETURNING id", (user_id, step)
    ).fetchall()
    connection.execute("UPDATE streams SET floor = ? WHERE user_id = ?", (step, user_id))
    for marks, values in chunks([row[0] for row in gone]):
        connection.execute(f"DELETE FROM reads WHERE user_id = ? AND message_id IN ({marks})", [user_id, *values])
    return step, len(gone)


def unreferred(connection: Connection) -> list[str]:
    """Messages that stand in no log."""
    return [row[0] for row in connection.execute("SELECT id FROM messages EXCEPT SELECT id FROM events").fetchall()]


def remove_messages(connection: Connection, ids: list[str]) -> None:
    for marks, values in chunks(ids):
        connection.execute(f"DELETE FROM messages WHERE id IN ({marks})", values)
