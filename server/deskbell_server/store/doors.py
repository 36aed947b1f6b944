"""SQL of what stands at the doors: scheduled messages, and the audit."""

from collections.abc import Sequence
from dataclasses import dataclass

from deskbell_protocol.ids import new_id
from deskbell_server.store.database import Connection
from deskbell_server.store.sets import select


@dataclass(frozen=True, slots=True)
class ScheduledRow:
    id: str
    user_id: str
    draft: str
    cid: str | None
    recipients: int
    deliver_at: int
    created_at: int
    problem: str | None
    request_hash: bytes = b""
    """Of the whole request as it was asked, where it has a `cid`."""


_SCHEDULED = "SELECT id, user_id, draft, cid, recipients, deliver_at, created_at, problem, request_hash FROM scheduled"
_WAITS = "cancelled_at IS NULL"


def forget_cancelled(connection: Connection, before: int, limit: int) -> int:
    """Deletes at most `limit` of the messages that were cancelled before, so that no transaction is long; how many."""
    return connection.execute(
        "DELETE FROM scheduled WHERE id IN (SELECT id FROM scheduled WHERE cancelled_at < ? LIMIT ?)", (before, limit)
    ).rowcount


def schedule(connection: Connection, row: ScheduledRow) -> None:
    connection.execute(
        "INSERT INTO scheduled (id, user_id, draft, cid, recipients, deliver_at, created_at, request_hash)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (row.id, row.user_id, row.draft, row.cid, row.recipients, row.deliver_at, row.created_at, row.request_hash),
    )


def scheduled_of(connection: Connection, user_id: str) -> list[ScheduledRow]:
    rows = connection.execute(
        f"{_SCHEDULED} WHERE user_id = ? AND {_WAITS} ORDER BY deliver_at, id", (user_id,)
    ).fetchall()
    return [ScheduledRow(*row) for row in rows]


def scheduled_count(connection: Connection, user_id: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM scheduled WHERE user_id = ? AND {_WAITS}", (user_id,)).fetchone()
    return int(row[0])


def next_due(connection: Connection) -> int | None:
    row = connection.execute(f"SELECT min(deliver_at) FROM scheduled WHERE problem IS NULL AND {_WAITS}").fetchone()
    return None if row[0] is None else int(row[0])


def due(connection: Connection, now: int, limit: int) -> list[ScheduledRow]:
    rows = connection.execute(
        f"{_SCHEDULED} WHERE deliver_at <= ? AND problem IS NULL AND {_WAITS} ORDER BY deliver_at, id LIMIT ?",
        (now, limit),
    ).fetchall()
    return [ScheduledRow(*row) for row in rows]


def take_scheduled(connection: Connection, message_id: str) -> bool:
    """Removes it: it is being delivered. False when it is not there, or was cancelled."""
    return bool(connection.execute(f"DELETE FROM scheduled WHERE id = ? AND {_WAITS}", (message_id,)).rowcount)


def cancel_scheduled(connection: Connection, message_id: str, user_id: str, at: int) -> bool:
    """False when no such message of this user waits. What it said is gone; its key stays taken."""
    return bool(
        connection.execute(
            f"UPDATE scheduled SET cancelled_at = ?, draft = '' WHERE id = ? AND user_id = ? AND {_WAITS}",
            (at, message_id, user_id),
        ).rowcount
    )


def scheduled_with(connection: Connection, user_id: str, cid: str) -> ScheduledRow | None:
    """What this user asked for last with this key; it may be cancelled by now."""
    where = "WHERE user_id = ? AND cid = ? ORDER BY created_at DESC LIMIT 1"
    row = connection.execute(f"{_SCHEDULED} {where}", (user_id, cid)).fetchone()
    return ScheduledRow(*row) if row else None


def scheduled_keys(connection: Connection, cids: Sequence[str]) -> set[tuple[str, str]]:
    """By whom these keys were used for something that waits or was cancelled: users and keys."""
    rows = select(connection, "SELECT user_id, cid FROM scheduled WHERE cid IN ({})", cids)
    return {(row[0], row[1]) for row in rows}


def fail_scheduled(connection: Connection, message_id: str, problem: str) -> None:
    connection.execute("UPDATE scheduled SET problem = ? WHERE id = ?", (problem, message_id))


def audit(connection: Connection, at: int, actor: str, action: str, subject: str, detail: str = "") -> None:
    connection.execute(
        "INSERT INTO audit (id, at, actor, action, subject, detail) VALUES (?, ?, ?, ?, ?, ?)",
        (new_id(at), at, actor, action, subject, detail),
    )


@dataclass(frozen=True, slots=True)
class AuditRow:
    """`actor` is a user's id, or where it came from; `subject` the id or name of what was changed."""

    id: str
    at: int
    actor: str
    action: str
    subject: str
    detail: str


def audited(connection: Connection, before: str | None, limit: int) -> list[AuditRow]:
    """Newest first, users and devices by name; `before` is the id of the last one that was seen."""
    rows = connection.execute(
        "SELECT a.id, a.at, coalesce(u.name, a.actor), a.action, coalesce(s.name, o.name, a.subject), a.detail"
        " FROM audit a LEFT JOIN users u ON u.id = a.actor LEFT JOIN users s ON s.id = a.subject"
        " LEFT JOIN devices d ON d.id = a.subject LEFT JOIN users o ON o.id = d.user_id"
        " WHERE a.id < coalesce(?, 'g') ORDER BY a.id DESC LIMIT ?",
        (before, limit),
    ).fetchall()
    return [AuditRow(*row) for row in rows]
