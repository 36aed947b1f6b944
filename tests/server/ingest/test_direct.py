"""`POST /api/v1/messages` with Flask and without: one table of requests, the same answers to the letter."""

import http.client
import json
import re
import socket
import uuid
from collections.abc import Callable, Mapping
from contextlib import closing
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec
import pytest

from deskbell_protocol import wire
from deskbell_server.edge.replies import Reply
from deskbell_server.ingest.direct import DirectDoor
from deskbell_server.limiter import Limiter, Rate
from deskbell_server.messaging.messages import Messages
from deskbell_server.people.people import People
from deskbell_server.transport import Request
from tests.desk.server import Login, Server
from tests.server.transport.conftest import eventually

LogIn = Callable[[Server, str], Login]
MESSAGES = "/api/v1/messages"
OTHER_WAY = MESSAGES + "?way=flask"
"""With a query it goes to Flask."""
JSON = "application/json"
HELLO = {"to": ["bob"], "body": "hello"}


class Case(NamedTuple):
    name: str
    body: Any = HELLO
    headers: Mapping[str, str | None] = MappingProxyType({})
    """Beside the usual ones; None leaves one out."""


CASES = [
    Case("stored"),
    Case("every field", {"to": ["bob"], "body": "h", "title": "T", "priority": "urgent", "deliver_at": 1}),
    Case("to everyone", {"to": ["@everyone"], "body": "all"}),
    Case("several", {"to": ["bob", "alice"], "body": "two"}),
    Case("later", {"to": ["bob"], "body": "x", "deliver_at": 2**52}),
    Case("nobody", {"to": ["nobody"], "body": "x"}),
    Case("no group", {"to": ["@nobody"], "body": "x"}),
    Case("neither to nor reply_to", {"body": "x"}),
    Case("an answer to nothing", {"reply_to": "abc.1", "body": "x"}),
    Case("nothing to see", {"to": ["bob"], "body": " \n"}),
    Case("a control character", {"to": ["bob"], "body": "a\x00b"}),
    Case("too long", {"to": ["bob"], "body": "x" * 40_000}),
    Case("larger than a request", {"to": ["bob"], "body": "x" * 70_000}),
    Case("an unknown key", HELLO | {"colour": "red"}),
    Case("a wrong kind", {"to": "bob", "body": "x"}),
    Case("a fraction", HELLO | {"deliver_at": 1.5}),
    Case("no object", [1]),
    Case("no JSON", "{"),
    Case("no UTF-8", b'{"to":["bob"],"body":"\xff"}'),
    Case("nested", b"[" * 5000),
    Case("empty", b""),
    Case("another type", headers={"Content-Type": "text/plain"}),
    Case("no type", headers={"Content-Type": None}),
    Case("a type with a charset", headers={"Content-Type": "application/json; charset=utf-8"}),
    Case("no token", headers={"Authorization": None}),
    Case("an unknown token", headers={"Authorization": "Bearer " + "x" * 43}),
    Case("another scheme", headers={"Authorization": "Basic YTpi"}),
    Case("a small letter", headers={"Authorization": "bearer {token}"}),
    Case("an empty key", headers={"Idempotency-Key": ""}),
    Case("a long key", headers={"Idempotency-Key": "k" * 300}),
    Case("a key that is no ASCII", headers={"Idempotency-Key": "schl\xfcssel-{key}"}),
    Case("a connection that ends", headers={"Connection": "close"}),
    Case("a body that waits to be asked for", headers={"Expect": "100-continue"}),
]


class Shown(NamedTuple):
    status: tuple[int, str]
    headers: list[tuple[str, str]]
    body: Any


def ask(office: Server, who: Login, path: str, case: Case, key: str = "") -> Shown:
    usual: dict[str, str | None] = {"Content-Type": JSON, "Authorization": "Bearer {token}", **case.headers}
    headers = {
        name: value.replace("{token}", who.token).replace("{key}", key)
        for name, value in usual.items()
        if value is not None
    }
    raw = case.body if isinstance(case.body, bytes) else str(case.body).encode()
    if not isinstance(case.body, str | bytes):
        raw = json.dumps(case.body).encode()
    host, port = office.url.removeprefix("http://").split(":")
    with closing(http.client.HTTPConnection(host, int(port), timeout=20)) as connection:
        connection.request("POST", path, raw, headers)
        answer = connection.getresponse()
        body = answer.read().decode()
        mask = re.compile(r"[0-9a-f]{12,16}(\.\d+)?|[0-9a-f-]{36}")
        assert answer.getheader("Content-Length") == str(len(body.encode()))
        varying = ("Date", "Content-Length")
        shown = [(name, mask.sub("#", value)) for name, value in answer.getheaders() if name not in varying]
        return Shown((answer.status, answer.reason), shown, mask.sub("#", body))


def written(office: Server) -> str:
    return (office.data / "logs" / "server.log").read_text()


@pytest.fixture(scope="module")
def alice(office: Server) -> Login:
    return office.login("alice", "correct horse 1", "alice's")


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_both_ways_answer_the_same(office: Server, alice: Login, case: Case) -> None:
    keys = uuid.uuid4().hex, uuid.uuid4().hex
    direct, by_flask = (
        ask(office, alice, path, case, key) for path, key in zip((MESSAGES, OTHER_WAY), keys, strict=True)
    )
    assert direct.status == by_flask.status
    assert direct.body == by_flask.body
    assert sorted(direct.headers) == sorted(by_flask.headers)


@pytest.mark.parametrize("first", [MESSAGES, OTHER_WAY])
def test_a_repeat_is_known_whichever_way_it_came_first(office: Server, alice: Login, first: str) -> None:
    second = OTHER_WAY if first == MESSAGES else MESSAGES
    case = Case("keyed", headers={"Idempotency-Key": uuid.uuid4().hex})
    other = case._replace(body=HELLO | {"body": "another"})
    assert ask(office, alice, first, case).status[0] == 201
    for path in (first, second):
        assert ask(office, alice, path, case).status[0] == 200
        assert ask(office, alice, path, other).status[0] == 409


def test_a_token_that_ended_is_refused_at_once(office: Server, log_in: LogIn) -> None:
    login = log_in(office, "bob")
    assert ask(office, login, MESSAGES, Case("good", {"to": ["alice"], "body": "x"})).status[0] == 201
    office.ask("POST", "/api/v1/logout", token=login.token)
    answer = ask(office, login, MESSAGES, Case("ended", {"to": ["alice"], "body": "x"}))
    assert (answer.status[0], '"revoked"' in answer.body) == (401, True)


def test_each_request_has_its_line_in_the_log(office: Server, alice: Login) -> None:
    for path in (MESSAGES, OTHER_WAY):
        found = office.ask("POST", path, HELLO, alice.token)
        line = re.compile(rf" [0-9a-f]{{12}} POST {MESSAGES} 201 \d+\.\d ms message {re.escape(found.body['id'])}\n")
        eventually(lambda line=line: line.search(written(office)))  # type: ignore[misc]
    assert alice.token not in written(office)


def test_many_on_one_connection_and_a_body_that_comes_later(office: Server, alice: Login) -> None:
    host, port = office.url.removeprefix("http://").split(":")
    raw = json.dumps(HELLO).encode()
    headers = {"Content-Type": JSON, "Authorization": f"Bearer {alice.token}", "Content-Length": str(len(raw))}
    with closing(http.client.HTTPConnection(host, int(port), timeout=20)) as connection:
        for part in (len(raw), 5, 1):
            connection.putrequest("POST", MESSAGES)
            for name, value in headers.items():
                connection.putheader(name, value)
            connection.endheaders()
            for start in range(0, len(raw), part):
                connection.send(raw[start : start + part])
            answer = connection.getresponse()
            assert (answer.status, json.loads(answer.read())["recipients"]) == (201, 1)


@pytest.mark.parametrize(
    ("case", "is_direct"),
    [
        (Case("stored"), True),
        (Case("nobody", {"to": ["nobody"], "body": "x"}), True),
        (Case("an unknown token", headers={"Authorization": "Bearer " + "x" * 43}), True),
        (Case("no JSON", "{"), False),
        (Case("an unknown key", HELLO | {"colour": "red"}), False),
        (Case("another type", headers={"Content-Type": "text/plain"}), False),
    ],
    ids=lambda given: given.name if isinstance(given, Case) else "",
)
def test_what_is_right_needs_no_flask(people: People, case: Case, is_direct: bool) -> None:
    people.accounts.add("bob", "battery staple 2")
    messages = Messages(people.database, Limiter(Rate(0, 1)))
    login = people.accounts.login(wire.Login("bob", "battery staple 2", "d"), "")
    headers = {"Content-Type": JSON, "Authorization": f"Bearer {login.token}", **case.headers}
    raw = {name.lower().encode(): str(value).encode() for name, value in headers.items()}
    body = case.body.encode() if isinstance(case.body, str) else msgspec.json.encode(case.body)
    head = Request("POST", MESSAGES, "", "HTTP/1.1", raw, len(body), keeps=True)
    door, told = DirectDoor(people.devices, messages), list[Reply]()
    assert door.answer(head, body, told.append, True) is is_direct
    assert door.answer(head, body, told.append, False) in (is_direct, None)


def raw(alice: Login, body: str, *, version: str = "1.1", more: str = "", path: str = MESSAGES) -> bytes:
    head = f"POST {path} HTTP/{version}\r\nHost: x\r\nContent-Type: {JSON}\r\nAuthorization: Bearer {alice.token}\r\n"
    return f"{head}{more}Content-Length: {len(body.encode())}\r\n\r\n{body}".encode()


def talk(office: Server, *pieces: bytes, ends: bool = False) -> bytes:
    """All that is answered until the server hangs up, or to as many requests as were sent."""
    with closing(socket.create_connection(("127.0.0.1", office.port), timeout=20)) as connection:
        for piece in pieces:
            connection.sendall(piece)
        if ends:
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        while (more := connection.recv(65536)) and (answer := answer + more).count(b"HTTP/1.1 ") < len(pieces):
            pass
        return answer


def test_requests_behind_each_other_are_answered_in_order(office: Server, alice: Login) -> None:
    """Also where one of them is Flask's: from there on the connection is."""
    good, bad = raw(alice, '{"to":["bob"],"body":"x"}'), raw(alice, "{}")
    by_flask = raw(alice, '{"to":["bob"],"body":"x"}', path=OTHER_WAY)
    requests = [good, good, bad, good, by_flask, good]
    answers = b""
    with closing(socket.create_connection(("127.0.0.1", office.port), timeout=20)) as connection:
        connection.sendall(b"".join(requests))
        while answers.count(b"HTTP/1.1 ") < len(requests) or not answers.endswith(b"}"):
            answers += connection.recv(65536)
    assert re.findall(rb"HTTP/1.1 (\d+)", answers) == [b"201", b"201", b"422", b"201", b"201", b"201"]


def test_who_has_sent_all_still_gets_the_answer(office: Server, alice: Login) -> None:
    answer = talk(office, raw(alice, '{"to":["bob"],"body":"x"}'), ends=True)
    assert answer.startswith(b"HTTP/1.1 201 CREATED\r\n")


def test_an_older_http_is_answered_as_it_asks(office: Server, alice: Login) -> None:
    kept = raw(alice, '{"to":["bob"],"body":"x"}', version="1.0", more="Connection: keep-alive\r\n")
    assert b"\r\nConnection: keep-alive\r\n" in talk(office, kept)


@pytest.mark.parametrize("broken", ["no length", "two lengths", "bare line ends", "a length too large"])
def test_what_two_could_understand_differently_is_refused_as_everywhere(
    office: Server, alice: Login, broken: str
) -> None:
    good = raw(alice, '{"to":["bob"],"body":"x"}')
    bad = {
        "no length": good.replace(b"Content-Length", b"X-Length"),
        "two lengths": good.replace(b"Content-Length: 25", b"Content-Length: 25\r\nContent-Length: 26"),
        "bare line ends": good.replace(b"\r\nHost", b"\nHost"),
        "a length too large": good.replace(b"Content-Length: 25", b"Content-Length: 99999999"),
    }[broken]
    assert bad != good
    answer = talk(office, good, bad)
    assert re.findall(rb"HTTP/1.1 (\d+)", answer)[0] == b"201"
    assert re.findall(rb"HTTP/1.1 (\d+)", answer)[1] in (b"400", b"413")
