"""Devices and their tokens: whom a token names, quickly, and its end, at once."""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from deskbell_protocol import limits
from deskbell_protocol.errors import Code
from deskbell_protocol.ids import new_id, now_ms
from deskbell_server.errors import LimitedError, RefusedError
from deskbell_server.people import tickets
from deskbell_server.principals import Principal
from deskbell_server.store import devices as rows
from deskbell_server.store import doors
from deskbell_server.store import users as user_rows
from deskbell_server.store.database import Connection, Database
from deskbell_server.store.devices import DeviceRow
from deskbell_server.store.users import User

CACHE_MAX = 20_000
USED_EVERY_MS = 10 * 60_000
TOKEN_CHARS_MAX = 256
UNKNOWN = "this token is not known here"


def token_hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


@dataclass(slots=True)
class _Known:
    principal: Principal
    used_at: int


class Devices:
    """Tokens are 256 random bits, given out once and kept as SHA-256. Good ones are remembered in memory."""

    def __init__(self, database: Database, signed: tickets.Tickets) -> None:
        self._database = database
        self._tickets = signed
        self._known: dict[bytes, _Known] = {}
        self._used: dict[str, int] = {}
        self._on_revoked: list[Callable[[list[str]], None]] = []
        self._generation = 0

    def on_revoked(self, listener: Callable[[list[str]], None]) -> None:
        """`listener` hears the ids of devices after the commit that logged them out."""
        self._on_revoked.append(listener)

    def identify(self, token: str) -> Principal:
        """The user and device of a good token; refused `unauthorized` or `revoked` otherwise."""
        if not 0 < len(token) <= TOKEN_CHARS_MAX:
            raise RefusedError(Code.UNAUTHORIZED, UNKNOWN)
        if token.startswith(tickets.PREFIX):
            return self._by_ticket(token)
        return self.remembered(token) or self._used_now(self._look_up(token_hash(token)))

    def remembered(self, token: str) -> Principal | None:
        """The same without asking the database; None where it has to be asked."""
        known = self._known.get(token_hash(token)) if len(token) <= TOKEN_CHARS_MAX else None
        return None if known is None else self._used_now(known)

    def _used_now(self, known: _Known) -> Principal:
        now = now_ms()
        if now - known.used_at > USED_EVERY_MS:
            known.used_at = now
            self._used[known.principal.device_id] = now
        return known.principal

    def ticket(self, principal: Principal, life_s: float) -> str:
        """A token for `principal` that is good for so long, or until the device is signed out."""
        return self._tickets.make(tickets.SOCKET, principal.device_id, life_s)

    def add(self, user: User, name: str) -> tuple[str, str]:
        """A new device of this user: its id, and its token, which is nowhere else.

        `user` is as read before the password was checked; refused `unauthorized` if the account was disabled or got
        another password meanwhile.
        """
        token, device_id, at = secrets.token_urlsafe(32), new_id(), now_ms()

        def job(connection: Connection) -> None:
            now = user_rows.by_id(connection, user.id)
            if now is None or now.disabled_at is not None or now.password_hash != user.password_hash:
                raise RefusedError(Code.UNAUTHORIZED, "the account was changed: sign in again")
            if rows.count(connection, user.id) >= limits.DEVICES_PER_USER:
                raise LimitedError("too many devices are signed in: sign one of them out first", 60.0, Code.TOO_MANY)
            rows.add(connection, device_id, user.id, name, token_hash(token), at)
            doors.audit(connection, at, user.id, "device.login", device_id, name)

        self._database.write(job)
        return device_id, token

    def of_user(self, user_id: str) -> list[DeviceRow]:
        return self._database.read(lambda connection: rows.of_user(connection, user_id))

    def everyones(self) -> list[DeviceRow]:
        return self._database.read(rows.everyones)

    def revoke(self, device_id: str, actor: str, *, user_id: str | None = None) -> None:
        """Logs it out everywhere. With `user_id` only a device of that user is found."""
        at = now_ms()

        def job(connection: Connection) -> None:
            if rows.revoke(connection, device_id, at, user_id=user_id) is None:
                raise RefusedError(Code.NOT_FOUND, "no such device")
            doors.audit(connection, at, actor, "device.revoke", device_id)

        self._database.write(job)
        self.revoked([device_id])

    def revoked(self, device_ids: list[str]) -> None:
        """These are signed out, by a commit of this process: forget and tell."""
        gone = set(device_ids)
        self._generation += 1
        self._known = {k: v for k, v in self._known.items() if v.principal.device_id not in gone}
        for listener in self._on_revoked:
            listener(device_ids)

    def recheck(self, connected: list[str]) -> None:
        """Another process committed something: forget what is known, and tell about `connected` ones that ended."""
        self._generation += 1
        self._known.clear()
        if not connected:
            return
        good = self._database.read(lambda connection: rows.good(connection, connected))
        gone = [device_id for device_id in connected if device_id not in good]
        if gone:
            self.revoked(gone)

    def save_used(self) -> None:
        """Writes down when devices were last used; now and then is enough."""
        used, self._used = self._used, {}
        if used:
            self._database.write(lambda connection: rows.used(connection, used))

    def _by_ticket(self, ticket: str) -> Principal:
        device_id = self._tickets.subject(tickets.SOCKET, ticket)
        if device_id is None:
            raise RefusedError(Code.UNAUTHORIZED, UNKNOWN)
        return self._read_good(lambda connection: rows.principal_on(connection, device_id))

    def _look_up(self, digest: bytes) -> _Known:
        principal = self._read_good(lambda connection: rows.principal(connection, digest))
        if len(self._known) >= CACHE_MAX:
            self._known.clear()
        known = self._known[digest] = _Known(principal, 0)
        return known

    def _read_good(self, look: Callable[[Connection], tuple[Principal, bool] | None]) -> Principal:
        while True:
            generation = self._generation
            principal = _good(self._database.read(look))
            if generation == self._generation:  # else something was signed out while we read: it may be this one
                return principal


def _good(found: tuple[Principal, bool] | None) -> Principal:
    if found is None:
        raise RefusedError(Code.UNAUTHORIZED, UNKNOWN)
    principal, good = found
    if not good:
        raise RefusedError(Code.REVOKED, "this device was signed out")
    return principal
