"""Accounts: who exists, who may log in, and how often somebody may guess."""

import ipaddress
import time

from deskbell_protocol.errors import Code
from deskbell_protocol.ids import new_id, now_ms
from deskbell_protocol.wire import Device as DeviceView
from deskbell_protocol.wire import Login, LoginAnswer, Party
from deskbell_server import texts
from deskbell_server.devices import Devices
from deskbell_server.errors import LimitedError, RefusedError
from deskbell_server.limiter import Limiter, Rate
from deskbell_server.passwords import Passwords
from deskbell_server.store import devices as device_rows
from deskbell_server.store import doors
from deskbell_server.store import users as rows
from deskbell_server.store.database import Connection, Database
from deskbell_server.store.users import User

FAILURES = Rate(per_s=20 / 60, burst=20)
"""Failed logins of one address, and of one account: 20, then 20 a minute. Good logins cost nothing."""
WRONG = "name or password is wrong"


def address_key(address: str) -> str:
    """An IPv4 address, or the /64 that one IPv6 customer has."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


class Accounts:
    """Users, by the person's name as typed."""

    def __init__(self, database: Database, passwords: Passwords, devices: Devices) -> None:
        self._database = database
        self._passwords = passwords
        self._devices = devices
        self._failures_by_address = Limiter(FAILURES)
        self._failures_by_account = Limiter(FAILURES)

    def login(self, request: Login, address: str) -> LoginAnswer:
        """A new device with its token. Unknown user, wrong password and disabled account look and last the same."""
        place, account = address_key(address), texts.folded(request.username)
        self._refuse_guessing(place, account)
        user = self._database.read(lambda connection: rows.by_name(connection, account))
        device_name = texts.clean_display(request.device) or "unnamed"
        good = self._passwords.verify(user.password_hash if user else None, request.password)
        if not good or user is None or user.disabled_at is not None:
            now = time.monotonic()
            self._failures_by_address.take(place, now)
            self._failures_by_account.take(account, now)
            raise RefusedError(Code.UNAUTHORIZED, WRONG)
        device_id, token = self._devices.add(user.id, device_name)
        at = now_ms()
        device = DeviceView(id=device_id, name=device_name, created_at=at, last_used_at=at, current=True)
        return LoginAnswer(token=token, user=user.party, device=device)

    def add(self, name: str, password: str, *, display: str = "", admin: bool = False, first: bool = False) -> Party:
        """A new account. With `first`, only if there is none yet."""
        name, display = texts.clean_name(name), texts.clean_display(display)
        texts.check_password(password)
        user = User(new_id(), name, display, self._passwords.hash(password), admin, False, None)
        at = now_ms()

        def job(connection: Connection) -> None:
            if first and rows.exist(connection):
                raise RefusedError(Code.FORBIDDEN, "this server is already set up")
            if not rows.add(connection, user, texts.folded(name), texts.folded(display), at):
                raise RefusedError(Code.INVALID, f"there is already a user called {name}")
            doors.audit(connection, at, "setup" if first else "command line", "user.add", user.id, name)

        self._database.write(job)
        return user.party

    def exist(self) -> bool:
        return self._database.read(rows.exist)

    def everyone(self) -> list[User]:
        return self._database.read(rows.everyone)

    def set_password(self, name: str, password: str, *, log_out: bool = False) -> None:
        """With `log_out`, every device of the user must log in again."""
        texts.check_password(password)
        password_hash, at = self._passwords.hash(password), now_ms()

        def job(connection: Connection) -> list[str]:
            user = _found(connection, name)
            rows.set_password(connection, user.id, password_hash)
            doors.audit(connection, at, "command line", "user.passwd", user.id)
            return device_rows.revoke_all(connection, user.id, at) if log_out else []

        self._devices.revoked(self._database.write(job))

    def set_disabled(self, name: str, disabled: bool) -> None:
        """A disabled user is logged out everywhere, cannot log in and cannot be written to."""
        at = now_ms()

        def job(connection: Connection) -> list[str]:
            user = _found(connection, name)
            rows.set_disabled(connection, user.id, at if disabled else None)
            doors.audit(connection, at, "command line", "user.disable" if disabled else "user.enable", user.id)
            return device_rows.revoke_all(connection, user.id, at) if disabled else []

        self._devices.revoked(self._database.write(job))

    def _refuse_guessing(self, place: str, account: str) -> None:
        now = time.monotonic()
        wait = max(self._failures_by_address.wait(place, now), self._failures_by_account.wait(account, now))
        if wait:
            raise LimitedError("too many failed logins: wait a little", wait)


def _found(connection: Connection, name: str) -> User:
    user = rows.by_name(connection, texts.folded(name))
    if user is None:
        raise RefusedError(Code.NOT_FOUND, f"there is no user called {name}")
    return user
