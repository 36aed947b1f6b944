"""The Redis doors on a real Redis: once per entry, dead letters, consumers that die, a channel that may lose."""

import json
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.desk.processes import wait_for
from tests.desk.server import Login, Server
from tests.desk.services import OwnRedis
from tests.server.wires import Wire

LogIn = Callable[[Server, str], Login]
Connect = Callable[[Server, str], Wire]
NAME = "deskbell:publish"


def bodies(wire: Wire) -> list[str]:
    return [event["data"]["body"] for event in wire.sync()["events"] if event["kind"] == "message"]


def test_an_entry_reaches_the_socket_and_leaves_the_stream(
    desk: Server, own_redis: OwnRedis, log_in: LogIn, connect: Connect
) -> None:
    alice, bob = log_in(desk, "alice"), log_in(desk, "bob")
    wire = connect(desk, bob.token)
    message = {"token": alice.token, "to": ["bob"], "title": "构建", "body": "红了", "priority": "high"}
    entry = own_redis.client.xadd(NAME, {"json": json.dumps(message)})
    event = wire.wait_for("event")[0]
    assert event["data"] | {"from": None, "to": None} == {
        "from": None, "to": None, "title": "构建", "body": "红了", "priority": "high",
    }  # fmt: skip
    fields = {"token": alice.token, "to": "bob, carol", "body": "as fields"}
    own_redis.client.xadd(NAME, fields)  # type: ignore[arg-type]
    assert wire.wait_for("event", 2)[1]["data"]["body"] == "as fields"
    wait_for(lambda: own_redis.client.xlen(NAME) == 0, "the stream to be empty")
    assert own_redis.pending() == 0
    assert own_redis.dead() == []
    own_log = connect(desk, alice.token).sync()["events"]
    assert isinstance(entry, bytes)
    assert own_log[0]["data"]["cid"] == entry.decode()


def test_order_is_kept_and_a_given_key_counts_once(
    desk: Server, own_redis: OwnRedis, log_in: LogIn, connect: Connect
) -> None:
    alice, bob = log_in(desk, "alice"), log_in(desk, "bob")
    for number in range(250):
        message = {"token": alice.token, "to": ["bob"], "body": str(number), "key": f"k{number // 2 * 2}"}
        own_redis.client.xadd(NAME, {"json": json.dumps(message | {"body": str(number // 2)})})
    wire = connect(desk, bob.token)
    wait_for(lambda: own_redis.client.xlen(NAME) == 0, "the stream to be empty")
    assert bodies(wire) == [str(number) for number in range(125)]
    assert own_redis.dead() == []


@pytest.mark.parametrize("door", ["stream", "channel"])
def test_order_is_kept_between_a_group_and_one_of_its_members(
    desk: Server, own_redis: OwnRedis, log_in: LogIn, connect: Connect, door: str
) -> None:
    desk.command("group", "add", "@ops", "alice", "bob")
    alice, bob = log_in(desk, "alice"), log_in(desk, "bob")
    wire = connect(desk, bob.token)
    with own_redis.client.pipeline() as pipe:
        for number in range(60):
            to = ["bob"] if number % 3 else ["@ops"]
            text = json.dumps({"token": alice.token, "to": to, "body": str(number)})
            if door == "stream":
                pipe.xadd(NAME, {"json": text})
            else:
                pipe.publish(NAME, text)
        pipe.execute()
    wait_for(lambda: len(bodies(wire)) == 60, "all of them", every=0.1)
    assert bodies(wire) == [str(number) for number in range(60)]


def test_order_is_kept_beyond_the_rate_and_nobody_else_waits(
    desk: Server, own_redis: OwnRedis, folder: Path, log_in: LogIn, connect: Connect
) -> None:
    desk.stop()
    with Server(folder, "--redis", own_redis.url, "--publish-rate", "100") as limited:
        limited.start()
        alice, bob, carol = (log_in(limited, name) for name in ("alice", "bob", "carol"))
        wire = connect(limited, bob.token)
        with own_redis.client.pipeline() as pipe:
            for number in range(400):
                pipe.xadd(NAME, {"token": alice.token, "to": "bob", "body": str(number)})
            pipe.xadd(NAME, {"token": carol.token, "to": "bob", "body": "carol's"})
            pipe.execute()
        events = sorted(wire.wait_for("event", 401, 20), key=lambda event: event["seq"])
        all_of_them = [event["data"]["body"] for event in events]
        assert [body for body in all_of_them if body != "carol's"] == [str(number) for number in range(400)]
        assert all_of_them.index("carol's") < 300


def test_what_was_added_before_the_server_began_is_stored(
    desk: Server, own_redis: OwnRedis, log_in: LogIn, connect: Connect
) -> None:
    alice, bob = log_in(desk, "alice"), log_in(desk, "bob")
    desk.stop()
    for number in range(3):
        own_redis.client.xadd(NAME, {"json": json.dumps({"token": alice.token, "to": "bob", "body": str(number)})})
    desk.start()
    wire = connect(desk, bob.token)
    wait_for(lambda: own_redis.client.xlen(NAME) == 0, "the stream to be empty")
    assert bodies(wire) == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"json": "no json"}, "invalid"),
        ({"json": "[]"}, "invalid"),
        ({"json": '{"to": ["bob"], "body": "b"}'}, "unauthorized"),
        ({"json": '{"token": "forged", "to": ["bob"], "body": "b"}'}, "unauthorized"),
        ({"json": '{"token": "TOKEN", "to": ["nobody"], "body": "b"}'}, "unknown_recipient"),
        ({"json": '{"token": "TOKEN", "to": ["bob"], "body": "b", "admin": true}'}, "invalid"),
        ({"json": '{"token": "TOKEN", "to": ["bob"], "body": 1}'}, "invalid"),
        ({"json": '{"token": "TOKEN", "to": ["bob"], "body": "b", "key": 1}'}, "invalid"),
        ({"json": '{"token": "TOKEN", "to": ["bob"], "body": "b", "key": "' + "k" * 65 + '"}'}, "invalid"),
        ({"json": '{"token": "TOKEN", "to": ["bob"], "body": "\\ud800"}'}, "invalid"),
        ({"token": "TOKEN", "to": "bob"}, "invalid"),
        ({"token": "TOKEN", "to": "@everyone", "body": "b"}, "forbidden"),
        ({"json": '{"tokn": "TOKEN", "to": ["bob"], "body": "b"}'}, "unauthorized"),
        ({"json": '{"Token": {"a": ["TOKEN"]}, "to": ["bob"], "body": "b"}'}, "unauthorized"),
        ({"json": "{'token': 'TOKEN', 'to': ['bob']}"}, "invalid"),
        ({"tokn": "TOKEN", "to": "bob", "body": "b"}, "unauthorized"),
        ({"json": "[" * 70_000}, "too_large"),
        ({"json": "[" * 60_000}, "invalid"),
        ({b"\xff": b"\xff"}, "invalid"),
        ({"token": "TOKEN", "to": "bob", "body": "b", "deliver_at": "9" * 5_000}, "invalid"),
        ({"token": "TOKEN", "to": "bob", "body": "b", "deliver_at": "9" * 16}, "invalid"),
    ],
)
def test_poison_goes_to_the_dead_with_its_reason_and_without_its_token(
    desk: Server, own_redis: OwnRedis, log_in: LogIn, connect: Connect, fields: Any, code: str
) -> None:
    bob = log_in(desk, "bob")
    given = {k: v.replace("TOKEN", bob.token) if isinstance(v, str) else v for k, v in fields.items()}
    entry: Any = own_redis.client.xadd(NAME, given)
    wait_for(lambda: own_redis.client.xlen(NAME) == 0, "the entry to be settled")
    (dead,) = own_redis.dead()
    assert (dead[b"entry"], dead[b"code"]) == (entry, code.encode())
    assert bob.token.encode() not in b"".join(dead.values())
    own_redis.client.xadd(NAME, {"token": bob.token, "to": "bob", "body": "the door is still open"})
    wire = connect(desk, bob.token)
    wait_for(lambda: bodies(wire) == ["the door is still open"], "the next one")
    assert bob.token not in desk._log.read_text()


def test_a_stream_of_another_type_is_said(desk: Server, own_redis: OwnRedis) -> None:
    own_redis.client.set(NAME, "no stream")
    wait_for(lambda: "WRONGTYPE" in desk._log.read_text(), "it to be said in the log")
    wait_for(lambda: desk.ask("GET", "/healthz").body == {"status": "degraded"}, "it to be said to who watches")
    own_redis.client.delete(NAME)
    wait_for(lambda: desk.ask("GET", "/healthz").body == {"status": "ok"}, "it to be well again")


def test_another_body_under_the_same_key_is_dead(desk: Server, own_redis: OwnRedis, log_in: LogIn) -> None:
    alice = log_in(desk, "alice")
    for body in ("one", "two"):
        own_redis.client.xadd(NAME, {"token": alice.token, "to": "bob", "body": body, "key": "k"})
    wait_for(lambda: own_redis.client.xlen(NAME) == 0, "the stream to be empty")
    (dead,) = own_redis.dead()
    assert dead[b"code"] == b"idempotency_conflict"


def test_entries_of_a_dead_consumer_are_taken_over_and_stored_once(
    desk: Server, own_redis: OwnRedis, log_in: LogIn, connect: Connect
) -> None:
    alice, bob = log_in(desk, "alice"), log_in(desk, "bob")
    desk.stop()
    for number in range(5):
        own_redis.client.xadd(NAME, {"token": alice.token, "to": "bob", "body": str(number)})
    taken: Any = own_redis.client.xreadgroup("deskbell", "one that died", {NAME: ">"}, count=3)
    assert len(taken[0][1] if isinstance(taken, list) else taken[NAME.encode()][0]) == 3
    desk.start()
    wire = connect(desk, bob.token)
    wait_for(lambda: own_redis.client.xlen(NAME) == 0, "all to be stored", 20)
    assert sorted(bodies(wire)) == ["0", "1", "2", "3", "4"]


def test_a_server_that_is_killed_loses_nothing_and_doubles_nothing(
    desk: Server, own_redis: OwnRedis, log_in: LogIn, connect: Connect
) -> None:
    alice, bob = log_in(desk, "alice"), log_in(desk, "bob")
    for number in range(2000):
        own_redis.client.xadd(NAME, {"token": alice.token, "to": "bob", "body": str(number)})
    wait_for(lambda: desk.rows("SELECT count(*) FROM messages")[0][0] > 100, "some to be stored", every=0.005)
    desk.process.signal(signal.SIGKILL)
    desk.process.wait()
    left = own_redis.client.xlen(NAME)
    desk.start()
    wait_for(lambda: own_redis.client.xlen(NAME) == 0, f"all to be stored, {left} were left", 30)
    stored = desk.rows("SELECT content ->> 'body' FROM views WHERE user_id = ? AND kind = 'message'", bob.user["id"])
    assert sorted(int(body) for (body,) in stored) == list(range(2000))


# -- the channel ---------------------------------------------------------------------------------------------------


def test_a_published_message_pops_up(desk: Server, own_redis: OwnRedis, log_in: LogIn, connect: Connect) -> None:
    alice, bob = log_in(desk, "alice"), log_in(desk, "bob")
    wire = connect(desk, bob.token)
    own_redis.client.publish(NAME, json.dumps({"token": alice.token, "to": "bob", "body": "今晚 7 点"}))
    assert wire.wait_for("event")[0]["data"]["body"] == "今晚 7 点"


def test_a_bad_one_is_counted_and_its_words_are_nowhere(desk: Server, own_redis: OwnRedis, log_in: LogIn) -> None:
    alice = log_in(desk, "alice")
    for text in ("secret words", json.dumps({"token": alice.token, "to": "nobody", "body": "secret words"})):
        own_redis.client.publish(NAME, text)
    wait_for(lambda: "(2 until now)" in desk._log.read_text(), "both to be counted")
    logged = desk._log.read_text()
    assert "secret words" not in logged
    assert alice.token not in logged


def test_of_two_processes_one_stores_what_both_hear(
    desk: Server, own_redis: OwnRedis, folder: Path, furnished: Path, log_in: LogIn, connect: Connect
) -> None:
    place = folder / "second"
    place.mkdir()
    with Server(place, "--redis", own_redis.url) as second:
        second.data = desk.data
        second.start()
        alice, bob = log_in(desk, "alice"), log_in(desk, "bob")
        wait_for(lambda: own_redis.listeners() == 2, "both to listen")
        for number in range(20):
            own_redis.client.publish(NAME, json.dumps({"token": alice.token, "to": "bob", "body": str(number)}))
        wire = connect(desk, bob.token)
        wait_for(lambda: len(wire.sync()["events"]) >= 20, "all of them", every=0.1)
        own_redis.client.xadd(NAME, {"token": alice.token, "to": "bob", "body": "the end"})
        wait_for(lambda: bodies(wire)[-1] == "the end", "the end", every=0.1)
        assert bodies(wire) == [*map(str, range(20)), "the end"]


def test_redis_cli_is_enough(desk: Server, own_redis: OwnRedis, log_in: LogIn, connect: Connect) -> None:
    import subprocess

    if shutil.which("redis-cli") is None:
        pytest.skip("redis-cli is not installed")
    alice, bob = log_in(desk, "alice"), log_in(desk, "bob")
    wire = connect(desk, bob.token)
    text = json.dumps({"token": alice.token, "to": "bob", "body": "from a shell"})
    command = ["redis-cli", "-p", str(own_redis.port), "PUBLISH", NAME, text]
    assert subprocess.run(command, check=True, capture_output=True, env=os.environ).stdout.strip() == b"1"
    assert wire.wait_for("event")[0]["data"]["body"] == "from a shell"
