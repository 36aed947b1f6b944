"""SQL of groups and their members."""

from collections.abc import Collection
from dataclasses import dataclass

from deskbell_protocol.wire import Party
from deskbell_server.store.database import Connection
from deskbell_server.store.sets import select


@dataclass(frozen=True, slots=True)
class GroupRow:
    name: str
    display: str
    members: list[str]


def add(connection: Connection, group_id: str, name: str, name_key: str, display: str, at: int) -> None:
    """Nothing when it is there."""
    connection.execute(
        "INSERT INTO groups (id, name, name_key, display, created_at, number)"
        " VALUES (?, ?, ?, ?, ?, (SELECT coalesce(max(number), 0) + 1 FROM groups)) ON CONFLICT (name_key) DO NOTHING",
        (group_id, name, name_key, display, at),
    )


def set_display(connection: Connection, group_id: str, display: str) -> None:
    connection.execute("UPDATE groups SET display = ? WHERE id = ?", (display, group_id))


def by_key(connection: Connection, name_keys: list[str]) -> dict[str, Party]:
    rows = select(connection, "SELECT name_key, id, name, display FROM groups WHERE name_key IN ({})", name_keys)
    return {row[0]: Party(id=row[1], name=row[2], display=row[3], kind="group") for row in rows}


def by_id(connection: Connection, group_id: str) -> Party | None:
    row = connection.execute(
        "SELECT id, name, display FROM groups WHERE id = ? AND name_key IS NOT NULL", (group_id,)
    ).fetchone()
    return Party(id=row[0], name=row[1], display=row[2], kind="group") if row else None


def parties_by_number(connection: Connection, wanted: Collection[int]) -> dict[int, Party]:
    """As they are called now, or were when they were removed."""
    rows = select(connection, "SELECT number, id, name, display FROM groups WHERE number IN ({})", sorted(wanted))
    return {row[0]: Party(id=row[1], name=row[2], display=row[3], kind="group") for row in rows}


def numbers(connection: Connection, ids: Collection[str]) -> dict[str, int]:
    """By id: what they are called in the log."""
    return dict(select(connection, "SELECT id, number FROM groups WHERE id IN ({})", sorted(ids)))


def remove(connection: Connection, group_id: str) -> None:
    """Nobody finds it any more. The row stays: its number must not be given to another, who would have what it said."""
    connection.execute("UPDATE groups SET name_key = NULL WHERE id = ?", (group_id,))


def add_member(connection: Connection, group_id: str, user_id: str) -> None:
    connection.execute(
        "INSERT INTO group_members (group_id, user_id) VALUES (?, ?) ON CONFLICT DO NOTHING", (group_id, user_id)
    )


def remove_member(connection: Connection, group_id: str, user_id: str) -> bool:
    return bool(
        connection.execute("DELETE FROM group_members WHERE group_id = ? AND user_id = ?", (group_id, user_id)).rowcount
    )


def is_member(connection: Connection, group_id: str, user_id: str) -> bool:
    return (
        connection.execute(
            "SELECT 1 FROM group_members WHERE group_id = ? AND user_id = ?", (group_id, user_id)
        ).fetchone()
        is not None
    )


def ids_of(connection: Connection, user_id: str) -> list[str]:
    """The groups that the user is a member of."""
    rows = connection.execute("SELECT group_id FROM group_members WHERE user_id = ?", (user_id,)).fetchall()
    return [row[0] for row in rows]


def member_ids(connection: Connection, group_id: str) -> list[str]:
    """The enabled ones."""
    rows = connection.execute(
        "SELECT u.id FROM group_members m JOIN users u ON u.id = m.user_id"
        " WHERE m.group_id = ? AND u.disabled_at IS NULL",
        (group_id,),
    ).fetchall()
    return [row[0] for row in rows]


def all_member_ids(connection: Connection, group_id: str) -> list[str]:
    rows = connection.execute("SELECT user_id FROM group_members WHERE group_id = ?", (group_id,)).fetchall()
    return [row[0] for row in rows]


def search(connection: Connection, fragment: str, user_id: str | None, limit: int) -> list[Party]:
    """Groups whose name or display holds `fragment`, `user_id` being a member (None: all); the exact one first."""
    pattern = "%" + fragment.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    rows = connection.execute(
        "SELECT g.id, g.name, g.display FROM groups g"
        " WHERE g.name_key IS NOT NULL AND (g.name_key LIKE ? ESCAPE '\\' OR g.display LIKE ? ESCAPE '\\')"
        " AND (CAST(? AS TEXT) IS NULL"
        " OR EXISTS (SELECT 1 FROM group_members m WHERE m.group_id = g.id AND m.user_id = ?))"
        " ORDER BY g.name_key <> ?, g.name_key LIMIT ?",
        (pattern, pattern, user_id, user_id, fragment, limit),
    ).fetchall()
    return [Party(id=row[0], name=row[1], display=row[2], kind="group") for row in rows]


def listed(connection: Connection) -> list[GroupRow]:
    rows = connection.execute(
        "SELECT g.name, g.display, u.name FROM groups g LEFT JOIN group_members m ON m.group_id = g.id"
        " LEFT JOIN users u ON u.id = m.user_id WHERE g.name_key IS NOT NULL ORDER BY g.name_key, u.name_key"
    ).fetchall()
    found: dict[str, GroupRow] = {}
    for name, display, member in rows:
        group = found.setdefault(name, GroupRow(name, display, []))
        if member is not None:
            group.members.append(member)
    return list(found.values())
