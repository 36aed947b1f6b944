"""Whatever answers at the address: a plain sentence, no token for strangers, and the next attempt follows."""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from websockets.sync.server import ServerConnection
from yarl import URL

from deskbell_desktop.core import effects as do
from deskbell_desktop.core import events as on
from deskbell_desktop.core import text
from deskbell_desktop.core.account import SignInFailed
from deskbell_desktop.core.words import Words
from deskbell_desktop.io import results
from deskbell_desktop.io.address import parse_address
from deskbell_desktop.io.connection import Backoff
from deskbell_desktop.io.http import Explain
from deskbell_desktop.io.intake import STRETCH, WAITING_MAX, Intake
from deskbell_desktop.io.network import Network
from deskbell_desktop.io.problems import AddressError
from deskbell_desktop.io.proxy import proxy_for
from deskbell_desktop.io.socket import Ending
from deskbell_desktop.io.wire_json import WireJson
from deskbell_protocol import limits, wire
from deskbell_protocol.errors import Code
from deskbell_protocol.ids import new_id
from tests.desk.processes import free_port, wait_for
from tests.desktop.io.conftest import Certificates, NetworkMaker, Posts
from tests.desktop.io.hostile import OPEN, Seen, connect_proxy, http_server, let_in, listen, socket_server

TOKEN = "the-token-of-this-test-0123456789"
PASSWORD = "the password of this test"
WORDS = Words()


def problem_of_login(network: Network, posts: Posts, url: str, *, plain: bool = False) -> str:
    network.login(url, "maria", PASSWORD, allow_plain_http=plain)
    return posts.next(SignInFailed, timeout=20).problem


def host(url: str) -> str:
    return url.split("//")[1]


# -- signing in ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, b""), (200, b"<html>hello</html>"), (404, b"<html>not found</html>"), (200, b'{"token": 7}'), (201, b"[]")],
)
def test_something_else_answers(network: Network, posts: Posts, status: int, body: bytes) -> None:
    with http_server(status, body, {"Content-Type": "text/html"}) as seen:
        assert problem_of_login(network, posts, seen.url) == WORDS.not_deskbell(seen.url)


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_proxy_without_its_server(network: Network, posts: Posts, status: int) -> None:
    with http_server(status, b"<html>bad gateway</html>") as seen:
        assert problem_of_login(network, posts, seen.url) == WORDS.gateway(host(seen.url), status)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_shown_and_not_followed(network: Network, posts: Posts, status: int) -> None:
    with http_server(200, b"{}") as thief, http_server(status, b"", {"Location": thief.url + "/x"}) as seen:
        assert problem_of_login(network, posts, seen.url) == WORDS.redirected(host(seen.url), thief.url + "/x")
        assert thief.requests == []


EVIL = "\u202e<b>evil</b>\u2066" + "x" * 10_000


def test_the_address_of_a_redirect_is_cleaned(network: Network, posts: Posts) -> None:
    target = f"http://thief.test/{EVIL}".encode().decode("latin-1")
    with http_server(302, b"", {"Location": target[:5000]}) as seen:
        problem = problem_of_login(network, posts, seen.url)
        network.open(seen.url, TOKEN)
        assert posts.next(on.LinkDown).problem == problem
    assert problem == text.one_line(problem, 500)
    assert "http://thief.test/<b>evil</b>xxx" in problem


def test_names_in_answers_are_cleaned(network: Network, posts: Posts) -> None:
    evil = wire.Party("u1", EVIL, EVIL)
    answer = {"token": TOKEN, "user": evil, "device": wire.Device("d", EVIL), "server": {"id": "5" * 32}}
    with http_server(200, msgspec.json.encode(answer | {"users": [evil]})) as seen:
        network.login(seen.url, "maria", PASSWORD, allow_plain_http=False)
        user = posts.next(results.LoginSucceeded).account.user
        network.search(seen.url, TOKEN, "e")
        (found,) = posts.next(results.PeopleFound).people or ()
    assert user == found
    assert found.name == text.one_line(EVIL, limits.NAME_CHARS + 1)
    assert found.display == text.one_line(EVIL, limits.DISPLAY_CHARS)


def test_an_endless_answer_is_cut(network: Network, posts: Posts) -> None:
    with http_server(200, b" " * (2 << 20)) as seen:
        assert problem_of_login(network, posts, seen.url) == WORDS.not_deskbell(seen.url)


def test_an_error_of_deskbell_is_said_in_our_words(network: Network, posts: Posts) -> None:
    with http_server(429, b'{"code": "rate_limited", "message": "Wait a minute."}', {"Retry-After": "60"}) as seen:
        assert problem_of_login(network, posts, seen.url) == WORDS.too_fast(60)


def test_nobody_is_there(network: Network, posts: Posts) -> None:
    port = free_port()
    assert problem_of_login(network, posts, f"http://127.0.0.1:{port}") == WORDS.nothing_listens(f"127.0.0.1:{port}")


def test_nobody_has_that_name(network: Network, posts: Posts) -> None:
    problem = problem_of_login(network, posts, "https://no-such-desk.invalid")
    assert problem == WORDS.unknown_host("no-such-desk.invalid")


def test_a_server_that_hangs_up(network: Network, posts: Posts) -> None:
    with _tcp_server(b"") as port:
        assert problem_of_login(network, posts, f"http://127.0.0.1:{port}") == WORDS.broke_off(f"127.0.0.1:{port}")


def test_a_server_that_speaks_something_else(network: Network, posts: Posts) -> None:
    with _tcp_server(b"220 mail.example.org ESMTP\r\n") as port:
        problem = problem_of_login(network, posts, f"http://127.0.0.1:{port}")
        assert problem == WORDS.not_deskbell(f"http://127.0.0.1:{port}")


@pytest.mark.parametrize("typed", ["", "   ", "ftp://a", "https://", "http://user@host", "https://a b", "https://a?b"])
def test_what_is_no_address(network: Network, posts: Posts, typed: str) -> None:
    assert problem_of_login(network, posts, typed) == WORDS.no_address(typed.strip())


# -- TLS ----------------------------------------------------------------------------------------------------------


def _tls(certificate: object) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(str(certificate))
    return context


def test_an_unknown_authority_is_refused_before_anything_is_sent(
    network: Network, posts: Posts, certificates: Certificates
) -> None:
    with http_server(200, b"{}", tls=_tls(certificates.localhost)) as seen:
        problem = problem_of_login(network, posts, seen.url)
        untrusted = WORDS.bad_certificate(host(seen.url), WORDS.certificate_untrusted())
        assert problem == f"{untrusted} {WORDS.own_authority()}"
        network.open(seen.url, TOKEN)
        assert posts.next(on.LinkDown) == on.LinkDown(problem, grave=True)
        assert seen.requests == []


@pytest.fixture
def strict(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every context begins as Python 3.13 and later make it."""
    make = ssl.create_default_context

    def make_strict(**options: Any) -> ssl.SSLContext:
        context = make(**options)
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        return context

    monkeypatch.setattr(ssl, "create_default_context", make_strict)


@pytest.mark.usefixtures("strict")
def test_an_authority_of_ones_own_is_trusted_though_it_is_an_older_one(
    make_network: NetworkMaker, posts: Posts, certificates: Certificates
) -> None:
    network = make_network(certificates.authority)
    with http_server(404, b"", tls=_tls(certificates.localhost)) as seen:
        assert problem_of_login(network, posts, seen.url) == WORDS.not_deskbell(seen.url)
        assert PASSWORD in seen.all


@pytest.mark.usefixtures("strict")
def test_the_name_must_be_that_of_the_certificate(
    make_network: NetworkMaker, posts: Posts, certificates: Certificates
) -> None:
    network = make_network(certificates.authority)
    with http_server(200, b"{}", tls=_tls(certificates.elsewhere)) as seen:
        expected = WORDS.bad_certificate(host(seen.url), WORDS.certificate_of_another())
        assert problem_of_login(network, posts, seen.url) == expected
        assert seen.requests == []


@pytest.mark.parametrize(
    ("number", "why"),
    [
        (9, WORDS.certificate_early()),
        (10, WORDS.certificate_expired()),
        (18, WORDS.certificate_untrusted()),
        (20, WORDS.certificate_untrusted()),
        (62, WORDS.certificate_of_another()),
        (77, "in OpenSSL's words"),
    ],
)
def test_why_a_certificate_is_not_accepted_is_said_in_plain_words(number: int, why: str) -> None:
    error = ssl.SSLCertVerificationError(1, "CERTIFICATE_VERIFY_FAILED")
    error.verify_code, error.verify_message = number, "in OpenSSL's words"
    address = parse_address("https://desk.example.org", WORDS, allow_plain_http=False)
    assert str(Explain(address, WORDS).error(error)).startswith(WORDS.bad_certificate("desk.example.org", why))


def test_https_to_a_plain_port(network: Network, posts: Posts) -> None:
    with http_server(200, b"{}") as seen:
        url = seen.url.replace("http:", "https:")
        assert problem_of_login(network, posts, url) == WORDS.bad_tls(host(url))


def test_a_certificate_file_that_is_none(make_network: NetworkMaker, posts: Posts, certificates: Certificates) -> None:
    network = make_network(certificates.authority.with_name("missing.pem"))
    assert "missing.pem" in problem_of_login(network, posts, "https://localhost:1")
    network.open("https://localhost:1", TOKEN)
    assert "missing.pem" in posts.next(on.LinkDown).problem


# -- the address --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["http://desk.example.org", "http://192.168.1.2:8420", "http://localhost.evil.org"])
def test_plain_http_to_another_machine_needs_a_choice(typed: str) -> None:
    with pytest.raises(AddressError, match="readable for anyone"):
        parse_address(typed, WORDS, allow_plain_http=False)
    assert str(parse_address(typed, WORDS, allow_plain_http=True)) == typed


@pytest.mark.parametrize(
    ("typed", "origin", "api", "path"),
    [
        ("desk.example.org", "https://desk.example.org", "/api/v1", "socket.io"),
        ("127.0.0.1:8420", "http://127.0.0.1:8420", "/api/v1", "socket.io"),
        ("localhost:8420", "http://localhost:8420", "/api/v1", "socket.io"),
        (" https://desk.example.org/ ", "https://desk.example.org", "/api/v1", "socket.io"),
        ("https://a.org:8443/bell/", "https://a.org:8443", "/bell/api/v1", "bell/socket.io"),
        ("http://[::1]:8420/a/b", "http://[::1]:8420", "/a/b/api/v1", "a/b/socket.io"),
        ("http://127.0.0.1:1", "http://127.0.0.1:1", "/api/v1", "socket.io"),
        ("https://例子.测试", "https://xn--fsqu00a.xn--0zwm56d", "/api/v1", "socket.io"),
        ("https://straße.test:8443", "https://xn--strae-oqa.test:8443", "/api/v1", "socket.io"),
    ],
)
def test_an_address_becomes_the_places_to_call(typed: str, origin: str, api: str, path: str) -> None:
    address = parse_address(typed, WORDS, allow_plain_http=False)
    assert (address.origin, address.api, address.socketio_path) == (origin, origin + api, path)
    assert str(URL(address.api)) == address.api, "the client's library reads it in the same way"


# -- the socket ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "body", "problem"),
    [
        (200, b"", "not_deskbell"),
        (200, b"<html>hi</html>", "not_deskbell"),
        (404, b"", "not_deskbell"),
        (502, b"", "gateway"),
        (503, b"", "gateway"),
    ],
)
def test_a_wrong_answer_to_the_handshake_is_tried_again(
    network: Network, posts: Posts, status: int, body: bytes, problem: str
) -> None:
    with http_server(status, body) as seen:
        network.open(seen.url, TOKEN)
        first = posts.next(on.LinkDown)
        assert first.problem == (
            WORDS.gateway(host(seen.url), status) if problem == "gateway" else WORDS.not_deskbell(seen.url)
        )
        posts.next(on.LinkDown)
        posts.next(on.LinkDown)
        assert TOKEN not in seen.all
        assert len(seen.requests) >= 3


def test_a_redirected_socket_shows_its_token_to_nobody(network: Network, posts: Posts) -> None:
    with socket_server(lambda connection, seen: let_in(connection, seen)) as thief:
        target = thief.url + "/socket.io/"
        with http_server(301, b"", {"Location": target}) as seen:
            network.open(seen.url, TOKEN)
            assert posts.next(on.LinkDown).problem == WORDS.redirected(host(seen.url), target)
            posts.next(on.LinkDown)
        assert thief.requests == []
        assert thief.frames == []


@pytest.mark.parametrize(
    "first",
    ["0{}", "0", "", "0[1]", '0{"sid":1}', "zzz", "4", "44{}", "2probe", "0" + "[" * 5000, b"\x00\x01", "3"],
    ids=repr,
)
def test_nonsense_instead_of_open_is_tried_again(network: Network, posts: Posts, first: str | bytes) -> None:
    def talk(connection: ServerConnection, seen: Seen) -> None:
        connection.send(first)
        listen(connection, seen)

    with socket_server(talk) as seen:
        network.open(seen.url, TOKEN)
        assert posts.next(on.LinkDown).problem == WORDS.not_deskbell(seen.url)
        posts.next(on.LinkDown)
        assert TOKEN not in seen.all


@pytest.mark.parametrize(
    "answer",
    ['44{"message":"x"}', "44[]", "44null", '44{"message":7,"data":[]}', '44{"data":{"code":["x"],"fatal":"yes"}}'],
)
def test_a_refusal_in_another_shape_is_not_final(network: Network, posts: Posts, answer: str) -> None:
    def talk(connection: ServerConnection, seen: Seen) -> None:
        connection.send("0" + OPEN)
        connection.recv()
        connection.send(answer)
        listen(connection, seen)

    with socket_server(talk) as seen:
        network.open(seen.url, TOKEN)
        posts.next(on.LinkDown)
        posts.next(on.LinkDown, timeout=15)
        assert posts.of(on.Refused) == []


def test_a_refusal_that_is_final_ends_the_attempts(network: Network, posts: Posts) -> None:
    def talk(connection: ServerConnection, seen: Seen) -> None:
        connection.send("0" + OPEN)
        connection.recv()
        connection.send('44{"message":"Too old.","data":{"code":"upgrade_required","fatal":true}}')
        listen(connection, seen)

    with socket_server(talk) as seen:
        network.open(seen.url, TOKEN)
        refused = posts.next(on.Refused)
        assert (refused.code, refused.message, refused.fatal) == (Code.UPGRADE_REQUIRED, WORDS.upgrade(), True)
        assert len(seen.requests) == 1


def test_a_sub_path_is_where_the_socket_is(network: Network, posts: Posts) -> None:
    def talk(connection: ServerConnection, seen: Seen) -> None:
        let_in(connection, seen)
        listen(connection, seen)

    with socket_server(talk) as seen:
        network.open(seen.url + "/office/bell/", TOKEN)
        posts.next(on.LinkUp)
        assert seen.requests[0][1].startswith("/office/bell/socket.io/?")
        assert TOKEN not in seen.requests[0][1]
        assert TOKEN in seen.frames[0]


def test_a_server_that_falls_silent_is_left_within_six_seconds(network: Network, posts: Posts) -> None:
    def talk(connection: ServerConnection, seen: Seen) -> None:
        let_in(connection, seen)
        listen(connection, seen)

    with socket_server(talk) as seen:
        network.open(seen.url, TOKEN)
        posts.next(on.LinkUp)
        network.request(do.RequestSync(None, 0))
        # twenty for a slow machine; pings alone would tell after 45
        assert posts.next(on.LinkDown, timeout=20).problem == WORDS.no_answer(host(seen.url))
        posts.next(on.LinkUp)
        assert posts.of(on.SyncFailed) == []  # the link is down: that says it all


@pytest.mark.parametrize(
    "answer", ["null", "[]", "7", '{"ok":true}', '{"ok":false}', '{"ok":"true","events":1}', '{"ok":true,"head":-1}']
)
def test_an_answer_in_another_shape_is_no_crash(network: Network, posts: Posts, answer: str) -> None:
    def talk(connection: ServerConnection, seen: Seen) -> None:
        let_in(connection, seen)
        for frame in connection:
            if str(frame).startswith("42"):
                connection.send(f"43{str(frame)[2]}[{answer}]")

    with socket_server(talk) as seen:
        network.open(seen.url, TOKEN)
        posts.next(on.LinkUp)
        network.request(do.RequestSync(None, 0))
        posts.next(object, where=lambda event: isinstance(event, on.SyncFailed | on.LinkDown))


@pytest.mark.parametrize(
    "frame",
    [
        '42["event"]',
        '42["event",7]',
        '42["event",{"seq":"x"}]',
        '42["event",{"epoch":"e","seq":1,"kind":"message","id":"i","at":1,"data":[]}]',
        '42["head",null]',
        '42["bye"]',
        '42["unheard of",1,2,3]',
        '42["event",NaN]',
        '42["connect"]',
        '42["disconnect"]',
        "42[]",
        "42{}",
        "42",
        "451-[]",
        "41",
        "zzz",
        "9",
    ],
)
def test_a_push_in_another_shape_is_no_crash(network: Network, posts: Posts, intake: Intake, frame: str) -> None:
    """The next good one arrives, on this connection or on the one after it."""

    def talk(connection: ServerConnection, seen: Seen) -> None:
        let_in(connection, seen)
        if len(seen.requests) == 1:
            connection.send(frame)
        for _ in range(2):  # the first may be taken for what a binary event was still waiting for
            connection.send('42["head",{"epoch":"e","prev":5,"seq":5}]')
        listen(connection, seen)

    with socket_server(talk) as seen:
        network.open(seen.url, TOKEN)
        posts.next(results.PushesWaiting, timeout=20)
        head = wire.Head("e", 5, 5)
        assert intake.take()[0].frames in ((head,), (head, head))


def test_a_farewell_names_its_time(network: Network, posts: Posts) -> None:
    def talk(connection: ServerConnection, seen: Seen) -> None:
        let_in(connection, seen)
        if len(seen.requests) == 1:
            connection.send('42["bye",{"code":"unavailable","after_ms":1000}]')
        listen(connection, seen)

    with socket_server(talk) as seen:
        network.open(seen.url, TOKEN)
        posts.next(on.LinkDown)
        posts.next(on.LinkUp)


def test_a_final_farewell_ends_the_attempts(network: Network, posts: Posts) -> None:
    def talk(connection: ServerConnection, seen: Seen) -> None:
        let_in(connection, seen)
        connection.send('42["bye",{"code":"revoked","fatal":true}]')
        listen(connection, seen)

    with socket_server(talk) as seen:
        network.open(seen.url, TOKEN)
        assert posts.next(on.Refused).code == Code.REVOKED
        assert len(seen.requests) == 1


@pytest.mark.parametrize("at_once", [False, True])
@pytest.mark.parametrize("kick", ["41", "1"])
def test_a_kicked_socket_comes_back(network: Network, posts: Posts, kick: str, at_once: bool) -> None:
    """The stock client stays away for good after a disconnect that the server asked for, or does not hear it."""

    def talk(connection: ServerConnection, seen: Seen) -> None:
        first = len(seen.requests) == 1
        let_in(connection, seen, *[kick] * (first and at_once))
        if first and not at_once:
            wait_for(lambda: posts.of(on.LinkUp), "the client to be in")
            connection.send(kick)
        listen(connection, seen)

    with socket_server(talk) as seen:
        network.open(seen.url, TOKEN)
        posts.next(on.LinkDown)
        posts.next(on.LinkUp)


@pytest.mark.parametrize("moment", [on.LinkTried, on.LinkUp, results.PushesWaiting, on.LinkDown])
def test_closing_takes_no_time_at_any_moment(
    make_network: NetworkMaker, posts: Posts, moment: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the cancellation arrives together with what was being waited for."""
    monkeypatch.setattr("deskbell_desktop.io.network.STOP_S", 20.0)  # far beyond what a slow machine needs

    def talk(connection: ServerConnection, seen: Seen) -> None:
        let_in(connection, seen)
        connection.send('42["head",{"epoch":"e","prev":5,"seq":5}]')
        if moment is not on.LinkDown:
            listen(connection, seen)

    with socket_server(talk) as seen:
        for _ in range(8):
            network = make_network()
            network.open(seen.url, TOKEN)
            posts.next(moment)
            begun = time.monotonic()
            network.close()
            assert time.monotonic() - begun < 8


# -- how long to wait, and how much to hold -----------------------------------------------------------------------


def test_the_waits_grow_and_are_shaken() -> None:
    backoff = Backoff()
    waits = [backoff.wait(Ending(), 0.0) for _ in range(200)]
    assert all(wait <= ceiling for wait, ceiling in zip(waits, [0.5, 1, 2, 4, 8, 16, *[30] * 194], strict=True))
    assert 10 < sum(waits[10:]) / 190 < 20
    assert len({round(wait, 3) for wait in waits[10:]}) > 150


def test_soon_after_a_good_link_the_waits_stay_short() -> None:
    backoff = Backoff()
    backoff.good(1000.0)
    waits = [backoff.wait(Ending(), 1000.0 + n) for n in range(100)]
    assert waits[0] <= 0.5
    assert max(waits) <= 4
    assert max(backoff.wait(Ending(), 1121.0) for _ in range(100)) > 4


def test_a_busy_server_is_left_alone_for_a_minute() -> None:
    assert 48 <= Backoff().wait(Ending(code=Code.BUSY), 0.0) <= 72
    assert 8 <= Backoff().wait(Ending(code=Code.BUSY, wait_s=10), 0.0) <= 12
    assert 3 <= Backoff().wait(Ending(wait_s=3), 0.0) <= 3.5


def event(seq: int) -> wire.Event:
    return wire.Event("e", seq - 1, seq, "message", new_id(), 0, {})


def test_the_intake_is_bounded_and_says_what_it_dropped() -> None:
    posts = Posts()
    intake = Intake(posts)
    for seq in range(1, WAITING_MAX + 101):
        intake.push(event(seq))
    assert len(posts.all) == 1
    taken = []
    for _ in range(WAITING_MAX // STRETCH):
        taken += intake.take()
    pushed = [frame for stretch in taken for frame in stretch.frames]
    assert [frame.seq for frame in pushed[:-1]] == list(range(1, WAITING_MAX + 1))
    assert pushed[-1] == wire.Head("e", WAITING_MAX + 100, WAITING_MAX + 100)
    assert intake.take() == []
    assert len(posts.of(results.PushesWaiting)) == WAITING_MAX // STRETCH
    intake.push(event(1))
    intake.clear()
    assert intake.take() == []


@pytest.mark.parametrize("raw", ["NaN", "1e999", "[" * 5000, '"\ud800"', "{", "", b"\xff"])
def test_json_that_is_none_is_a_value_error(raw: str | bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        WireJson.loads(raw)


# -- through a proxy ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "environment", "proxy"),
    [
        ("desk.test", {"https_proxy": "http://proxy.test:3128"}, "http://proxy.test:3128"),
        ("desk.test", {"HTTPS_PROXY": "proxy.test:3128"}, "http://proxy.test:3128"),
        ("desk.test", {"http_proxy": "http://proxy.test:3128"}, None),
        ("http://desk.test", {"http_proxy": "http://proxy.test:3128"}, "http://proxy.test:3128"),
        ("desk.test", {"https_proxy": "http://proxy.test:3128", "no_proxy": "other.test,desk.test"}, None),
        ("desk.test:8420", {"https_proxy": "http://proxy.test:3128", "no_proxy": ".test"}, None),
        ("desk.test", {"https_proxy": "http://proxy.test:3128", "no_proxy": "*"}, None),
        ("https://127.0.0.1:8420", {"https_proxy": "http://proxy.test:3128"}, None),
        ("https://localhost", {"https_proxy": "http://proxy.test:3128"}, None),
        ("https://[::1]:8420", {"https_proxy": "http://proxy.test:3128"}, None),
    ],
)
def test_which_proxy_is_asked(
    monkeypatch: pytest.MonkeyPatch, typed: str, environment: dict[str, str], proxy: str | None
) -> None:
    for name in ("http_proxy", "https_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    found = proxy_for(parse_address(typed, WORDS, allow_plain_http=True))
    assert found == (None if proxy is None else URL(proxy))


@pytest.fixture
def proxied(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    def through(port: int) -> None:
        monkeypatch.setenv("https_proxy", f"http://ana:geheim@127.0.0.1:{port}")
        monkeypatch.setenv("no_proxy", "")

    return through


def test_sign_in_and_socket_go_through_the_proxy(
    make_network: NetworkMaker, posts: Posts, certificates: Certificates, proxied: Callable[[int], None]
) -> None:
    """The name of the server is looked up by the proxy alone."""
    network = make_network(certificates.authority)
    with http_server(404, tls=_tls(certificates.elsewhere)) as seen, connect_proxy(URL(seen.url).port or 0) as proxy:
        proxied(proxy.port)
        assert problem_of_login(network, posts, "elsewhere.example") == WORDS.not_deskbell("https://elsewhere.example")
        network.open("https://elsewhere.example", TOKEN)
        posts.next(on.LinkDown)
        assert [path.split("?")[0] for _, path, _, _ in seen.requests] == ["/api/v1/login", "/socket.io/"]
    assert proxy.asked[:2] == ["CONNECT elsewhere.example:443 HTTP/1.1"] * 2
    assert proxy.secrets[:2] == ["Basic YW5hOmdlaGVpbQ=="] * 2


def test_a_proxy_that_refuses_is_named(network: Network, posts: Posts, proxied: Callable[[int], None]) -> None:
    with connect_proxy(None) as proxy:
        proxied(proxy.port)
        expected = WORDS.proxy_refused(f"127.0.0.1:{proxy.port}", "desk.test", 407)
        assert problem_of_login(network, posts, "desk.test") == expected
        network.open("https://desk.test", TOKEN)
        assert posts.next(on.LinkDown) == on.LinkDown(expected)


def test_a_proxy_that_is_not_there_is_named(network: Network, posts: Posts, proxied: Callable[[int], None]) -> None:
    port = free_port()
    proxied(port)
    assert problem_of_login(network, posts, "desk.test") == WORDS.proxy_unreachable(f"127.0.0.1:{port}", "desk.test")


@contextlib.contextmanager
def _tcp_server(says: bytes) -> Iterator[int]:
    """Says one thing to whoever comes, and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection, contextlib.suppress(OSError):
                        connection.recv(65536)
                        connection.sendall(says)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
