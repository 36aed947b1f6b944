"""Makes the first admin, once, for whoever has the link that the first start prints; the page lands on the admin page.

The link dies with its use, after a quarter of an hour, and with any account that is made.
"""

import hmac
import time
from dataclasses import dataclass, field
from typing import Annotated

from flask import Blueprint, Response
from msgspec import Meta

from deskbell_protocol import limits
from deskbell_protocol.errors import Code
from deskbell_protocol.wire import Incoming, Login
from deskbell_server.edge.gate import Needs, answer, body_as, needs
from deskbell_server.errors import RefusedError
from deskbell_server.people.accounts import Accounts
from deskbell_server.web.browser import Browser
from deskbell_server.web.session import Session

LIFE_S = 15 * 60.0
DEVICE = "Browser of the set-up"


class Link(Incoming, frozen=True):
    secret: str


class First(Link, frozen=True, kw_only=True):
    name: str
    password: Annotated[str, Meta(max_length=limits.PASSWORD_CHARS_MAX)]
    display: str = ""


@dataclass(slots=True)
class Setup:
    """The secret in the link proves that one can read the server's terminal. It comes in the body, and only from a page
    of our own, so no other site can send it."""

    accounts: Accounts
    browser: Browser
    session: Session
    secret: str
    _until: float = field(default_factory=lambda: time.monotonic() + LIFE_S)

    def blueprint(self) -> Blueprint:
        found = Blueprint("setup", __name__)
        found.add_url_rule("/setup/check", "check", self.check, methods=["POST"])
        found.add_url_rule("/setup", "make", self.make, methods=["POST"])
        return found

    def link(self) -> str | None:
        """Path and query; None when there is an account already."""
        return None if self.accounts.exist() else f"/setup?secret={self.secret}"

    @needs(Needs.NOTHING)
    def check(self) -> Response:
        self._expect(body_as(Link))
        return answer({})

    @needs(Needs.NOTHING)
    def make(self) -> Response:
        """Answers signed in, and confirmed by the password."""
        self.browser.check_origin()
        asked = body_as(First)
        self._expect(asked)
        try:
            party = self.accounts.add(asked.name, asked.password, display=asked.display, admin=True, first=True)
        except RefusedError as refused:
            if refused.code is Code.FORBIDDEN:  # somebody was quicker
                raise _gone() from refused
            raise
        self._until = 0.0
        response = answer({"name": party.name}, 201)
        self.session.enter(response, Login(username=party.name, password=asked.password, device=DEVICE))
        return response

    def _expect(self, link: Link) -> None:
        matches = hmac.compare_digest(link.secret.encode(), self.secret.encode())
        if not (matches and time.monotonic() < self._until and not self.accounts.exist()):
            raise _gone()


def _gone() -> RefusedError:
    return RefusedError(Code.NOT_FOUND, "this link works no longer")
