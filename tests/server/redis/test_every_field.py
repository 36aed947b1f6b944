"""Each field of a message through each door, to a push, to `sync` and to a page of history."""

import json
from collections.abc import Callable

import pytest

from deskbell_protocol.ids import now_ms
from deskbell_protocol.wire import Publish, plain
from tests.desk.server import Login, Server
from tests.desk.services import OwnRedis
from tests.desk.whole import FIELDS, OTHER, content_of, left_out
from tests.server.conftest import PASSWORDS
from tests.server.wires import Wire
from tests.web.test_sessions import Caller

LogIn = Callable[[Server, str], Login]
Connect = Callable[[Server, str], Wire]
MESSAGE = {"to": ["bob"], **FIELDS}


def by_http(desk: Server, _redis: OwnRedis, alice: Login) -> None:
    assert desk.ask("POST", "/api/v1/messages", MESSAGE, alice.token).status == 201


def later(desk: Server, _redis: OwnRedis, alice: Login) -> None:
    assert desk.ask("POST", "/api/v1/messages", MESSAGE | {"deliver_at": now_ms() + 300}, alice.token).status == 201


def to_several(desk: Server, _redis: OwnRedis, alice: Login) -> None:
    assert desk.ask("POST", "/api/v1/messages", MESSAGE | {"to": ["bob", "carol"]}, alice.token).status == 201


def by_socket(desk: Server, _redis: OwnRedis, alice: Login) -> None:
    with Wire(desk.url, alice.token) as wire:
        assert wire.ask("send", MESSAGE | {"cid": "c1"})["ok"]


def by_stream(_desk: Server, redis: OwnRedis, alice: Login) -> None:
    redis.client.xadd("deskbell:publish", {"json": json.dumps(MESSAGE | {"token": alice.token})})


def by_channel(_desk: Server, redis: OwnRedis, alice: Login) -> None:
    redis.client.publish("deskbell:publish", json.dumps(MESSAGE | {"token": alice.token}))


def by_admin_page(desk: Server, _redis: OwnRedis, _alice: Login) -> None:
    browser = Caller(desk)
    csrf = browser.sign_in("alice", PASSWORDS["alice"])
    browser.call("POST", "/admin/confirm", {"password": PASSWORDS["alice"]}, X_CSRF_Token=csrf)
    assert browser.call("POST", "/admin/api/announce", {"key": "k1", **FIELDS}, X_CSRF_Token=csrf).status == 201


def by_command(desk: Server, _redis: OwnRedis, _alice: Login) -> None:
    options = [f"--{name}={value}" for name, value in FIELDS.items() if name != "body"]
    desk.command("announce", "--as", "alice", *options, FIELDS["body"])


DOORS = [by_http, later, to_several, by_socket, by_stream, by_channel, by_admin_page, by_command]


def test_every_field_is_filled() -> None:
    assert left_out() == set()


@pytest.mark.parametrize("door", DOORS)
def test_every_field_arrives(
    door: Callable[[Server, OwnRedis, Login], None],
    desk: Server,
    own_redis: OwnRedis,
    log_in: LogIn,
    connect: Connect,
) -> None:
    alice, bob = log_in(desk, "alice"), log_in(desk, "bob")
    wire = connect(desk, bob.token)
    door(desk, own_redis, alice)
    (pushed,) = wire.wait_for("event") if door is not by_command else wire.sync()["events"]
    assert content_of(pushed["data"]) == FIELDS
    for token, count in ((alice.token, 2 if door is to_several else 1), (bob.token, 1)):
        synced = connect(desk, token).sync()["events"]
        page = desk.ask("GET", "/api/v1/messages", token=token).body["events"]
        assert [content_of(event["data"]) for event in synced + page] == [FIELDS] * 2 * count


OTHERS = {
    "to": ["carol"],
    "reply_to": "01890a5d-ac96-774b-bcce-b302099a8057",
    "deliver_at": now_ms() + 10**8,
    **plain(OTHER),
}


@pytest.mark.parametrize("field", Publish.__struct_fields__)
def test_a_key_stands_for_every_field(field: str, desk: Server, log_in: LogIn) -> None:
    """A field that were left out would make two different requests the same, and the second would be lost."""
    alice = log_in(desk, "alice")

    def publish(body: object) -> int:
        return desk.ask("POST", "/api/v1/messages", body, alice.token, Idempotency_Key="k1").status

    other = MESSAGE | {field: OTHERS[field]} | ({"to": None} if field == "reply_to" else {})
    assert [publish(MESSAGE), publish(MESSAGE), publish(other)] == [201, 200, 409]
