"""Hints: quick with Redis; without it, hung, flushed or lied to, the same outcome a little later."""

import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.desk.processes import wait_for
from tests.desk.server import Login, Server
from tests.desk.services import OwnRedis
from tests.server.conftest import pair
from tests.server.wires import Wire

LogIn = Callable[[Server, str], Login]
Connect = Callable[[Server, str], Wire]
Two = tuple[Server, Server]


@pytest.fixture
def two(folder: Path, furnished: Path, own_redis: OwnRedis, shared_url: str) -> Iterator[Two]:
    """Two running servers on one database and one Redis."""
    with pair(folder, furnished, shared_url, "--redis", own_redis.url) as (first, second):
        first.start(wait=False)
        second.start().wait_until_up()
        first.wait_until_up()
        wait_for(lambda: is_well(first) and is_well(second), "their hints to be heard")
        yield first, second


def is_well(server: Server) -> bool:
    return bool(server.ask("GET", "/healthz").body["status"] == "ok")


def delays(first: Server, alice: Login, wire: Wire, count: int = 10) -> list[float]:
    """How long after the answer to a publish in one process a socket in the other knows of it."""
    found = []
    for number in range(count):
        before = len(wire.of("event"))
        first.publish(alice, "bob", body=str(number))
        begin = time.monotonic()
        wait_for(lambda seen=before: len(wire.of("event")) > seen, "the event", 8.0, every=0.001)  # type: ignore[misc]
        found.append(time.monotonic() - begin)
    return sorted(found)


def test_with_redis_another_process_knows_at_once(two: Two, log_in: LogIn, connect: Connect) -> None:
    first, second = two
    alice, bob = log_in(first, "alice"), log_in(second, "bob")
    wire = connect(second, bob.token)
    found = delays(first, alice, wire)
    assert found[len(found) // 2] < 0.6  # ~10 ms on a machine at rest; a second without hints
    assert len(wire.sync()["events"]) == 10


@pytest.mark.parametrize("trouble", ["killed", "hung"])
def test_without_redis_nothing_is_lost_nobody_waits_and_it_is_said(
    two: Two, own_redis: OwnRedis, log_in: LogIn, connect: Connect, trouble: str
) -> None:
    first, second = two
    alice, bob = log_in(first, "alice"), log_in(second, "bob")
    wire = connect(second, bob.token)
    if trouble == "killed":
        own_redis.kill()
    else:
        own_redis.pause(True)
    took = []
    for number in range(20):
        start = time.monotonic()
        first.publish(alice, "bob", body=str(number))
        took.append(time.monotonic() - start)
    assert sorted(took)[-6] < 0.8, "who waits for Redis waits for a second"
    wire.wait_for("event", 20)
    assert len(wire.sync()["events"]) == 20
    wait_for(lambda: not is_well(first) and not is_well(second), "both to say degraded", 15)
    assert second.ask("GET", "/healthz").status == 200
    if trouble == "killed":
        own_redis.start()
    else:
        own_redis.pause(False)
    wait_for(lambda: is_well(first) and is_well(second), "both to be well again")
    found = delays(first, alice, wire, 5)
    assert found[2] < 0.6


def test_a_flushed_redis_is_no_matter(two: Two, own_redis: OwnRedis, log_in: LogIn, connect: Connect) -> None:
    first, second = two
    alice, bob = log_in(first, "alice"), log_in(second, "bob")
    wire = connect(second, bob.token)
    own_redis.client.flushall()
    assert len(delays(first, alice, wire, 3)) == 3
    own_redis.client.xadd("deskbell:publish", {"token": alice.token, "to": "bob", "body": "after"})
    wait_for(lambda: wire.sync()["events"][-1]["data"]["body"] == "after", "the stream's door", every=0.1)


def test_forged_hints_say_nothing_and_do_nothing(
    two: Two, own_redis: OwnRedis, log_in: LogIn, connect: Connect
) -> None:
    first, second = two
    alice, bob = log_in(first, "alice"), log_in(second, "bob")
    wire = connect(second, bob.token)
    first.publish(alice, "bob", body="1")
    wire.wait_for("event")
    for text in (
        json.dumps({"head": 10**6}),
        json.dumps({"head": 1}),
        json.dumps({"head": -1}),
        "no json", "[]", "{}", '{"head": "1"}', "[" * 100_000,
    ):  # fmt: skip
        for _ in range(200):
            own_redis.client.publish("deskbell:head", text)
    first.publish(alice, "bob", body="2")
    assert [event["seq"] for event in wire.wait_for("event", 2)] == [1, 2]
    assert {head["seq"] for head in wire.of("head")} <= {1, 2}
    assert is_well(first)
    assert is_well(second)
    assert len(wire.sync()["events"]) == 2


def test_a_server_starts_without_its_redis(folder: Path, furnished: Path, free_port: int, log_in: LogIn) -> None:
    with Server(folder, "--redis", f"redis://127.0.0.1:{free_port}/0") as alone:
        shutil.copytree(furnished, alone.data)
        alone.start()
        alone.publish(log_in(alone, "alice"), "bob", body="b")
        wait_for(lambda: not is_well(alone), "it to say degraded", 15)


def test_a_wrong_address_is_told_at_once(folder: Path, furnished: Path) -> None:
    with Server(folder, "--redis", "http://127.0.0.1") as wrong:
        wrong.start(wait=False)
        assert wrong.process.wait(20) == 1
        assert "--redis must begin with" in wrong._log.read_text()
