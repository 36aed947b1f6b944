"""A browser's session: a cookie that scripts cannot read, and what must come beside it to change anything."""

import hmac
from dataclasses import dataclass

from flask import Response, request

from deskbell_protocol.errors import Code
from deskbell_protocol.wire import LoginAnswer
from deskbell_server.errors import RefusedError
from deskbell_server.people import tickets
from deskbell_server.people.accounts import KNOWN_S
from deskbell_server.people.devices import Devices
from deskbell_server.people.tickets import Tickets
from deskbell_server.principals import Principal
from deskbell_server.transport import origins

SESSION_COOKIE = "deskbell_session"
ADMIN_COOKIE = "deskbell_admin"
KNOWN_COOKIE = "deskbell_known"
HOST, SECURE = "__Host-", "__Secure-"
"""Before a cookie's name (RFC 6265bis): browsers take it over TLS only, the first from this very host for all of it."""
SESSION_S = 90 * 86_400.0
BETWEEN = "~"
CONFIRMED_S = 30 * 60.0
"""How long an admin's password, typed again, opens the admin page."""
SAFE = ("GET", "HEAD")


@dataclass(frozen=True, slots=True)
class Browser:
    """The cookie holds the token of the browser's own device, so that revoking the device ends the session.

    Beside it stands a ticket, so that the session also ends in time where somebody keeps cookies for ever.
    """

    devices: Devices
    tickets: Tickets
    allowed_origins: tuple[str, ...]

    def principal(self) -> Principal:
        """Whose session it is. To change something, the page's CSRF token and origin must be right too."""
        principal = self.signed_in()
        if request.method not in SAFE:
            self.check_origin()
            sent = request.headers.get("X-CSRF-Token", "")
            if not sent.isascii() or not hmac.compare_digest(sent, self.csrf(principal)):
                raise RefusedError(Code.FORBIDDEN, "the page's token is missing or another session's: load it again")
        return principal

    def signed_in(self) -> Principal:
        """Whose session it is, whatever came beside the cookie."""
        token, _, ticket = cookie(SESSION_COOKIE).partition(BETWEEN)
        principal = self.devices.identify(token)
        if self.tickets.subject(tickets.SESSION, ticket, bound=token) != principal.device_id:
            raise RefusedError(Code.UNAUTHORIZED, "this session has ended: sign in again")
        return principal

    def admin(self) -> Principal:
        """The same for an admin who has typed the password again lately."""
        principal = self.principal()
        if not principal.is_admin:
            raise RefusedError(Code.FORBIDDEN, "only admins may do this")
        if not self.is_confirmed(principal):
            raise RefusedError(Code.UNAUTHORIZED, "confirm with your password first")
        return principal

    def is_confirmed(self, principal: Principal) -> bool:
        return self.tickets.subject(tickets.ADMIN, cookie(ADMIN_COOKIE)) == principal.device_id

    def csrf(self, principal: Principal) -> str:
        return self.tickets.mark(tickets.CSRF, principal.device_id)

    def check_origin(self) -> None:
        """A browser tells which page sent a request that changes something; only our own may."""
        origin = request.headers.get("Origin")
        if not origin or not origins.allowed(origin, request.host, self.allowed_origins):
            raise RefusedError(Code.FORBIDDEN, "this request came from another site")

    def begin(self, response: Response, signed_in: LoginAnswer) -> None:
        ticket = self.tickets.make(tickets.SESSION, signed_in.device.id, SESSION_S, bound=signed_in.token)
        _put(response, SESSION_COOKIE, signed_in.token + BETWEEN + ticket, "/", round(SESSION_S))
        _put(response, KNOWN_COOKIE, signed_in.known, "/web", round(KNOWN_S))

    def known(self) -> str:
        """What the last sign-in left here; it stays when that session ends."""
        return cookie(KNOWN_COOKIE)

    def confirm(self, response: Response, principal: Principal) -> None:
        ticket = self.tickets.make(tickets.ADMIN, principal.device_id, CONFIRMED_S)
        _put(response, ADMIN_COOKIE, ticket, "/admin", round(CONFIRMED_S))

    def end(self, response: Response) -> None:
        _put(response, SESSION_COOKIE, "", "/", 0)
        _put(response, ADMIN_COOKIE, "", "/admin", 0)


def cookie(name: str) -> str:
    """What this browser keeps under `name`, "" for nothing; over TLS only what nobody without it can have put there."""
    for prefix in (HOST, SECURE):
        if found := request.cookies.get(prefix + name):
            return found
    return "" if request.is_secure else request.cookies.get(name, "")


def _put(response: Response, name: str, value: str, path: str, max_age: int) -> None:
    path = request.script_root + path
    # A proxy brings the TLS more often than this server; the page's origin tells also of one that nobody named.
    secure = request.is_secure or request.headers.get("Origin", "").startswith("https://")
    if secure:
        name = (HOST if path == "/" else SECURE) + name
    response.set_cookie(name, value, max_age=max_age, path=path, secure=secure, httponly=True, samesite="Strict")
