"""Behind a proxy: whose address counts, whose word is believed, and what the browser's cookie is told."""

import http.client
import json
import shutil
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from deskbell_protocol import PROTOCOL_VERSION
from deskbell_server.edge.proxies import Proxies
from deskbell_server.errors import SetupError
from deskbell_server.people.guessing import FAILURES
from deskbell_server.transport import Options
from deskbell_server.transport.newcomers import SHARE
from tests.conftest import require
from tests.desk.processes import Child, can_connect, free_port, wait_for
from tests.desk.server import Login, Server
from tests.server.conftest import PASSWORDS
from tests.server.ingest.test_guessing import AT_ONCE, SLOW, at_once
from tests.server.transport.raw import Raw
from tests.server.wires import StockClient

LogIn = Callable[[Server, str], Login]
TRUSTED = Proxies.named(("127.0.0.1", "::1", "10.1.0.0/16"))


def seen_through(peer: str, **headers: str) -> tuple[Any, Any]:
    """The client's address and scheme."""
    environ = {"REMOTE_ADDR": peer, "wsgi.url_scheme": "http", **headers}
    TRUSTED.see_through(environ)
    return environ["REMOTE_ADDR"], environ["wsgi.url_scheme"]


@pytest.mark.parametrize(
    ("peer", "forwarded", "seen"),
    [
        ("127.0.0.1", "192.0.2.7", "192.0.2.7"),
        ("::1", "2001:db8::7", "2001:db8::7"),
        ("::ffff:127.0.0.1", "192.0.2.7", "192.0.2.7"),
        ("127.0.0.1", "203.0.113.1, 192.0.2.7", "192.0.2.7"),
        ("127.0.0.1", "192.0.2.7,10.1.2.3", "192.0.2.7"),
        ("127.0.0.1", "192.0.2.7, nonsense", "127.0.0.1"),
        ("127.0.0.1", "192.0.2.7:5123", "192.0.2.7"),
        ("127.0.0.1", "[2001:db8::7]:443", "2001:db8::7"),
        ("127.0.0.1", "192.0.2.7, , 10.1.2.3", "10.1.2.3"),
        ("127.0.0.1", "10.1.2.3", "10.1.2.3"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("198.51.100.1", "192.0.2.7", "198.51.100.1"),
        ("10.2.0.1", "192.0.2.7", "10.2.0.1"),
        ("", "192.0.2.7", ""),
    ],
)
def test_the_client_is_the_last_who_is_no_proxy_of_ours(peer: str, forwarded: str, seen: str) -> None:
    assert seen_through(peer, HTTP_X_FORWARDED_FOR=forwarded) == (seen, "http")


@pytest.mark.parametrize(
    ("peer", "proto", "scheme"),
    [
        ("127.0.0.1", "https", "https"),
        ("127.0.0.1", "http, HTTPS", "https"),
        ("127.0.0.1", "https, http", "http"),
        ("127.0.0.1", "", "http"),
        ("198.51.100.1", "https", "http"),
    ],
)
def test_the_scheme_is_what_the_nearest_proxy_says(peer: str, proto: str, scheme: str) -> None:
    assert seen_through(peer, HTTP_X_FORWARDED_PROTO=proto) == (peer, scheme)


def test_a_proxy_that_is_no_address_is_refused(folder: Path) -> None:
    for name in ("desk.example.org", "127.0.0.1/8", ""):
        with pytest.raises(SetupError, match="--trusted-proxy"):
            Proxies.named((name,))
    with pytest.raises(RuntimeError, match="Error: --trusted-proxy"):
        Server(folder).command("serve", "--port", "0", "--trusted-proxy", "nonsense")


@pytest.fixture
def behind(folder: Path, furnished: Path) -> Iterator[Server]:
    """A server of the test's own, as behind a proxy on this machine."""
    with Server(folder, "--polling", "--trusted-proxy", "127.0.0.1") as own:
        shutil.copytree(furnished, own.data)
        yield own.start()


def guess(server: Server, name: str, address: str) -> int:
    wrong = {"username": name, "password": "not this one", "device": "d"}
    return server.ask("POST", "/api/v1/login", wrong, **{"X-Forwarded-For": address}).status


def test_who_guesses_through_the_proxy_waits_alone(behind: Server) -> None:
    said = ["192.0.2.1", "203.0.113.9, 192.0.2.1"] * AT_ONCE
    found = at_once(lambda n: guess(behind, f"nobody{n}", said[n]))
    assert set(found) == {401, 429}
    assert found[401] <= FAILURES.burst + SLOW
    assert guess(behind, "nobody", "192.0.2.2") == 401


@pytest.mark.parametrize("transport", ["websocket", "polling"])
def test_a_sockets_address_is_the_clients(behind: Server, log_in: LogIn, transport: str) -> None:
    one = StockClient()
    auth = {"v": PROTOCOL_VERSION, "token": log_in(behind, "bob").token, "client": "tests/1"}
    one.connect(behind.url, auth=auth, transports=[transport], headers={"X-Forwarded-For": "192.0.2.7"})
    one.disconnect()
    log = behind.data / "logs" / "server.log"
    wait_for(lambda: " from 192.0.2.7, " in log.read_text(), "the address in the log", 5)


def test_one_address_takes_a_quarter_of_the_room_for_those_who_have_not_signed_in(behind: Server) -> None:
    """The first gives way where the machine is so slow that it has waited for two seconds."""
    quarter = Options().waiting_max // SHARE
    with ExitStack() as open_:
        taken = [open_.enter_context(Raw(behind.port)) for _ in range(quarter + 1)]
        answers = [one.upgrade(X_Forwarded_For="192.0.2.1") for one in taken]
        assert answers[:quarter] == [101] * quarter
        assert answers[quarter] == 503 or taken[0].ended_within(5)
        assert open_.enter_context(Raw(behind.port)).upgrade(X_Forwarded_For="192.0.2.2") == 101


@pytest.mark.parametrize("headers", [{"Origin": "https://{}"}, {"Origin": "http://{}", "X-Forwarded-Proto": "https"}])
def test_behind_tls_the_session_stays_there(behind: Server, headers: dict[str, str]) -> None:
    cookies = sign_in(behind, headers)
    assert {cookie.partition("deskbell")[0] for cookie in cookies if "Path=/;" in cookie} == {"__Host-"}
    assert {cookie.partition("deskbell")[0] for cookie in cookies if "Path=/;" not in cookie} == {"__Secure-"}
    assert all("; Secure" in cookie for cookie in cookies)


def test_over_plain_http_the_session_is_kept_too(behind: Server) -> None:
    cookies = sign_in(behind, {"Origin": "http://{}"})
    assert {cookie.partition("_")[0] for cookie in cookies} == {"deskbell"}
    assert not any("Secure" in cookie for cookie in cookies)


def sign_in(server: Server, headers: dict[str, str]) -> list[str]:
    who = f"127.0.0.1:{server.port}"
    body = json.dumps({"username": "bob", "password": "battery staple 2", "device": "browser"})
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)) as connection:
        sent = {name: value.format(who) for name, value in headers.items()}
        connection.request("POST", "/web/login", body, {"Content-Type": "application/json", **sent})
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        return answer.headers.get_all("Set-Cookie") or []


NGINX = """
daemon off;
pid {folder}/pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
    uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    server {{
        listen 127.0.0.1:{port};
        location /bell/ {{
            proxy_pass http://127.0.0.1:{behind}/;
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Prefix /bell;
        }}
    }}
}}
"""


@pytest.fixture
def below(behind: Server, folder: Path) -> Iterator[str]:
    """The address of a folder of an nginx, in which the server is."""
    require("nginx")
    port = free_port()
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port, behind=behind.port))
    with Child(["nginx", "-c", folder / "nginx.conf", "-e", "stderr"], folder / "nginx.log") as nginx:
        nginx.wait_until(lambda: can_connect(port), "nginx")
        yield f"http://127.0.0.1:{port}/bell"


@pytest.mark.real
def test_an_admin_is_confirmed_below_a_prefix(below: str) -> None:
    """With a client that keeps cookies, and their paths, like a browser."""
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())

    def call(path: str, body: object = None, csrf: str = "") -> Any:
        data = None if body is None else json.dumps(body).encode()
        origin = below.removesuffix("/bell")
        headers = {"Content-Type": "application/json", "Origin": origin, "X-CSRF-Token": csrf}
        with opener.open(urllib.request.Request(below + path, data, headers), timeout=10) as answer:
            return json.loads(answer.read())

    call("/web/login", {"username": "alice", "password": PASSWORDS["alice"], "device": "browser"})
    csrf = call("/web/session")["csrf"]
    call("/admin/confirm", {"password": PASSWORDS["alice"]}, csrf)
    assert call("/admin/session")["confirmed"]
    assert {user["name"] for user in call("/admin/api/users")["users"]} == set(PASSWORDS)


@pytest.mark.parametrize(("peer", "prefix", "seen"), [
    ("127.0.0.1", "/bell", "/bell"), ("127.0.0.1", "/a/b/", "/a/b"), ("127.0.0.1", "/", ""), ("127.0.0.1", "bell", ""),
    ("127.0.0.1", "/a; Domain=x", ""), ("127.0.0.1", "//evil.test", ""), ("192.0.2.1", "/bell", ""),
])  # fmt: skip
def test_a_prefix_is_a_path_that_a_proxy_of_ours_names(peer: str, prefix: str, seen: str) -> None:
    environ: dict[str, Any] = {"REMOTE_ADDR": peer, "SCRIPT_NAME": "", "HTTP_X_FORWARDED_PREFIX": prefix}
    TRUSTED.see_through(environ)
    assert environ["SCRIPT_NAME"] == seen
