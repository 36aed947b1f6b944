"""What a page asks by cookie: who it is, signing in and out, a ticket for its socket, and a password by link."""

from dataclasses import dataclass

from flask import Blueprint, Response, request
from msgspec.structs import replace

from deskbell_protocol.errors import Code
from deskbell_protocol.wire import Incoming, Login, LoginAnswer
from deskbell_server.edge.gate import Needs, answer, body_as, caller, needs
from deskbell_server.errors import RefusedError
from deskbell_server.people.people import People
from deskbell_server.web.browser import SESSION_COOKIE, Browser, cookie

TICKET_S = 60.0
"""Long enough to connect with, too short to be worth stealing."""


class PasswordLink(Incoming, frozen=True):
    link: str


class NewPassword(Incoming, frozen=True):
    link: str
    password: str


@dataclass(frozen=True, slots=True)
class Session:
    people: People
    browser: Browser
    polling: bool
    diagnostics: bool

    def blueprint(self) -> Blueprint:
        found = Blueprint("web_session", __name__, url_prefix="/web")
        for rule, method, view in (
            ("/session", "GET", self.session),
            ("/login", "POST", self.login),
            ("/logout", "POST", self.logout),
            ("/ticket", "POST", self.ticket),
            ("/password/check", "POST", self.check_link),
            ("/password", "POST", self.choose_password),
        ):
            found.add_url_rule(rule, view.__name__, view, methods=[method])
        return found

    @needs(Needs.NOTHING)
    def session(self) -> Response:
        """Who this browser is signed in as, with the page's CSRF token; another site cannot read the answer."""
        return describe(self.browser, polling=self.polling, diagnostics=self.diagnostics)

    @needs(Needs.NOTHING)
    def login(self) -> Response:
        self.browser.check_origin()
        signed_in = self._signed_in(body_as(Login))
        self._leave()
        response = answer({"user": signed_in.user})
        self.browser.end(response)
        self.browser.begin(response, signed_in)
        return response

    def enter(self, response: Response, who: Login) -> None:
        """Signs in beside `response`, and confirms: the password was typed just now."""
        signed_in = self._signed_in(who)
        self.browser.begin(response, signed_in)
        self.browser.confirm(response, self.people.devices.identify(signed_in.token))

    def _signed_in(self, who: Login) -> LoginAnswer:
        return self.people.accounts.login(replace(who, known=self.browser.known()), request.remote_addr or "")

    @needs(Needs.SESSION)
    def logout(self) -> Response:
        principal = caller()
        self.people.devices.revoke(principal.device_id, principal.user_id)
        response = Response(status=204)
        self.browser.end(response)
        response.headers["Clear-Site-Data"] = '"cache"'
        return response

    @needs(Needs.SESSION)
    def ticket(self) -> Response:
        return answer({"ticket": self.people.devices.ticket(caller(), TICKET_S), "life_s": TICKET_S})

    @needs(Needs.NOTHING)
    def check_link(self) -> Response:
        return answer({"name": self.people.accounts.linked(body_as(PasswordLink).link).name})

    @needs(Needs.NOTHING)
    def choose_password(self) -> Response:
        self.browser.check_origin()
        request_ = body_as(NewPassword)
        return answer({"name": self.people.accounts.use_link(request_.link, request_.password).name})

    def _leave(self) -> None:
        """The session that this browser had ends with the new one: it shall not fill the person's list of devices."""
        try:
            before = self.browser.signed_in()
        except RefusedError:
            return
        try:
            self.people.devices.revoke(before.device_id, before.user_id)
        except RefusedError as refused:
            if refused.code is not Code.NOT_FOUND:
                raise


def describe(browser: Browser, **more: bool) -> Response:
    """`user` is null when nobody is signed in."""
    try:
        principal = browser.principal()
    except RefusedError as refused:
        if refused.code not in (Code.UNAUTHORIZED, Code.REVOKED):
            raise
        response = answer({"user": None, **more})
        if cookie(SESSION_COOKIE):
            browser.end(response)
        return response
    found = {"user": principal.party, "admin": principal.is_admin, "device": principal.device_id}
    return answer({**found, "csrf": browser.csrf(principal), "confirmed": browser.is_confirmed(principal), **more})
