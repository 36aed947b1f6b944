"""The one-time page: it makes the first admin, once, and gives nothing away. And the page of a wrong address."""

import http.client
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import pytest
from flask import Flask
from flask.testing import FlaskClient

from deskbell_protocol import limits
from deskbell_server.ingest.setup_page import not_found
from tests.desk.server import Server

FORM = {"name": "chief", "display": "The <Chief>", "password": "a good password", "again": "a good password"}

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


def fetch(server: Server, method: str, path: str, form: dict[str, str] | None = None, **headers: str) -> Page:
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)) as connection:
        usual = {"Content-Type": "application/x-www-form-urlencoded"} if form is not None else {}
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, None if form is None else urlencode(form), usual | given)
        response = connection.getresponse()
        return Page(response.status, response.headers, response.read().decode())


def test_the_link_makes_the_first_admin_once(fresh: Server) -> None:
    secret = secret_of(fresh)
    page = fetch(fresh, "GET", f"/setup?secret={secret}")
    assert page.status == 200
    assert f'value="{secret}"' in page.text
    assert f'maxlength="{2 * limits.NAME_CHARS}"' in page.text, "counted in UTF-16 units"
    done = fetch(fresh, "POST", "/setup", FORM | {"secret": secret})
    assert (done.status, done.headers["Location"]) == (303, "admin")
    assert "chief\tThe <Chief>\tadmin" in fresh.command("user", "list")
    assert fresh.login("chief", "a good password")
    for again in (
        fetch(fresh, "GET", f"/setup?secret={secret}"),
        fetch(fresh, "POST", "/setup", FORM | {"secret": secret, "name": "second"}),
    ):
        assert again.status == 404
        assert secret not in again.text
    assert "second" not in fresh.command("user", "list")


@pytest.mark.parametrize("secret", ["", "x", "é", "\x00"])
def test_without_the_secret_there_is_nothing(fresh: Server, secret: str) -> None:
    assert fetch(fresh, "GET", f"/setup?{urlencode({'secret': secret})}").status == 404
    assert fetch(fresh, "POST", "/setup", FORM | {"secret": secret}).status == 404
    assert fresh.command("user", "list") == ""


def test_an_account_made_at_the_terminal_ends_the_link(fresh: Server) -> None:
    fresh.add_user("root", "password of root", "--admin")
    assert fetch(fresh, "GET", f"/setup?secret={secret_of(fresh)}").status == 404
    assert fetch(fresh, "POST", "/setup", FORM | {"secret": secret_of(fresh)}).status == 404


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"again": "something else"}, "differ"),
        ({"password": "short", "again": "short"}, "8 to 1024"),
        ({"name": "a b"}, "name"),
        ({"name": ""}, "name"),
        ({"name": '"><script>alert(1)</script>'}, "name"),
    ],
)
def test_a_mistake_is_explained_in_place_and_nothing_is_made(fresh: Server, change: dict[str, str], says: str) -> None:
    page = fetch(fresh, "POST", "/setup", FORM | change | {"secret": secret_of(fresh)})
    assert page.status == 422
    assert says in page.text
    assert "<script" not in page.text
    assert "The &lt;Chief&gt;" in page.text
    assert FORM["password"] not in page.text
    assert fresh.command("user", "list") == ""


def test_another_site_cannot_send_the_form(fresh: Server) -> None:
    form = FORM | {"secret": secret_of(fresh)}
    assert fetch(fresh, "POST", "/setup", form, Origin="https://evil.example").status == 403
    assert fetch(fresh, "POST", "/setup", form, Origin="null").status == 403
    assert fresh.command("user", "list") == ""
    assert fetch(fresh, "POST", "/setup", form, Origin=f"http://127.0.0.1:{fresh.port}").status == 303


def test_the_page_runs_nothing_loads_nothing_and_tells_no_other_site(fresh: Server) -> None:
    headers = fetch(fresh, "GET", f"/setup?secret={secret_of(fresh)}").headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "script-src" not in policy
    assert "unsafe" not in policy
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("wanted", ["zh-CN,zh;q=0.9,en;q=0.8", "zh-TW", "zh"])
def test_it_speaks_chinese_to_whom_prefers_it(fresh: Server, wanted: str) -> None:
    secret = secret_of(fresh)
    page = fetch(fresh, "GET", f"/setup?secret={secret}", Accept_Language=wanted)
    assert '<html lang="zh-CN">' in page.text
    assert "创建账户" in page.text
    short = FORM | {"secret": secret, "password": "short", "again": "short"}
    assert "不接受此内容：" in fetch(fresh, "POST", "/setup", short, Accept_Language=wanted).text
    assert "已失效" in fetch(fresh, "GET", "/setup?secret=x", Accept_Language=wanted).text


@pytest.mark.parametrize("wanted", ["", "de", "*", "en-GB,zh;q=0.5", "zh;q=0,fr", ";;q=,,"])
def test_it_speaks_english_to_everyone_else(fresh: Server, wanted: str) -> None:
    page = fetch(fresh, "GET", f"/setup?secret={secret_of(fresh)}", Accept_Language=wanted)
    assert page.status == 200
    assert "Make the account" in page.text


def test_a_form_that_is_too_long_is_refused(fresh: Server) -> None:
    assert fetch(fresh, "POST", "/setup", {"secret": "x" * 70_000}).status == 413


def test_the_secret_is_in_no_log(fresh: Server) -> None:
    secret = secret_of(fresh)
    fetch(fresh, "GET", f"/setup?secret={secret}")
    fetch(fresh, "POST", "/setup", FORM | {"secret": secret})
    fresh.stop()
    assert secret not in (fresh.data / "logs" / "server.log").read_text()


def test_a_mistyped_page_is_answered_with_a_page(fresh: Server) -> None:
    page = fetch(fresh, "GET", "/inbx/<b>", Accept=BROWSER)
    assert (page.status, page.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert "<h1>There is no such page</h1>" in page.text
    assert '<a href="/">' in page.text
    assert "<b>" not in page.text
    assert "没有此页面" in fetch(fresh, "GET", "/inbx", Accept=BROWSER, Accept_Language="zh-CN").text


@pytest.mark.parametrize(
    ("path", "accept"),
    [("/api", BROWSER), ("/api/v1/inbx", BROWSER), ("/inbx", ""), ("/inbx", "*/*"), ("/inbx", "application/json")],
)
def test_a_program_at_a_wrong_address_is_answered_in_json(path: str, accept: str) -> None:
    answer = wrong_addresses().get(path, headers={"Accept": accept})
    assert (answer.status_code, answer.json) == (404, {"code": "not_found", "message": "not found"})


def test_the_way_to_the_start_knows_the_folder_of_the_site() -> None:
    page = wrong_addresses().get("/inbx", base_url="http://desk.example.org/bell", headers={"Accept": BROWSER})
    assert '<a href="/bell/">' in page.text


def wrong_addresses() -> FlaskClient:
    app = Flask("wrong")
    app.register_error_handler(404, not_found)
    return app.test_client()
