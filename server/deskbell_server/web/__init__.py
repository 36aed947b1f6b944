"""The web door: pages, the browser's session behind them, administration, diagnostics. `install` is all of it."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from flask import Flask

from deskbell_server.delivery.presence import Presence
from deskbell_server.edge.gate import Needs
from deskbell_server.errors import SetupError
from deskbell_server.messaging.messages import Messages
from deskbell_server.people.people import People
from deskbell_server.principals import Principal
from deskbell_server.transport import Transport
from deskbell_server.web.admin import Admin
from deskbell_server.web.browser import Browser
from deskbell_server.web.diagnostics import LOOPBACK, Diagnostics
from deskbell_server.web.files import Files
from deskbell_server.web.session import Session
from deskbell_server.web.setup import Setup

__all__ = ["Web", "check_diagnostics"]

OFF = "off"
OPEN = "open"


@dataclass(frozen=True, slots=True)
class Web:
    """`diagnostics` is "off", "admin" or "open"."""

    people: People
    messages: Messages
    presence: Presence
    transport: Transport
    allowed_origins: tuple[str, ...]
    polling: bool
    diagnostics: str

    def browser(self) -> Browser:
        return Browser(self.people.devices, self.people.tickets, self.allowed_origins)

    def sessions(self) -> dict[Needs, Callable[[], Principal]]:
        """How the gate finds out whose session a request belongs to."""
        browser = self.browser()
        return {Needs.SESSION: browser.principal, Needs.ADMIN: browser.admin}

    def _session(self) -> Session:
        return Session(self.people, self.browser(), self.polling, self.diagnostics != OFF)

    def install(self, app: Flask) -> None:
        browser, has_diagnostics = self.browser(), self.diagnostics != OFF
        admin = Admin(self.people, self.messages, self.presence, browser, has_diagnostics)
        for blueprint in (Files(has_diagnostics).blueprint(), self._session().blueprint(), admin.blueprint()):
            app.register_blueprint(blueprint)
        if has_diagnostics:
            found = Diagnostics(self.transport, self.people.devices, browser, self.diagnostics == OPEN, self.polling)
            found.register()
            app.register_blueprint(found.blueprint())

    def setup(self, secret: str = "") -> Setup:
        """Of the first account; `secret` is what the other processes of this server know too, if there are any."""
        return Setup(self.people.accounts, self.browser(), self._session(), secret or secrets.token_urlsafe(24))


def check_diagnostics(diagnostics: str, host: str) -> None:
    """Open to whoever comes is only for this machine itself."""
    if diagnostics == OPEN and host not in LOOPBACK:
        raise SetupError(f"--diagnostics=open lets in whoever comes: it needs --host 127.0.0.1, not {host}")
