"""Behind a proxy: whose address counts, whose word is believed, and what the browser's cookie is told."""

import http.client
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import socketio

from deskbell_protocol import PROTOCOL_VERSION
from deskbell_server.errors import SetupError
from deskbell_server.ingest.proxies import Proxies
from tests.desk.processes import wait_for
from tests.desk.server import Login, Server

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
    assert {guess(behind, f"nobody{number}", "192.0.2.1") for number in range(20)} == {401}
    assert guess(behind, "nobody", "192.0.2.1") == 429
    assert guess(behind, "nobody", "203.0.113.9, 192.0.2.1") == 429
    assert guess(behind, "nobody", "192.0.2.2") == 401


@pytest.mark.parametrize("transport", ["websocket", "polling"])
def test_a_sockets_address_is_the_clients(behind: Server, log_in: LogIn, transport: str) -> None:
    one = socketio.Client(reconnection=False, handle_sigint=False)
    auth = {"v": PROTOCOL_VERSION, "token": log_in(behind, "bob").token, "client": "tests/1"}
    one.connect(behind.url, auth=auth, transports=[transport], headers={"X-Forwarded-For": "192.0.2.7"})
    one.disconnect()
    log = behind.data / "logs" / "server.log"
    wait_for(lambda: " from 192.0.2.7, " in log.read_text(), "the address in the log", 5)


@pytest.mark.parametrize("headers", [{"Origin": "https://{}"}, {"Origin": "http://{}", "X-Forwarded-Proto": "https"}])
def test_behind_tls_the_session_stays_there(behind: Server, headers: dict[str, str]) -> None:
    cookies = sign_in(behind, headers)
    assert len(cookies) == 3
    assert all("; Secure" in cookie for cookie in cookies)


def test_over_plain_http_the_session_is_kept_too(behind: Server) -> None:
    cookies = sign_in(behind, {"Origin": "http://{}"})
    assert len(cookies) == 3
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
