"""Several processes on one database, without Redis: what one commits reaches the sockets of the other in time."""

import json
import shutil
import signal
import threading
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.desk.processes import can_connect, wait_for
from tests.desk.server import Login, Server
from tests.server.conftest import PASSWORDS, pair
from tests.server.wires import Wire
from tests.web.test_sessions import Caller

LogIn = Callable[[Server, str], Login]
Connect = Callable[[Server, str], Wire]
Two = tuple[Server, Server]
MESSAGES = "/api/v1/messages"
SOON_S = 8.0
"""Two are promised, and more for a machine that is busy; the first head of a connection comes after twelve."""


@pytest.fixture
def two(folder: Path, furnished: Path, shared_url: str) -> Iterator[Two]:
    with pair(folder, furnished, shared_url) as servers:
        yield servers


def test_what_one_process_stores_reaches_the_sockets_of_another(two: Two, log_in: LogIn, connect: Connect) -> None:
    first, second = two[0].start(), two[1].start()
    alice, bob = log_in(first, "alice"), log_in(second, "bob")
    wire = connect(second, bob.token)
    wire.sync()
    message = first.publish(alice, "bob", body="over there")
    assert wire.wait_for("event")[0]["id"] == message
    assert [event["id"] for event in wire.sync()["events"]] == [message]
    second.publish(bob, "alice", body="and here")
    there, here = wire.wait_for("event", 2)
    assert (there["prev"], there["seq"], here["prev"], here["seq"]) == (0, 1, 1, 2)


def test_a_device_that_one_process_logs_out_is_closed_by_the_other(two: Two, log_in: LogIn, connect: Connect) -> None:
    first, second = two[0].start(), two[1].start()
    bob, again = log_in(second, "bob"), log_in(first, "bob")
    wire = connect(second, bob.token)
    assert first.ask("DELETE", f"/api/v1/devices/{bob.device['id']}", token=again.token).status == 204
    wait_for(wire.ended.is_set, "its connection to be closed", SOON_S)
    assert wire.of("bye")[0]["code"] == "revoked"
    assert second.ask("GET", "/api/v1/me", token=bob.token).body["code"] == "revoked"


def test_a_repeated_publish_is_known_to_the_other_process(two: Two, log_in: LogIn) -> None:
    first, second = two[0].start(), two[1].start()
    alice = log_in(first, "alice")
    body = {"to": ["bob"], "body": "once"}
    told = first.ask("POST", MESSAGES, body, alice.token, Idempotency_Key="k")
    again = second.ask("POST", MESSAGES, body, alice.token, Idempotency_Key="k")
    assert (again.status, again.body) == (200, told.body | {"duplicate": True})


def test_both_write_to_the_same_people_at_once(two: Two, log_in: LogIn) -> None:
    """Each to all and to each other in opposite orders: nobody waits for ever, and the log is dense."""
    first, second = two[0].start(), two[1].start()
    tokens = {name: log_in(first, name).token for name in ("alice", "bob", "carol")}
    audiences = [["bob", "carol"], ["carol", "alice"], ["alice", "bob"], ["@everyone"], ["bob"], ["alice"]]
    stored: list[str] = []
    problems: list[str] = []

    def publish(server: Server, thread: int) -> None:
        for number in range(25):
            to = audiences[(number + thread) % len(audiences)]
            sender = "alice" if to == ["@everyone"] else ("bob", "carol", "alice")[(number + thread) % 3]
            answer = server.ask("POST", MESSAGES, {"to": to, "body": f"{thread}-{number}"}, tokens[sender])
            (stored if answer.status == 201 else problems).append(str(answer.body.get("id", answer)))

    threads = [threading.Thread(target=publish, args=(two[n % 2], n)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert problems == []
    assert len(stored) == 150
    assert {row[0] for row in first.rows("SELECT id FROM messages")} == set(stored)
    ((head,),) = first.rows("SELECT value FROM meta WHERE key = 'head'")
    assert first.rows("SELECT count(*), min(seq), max(seq) FROM log") == [(int(head), 1, int(head))]
    assert second.is_up()


# -- workers on one port -------------------------------------------------------------------------------------------


@pytest.fixture
def house(folder: Path, furnished: Path, shared_url: str) -> Iterator[Server]:
    """A server of two worker processes, not yet started."""
    with Server(folder, "--workers", "2", "--publish-rate", "0") as own:
        shutil.copytree(furnished, own.data)
        own.database = shared_url
        yield own


def workers(server: Server) -> set[int]:
    return {child.pid for child in psutil.Process(server.process.pid).children() if child.is_running()}


def test_a_dead_worker_is_started_again_and_said_so(house: Server, log_in: LogIn, connect: Connect) -> None:
    house.start()
    alice, bob = log_in(house, "alice"), log_in(house, "bob")
    before = workers(house)
    assert len(before) == 2
    victim = min(before)
    psutil.Process(victim).send_signal(signal.SIGKILL)
    wait_for(lambda: len(workers(house) - {victim}) == 2, "another worker")
    assert f"(process {victim}) ended with -9" in house._log.read_text()
    wait_for(house.is_up, "the port to answer")
    message = house.publish(alice, "bob", body="still here")
    wire = connect(house, bob.token)
    assert [event["id"] for event in wire.sync()["events"]] == [message]


def test_workers_share_the_port_and_reach_each_others_sockets(house: Server, log_in: LogIn, connect: Connect) -> None:
    house.start()
    alice, bob = log_in(house, "alice"), log_in(house, "bob")
    wires = [connect(house, bob.token) for _ in range(5)]
    ports = {pid: len(psutil.Process(pid).net_connections("tcp")) for pid in workers(house)}
    assert len(ports) == 2
    for wire in wires:
        wire.sync()
    for number in range(4):
        house.publish(alice, "bob", body=str(number))
    for wire in wires:
        assert [event["data"]["body"] for event in wire.wait_for("event", 4)] == ["0", "1", "2", "3"]
        assert [event["data"]["body"] for event in wire.sync()["events"]] == ["0", "1", "2", "3"]


def test_an_admin_sees_who_is_connected_to_any_process(house: Server, log_in: LogIn, connect: Connect) -> None:
    house.start()
    bobs = {login.device["id"]: connect(house, login.token) for login in (log_in(house, "bob") for _ in range(5))}
    browser = Caller(house)
    csrf = browser.sign_in("alice", PASSWORDS["alice"])
    assert browser.call("POST", "/admin/confirm", {"password": PASSWORDS["alice"]}, X_CSRF_Token=csrf).status == 200

    def online() -> set[str]:
        return {row["id"] for row in browser.call("GET", "/admin/api/devices").body["devices"] if row["online"]}

    # A second for the processes to tell each other; then whichever answers knows.
    wait_for(lambda: all(online() == set(bobs) for _ in range(10)), "all of them")


def test_a_stop_under_load_ends_every_worker_and_loses_nothing(house: Server, log_in: LogIn) -> None:
    house.start()
    alice = log_in(house, "alice")
    acknowledged: list[str] = []

    def publish_for_ever() -> None:
        while True:
            request = urllib.request.Request(house.url + MESSAGES, b'{"to": ["bob"], "body": "x"}', method="POST")
            request.add_header("Authorization", f"Bearer {alice.token}")
            request.add_header("Content-Type", "application/json")
            try:
                with urllib.request.urlopen(request, timeout=15) as answer:
                    acknowledged.append(json.loads(answer.read())["id"])
            except OSError:
                return

    threads = [threading.Thread(target=publish_for_ever) for _ in range(3)]
    for thread in threads:
        thread.start()
    wait_for(lambda: len(acknowledged) > 20, "some load")
    pids = workers(house)
    house.process.signal(signal.SIGTERM)
    assert house.process.wait(15) == 0
    for thread in threads:
        thread.join(20)
    assert not any(psutil.pid_exists(pid) for pid in pids)
    stored = {row[0] for row in house.rows("SELECT id FROM messages")}
    assert set(acknowledged) <= stored


def test_a_stop_while_the_workers_start_is_an_ordinary_end(house: Server) -> None:
    house.start(wait=False)
    house.process.wait_until(lambda: "worker 2 is process" in house.process.log.read_text(), "the second worker", 20)
    house.process.signal(signal.SIGTERM)
    assert house.process.wait(15) == 0


def test_workers_end_when_their_parent_is_killed(house: Server) -> None:
    house.start()
    pids = workers(house)
    house.process.signal(signal.SIGKILL)
    house.process.wait()
    wait_for(lambda: not any(psutil.pid_exists(pid) for pid in pids), "the workers to end", 15)
    assert not can_connect(house.port)


def test_a_port_of_another_server_is_not_shared(house: Server, folder: Path) -> None:
    house.start()
    place = folder / "other"
    place.mkdir()
    with Server(place, "--workers", "2") as other:
        other.port = house.port
        other.start(wait=False)
        assert other.process.wait(20) == 1
        assert "is in use" in other._log.read_text()
