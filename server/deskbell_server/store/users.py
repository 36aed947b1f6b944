"""SQL of accounts."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from deskbell_protocol.wire import Party
from deskbell_server.store import log, members, meta
from deskbell_server.store.database import Connection
from deskbell_server.store.sets import select

_COLUMNS = "id, name, display, password_hash, is_admin, may_announce, disabled_at"


@dataclass(frozen=True, slots=True)
class User:
    id: str
    name: str
    display: str
    password_hash: str
    is_admin: bool
    may_announce: bool
    disabled_at: int | None

    @property
    def party(self) -> Party:
        return Party(id=self.id, name=self.name, display=self.display)


def _user(row: tuple[Any, ...]) -> User:
    return User(row[0], row[1], row[2], row[3], bool(row[4]), bool(row[5]), row[6])


def add(connection: Connection, user: User, name_key: str, display_key: str, at: int) -> bool:
    """False when the name is taken."""
    added = connection.execute(
        "INSERT INTO users"
        " (id, name, name_key, display, display_key, password_hash, is_admin, may_announce, created_at, number)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, (SELECT coalesce(max(number), 0) + 1 FROM users))"
        " ON CONFLICT (name_key) DO NOTHING",
        (
            user.id,
            user.name,
            name_key,
            user.display,
            display_key,
            user.password_hash,
            int(user.is_admin),
            int(user.may_announce),
            at,
        ),
    ).rowcount
    if added:
        members.begin(connection, numbers(connection, [user.id])[user.id], log.head(connection))
        meta.count(connection, meta.ACCOUNTS)
    return bool(added)


def by_name(connection: Connection, name_key: str) -> User | None:
    row = connection.execute(f"SELECT {_COLUMNS} FROM users WHERE name_key = ?", (name_key,)).fetchone()
    return _user(row) if row else None


def by_id(connection: Connection, user_id: str) -> User | None:
    row = connection.execute(f"SELECT {_COLUMNS} FROM users WHERE id = ?", (user_id,)).fetchone()
    return _user(row) if row else None


def everyone(connection: Connection) -> list[User]:
    return [_user(row) for row in connection.execute(f"SELECT {_COLUMNS} FROM users ORDER BY name_key").fetchall()]


def exist(connection: Connection) -> bool:
    return connection.execute("SELECT 1 FROM users LIMIT 1").fetchone() is not None


def parties_by_key(connection: Connection, name_keys: list[str]) -> dict[str, Party]:
    """The enabled users of these keys."""
    rows = select(
        connection,
        "SELECT name_key, id, name, display FROM users WHERE name_key IN ({}) AND disabled_at IS NULL",
        name_keys,
    )
    return {row[0]: Party(id=row[1], name=row[2], display=row[3]) for row in rows}


def parties_by_id(connection: Connection, ids: list[str]) -> list[Party]:
    """The enabled users of these ids, as they are called now."""
    sql = "SELECT id, name, display FROM users WHERE id IN ({}) AND disabled_at IS NULL"
    return [Party(id=row[0], name=row[1], display=row[2]) for row in select(connection, sql, ids)]


def parties_by_number(connection: Connection, wanted: Collection[int]) -> dict[int, Party]:
    """As they are called now, disabled or not."""
    rows = select(connection, "SELECT number, id, name, display FROM users WHERE number IN ({})", sorted(wanted))
    return {row[0]: Party(id=row[1], name=row[2], display=row[3]) for row in rows}


def numbers(connection: Connection, ids: Collection[str]) -> dict[str, int]:
    """By id: what they are called in the log."""
    return dict(select(connection, "SELECT id, number FROM users WHERE id IN ({})", sorted(ids)))


def count_enabled(connection: Connection) -> int:
    return int(connection.execute("SELECT count(*) FROM users WHERE disabled_at IS NULL").fetchone()[0])


def search(connection: Connection, fragment: str, limit: int) -> list[Party]:
    """Enabled users whose name or display holds `fragment` (folded); first who is called so, then who begins so."""
    beginning = fragment.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    pattern = "%" + beginning
    rows = connection.execute(
        "SELECT id, name, display FROM users WHERE disabled_at IS NULL"
        " AND (name_key LIKE ? ESCAPE '\\' OR display_key LIKE ? ESCAPE '\\')"
        " ORDER BY name_key <> ?, name_key NOT LIKE ? ESCAPE '\\' AND display_key NOT LIKE ? ESCAPE '\\', name_key"
        " LIMIT ?",
        (pattern, pattern, fragment, beginning, beginning, limit),
    ).fetchall()
    return [Party(id=row[0], name=row[1], display=row[2]) for row in rows]


def set_password(connection: Connection, user_id: str, password_hash: str) -> None:
    connection.execute("UPDATE users SET password_hash = ? WHERE id = ?", (password_hash, user_id))


def set_disabled(connection: Connection, user_id: str, at: int | None) -> None:
    connection.execute("UPDATE users SET disabled_at = ? WHERE id = ?", (at, user_id))
    meta.count(connection, meta.ACCOUNTS)


def set_may_announce(connection: Connection, user_id: str, allowed: bool) -> None:
    connection.execute("UPDATE users SET may_announce = ? WHERE id = ?", (int(allowed), user_id))
    meta.count(connection, meta.ACCOUNTS)


def server(connection: Connection) -> str:
    """The id of the server, made with its database."""
    found = meta.get(connection, "server")
    assert found is not None, "it is made with the schema"
    return found
