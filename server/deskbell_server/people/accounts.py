"""Accounts: who exists, who may sign in, and how often somebody may guess."""

from deskbell_protocol.errors import Code
from deskbell_protocol.ids import new_id, now_ms
from deskbell_protocol.wire import Device as DeviceView
from deskbell_protocol.wire import Login, LoginAnswer, Party, Server
from deskbell_server.errors import RefusedError
from deskbell_server.people import texts, tickets
from deskbell_server.people.activity import COMMAND_LINE
from deskbell_server.people.devices import Devices
from deskbell_server.people.guessing import Guessing, place
from deskbell_server.people.passwords import Passwords
from deskbell_server.principals import Principal
from deskbell_server.store import devices as device_rows
from deskbell_server.store import doors
from deskbell_server.store import users as rows
from deskbell_server.store.database import Connection, Database
from deskbell_server.store.users import User

WRONG = "name or password is wrong"
KNOWN_S = 400 * 86_400.0
"""How long a device that signed in counts as known: as long as browsers keep a cookie."""
LINK_S = 3 * 86_400.0
"""How long a link is good by which a person chooses a password."""


class Accounts:
    """Users, by the person's name as typed."""

    def __init__(self, database: Database, passwords: Passwords, devices: Devices, signed: tickets.Tickets) -> None:
        self._database = database
        self._passwords = passwords
        self._devices = devices
        self._tickets = signed
        self._guessing = Guessing()

    def login(self, request: Login, address: str) -> LoginAnswer:
        """A new device with its token. Unknown user, wrong password and disabled account look and last the same."""
        user = self._database.read(lambda connection: _by_name(connection, request.username))
        device_name = texts.clean_line("device", request.device) or "unnamed"
        with self._guessing.attempt(*self._places(request, user, address)):
            self._check_password(user, request.password)
        assert user is not None
        device_id, token = self._devices.add(user, device_name)
        at = now_ms()
        device = DeviceView(id=device_id, name=device_name, created_at=at, last_used_at=at, current=True)
        return LoginAnswer(token, user.party, device, Server(self._database.read(rows.server)), self._known(user))

    def confirm(self, principal: Principal, password: str) -> None:
        """Refused `unauthorized` unless it is that user's password; guessing is slowed as for a login."""
        user = self._database.read(lambda connection: rows.by_id(connection, principal.user_id))
        with self._guessing.attempt(f"session {principal.device_id}"):
            self._check_password(user, password)

    def _check_password(self, user: User | None, password: str) -> None:
        good = self._passwords.verify(user.password_hash if user else None, password)
        if not good or user is None or user.disabled_at is not None:
            raise RefusedError(Code.UNAUTHORIZED, WRONG)

    def _places(self, request: Login, user: User | None, address: str) -> list[str]:
        """Where this guess comes from. Who guesses elsewhere must not keep a known device out."""
        if user is not None:
            known = self._tickets.subject(tickets.KNOWN, request.known, bound=user.password_hash)
            if known is not None and known.partition("~")[0] == user.id:
                return [f"device {known}"]
        found = place(address)
        return [f"account {texts.folded(request.username)}", *([f"address {found}"] if found else [])]

    def _known(self, user: User) -> str:
        """A ticket that says: from here this user has signed in, with the password of today. It opens nothing."""
        return self._tickets.make(tickets.KNOWN, f"{user.id}~{new_id()}", KNOWN_S, bound=user.password_hash)

    def check_new(self, name: str, display: str) -> None:
        """Whether `add` would take these, before anybody is asked for a password."""
        name = texts.clean_name(name)
        texts.clean_line("display", display)
        if self._database.read(lambda connection: rows.by_name(connection, texts.folded(name))) is not None:
            raise _taken(name)

    def check_known(self, name: str) -> None:
        """Refused `not_found` when there is no such user."""
        self._database.read(lambda connection: _found(connection, name))

    def add(
        self,
        name: str,
        password: str,
        *,
        display: str = "",
        admin: bool = False,
        first: bool = False,
        actor: str = COMMAND_LINE,
    ) -> Party:
        """A new account. With `first`, only if there is none yet."""
        name, display = texts.clean_name(name), texts.clean_line("display", display)
        texts.check_password(password)
        user = User(new_id(), name, display, self._passwords.hash(password), admin, False, None)
        at = now_ms()

        def job(connection: Connection) -> None:
            if first and rows.exist(connection):
                raise RefusedError(Code.FORBIDDEN, "this server is already set up")
            if not rows.add(connection, user, texts.folded(name), texts.folded(display), at):
                raise _taken(name)
            doors.audit(connection, at, "setup" if first else actor, "user.add", user.id, name)

        self._database.write(job)
        return user.party

    def exist(self) -> bool:
        return self._database.read(rows.exist)

    def everyone(self) -> list[User]:
        return self._database.read(rows.everyone)

    def writer(self, name: str) -> Principal:
        """The user without a device, for what is sent in their name from the command line."""

        def job(connection: Connection) -> Principal | None:
            return device_rows.writer(connection, _found(connection, name).id)

        found = self._database.read(job)
        if found is None:
            raise RefusedError(Code.INVALID, f"{name} is disabled")
        return found

    def set_password(self, name: str, password: str, *, log_out: bool = False) -> None:
        """With `log_out`, every device of the user must sign in again."""
        texts.check_password(password)
        password_hash, at = self._passwords.hash(password), now_ms()

        def job(connection: Connection) -> list[str]:
            user = _found(connection, name)
            rows.set_password(connection, user.id, password_hash)
            doors.audit(connection, at, COMMAND_LINE, "user.passwd", user.id)
            return device_rows.revoke_all(connection, user.id, at) if log_out else []

        self._devices.revoked(self._database.write(job))

    def link(self, name: str, actor: str = COMMAND_LINE) -> str:
        """A ticket with which its holder chooses this user's password, once. The old one stays good until then."""
        at = now_ms()

        def job(connection: Connection) -> User:
            user = _found(connection, name)
            if user.disabled_at is not None:
                raise RefusedError(Code.INVALID, f"{user.name} is disabled")
            doors.audit(connection, at, actor, "user.link", user.id)
            return user

        user = self._database.write(job)
        return self._tickets.make(tickets.PASSWORD, user.id, LINK_S, bound=user.password_hash)

    def linked(self, link: str) -> Party:
        """Whose password `link` may set; refused `not_found` when it was used, is too old, or is none."""
        return self._database.read(lambda connection: self._linked(connection, link)).party

    def use_link(self, link: str, password: str) -> Party:
        """Sets the password, logs the user out everywhere, and ends the link."""
        self.linked(link)  # nobody makes us hash for nothing
        texts.check_password(password)
        password_hash, at = self._passwords.hash(password), now_ms()

        def job(connection: Connection) -> tuple[User, list[str]]:
            user = self._linked(connection, link)
            rows.set_password(connection, user.id, password_hash)
            doors.audit(connection, at, user.id, "user.passwd", user.id, "by link")
            return user, device_rows.revoke_all(connection, user.id, at)

        user, revoked = self._database.write(job)
        self._devices.revoked(revoked)
        return user.party

    def _linked(self, connection: Connection, link: str) -> User:
        user = rows.by_id(connection, tickets.claimed_subject(link))
        bound = user.password_hash if user else ""
        if (
            not self._tickets.subject(tickets.PASSWORD, link, bound=bound)
            or user is None
            or user.disabled_at is not None
        ):
            raise RefusedError(Code.NOT_FOUND, "this link was used, or is too old")
        return user

    def set_disabled(self, name: str, disabled: bool, actor: str = COMMAND_LINE) -> None:
        """A disabled user is signed out everywhere, cannot sign in and cannot be written to."""
        at = now_ms()

        def job(connection: Connection) -> list[str]:
            user = _found(connection, name)
            if disabled and user.is_admin and not _other_admins(connection, user):
                raise RefusedError(Code.INVALID, f"{user.name} is the last admin: make another first")
            rows.set_disabled(connection, user.id, at if disabled else None)
            doors.audit(connection, at, actor, "user.disable" if disabled else "user.enable", user.id)
            return device_rows.revoke_all(connection, user.id, at) if disabled else []

        self._devices.revoked(self._database.write(job))


def _other_admins(connection: Connection, user: User) -> bool:
    others = (other for other in rows.everyone(connection) if other.id != user.id)
    return any(other.is_admin and other.disabled_at is None for other in others)


def _taken(name: str) -> RefusedError:
    return RefusedError(Code.INVALID, f"there is already a user called {name}")


def _by_name(connection: Connection, name: str) -> User | None:
    return rows.by_name(connection, texts.folded_before(name)) or rows.by_name(connection, texts.folded(name))


def _found(connection: Connection, name: str) -> User:
    user = _by_name(connection, name)
    if user is None:
        raise RefusedError(Code.NOT_FOUND, f"there is no user called {name}")
    return user
