"""The HTTP door on a running server: every route, every refusal, and what a hostile caller tries."""

import http.client
import json
import socket
import uuid
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from deskbell_protocol import limits
from deskbell_protocol.ids import now_ms
from tests.desk.server import Answer, Login, Server

LogIn = Callable[[Server, str], Login]
MESSAGES = "/api/v1/messages"


@pytest.fixture(scope="module")
def alice(office: Server) -> Login:
    return office.login("alice", "correct horse 1", "alice's")


@pytest.fixture(scope="module")
def bob(office: Server) -> Login:
    return office.login("bob", "battery staple 2", "bob's")


def publish(office: Server, who: Login, body: Any, **headers: str) -> Answer:
    return office.ask("POST", MESSAGES, body, who.token, **headers)


# -- signing in ----------------------------------------------------------------------------------------------------


def test_login_gives_token_user_and_device(office: Server) -> None:
    answer = office.ask(
        "POST", "/api/v1/login", {"username": "BOB", "password": "battery staple 2", "device": "Bob's laptop"}
    )
    assert answer.status == 200
    assert answer.body["user"]["name"] == "bob"
    assert answer.body["device"]["name"] == "Bob's laptop"
    assert len(answer.body["token"]) >= 43
    me = office.ask("GET", "/api/v1/me", token=answer.body["token"])
    assert (me.status, me.body["user"], me.body["device"]["id"]) == (
        200,
        answer.body["user"],
        answer.body["device"]["id"],
    )


def test_wrong_password_and_unknown_user_look_the_same(office: Server) -> None:
    wrong = office.ask("POST", "/api/v1/login", {"username": "bob", "password": "not it at all", "device": "d"})
    unknown = office.ask("POST", "/api/v1/login", {"username": "nobody", "password": "not it at all", "device": "d"})
    assert wrong.status == unknown.status == 401
    assert wrong.body == unknown.body
    assert wrong.body["code"] == "unauthorized"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"username": "bob"},
        {"username": "bob", "password": 7, "device": "d"},
        {"username": "bob", "password": "battery staple 2", "device": ""},
        {"username": "bob", "password": "battery staple 2", "device": "d", "admin": True},
        {"username": ["bob"], "password": "battery staple 2", "device": "d"},
        {"username": "bob", "password": "battery staple 2", "device": "a\nb"},
    ],
)
def test_a_login_of_another_shape_is_invalid(office: Server, body: Any) -> None:
    answer = office.ask("POST", "/api/v1/login", body)
    assert (answer.status, answer.body["code"]) == (422, "invalid")


def test_logout_ends_the_token_at_once(office: Server, log_in: LogIn) -> None:
    login = log_in(office, "bob")
    assert office.ask("POST", "/api/v1/logout", token=login.token).status == 204
    answer = office.ask("GET", "/api/v1/me", token=login.token)
    assert (answer.status, answer.body["code"]) == (401, "revoked")


@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer", "Bearer ", "Basic YTpi", "Bearer nope", "Bearer " + "x" * 999]
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/me"),
        ("POST", "/api/v1/logout"),
        ("GET", "/api/v1/users?q="),
        ("POST", MESSAGES),
        ("GET", MESSAGES),
        ("GET", "/api/v1/devices"),
        ("DELETE", "/api/v1/devices/9e3e466c-5996-4fa3-b308-8b3a5aa2f123"),
        ("GET", "/api/v1/scheduled"),
        ("DELETE", "/api/v1/scheduled/84cf0db5-4e06-4cec-a7a9-33eff77cacd2"),
    ],
)
def test_without_a_good_token_every_route_is_closed(
    office: Server, method: str, path: str, authorization: str | None
) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = office.ask(method, path, {} if method == "POST" else None, **headers)
    assert (answer.status, answer.body["code"]) == (401, "unauthorized")


def test_a_token_in_the_query_is_not_taken(office: Server, bob: Login) -> None:
    assert office.ask("GET", f"/api/v1/me?token={bob.token}&access_token={bob.token}").status == 401


# -- publishing ----------------------------------------------------------------------------------------------------


def test_publish_and_repeat(office: Server, alice: Login) -> None:
    body = {"to": ["bob"], "body": "hello", "title": "T", "priority": "high"}
    key = uuid.uuid4().hex
    first = publish(office, alice, body, Idempotency_Key=key)
    again = publish(office, alice, body, Idempotency_Key=key)
    other = publish(office, alice, body | {"body": "other"}, Idempotency_Key=key)
    assert (first.status, first.body["recipients"], first.body["duplicate"]) == (201, 1, False)
    assert (again.status, again.body) == (200, first.body | {"duplicate": True})
    assert (other.status, other.body["code"]) == (409, "idempotency_conflict")


def test_the_same_key_of_two_people_is_two_keys(office: Server, alice: Login, bob: Login) -> None:
    key = uuid.uuid4().hex
    first = publish(office, alice, {"to": ["bob"], "body": "a"}, Idempotency_Key=key)
    second = publish(office, bob, {"to": ["bob"], "body": "b"}, Idempotency_Key=key)
    assert (first.status, second.status) == (201, 201)
    assert first.body["id"] != second.body["id"]


def test_a_key_holds_across_the_devices_of_one_person(office: Server, alice: Login, log_in: LogIn) -> None:
    key, body = uuid.uuid4().hex, {"to": ["bob"], "body": "once"}
    first = publish(office, alice, body, Idempotency_Key=key)
    again = publish(office, log_in(office, "alice"), body, Idempotency_Key=key)
    assert (again.status, again.body["id"]) == (200, first.body["id"])


def test_without_a_key_each_is_a_message(office: Server, alice: Login) -> None:
    body = {"to": ["bob"], "body": "twice"}
    assert publish(office, alice, body).body["id"] != publish(office, alice, body).body["id"]


@pytest.mark.parametrize("key", ["x" * 65, "a\tb"])
def test_a_bad_key_is_refused(office: Server, alice: Login, key: str) -> None:
    answer = publish(office, alice, {"to": ["bob"], "body": "b"}, Idempotency_Key=key)
    assert (answer.status, answer.body["code"]) == (422, "invalid")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"to": ["nobody"], "body": "b"}, 422, "unknown_recipient"),
        ({"to": ["bob", "no-body"], "body": "b"}, 422, "unknown_recipient"),
        ({"to": ["@nogroup"], "body": "b"}, 422, "unknown_recipient"),
        ({"to": [], "body": "b"}, 422, "invalid"),
        ({"to": "bob", "body": "b"}, 422, "invalid"),
        ({"to": [7], "body": "b"}, 422, "invalid"),
        ({"to": ["bob"] * (limits.RECIPIENTS + 1), "body": "b"}, 422, "invalid"),
        ({"body": "b"}, 422, "invalid"),
        ({"to": ["bob"], "reply_to": str(uuid.uuid4()), "body": "b"}, 422, "invalid"),
        ({"reply_to": str(uuid.uuid4()), "body": "b"}, 404, "not_found"),
        ({"reply_to": "x.99999999999999999999", "body": "b"}, 404, "not_found"),
        ({"reply_to": "no id", "body": "b"}, 404, "not_found"),
        ({"reply_to": "x" * 37, "body": "b"}, 422, "invalid"),
        ({"to": ["bob"]}, 422, "invalid"),
        ({"to": ["bob"], "body": ""}, 422, "invalid"),
        ({"to": ["bob"], "body": " \n "}, 422, "invalid"),
        ({"to": ["bob"], "body": 7}, 422, "invalid"),
        ({"to": ["bob"], "body": True}, 422, "invalid"),
        ({"to": ["bob"], "body": "a\u0000b"}, 422, "invalid"),
        ({"to": ["bob"], "body": "a\u001bb"}, 422, "invalid"),
        ({"to": ["bob"], "body": "b", "title": "x" * 251}, 422, "invalid"),
        ({"to": ["bob"], "body": "b", "title": "\u0007"}, 422, "invalid"),
        ({"to": ["bob"], "body": "b", "priority": "loud"}, 422, "invalid"),
        ({"to": ["bob"], "body": "b", "sender": "alice"}, 422, "invalid"),
        ({"to": ["bob"], "body": "b", "id": str(uuid.uuid4())}, 422, "invalid"),
        ({"to": ["bob"], "body": "b", "cid": "c"}, 422, "invalid"),
        ({"to": ["bob"], "body": "b", "deliver_at": -1}, 422, "invalid"),
        ({"to": ["bob"], "body": "b", "deliver_at": 2**52}, 422, "invalid"),
        ({"to": ["bob"], "body": "b", "deliver_at": True}, 422, "invalid"),
        ({"to": ["bob"], "body": "x" * (limits.BODY_BYTES + 1)}, 413, "too_large"),
        ({"to": ["bob"], "body": "x" * limits.REQUEST_BYTES}, 413, "too_large"),
    ],
)
def test_a_bad_message_is_refused_and_not_stored(
    office: Server, alice: Login, body: Any, status: int, code: str
) -> None:
    before = office.rows("SELECT count(*) FROM messages")
    answer = publish(office, alice, body)
    assert (answer.status, answer.body["code"]) == (status, code)
    assert set(answer.body) == {"code", "message"}
    assert office.rows("SELECT count(*) FROM messages") == before


def test_unknown_recipients_are_named_all_at_once(office: Server, alice: Login) -> None:
    answer = publish(office, alice, {"to": ["bob", "Zaphod", "carol", "@gone", "zaphod", "Ford"], "body": "b"})
    assert answer.body["message"] == "there is nobody called Zaphod, @gone, Ford"
    many = publish(office, alice, {"to": [f"n{number}" for number in range(25)], "body": "b"})
    assert many.body["message"].endswith(" n18, n19 and 5 more")


def test_a_control_character_is_named(office: Server, alice: Login) -> None:
    assert "U+001B" in publish(office, alice, {"to": ["bob"], "body": "a\x1bb"}).body["message"]


@pytest.mark.parametrize(
    "text",
    [
        "<b>bold</b>",
        "<img src=file:///etc/passwd>",
        "\u202etxt.exe",
        "简体中文 🔔",
        "<table>" * 30,
        "a\r\nb\tc",
        "x" * limits.BODY_BYTES,
    ],
)
def test_any_other_text_comes_back_as_it_was(office: Server, alice: Login, bob: Login, text: str) -> None:
    sent = publish(office, alice, {"to": ["bob"], "body": text})
    assert sent.status == 201
    event = office.ask("GET", f"{MESSAGES}?limit=1", token=bob.token).body["events"][0]
    assert (event["id"], event["data"]["body"]) == (sent.body["id"], text)


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"null", 400),
        (b"[]", 400),
        (b'"text"', 400),
        (b"7", 400),
        (b"\xff\xfe", 400),
        (b'{"to":["bob"],"body":"\xff"}', 400),
        (b'{"to":["bob"],"body":"\\ud800"}', 400),
        (b'{"to":["bob"],"body":NaN}', 400),
        (b"[" * 30_000, 400),
        (b'{"to":' + b"[" * 3000 + b"]" * 3000 + b',"body":"b"}', 422),
        (b'{"to":["bob"],"body":"b","deliver_at":1e400}', 422),
    ],
)
def test_what_is_no_json_is_refused(office: Server, alice: Login, raw: bytes, status: int) -> None:
    answer = raw_publish(office, alice, raw)
    assert answer.status == status
    assert answer.body["code"] in {"bad_request", "invalid"}


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_only_json_is_taken(office: Server, alice: Login, kind: str) -> None:
    answer = raw_publish(office, alice, b'{"to":["bob"],"body":"b"}', **{"Content-Type": kind})
    assert (answer.status, answer.body["code"]) == (400, "bad_request")


@pytest.mark.parametrize("length", ["-1", "999999999999", "1e3", "+5", "0x10", "70000", " ", "５"])
def test_a_lying_content_length_neither_hangs_nor_fails_the_server(office: Server, alice: Login, length: str) -> None:
    head = f"POST {MESSAGES} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {alice.token}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    status = raw_status(office, head.encode() + b'{"to":["bob"],"body":"b"}')
    assert status in {400, 408, 413}
    assert office.is_up()


def test_a_body_without_a_length_is_bounded(office: Server, alice: Login) -> None:
    head = f"POST {MESSAGES} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {alice.token}\r\n"
    head += "Content-Type: application/json\r\n"
    chunk = b"1000\r\n" + b"x" * 0x1000 + b"\r\n"
    status = raw_status(office, head.encode() + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 40 + b"0\r\n\r\n")
    assert status in {400, 411, 413}


# -- reading -------------------------------------------------------------------------------------------------------


def test_history_pages_back_through_one_conversation(office: Server, alice: Login, bob: Login) -> None:
    carol = office.login("carol", "third password 3")
    sent = [publish(office, carol, {"to": ["bob"], "body": str(n)}).body["id"] for n in range(7)]
    publish(office, alice, {"to": ["bob"], "body": "between"})
    found: list[str] = []
    before = ""
    while True:
        page = office.ask("GET", f"{MESSAGES}?conversation={carol.user['id']}&limit=3{before}", token=bob.token)
        assert len(page.body["events"]) <= 3
        found += [event["id"] for event in page.body["events"]]
        if not page.body["more"]:
            break
        before = f"&before={page.body['events'][-1]['seq']}"
    assert found == sent[::-1]


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=201",
        "limit=x",
        "before=-1",
        "limit=1e2",
        "limit=" + "9" * 5000,
        "limit=" + "0" * 19 + "1000000",
        "limit=" + "0" * 5000 + "1",
        "before=" + "0" * 20 + "9" * 40,
        "before=" + "0" * 20 + "1" * 5000,
    ],
)
def test_a_bad_page_is_invalid(office: Server, bob: Login, query: str) -> None:
    answer = office.ask("GET", f"{MESSAGES}?{query}", token=bob.token)
    assert (answer.status, answer.body["code"]) == (422, "invalid")


def test_people_are_found_by_part_of_their_names_and_wildcards_are_letters(office: Server, bob: Login) -> None:
    def found(fragment: str) -> list[str]:
        return [p["name"] for p in office.ask("GET", f"/api/v1/users?q={fragment}", token=bob.token).body["users"]]

    assert found("") == ["alice", "bob", "carol"]
    assert found("ARO") == ["carol"]
    assert found("%25") == []
    assert found("_") == []
    assert found("%27%20OR%201=1") == []


# -- one person's things are no other's ---------------------------------------------------------------------------


def test_another_ones_things_are_not_there(office: Server, alice: Login, bob: Login, log_in: LogIn) -> None:
    private = publish(office, alice, {"to": ["carol"], "body": "for carol"}).body["id"]
    later = publish(office, alice, {"to": ["carol"], "body": "later", "deliver_at": in_an_hour()}).body["id"]
    device = log_in(office, "alice").device["id"]
    assert office.ask("DELETE", f"/api/v1/devices/{device}", token=bob.token).status == 404
    assert office.ask("DELETE", f"/api/v1/scheduled/{later}", token=bob.token).status == 404
    assert publish(office, bob, {"reply_to": private, "body": "let me in"}).status == 404
    mine = office.ask("GET", f"{MESSAGES}?conversation={alice.user['id']}&limit=200", token=bob.token).body
    assert private not in {event["id"] for event in mine["events"]}
    assert later not in {
        entry["id"] for entry in office.ask("GET", "/api/v1/scheduled", token=bob.token).body["scheduled"]
    }
    assert device not in {
        entry["id"] for entry in office.ask("GET", "/api/v1/devices", token=bob.token).body["devices"]
    }
    assert office.ask("DELETE", f"/api/v1/scheduled/{later}", token=alice.token).status == 204
    assert office.ask("DELETE", f"/api/v1/scheduled/{later}", token=alice.token).status == 404
    assert office.ask("DELETE", f"/api/v1/devices/{device}", token=alice.token).status == 204
    assert office.ask("DELETE", f"/api/v1/devices/{device}", token=alice.token).status == 404


# -- addresses -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/api/v1/", "/api/v1/nothing", "/api/v2/me", "/.git/config", "/static/x", "/%00"])
def test_an_unknown_address_is_a_plain_404(office: Server, path: str) -> None:
    answer = office.ask("GET", path)
    assert (answer.status, answer.body["code"]) == (404, "not_found")


def test_a_wrong_method_is_a_plain_405(office: Server, alice: Login) -> None:
    answer = office.ask("PUT", MESSAGES, {}, alice.token)
    assert (answer.status, set(answer.body)) == (405, {"code", "message"})


def test_answers_are_not_kept_or_guessed_at(office: Server, alice: Login) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", office.port, timeout=10)) as connection:
        connection.request("GET", "/api/v1/me", headers={"Authorization": f"Bearer {alice.token}"})
        headers = connection.getresponse().headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Type"] == "application/json"
    assert headers["X-Request-Id"]


def test_too_many_publishes_are_told_when_to_come_back(office: Server, log_in: LogIn) -> None:
    carol = log_in(office, "carol")
    with closing(http.client.HTTPConnection("127.0.0.1", office.port, timeout=10)) as connection:
        statuses: list[int] = []
        while 429 not in statuses and len(statuses) < 2_000:  # a slow machine gets some of its burst back meanwhile
            connection.request(
                "POST",
                MESSAGES,
                json.dumps({"to": ["carol"], "body": " "}),
                {"Authorization": f"Bearer {carol.token}", "Content-Type": "application/json"},
            )
            response = connection.getresponse()
            response.read()
            statuses.append(response.status)
            if response.status == 429:
                retry = response.headers["Retry-After"]
    assert statuses[:90] == [422] * 90, "other tests may have taken some"
    assert 429 in statuses[90:]
    assert int(retry) >= 1
    other = log_in(office, "carol")
    assert 429 in [publish(office, other, {"to": ["carol"], "body": " "}).status for _ in range(50)], "a new burst"
    assert publish(office, log_in(office, "alice"), {"to": ["carol"], "body": "b"}).status == 201


def in_an_hour() -> int:
    return now_ms() + 3_600_000


def raw_publish(office: Server, who: Login, raw: bytes, **headers: str) -> Answer:
    with closing(http.client.HTTPConnection("127.0.0.1", office.port, timeout=15)) as connection:
        usual = {"Authorization": f"Bearer {who.token}", "Content-Type": "application/json"}
        connection.request("POST", MESSAGES, raw, usual | headers)
        response = connection.getresponse()
        return Answer(response.status, json.loads(response.read()))


def raw_status(office: Server, request: bytes) -> int:
    """The status of a request that no client library would send."""
    with closing(socket.create_connection(("127.0.0.1", office.port), timeout=20)) as connection:
        connection.sendall(request)
        received = b""
        while b"\r\n" not in received:
            piece = connection.recv(4096)
            assert piece, "closed without an answer"
            received += piece
    return int(received.split()[1])


@pytest.mark.parametrize("path", ["/api//v1/me", "//api/v1/me", "/api/v1//me", "/api/v1/me/", "/admin//"])
def test_nothing_is_redirected_to_where_the_sender_says_we_are(office: Server, path: str) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", office.port, timeout=10)) as connection:
        connection.request("GET", path, headers={"Host": "evil.test"})
        answer = connection.getresponse()
    assert answer.status in (401, 404)
    assert answer.headers["Location"] is None


def test_reading_over_http_has_the_limit_of_reading(office: Server, log_in: LogIn) -> None:
    carol = log_in(office, "carol")
    with closing(http.client.HTTPConnection("127.0.0.1", office.port, timeout=10)) as connection:
        for _ in range(2_000):
            connection.request("GET", f"{MESSAGES}?conversation=x", headers={"Authorization": f"Bearer {carol.token}"})
            answer = connection.getresponse()
            answer.read()
            if answer.status == 429:
                break
    assert answer.status == 429
    assert int(answer.headers["Retry-After"]) >= 1
