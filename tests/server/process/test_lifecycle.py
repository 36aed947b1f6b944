"""The server as a process: restarts, other commands beside it, revoking from outside, and a stop under load."""

import json
import re
import signal
import socket
import sqlite3
import stat
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack, closing
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest

from deskbell_protocol import limits
from deskbell_protocol.ids import now_ms
from deskbell_server.delivery.attendant import EVERY_S
from deskbell_server.process.app import openable
from deskbell_server.store import channels, log
from deskbell_server.store.log import Entry
from tests.desk.processes import wait_for
from tests.desk.server import Login, Server
from tests.server.wires import Wire

LogIn = Callable[[Server, str], Login]
Connect = Callable[[Server, str], Wire]
MESSAGES = "/api/v1/messages"
SOON_S = 8.0
"""Two are promised, and more for a machine that is busy; the first head of a connection comes after twelve."""


def test_a_restart_logs_nobody_out_and_repeats_its_answers(server: Server, log_in: LogIn, connect: Connect) -> None:
    server.start()
    alice, bob = log_in(server, "alice"), log_in(server, "bob")
    body = {"to": ["bob"], "body": "before"}
    first = server.ask("POST", MESSAGES, body, alice.token, Idempotency_Key="k")
    server.process.signal(signal.SIGKILL)
    server.process.wait()
    server.start()
    again = server.ask("POST", MESSAGES, body, alice.token, Idempotency_Key="k")
    assert (again.status, again.body) == (200, first.body | {"duplicate": True})
    answer = connect(server, bob.token).sync()
    assert [event["id"] for event in answer["events"]] == [first.body["id"]]


def test_commands_work_beside_a_running_server(server: Server, log_in: LogIn, connect: Connect) -> None:
    server.start()
    alice = log_in(server, "alice")
    server.add_user("dave", "a fourth password")
    dave = server.login("dave", "a fourth password")
    wire = connect(server, dave.token)
    server.publish(alice, "dave", body="welcome")
    assert wire.wait_for("event")[0]["data"]["body"] == "welcome"
    assert "dave" in server.command("user", "list")
    server.command("user", "passwd", "dave", stdin="a new password\n")
    assert server.login("dave", "a new password")


@pytest.mark.real
def test_the_printed_link_can_be_opened_also_where_every_address_is_listened_on(folder: Path) -> None:
    with Server(folder, "--host", "0.0.0.0") as own:
        own.start()
        link = own.process.wait_until(lambda: re.search(r"open (\S+) to", own._log.read_text()), "the link")
        assert link
        with urllib.request.urlopen(link[1], timeout=10) as page:
            assert b"js/setup/main.js" in page.read()


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("::", "localhost"),
        ("::0", "localhost"),
        ("::1", "[::1]"),
        ("192.0.2.7", "192.0.2.7"),
        ("desk.example.org", "desk.example.org"),
    ],
)
def test_the_host_of_a_link(host: str, shown: str) -> None:
    assert openable(host) == shown


@pytest.mark.parametrize("command", ["device revoke", "user disable", "user passwd --log-out"])
def test_who_is_logged_out_from_outside_is_closed_within_two_seconds(
    server: Server, log_in: LogIn, connect: Connect, command: str
) -> None:
    server.start()
    alice, bob = log_in(server, "alice"), log_in(server, "bob")
    wire, other = connect(server, bob.token), connect(server, alice.token)
    if command == "device revoke":
        server.command("device", "revoke", bob.device["id"])
    elif command == "user disable":
        server.command("user", "disable", "bob")
    else:
        server.command("user", "passwd", "bob", "--log-out", stdin="yet another one\n")
    wait_for(wire.ended.is_set, "bob's connection to be closed", SOON_S)
    assert wire.of("bye") == [{"code": "revoked", "fatal": True, "after_ms": 0}]
    assert server.ask("GET", "/api/v1/me", token=bob.token).body["code"] == "revoked"
    with Wire(server.url, bob.token) as again:
        assert again.refusal["data"]["code"] == "revoked"
    assert other.sync()["ok"]


def test_a_device_that_logs_out_over_http_is_closed_at_once(server: Server, log_in: LogIn, connect: Connect) -> None:
    server.start()
    bob, second = log_in(server, "bob"), log_in(server, "bob")
    wire, stays = connect(server, bob.token), connect(server, second.token)
    assert server.ask("DELETE", f"/api/v1/devices/{bob.device['id']}", token=second.token).status == 204
    wait_for(wire.ended.is_set, "its connection to be closed", SOON_S)
    assert stays.sync()["ok"]


def test_what_another_process_committed_is_told(server: Server, log_in: LogIn, connect: Connect) -> None:
    server.start()
    bob = log_in(server, "bob")
    wire = connect(server, bob.token)
    head = wire.sync()["head"]
    with closing(sqlite3.connect(server.data / "deskbell.db")) as other:
        ((number,),) = other.execute("SELECT number FROM users WHERE id = ?", (bob.user["id"],)).fetchall()
        log.append(other, [Entry(channel=channels.own(number), kind="read", sender=number, at=0, content="{}")])
        other.commit()
    assert wire.wait_for("event")[0]["seq"] == head + 1
    assert wire.sync()["events"][-1]["kind"] == "read"


def test_a_head_comes_by_itself(server: Server, log_in: LogIn, connect: Connect) -> None:
    server.start()
    alice, bob = log_in(server, "alice"), log_in(server, "bob")
    wire = connect(server, bob.token)
    epoch = wire.sync()["epoch"]
    server.publish(alice, "bob", body="1")
    latest = limits.HEAD_INTERVAL_S * (1 + limits.HEAD_JITTER) + EVERY_S
    assert wire.wait_for("head", timeout=latest + 10.0)[0] == {"epoch": epoch, "prev": 1, "seq": 1}


# -- messages for later --------------------------------------------------------------------------------------------


def test_a_message_for_later_survives_that_the_server_was_off(server: Server, log_in: LogIn, connect: Connect) -> None:
    server.start()
    alice, bob = log_in(server, "alice"), log_in(server, "bob")
    due = now_ms() + 1500
    message = server.publish(alice, "bob", body="later", deliver_at=due)
    cancelled = server.publish(alice, "bob", body="never", deliver_at=due)
    listed = server.ask("GET", "/api/v1/scheduled", token=alice.token).body["scheduled"]
    assert [(entry["id"], entry["body"], entry["to"]) for entry in listed] == [
        (message, "later", ["bob"]),
        (cancelled, "never", ["bob"]),
    ]
    assert server.ask("DELETE", f"/api/v1/scheduled/{cancelled}", token=alice.token).status == 204
    server.stop()
    assert server.rows("SELECT count(*) FROM messages") == [(0,)]
    wait_for(lambda: now_ms() > due, "the time to pass")
    server.start()
    wire = connect(server, bob.token)
    wait_for(lambda: len(wire.sync()["events"]) == 1, "the message to be delivered", every=0.1)
    event = wire.sync()["events"][0]
    assert event["data"]["body"] == "later"
    assert event["at"] >= due
    assert server.ask("GET", "/api/v1/scheduled", token=alice.token).body["scheduled"] == []


def test_a_message_for_later_comes_in_time_and_once(server: Server, log_in: LogIn, connect: Connect) -> None:
    server.start()
    alice, bob = log_in(server, "alice"), log_in(server, "bob")
    wire = connect(server, bob.token)
    body = {"to": ["bob"], "body": "soon", "deliver_at": now_ms() + 700}
    first = server.ask("POST", MESSAGES, body, alice.token, Idempotency_Key="s")
    again = server.ask("POST", MESSAGES, body, alice.token, Idempotency_Key="s")
    assert again.body == first.body | {"duplicate": True}
    event = wire.wait_for("event")[0]
    assert body["deliver_at"] <= event["at"] < body["deliver_at"] + 8000  # type: ignore[operator]
    after = server.ask("POST", MESSAGES, body, alice.token, Idempotency_Key="s")
    assert after.body == again.body | {"id": event["id"]}, "it is in the log now"
    assert len(wire.sync()["events"]) == 1


def test_a_time_that_has_passed_is_now(server: Server, log_in: LogIn) -> None:
    server.start()
    alice = log_in(server, "alice")
    message = server.publish(alice, "bob", body="now", deliver_at=1)
    assert server.rows("SELECT id FROM messages") == [(message,)]


def test_a_message_for_later_to_somebody_who_left_is_kept_with_the_reason(server: Server, log_in: LogIn) -> None:
    server.start()
    alice = log_in(server, "alice")
    server.publish(alice, "bob", body="too late", deliver_at=now_ms() + 2500)
    server.command("user", "disable", "bob")

    def entry() -> Any:
        return server.ask("GET", "/api/v1/scheduled", token=alice.token).body["scheduled"][0]

    wait_for(lambda: "problem" in entry(), "the reason", every=0.1)
    assert entry()["problem"].startswith("unknown_recipient")
    assert server.rows("SELECT count(*) FROM messages") == [(0,)]


# -- the end -------------------------------------------------------------------------------------------------------


def test_a_stop_under_load_answers_everything_and_loses_nothing(
    server: Server, log_in: LogIn, connect: Connect
) -> None:
    server._options = ("--publish-rate", "0")
    server.start()
    alice, bob = log_in(server, "alice"), log_in(server, "bob")
    wire = connect(server, bob.token)
    acknowledged: list[str] = []
    refused: list[int] = []
    lost: list[str] = []

    def publish_for_ever(number: int) -> None:
        for count in range(100_000):
            request = urllib.request.Request(server.url + MESSAGES, method="POST")
            request.add_header("Authorization", f"Bearer {alice.token}")
            request.add_header("Content-Type", "application/json")
            request.data = json.dumps({"to": ["bob"], "body": f"{number}-{count}"}).encode()
            try:
                with urllib.request.urlopen(request, timeout=15) as answer:
                    acknowledged.append(json.loads(answer.read())["id"])
            except urllib.error.HTTPError as error:
                refused.append(error.code)
                return
            except urllib.error.URLError:
                return  # the door is closed
            except (OSError, HTTPException) as error:
                lost.append(repr(error))
                return

    threads = [threading.Thread(target=publish_for_ever, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    wait_for(lambda: len(acknowledged) > 50, "some load")
    server.process.signal(signal.SIGTERM)
    assert server.process.wait(12) == 0
    for thread in threads:
        thread.join(20)
    assert lost == []
    assert set(refused) <= {503}
    stored = {message for (message,) in server.rows("SELECT id FROM messages")}
    assert stored == set(acknowledged)
    assert wire.of("bye") == [{"code": "unavailable", "fatal": False, "after_ms": 1000}]
    assert wire.ended.is_set()


def test_who_stands_before_the_door_when_it_closes_is_answered(server: Server, log_in: LogIn) -> None:
    server.start()
    token = log_in(server, "alice").token
    asked = f"GET /api/v1/me HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    server.process.signal(signal.SIGSTOP)
    with ExitStack() as open_:
        waiting = [open_.enter_context(socket.create_connection(("127.0.0.1", server.port), 15)) for _ in range(900)]
        for one in waiting:
            one.sendall(asked)
        server.process.signal(signal.SIGTERM)
        server.process.signal(signal.SIGCONT)
        answers = {one.recv(1000)[:9] for one in waiting}
    assert answers == {b"HTTP/1.1 "}
    assert server.process.wait(12) == 0


def test_what_it_keeps_is_for_its_user_only(server: Server) -> None:
    server.start()
    assert stat.S_IMODE(server.data.stat().st_mode) == 0o700
    for path in server.data.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_guessing_is_answered_with_a_time_to_wait_and_a_good_token_is_not_touched(
    server: Server, log_in: LogIn, connect: Connect
) -> None:
    server.start()
    bob = log_in(server, "bob")
    wrong = {"username": "alice", "password": "not this one", "device": "d"}
    answers = [server.ask("POST", "/api/v1/login", wrong) for _ in range(23)]
    assert [answer.status for answer in answers[:20]] == [401] * 20
    assert (answers[-1].status, answers[-1].body["code"]) == (429, "rate_limited")
    assert connect(server, bob.token).sync()["ok"]
    assert server.ask("GET", "/api/v1/me", token=bob.token).status == 200


# -- the database in trouble ---------------------------------------------------------------------------------------


def test_a_locked_database_is_503_in_time_reads_go_on_and_it_heals(
    server: Server, log_in: LogIn, connect: Connect
) -> None:
    server.start()
    alice, bob = log_in(server, "alice"), log_in(server, "bob")
    wire = connect(server, alice.token)
    body = {"to": ["bob"], "body": "b"}
    with closing(sqlite3.connect(server.data / "deskbell.db", isolation_level=None)) as lock:
        lock.execute("BEGIN IMMEDIATE")
        begin = now_ms()
        answer = server.ask("POST", MESSAGES, body, alice.token)
        assert (answer.status, answer.body["code"]) == (503, "unavailable")
        assert now_ms() - begin < 9000, "not one wait after another"
        on_socket = wire.ask("send", {"cid": "c", **body})
        assert (on_socket["ok"], on_socket["code"], on_socket["retry_after_s"]) == (False, "unavailable", 1.0)
        assert server.ask("GET", MESSAGES, token=bob.token).status == 200
        assert wire.sync()["ok"]
        wait_for(lambda: not server.is_up(), "healthz to say so")
        lock.execute("ROLLBACK")
    wait_for(lambda: server.ask("POST", MESSAGES, body, alice.token).status == 201, "it to heal", 5.0)
    wait_for(server.is_up, "healthz to say so", 10)
    assert len(connect(server, bob.token).sync()["events"]) == 1


def test_a_first_start_gives_a_link_and_a_later_one_does_not(folder: Path) -> None:
    with Server(folder) as fresh:
        fresh.start()
        link = re.compile(r"/setup\?secret=[\w-]{20,}")
        fresh.process.wait_until(lambda: link.search(fresh._log.read_text()), "the link to be printed")
        fresh.add_user("root", "password of root", "--admin")
        fresh.stop()
        size = len(fresh._log.read_text())
        fresh.start()
        fresh.process.wait_until(lambda: "app: listening" in fresh._log.read_text()[size:], "it to be ready")
        assert "/setup" not in fresh._log.read_text()[size:]
