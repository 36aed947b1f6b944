"""The browser's session over plain HTTP, as somebody would try who is not a browser, or is another site's page."""

import http.client
import json
import re
from dataclasses import dataclass, field
from typing import Any

import pytest

from deskbell_server.people.tickets import Tickets
from tests.desk.server import Server
from tests.web.conftest import PASSWORD

OPTIONS = ("--diagnostics",)
COOKIE = "deskbell_session"


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    cookies: dict[str, str]
    body: Any


@dataclass
class Caller:
    """Sends what it is told to, keeps cookies like a browser, but adds no Origin of its own."""

    server: Server
    cookies: dict[str, str] = field(default_factory=dict)

    def call(self, method: str, path: str, body: object = None, **headers: str | None) -> Reply:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=15)
        sent = {"Origin": self.server.url, "Content-Type": "application/json", **_named(headers)}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        data = None if body is None else json.dumps(body).encode()
        connection.request(method, path, data, {name: value for name, value in sent.items() if value is not None})
        answer = connection.getresponse()
        raw = answer.read()
        connection.close()
        set_cookies = [value for name, value in answer.getheaders() if name == "Set-Cookie"]
        found = dict(value.split(";")[0].split("=", 1) for value in set_cookies)
        self.cookies.update(found)
        self.cookies = {name: value for name, value in self.cookies.items() if value}
        body_ = json.loads(raw) if raw and "json" in answer.headers["Content-Type"] else raw
        return Reply(answer.status, dict(answer.getheaders()), dict(_whole(set_cookies)), body_)

    def sign_in(self, name: str, password: str = PASSWORD) -> str:
        """The CSRF token."""
        answer = self.call("POST", "/web/login", {"username": name, "password": password, "device": "a browser"})
        assert answer.status == 200, answer.body
        return str(self.call("GET", "/web/session").body["csrf"])


def _named(headers: dict[str, str | None]) -> dict[str, str | None]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def _whole(set_cookies: list[str]) -> list[tuple[str, str]]:
    return [(value.split("=", 1)[0], value) for value in set_cookies]


@pytest.fixture
def house(house_of_the_module: Server) -> Server:
    return house_of_the_module


@pytest.fixture
def caller(house: Server) -> Caller:
    return Caller(house)


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(caller: Caller) -> None:
    answer = caller.call("POST", "/web/login", {"username": "alex", "password": PASSWORD, "device": "a browser"})
    cookie = answer.cookies[COOKIE]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "Path=/" in cookie
    assert caller.cookies[COOKIE] not in json.dumps(answer.body)
    assert caller.cookies[COOKIE] not in json.dumps(caller.call("GET", "/web/session").body)


FOREIGN = ["https://evil.example", "null", "http://127.0.0.1:1", None, "http://127.0.0.1"]
CHANGING = {
    "/web/login": {"username": "alex", "password": PASSWORD, "device": "evil"},
    "/web/ticket": None,
    "/web/logout": None,
    "/web/password": {"link": "x", "password": PASSWORD},
    "/admin/confirm": {"password": PASSWORD},
}


def test_a_foreign_origin_changes_nothing(caller: Caller) -> None:
    csrf = caller.sign_in("alex")
    for origin in FOREIGN:
        for path, body in CHANGING.items():
            answer = caller.call("POST", path, body, Origin=origin, X_CSRF_Token=csrf)
            assert (origin, path, answer.status, answer.body["code"]) == (origin, path, 403, "forbidden")
            assert answer.cookies == {}
    assert caller.call("GET", "/web/session").body["user"]["name"] == "alex"


def test_without_the_right_csrf_token_nothing_is_given_or_done(caller: Caller, house: Server) -> None:
    caller.sign_in("alex")
    of_another_session = Caller(house).sign_in("alex")
    for csrf in (None, "", "x" * 43, "\u00fc", of_another_session):
        for path in ("/web/ticket", "/web/logout"):
            assert (csrf, caller.call("POST", path, X_CSRF_Token=csrf).status) == (csrf, 403)
    assert caller.call("GET", "/web/session").body["user"]["name"] == "alex"


def test_the_cookie_is_no_token_for_the_api_and_authenticates_no_socket(caller: Caller, house: Server) -> None:
    caller.sign_in("alex")
    assert caller.call("GET", "/api/v1/me").status == 401
    assert caller.call("POST", "/api/v1/messages", {"to": ["maria"], "body": "x"}).status == 401


def test_a_ticket_is_short_lived_and_ends_with_the_session(caller: Caller, house: Server) -> None:
    csrf = caller.sign_in("alex")
    answer = caller.call("POST", "/web/ticket", X_CSRF_Token=csrf)
    ticket = answer.body["ticket"]
    assert answer.body["life_s"] <= 60
    assert house.ask("GET", "/api/v1/me", token=ticket).body["user"]["name"] == "alex"
    name, purpose, until, subject, signature = ticket.split(".")
    later = ".".join((name, purpose, str(int(until) + 1), subject, signature))
    assert house.ask("GET", "/api/v1/me", token=later).status == 401
    forged = ".".join((name, purpose, until, subject, ("A" if signature[0] != "A" else "B") + signature[1:]))
    assert house.ask("GET", "/api/v1/me", token=forged).status == 401
    assert caller.call("POST", "/web/logout", X_CSRF_Token=csrf).status == 204
    assert house.ask("GET", "/api/v1/me", token=ticket).body["code"] == "revoked"


def test_a_stolen_cookie_is_dead_after_signing_out(caller: Caller, house: Server) -> None:
    csrf = caller.sign_in("alex")
    thief = Caller(house, dict(caller.cookies))
    caller.call("POST", "/web/logout", X_CSRF_Token=csrf)
    assert thief.call("GET", "/web/session").body["user"] is None
    assert thief.call("POST", "/web/ticket", X_CSRF_Token=csrf).status == 401


def test_an_expired_cookie_is_dead_though_somebody_kept_it(caller: Caller, house: Server) -> None:
    csrf = caller.sign_in("alex")
    token, _, ticket = caller.cookies[COOKIE].partition("~")
    device = ticket.split(".")[3]
    signing = Tickets((house.data / "web.key").read_bytes())
    name, purpose, until, subject, signature = ticket.split(".")
    later = ".".join((name, purpose, str(int(until) + 1), subject, signature))
    assert signing.subject("session", ticket, bound=token) == device, "made here as the server makes it"
    for bad in ("", signing.make("session", device, -1, bound=token), later, signing.make("session", device, 60)):
        kept = Caller(house, {COOKIE: f"{token}~{bad}" if bad else token})
        assert kept.call("POST", "/web/ticket", X_CSRF_Token=csrf).status == 401
        answer = kept.call("GET", "/web/session")
        assert answer.body["user"] is None
        assert "Max-Age=0" in answer.cookies[COOKIE]
    assert caller.call("GET", "/web/session").body["user"]["name"] == "alex"


def test_an_invented_cookie_is_cleared(caller: Caller) -> None:
    caller.cookies[COOKIE] = "invented"
    answer = caller.call("GET", "/web/session")
    assert answer.body["user"] is None
    assert "Max-Age=0" in answer.cookies[COOKIE]


def test_signing_in_again_ends_the_session_before(caller: Caller, house: Server) -> None:
    living = "SELECT count(*) FROM devices WHERE revoked_at IS NULL"
    caller.sign_in("alex")
    before = house.rows(living)
    thief = Caller(house, dict(caller.cookies))
    caller.sign_in("maria")
    assert thief.call("GET", "/web/session").body["user"] is None
    assert house.rows(living) == before


def test_a_wrong_password_makes_no_session(caller: Caller) -> None:
    answer = caller.call("POST", "/web/login", {"username": "alex", "password": "wrong", "device": "a browser"})
    assert (answer.status, answer.cookies) == (401, {})


PAGES = ["/", "/admin", "/password", "/diagnostics"]


def test_pages_have_a_strict_policy_and_nothing_inline(caller: Caller) -> None:
    for path in PAGES:
        answer = caller.call("GET", path)
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        text = answer.body.decode()
        assert re.findall(r"<script(?![^>]* src=)", text) == []
        assert re.findall(r"<style| style=| on[a-z]+=", text) == []
        assert "//" not in text, "nothing is loaded from elsewhere"


def test_files_are_checked_by_their_etag_and_packed(caller: Caller) -> None:
    answer = caller.call("GET", "/web/js/inbox/main.js", Accept_Encoding="gzip")
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    again = caller.call("GET", "/web/js/inbox/main.js", Accept_Encoding="gzip", If_None_Match=answer.headers["ETag"])
    assert (again.status, again.body) == (304, b"")


def test_a_page_names_its_files_in_a_folder_that_is_kept_for_ever(caller: Caller) -> None:
    """Of another state of the files there is none: what is kept is never of two states at once."""
    for path in PAGES:
        names = re.findall(r'(?:src|href)="(web/[^"]+)"', caller.call("GET", path).body.decode())
        (folder,) = {name.split("/")[1] for name in names}
        for name in names:
            assert caller.call("GET", f"/{name}").headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert caller.call("GET", f"/web/{folder}/../inbox.html").status == 404
    assert caller.call("GET", f"/web/{folder}0/js/inbox/main.js").status == 404
    assert caller.call("GET", "/web/js/inbox/main.js").headers["Cache-Control"] == "no-cache"


def test_nothing_but_the_pages_files_is_served(caller: Caller) -> None:
    for path in ("../app.py", "%2e%2e/%2e%2e/files.py", "inbox.html", "", "js", "etc/passwd", "vendor/../../files.py"):
        assert (path, caller.call("GET", f"/web/{path}").status) == (path, 404)


def test_a_password_link_works_once_and_logs_out_everywhere(caller: Caller, house: Server) -> None:
    caller.sign_in("陈晓明")
    link = house.command("user", "link", "陈晓明").strip().rpartition("#")[2]
    other = Caller(house)
    assert other.call("POST", "/web/password/check", {"link": link}).body == {"name": "陈晓明"}
    short = other.call("POST", "/web/password", {"link": link, "password": "short"})
    assert (short.status, short.body["code"]) == (422, "invalid")
    assert other.call("POST", "/web/password", {"link": link, "password": "another one"}).status == 200
    assert other.call("POST", "/web/password", {"link": link, "password": "a third one"}).status == 404
    assert other.call("POST", "/web/password/check", {"link": link}).status == 404
    assert caller.call("GET", "/web/session").body["user"] is None
    assert house.login("陈晓明", "another one").name == "陈晓明"


def test_an_invented_link_opens_nothing(caller: Caller) -> None:
    for link in ("", "x", "ticket.password.9999999999999.0.x", "ticket.password.x.0.x", "ticket." * 300):
        assert caller.call("POST", "/web/password/check", {"link": link}).status == 404
        assert caller.call("POST", "/web/password", {"link": link, "password": "long enough"}).status == 404
