"""What the server writes down: the way of a message, and no secret of anybody, whatever was done."""

import json
import logging
import socket
import sqlite3
import urllib.parse
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from queue import SimpleQueue

import pytest

from deskbell_server.process.logs import LogFile, Queued
from tests.desk.server import Login, Server
from tests.server.conftest import PASSWORDS
from tests.server.wires import Wire

LogIn = Callable[[Server, str], Login]
Connect = Callable[[Server, str], Wire]


def all_logs(server: Server) -> str:
    return server._log.read_text() + "".join(path.read_text() for path in (server.data / "logs").iterdir())


def test_no_token_password_or_body_is_in_any_log(server: Server, log_in: LogIn, connect: Connect) -> None:
    server.start()
    alice, bob = log_in(server, "alice"), log_in(server, "bob")
    wire, secret = connect(server, bob.token), "the-secret-of-the-message"
    body = {"to": ["bob"], "body": secret, "title": secret + "-title"}
    server.ask("POST", "/api/v1/messages", body, alice.token, Idempotency_Key="k")
    wire.ask("send", {"cid": "c", "to": ["alice"], "body": secret})
    wire.ask("send", {"cid": "c", "to": ["alice"], "body": secret, "unknown": secret})
    wire.ask(secret, {"body": secret})
    server.ask("POST", "/api/v1/messages", body | {"priority": secret}, alice.token)
    server.ask("POST", "/api/v1/login", {"username": "bob", "password": PASSWORDS["bob"] + "x", "device": "d"})
    server.ask("POST", "/api/v1/login", {"username": PASSWORDS["bob"], "password": "bob", "device": "d"})
    server.ask("GET", f"/api/v1/me?token={alice.token}&q={urllib.parse.quote(secret)}", token="wrong-token-of-mine")
    with Wire(server.url, "another-wrong-token") as refused:
        assert refused.refusal
    server.command("user", "passwd", "bob", stdin="another secret word\n")
    server.stop()
    text = all_logs(server)
    secrets = [alice.token, bob.token, *PASSWORDS.values(), secret, "wrong-token", "another secret word"]
    assert [word for word in secrets if word in text] == []
    assert len(text.splitlines()) > 10


def test_a_message_can_be_followed(server: Server, log_in: LogIn, connect: Connect) -> None:
    server.start()
    alice = log_in(server, "alice")
    by_http = server.publish(alice, "bob", body="b")
    wire = connect(server, alice.token)
    by_socket = wire.ask("send", {"cid": "c", "to": ["bob"], "body": "b"})["id"]
    wire.close()
    server.stop()
    lines = (server.data / "logs" / "server.log").read_text().splitlines()
    (http_line,) = [line for line in lines if by_http in line]
    assert "POST /api/v1/messages 201" in http_line
    (socket_line,) = [line for line in lines if by_socket in line]
    connection = socket_line.split("socket: ")[1].split()[0]
    assert len([line for line in lines if connection in line]) == 3  # connected, message, disconnected
    assert any(alice.device["id"] in line and connection in line for line in lines)


def test_a_stranger_cannot_write_lines_into_the_log(server: Server) -> None:
    server.start()
    server.ask("GET", "/x%0a2026-01-01%20ERROR%20forged%1b[31m")
    with closing(socket.create_connection(("127.0.0.1", server.port), timeout=5)) as raw:
        raw.sendall(b"GET /a\rb HTTP/1.1\r\nHost: x\r\n\r\n")
        raw.recv(1000)
    with Wire(server.url, auth={"v": 1, "token": "t", "client": "x\n2026 ERROR forged"}) as wire:
        assert wire.refusal
    server.stop()
    text = all_logs(server)
    assert "\x1b" not in text
    assert not any(line.startswith(("2026-01-01 ERROR", "2026 ERROR")) for line in text.splitlines())


def test_an_error_inside_is_logged_with_the_request_and_told_without_details(server: Server, log_in: LogIn) -> None:
    server.start()
    alice = log_in(server, "alice")
    server.publish(alice, "bob", body="b")
    with closing(sqlite3.connect(server.data / "deskbell.db")) as other:
        other.execute("UPDATE log SET content = 'no json'")
        other.commit()
    answer = server.ask("GET", "/api/v1/messages", token=alice.token)
    assert (answer.status, answer.body["code"]) == (500, "internal")
    assert "Traceback" not in json.dumps(answer.body)
    reference = answer.body["message"].split("request ")[1].rstrip(")")
    server.stop()
    lines = [line for line in (server.data / "logs" / "server.log").read_text().splitlines() if reference in line]
    assert any("Traceback" in line for line in lines)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_told_once(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    handler, full = LogFile(folder / "server.log"), Path("/dev/full").open("w")  # noqa: SIM115 - closing it fails
    room = handler.setStream(full)
    for number in range(3):
        handler.handle(logging.LogRecord("n", logging.INFO, "p", 1, "line %d", (number,), None))
    assert room is not None
    handler.stream = room
    with suppress(OSError):
        full.close()
    handler.handle(logging.LogRecord("n", logging.INFO, "p", 1, "room again", (), None))
    handler.close()
    told = capsys.readouterr().err
    assert told.count("No space left on device") == 1
    assert "Traceback" not in told
    assert (folder / "server.log").read_text() == "room again\n"


@pytest.mark.parametrize("shown", ["%s", "%(a)s"])
def test_a_value_that_changes_is_shown_as_it_was(shown: str) -> None:
    queue: SimpleQueue[logging.LogRecord] = SimpleQueue()
    value = {"a": 1}
    Queued(queue).handle(logging.LogRecord("n", logging.INFO, "p", 1, shown, (value,), None))
    value["a"] = 2
    assert "1" in queue.get().getMessage()
