"""SQL of devices and their tokens. A token itself is never stored."""

from collections.abc import Iterable
from dataclasses import dataclass

from deskbell_server.principals import Principal
from deskbell_server.store import channels
from deskbell_server.store.database import Connection
from deskbell_server.store.sets import select


@dataclass(frozen=True, slots=True)
class DeviceRow:
    id: str
    user_id: str
    user_name: str
    name: str
    created_at: int
    last_used_at: int
    revoked_at: int | None


def add(connection: Connection, device_id: str, user_id: str, name: str, token_hash: bytes, at: int) -> None:
    connection.execute(
        "INSERT INTO devices (id, user_id, name, token_hash, created_at, last_used_at) VALUES (?, ?, ?, ?, ?, ?)",
        (device_id, user_id, name, token_hash, at, at),
    )


def count(connection: Connection, user_id: str) -> int:
    row = connection.execute(
        "SELECT count(*) FROM devices WHERE user_id = ? AND revoked_at IS NULL", (user_id,)
    ).fetchone()
    return int(row[0])


def principal(connection: Connection, token_hash: bytes) -> tuple[Principal, bool] | None:
    """Whom a token names, and whether it is still good. None for one that was never given out."""
    return _principal(connection, "d.token_hash = ?", token_hash)


def principal_on(connection: Connection, device_id: str) -> tuple[Principal, bool] | None:
    """The same for a device by its id."""
    return _principal(connection, "d.id = ?", device_id)


def _principal(connection: Connection, where: str, value: bytes | str) -> tuple[Principal, bool] | None:
    row = connection.execute(
        "SELECT u.id, u.name, u.display, d.id, d.name, u.is_admin, u.may_announce, u.number, m.from_seq,"
        " d.revoked_at, u.disabled_at FROM devices d JOIN users u ON u.id = d.user_id"
        f" JOIN members m ON m.person = u.number AND m.channel = {channels.EVERYONE} WHERE {where}",
        (value,),
    ).fetchone()
    if row is None:
        return None
    who = Principal(row[0], row[1], row[2], row[3], row[4], bool(row[5]), bool(row[6]), row[7], row[8])
    return who, row[9] is None and row[10] is None


def writer(connection: Connection, user_id: str) -> Principal | None:
    """The user without a device, as they are now; None when disabled."""
    row = connection.execute(
        "SELECT id, name, display, is_admin, may_announce, number FROM users WHERE id = ? AND disabled_at IS NULL",
        (user_id,),
    ).fetchone()
    return Principal(row[0], row[1], row[2], "", "", bool(row[3]), bool(row[4]), row[5]) if row else None


def of_user(connection: Connection, user_id: str) -> list[DeviceRow]:
    return _listed(connection, "WHERE d.revoked_at IS NULL AND d.user_id = ?", (user_id,))


def everyones(connection: Connection) -> list[DeviceRow]:
    return _listed(connection, "WHERE d.revoked_at IS NULL", ())


def _listed(connection: Connection, where: str, values: tuple[str, ...]) -> list[DeviceRow]:
    rows = connection.execute(
        "SELECT d.id, d.user_id, u.name, d.name, d.created_at, d.last_used_at, d.revoked_at"
        f" FROM devices d JOIN users u ON u.id = d.user_id {where} ORDER BY d.last_used_at DESC, d.id",
        values,
    ).fetchall()
    return [DeviceRow(*row) for row in rows]


def revoke(connection: Connection, device_id: str, at: int, *, user_id: str | None = None) -> str | None:
    """The user whose device it was; None when no such device (of that user, if given) is signed in."""
    row = connection.execute(
        "UPDATE devices SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL AND user_id = coalesce(?, user_id)"
        " RETURNING user_id",
        (at, device_id, user_id),
    ).fetchone()
    return str(row[0]) if row else None


def revoke_all(connection: Connection, user_id: str, at: int) -> list[str]:
    rows = connection.execute(
        "UPDATE devices SET revoked_at = ? WHERE user_id = ? AND revoked_at IS NULL RETURNING id", (at, user_id)
    ).fetchall()
    return [row[0] for row in rows]


def good(connection: Connection, device_ids: Iterable[str]) -> set[str]:
    """Those of `device_ids` that are still signed in, with an account that is enabled."""
    sql = (
        "SELECT d.id FROM devices d JOIN users u ON u.id = d.user_id"
        " WHERE d.id IN ({}) AND d.revoked_at IS NULL AND u.disabled_at IS NULL"
    )
    return {row[0] for row in select(connection, sql, list(device_ids))}


def used(connection: Connection, at: dict[str, int]) -> None:
    """When these devices were last used."""
    connection.executemany("UPDATE devices SET last_used_at = ? WHERE id = ?", [(when, i) for i, when in at.items()])


def acked(connection: Connection, device_id: str, seq: int, shown: int) -> None:
    """Both numbers only grow."""
    connection.execute(
        "UPDATE devices SET acked_seq = CASE WHEN acked_seq < ? THEN ? ELSE acked_seq END,"
        " shown_seq = CASE WHEN shown_seq < ? THEN ? ELSE shown_seq END WHERE id = ?",
        (seq, seq, shown, shown, device_id),
    )
