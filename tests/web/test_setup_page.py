"""The one-time page: it makes the first admin, once, and gives nothing away. And the page of a wrong address."""

import http.client
import json
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from deskbell_server.web.files import Files
from tests.desk.server import Server

SETUP = {"name": "chief", "display": "The <Chief>", "password": "a good password"}

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


@dataclass(frozen=True)
class Page:
    status: int
    headers: http.client.HTTPMessage
    text: str


@pytest.fixture
def fresh(folder: Path) -> Iterator[Server]:
    with Server(folder) as own:
        yield own.start()


def secret_of(server: Server) -> str:
    found = server.process.wait_until(
        lambda: re.search(r"/setup\?secret=([\w-]+) ", server._log.read_text()), "the link to be printed"
    )
    assert found
    return found[1]


def fetch(server: Server, method: str, path: str, body: dict[str, str] | None = None, **headers: str) -> Page:
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)) as connection:
        usual = {"Origin": server.url, **({} if body is None else {"Content-Type": "application/json"})}
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, None if body is None else json.dumps(body), usual | given)
        response = connection.getresponse()
        return Page(response.status, response.headers, response.read().decode())


def check(server: Server, secret: str) -> int:
    return fetch(server, "POST", "/setup/check", {"secret": secret}).status


def make(server: Server, secret: str, **change: str) -> Page:
    return fetch(server, "POST", "/setup", SETUP | change | {"secret": secret})


def test_the_link_makes_the_first_admin_once_and_signs_in(fresh: Server) -> None:
    secret = secret_of(fresh)
    assert check(fresh, secret) == 200
    done = make(fresh, secret)
    assert (done.status, json.loads(done.text)) == (201, {"name": "chief"})
    cookies = {cookie.partition("=")[0] for cookie in done.headers.get_all("Set-Cookie", [])}
    assert {"deskbell_session", "deskbell_admin"} <= cookies
    assert "chief\tThe <Chief>\tadmin" in fresh.command("user", "list")
    assert fresh.login("chief", "a good password")
    assert check(fresh, secret) == 404
    assert make(fresh, secret, name="second").status == 404
    assert "second" not in fresh.command("user", "list")


@pytest.mark.parametrize("secret", ["", "x", "é", "\x00"])
def test_without_the_secret_there_is_nothing(fresh: Server, secret: str) -> None:
    assert (check(fresh, secret), make(fresh, secret).status) == (404, 404)
    assert fresh.command("user", "list") == ""


def test_an_account_made_at_the_terminal_ends_the_link(fresh: Server) -> None:
    fresh.add_user("root", "password of root", "--admin")
    secret = secret_of(fresh)
    assert (check(fresh, secret), make(fresh, secret).status) == (404, 404)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"password": "short"}, "8 to 1024"),
        ({"name": "a b"}, "name"),
        ({"name": ""}, "name"),
        ({"name": '"><script>alert(1)</script>'}, "name"),
    ],
)
def test_a_mistake_is_explained_and_nothing_is_made(fresh: Server, change: dict[str, str], says: str) -> None:
    secret = secret_of(fresh)
    refused = make(fresh, secret, **change)
    assert refused.status == 422
    assert says in json.loads(refused.text)["message"]
    assert fresh.command("user", "list") == ""
    assert check(fresh, secret) == 200


def test_another_site_cannot_send_it(fresh: Server) -> None:
    body = SETUP | {"secret": secret_of(fresh)}
    for origin in ("https://evil.example", "null", ""):
        assert fetch(fresh, "POST", "/setup", body, Origin=origin).status == 403
    assert fetch(fresh, "POST", "/setup", body, Content_Type="text/plain").status == 400
    assert fresh.command("user", "list") == ""
    assert fetch(fresh, "POST", "/setup", body).status == 201


def test_the_page_is_kept_nowhere_and_tells_no_other_site(fresh: Server) -> None:
    page = fetch(fresh, "GET", f"/setup?secret={secret_of(fresh)}")
    policy = page.headers["Content-Security-Policy"]
    assert (page.status, "default-src 'none'" in policy, "frame-ancestors 'none'" in policy) == (200, True, True)
    assert "unsafe" not in policy
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["Cache-Control"] == "no-store"


def test_what_is_too_long_is_refused(fresh: Server) -> None:
    assert make(fresh, "x" * 70_000).status == 413


def test_the_secret_is_in_no_log(fresh: Server) -> None:
    secret = secret_of(fresh)
    fetch(fresh, "GET", f"/setup?secret={secret}")
    make(fresh, secret)
    fresh.stop()
    assert secret not in (fresh.data / "logs" / "server.log").read_text()


def test_a_mistyped_page_is_answered_with_a_page(fresh: Server) -> None:
    page = fetch(fresh, "GET", "/inbx/<b>", Accept=BROWSER)
    assert (page.status, page.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert re.search(r' src="/web/~\w+/js/missing/main\.js"', page.text)
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "<b>" not in page.text


@pytest.mark.parametrize(
    ("path", "accept"),
    [("/api", BROWSER), ("/api/v1/inbx", BROWSER), ("/inbx", ""), ("/inbx", "*/*"), ("/inbx", "application/json")],
)
def test_a_program_at_a_wrong_address_is_answered_in_json(path: str, accept: str) -> None:
    answer = wrong_addresses().get(path, headers={"Accept": accept})
    assert (answer.status_code, answer.json) == (404, {"code": "not_found", "message": "not found"})


def test_the_way_to_the_start_knows_the_folder_of_the_site() -> None:
    page = wrong_addresses().get("/inbx", base_url="http://desk.example.org/bell", headers={"Accept": BROWSER})
    assert re.search(r' src="/bell/web/~\w+/js/missing/main\.js"', page.text)


def wrong_addresses() -> FlaskClient:
    app = Flask("wrong")
    app.register_blueprint(Files(diagnostics=False).blueprint())
    return app.test_client()
