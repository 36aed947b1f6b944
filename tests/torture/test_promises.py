"""Single faults of the list in `docs/reliability.md`, each with the outcome that is promised for it."""

import contextlib
import http.client
import json
import random
import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import socketio

from deskbell_protocol import PROTOCOL_VERSION
from deskbell_protocol.ids import new_id, now_ms
from deskbell_protocol.wire import Message
from deskbell_server.store import logs
from tests.desk.processes import wait_for
from tests.torture.databases import Lock, Records, SqliteFile
from tests.torture.device import Seat
from tests.torture.devices import Desk
from tests.torture.office import Server, Setup, hire
from tests.torture.relay import WRONG_ANSWERS, Network

SEATS = {"desk": "alice", "laptop": "alice", "script": "robot1"}


class Site:
    """A server, a network, and devices on demand; all ended with the test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "data" / "deskbell.db"
        self.database = SqliteFile(self.file)
        wrong = {f"device {number}": "bob" for number in range(len(WRONG_ANSWERS) + 1)}
        self.staff = hire(self.database, SEATS | wrong)
        self.network = Network(random.Random(1))
        self.servers: list[Server] = []
        self.desks: list[Desk] = []

    def serve(self, failpoints: str = "", **env: str) -> Server:
        server = Server(Setup(self.folder, failpoints=failpoints, env=env), len(self.servers))
        self.servers.append(server)
        server.start()
        server.wait_until_up()
        return server

    def sit_down(self, seat: str, server: Server, user: str = "alice", write_every_s: float = 0.0) -> Desk:
        relay = self.network.relay(lambda: [server.port])
        friends = [self.staff.people["robot1"]]
        where = Seat(
            f"http://127.0.0.1:{relay.port}",
            self.staff.tokens[seat],
            self.staff.people[user],
            friends,
            str(self.folder / seat),
            write_every_s,
        )
        desk = Desk(seat, self.staff.people[user], relay, where)
        self.desks.append(desk)
        desk.start()
        return desk

    def publish(
        self, server: Server, key: str = "", to: str = "alice", timeout: float = 20
    ) -> tuple[int, dict[str, Any]]:
        """Status and answer; (0, {}) where the connection broke."""
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=timeout)
        key = key or new_id()
        headers = {
            "Authorization": f"Bearer {self.staff.tokens['script']}",
            "Content-Type": "application/json",
            "Idempotency-Key": key,
        }
        with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
            connection.request("POST", "/api/v1/messages", json.dumps({"to": [to], "body": f"{key} script 1"}), headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        return 0, {}

    def has(self, desk: Desk, message_id: str) -> bool:
        return any(row[1] == message_id for row in desk.messages())

    def wait_for(self, desk: Desk, message_id: str, timeout: float) -> float:
        """Seconds until it is on the device's disk."""
        began = time.monotonic()
        wait_for(lambda: self.has(desk, message_id), f"{message_id} on {desk.name}", timeout)
        return time.monotonic() - began

    def close(self) -> None:
        for desk in self.desks:
            desk.end()
        for server in self.servers:
            server.end()
        self.network.close()


@pytest.fixture
def site(folder: Path) -> Iterator[Site]:
    place = Site(folder)
    try:
        yield place
    finally:
        place.close()


@pytest.mark.parametrize("place", ["before_commit", "after_commit", "before_emit", "mid_emit", "after_emit"])
def test_a_crash_at_the_worst_moment_neither_loses_nor_doubles(site: Site, place: str) -> None:
    server = site.serve(f"{place}:1")
    desk = site.sit_down("desk", server)
    wait_for(lambda: "connected" in (desk.folder / "program.log").read_text(), "the device", 20)
    key = new_id()
    assert site.publish(server, key) == (0, {})
    assert server.child.wait() == -signal.SIGKILL
    server.start(failpoints=False)
    server.wait_until_up()
    status, answer = site.publish(server, key)
    assert (status, answer["duplicate"]) == ((201, False) if place == "before_commit" else (200, True))
    site.wait_for(desk, answer["id"], 18)
    assert [row[1] for row in desk.messages()] == [answer["id"]]


def test_a_message_crosses_from_process_to_process_without_redis(site: Site) -> None:
    first, second = site.serve(), site.serve()
    desk = site.sit_down("desk", second)
    site.wait_for(desk, site.publish(second)[1]["id"], 20)
    delays = [site.wait_for(desk, site.publish(first)[1]["id"], 10) for _ in range(10)]
    assert max(delays) <= 2.5, delays


def test_a_dead_link_is_noticed_soon_when_an_answer_is_due(site: Site) -> None:
    server = site.serve()
    desk = site.sit_down("desk", server, write_every_s=0.5)
    site.wait_for(desk, site.publish(server)[1]["id"], 20)
    desk.relay.go_silent()
    assert site.wait_for(desk, site.publish(server)[1]["id"], 20) <= 13  # noticed within 10 s, back within 3 s


def test_no_wrong_answer_of_a_proxy_ends_a_device(site: Site) -> None:
    server = site.serve()
    answers = [*WRONG_ANSWERS.values(), site.network.trap.redirect]
    desks = [site.sit_down(f"device {number}", server, "bob") for number in range(len(answers))]
    first = site.publish(server, to="bob")[1]["id"]
    for desk in desks:
        site.wait_for(desk, first, 40)
    for desk, answer in zip(desks, answers, strict=True):
        desk.relay.answer_wrongly(answer)
    second = site.publish(server, to="bob")[1]["id"]
    time.sleep(4)  # some attempts, each of which gets the wrong answer
    for desk in desks:
        desk.relay.answer_wrongly(None)
    for desk in desks:
        site.wait_for(desk, second, 35)
        assert not desk.is_dead
    assert site.network.trap.heard == b""


def test_a_full_disk_is_said_at_once_and_forgotten_soon(site: Site) -> None:
    server = site.serve()
    desk = site.sit_down("desk", server)
    before = site.publish(server)[1]["id"]
    site.wait_for(desk, before, 20)
    server.limit_files(4096)
    began = time.monotonic()
    status, answer = site.publish(server)
    assert (status, answer["code"]) == (503, "unavailable")
    assert time.monotonic() - began <= 1.5
    status, _ = read_devices(site, server)
    assert status == 200, "reading goes on"
    server.limit_files(None)
    healed = time.monotonic()
    wait_for(lambda: site.publish(server)[0] == 201, "a publish to succeed", 10)
    assert time.monotonic() - healed <= 2.5
    assert Records(site.database).problems() == []
    assert "disconnected" not in (desk.folder / "program.log").read_text()


def read_devices(site: Site, server: Server) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    with contextlib.closing(connection):
        connection.request("GET", "/api/v1/devices", headers={"Authorization": f"Bearer {site.staff.tokens['script']}"})
        response = connection.getresponse()
        return response.status, json.loads(response.read())


def test_a_short_lock_only_delays(site: Site) -> None:
    server = site.serve()
    Lock(site.database).hold(3)
    with ThreadPoolExecutor(8) as scripts:
        answers = list(scripts.map(lambda _: site.publish(server)[0], range(8)))
    assert answers == [201] * 8


def test_a_long_lock_is_refused_in_time_and_forgotten_soon(site: Site) -> None:
    server = site.serve()
    began = time.monotonic()
    Lock(site.database).hold(8)
    status, answer = site.publish(server)
    assert (status, answer["code"]) == (503, "unavailable")
    assert time.monotonic() - began <= 7.5
    wait_for(lambda: site.publish(server)[0] == 201, "a publish to succeed", 12)
    assert time.monotonic() - began <= 11


def test_sigterm_under_load_answers_everybody_and_ends_well(site: Site) -> None:
    server = site.serve()
    answers: list[int] = []
    over = threading.Event()

    def script() -> None:
        while not over.is_set():
            status, _ = site.publish(server)
            answers.append(status)
            if status != 201:
                return

    scripts = [threading.Thread(target=script) for _ in range(8)]
    for thread in scripts:
        thread.start()
    wait_for(lambda: len(answers) > 50, "some load", 20)
    began = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - began <= 11
    over.set()
    for thread in scripts:
        thread.join(10)
    stored = len(Records(site.database).log(site.staff.people["alice"].id))
    assert answers.count(201) == stored, "each was stored and answered, or neither"


def test_a_failing_handler_still_answers(site: Site) -> None:
    server = site.serve("handler:1")
    with socketio.SimpleClient(reconnection=False) as client:
        auth = {"v": PROTOCOL_VERSION, "token": site.staff.tokens["desk"], "client": "test/1"}
        client.connect(f"http://127.0.0.1:{server.port}", auth=auth, transports=["websocket"])
        for event in ("sync", "read", "ack", "send"):
            answer = client.call(event, {}, timeout=5)
            assert (answer["ok"], answer["code"]) == (False, "internal"), event
    assert site.publish(server)[0] == 500


def test_a_jump_of_the_servers_clock_drops_nobody(site: Site) -> None:
    clock = site.folder / "clock"
    server = site.serve(TORTURE_CLOCK=str(clock))
    desks = [site.sit_down("desk", server), site.sit_down("laptop", server)]
    shown = []
    for wrong_by in (0, 86_400, -86_400, 3_600):
        clock.write_text(str(wrong_by))
        time.sleep(1)
        shown.append(site.publish(server)[1]["id"])
        for desk in desks:
            site.wait_for(desk, shown[-1], 20)
    time.sleep(26)  # a ping is due within this
    for desk in desks:
        assert [row[1] for row in desk.messages()] == shown
        assert "disconnected" not in (desk.folder / "program.log").read_text()


@pytest.mark.timeout(180)
def test_a_device_far_behind_catches_up(site: Site) -> None:
    behind = 10_000
    fill(site, behind)
    server = site.serve()
    desk = site.sit_down("desk", server)
    wait_for(lambda: desk.position() == behind, f"{behind} events", 90, every=0.1)
    applied = desk.applied()
    rate = (behind - applied[0].cursor) / (applied[-1].at - applied[0].at)
    assert rate >= 1_000
    wait_for(desk.is_idle, "the popup", 20)
    assert len(desk.popups()) == 1, "one summary"
    assert len(desk.popups()[0]) == behind


def fill(site: Site, count: int) -> None:
    """As many messages to alice, each with a text of usual length, in the log but pushed to nobody."""
    robot, alice = site.staff.people["robot1"], site.staff.people["alice"]
    with contextlib.closing(sqlite3.connect(site.file)) as connection, connection:
        for number in range(count):
            message, at, id_ = Message(robot, [alice], f"{number} script {number} " + "." * 200), now_ms(), new_id()
            logs.insert_message(connection, id_, message, 1, at)
            logs.append_message(connection, [alice.id], id_, at, message)
