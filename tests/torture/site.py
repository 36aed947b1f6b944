"""A small place for single faults: what each test or measurement of one promise begins with."""

import contextlib
import http.client
import json
import random
import time
from pathlib import Path
from typing import Any

import msgspec

from deskbell_protocol import names
from deskbell_protocol.ids import new_id, now_ms
from deskbell_protocol.wire import Content
from deskbell_server.store import channels, log, members, users
from deskbell_server.store.log import Entry
from deskbell_server.store.members import Window
from tests.desk.processes import wait_for
from tests.torture.databases import Database, SqliteFile
from tests.torture.device import Seat
from tests.torture.devices import Desk
from tests.torture.office import Server, Setup, hire
from tests.torture.relay import WRONG_ANSWERS, Network

SEATS = {"desk": "alice", "laptop": "alice", "script": "robot1"}


class Site:
    """A database, a network, servers and devices on demand; `close` ends them all."""

    def __init__(self, folder: Path, database: Database | None = None, seats: dict[str, str] | None = None) -> None:
        self.folder = folder
        self.database = database or SqliteFile(folder / "data" / "deskbell.db")
        wrong = {f"device {number}": "bob" for number in range(len(WRONG_ANSWERS) + 1)}
        self.staff = hire(self.database, seats or SEATS | wrong)
        self.network = Network(random.Random(1))
        self.servers: list[Server] = []
        self.desks: list[Desk] = []

    def serve(self, failpoints: str = "", redis: str = "", **env: str) -> Server:
        server = Server(Setup(self.folder, self.database.url, redis, failpoints=failpoints, env=env), len(self.servers))
        self.servers.append(server)
        server.start()
        server.wait_until_up()
        return server

    def sit_down(self, seat: str, server: Server, user: str = "alice", write_every_s: float = 0.0, **env: str) -> Desk:
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
        desk = Desk(seat, self.staff.people[user], relay, where, env=env)
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

    def fill(self, count: int) -> int:
        """As many messages to alice, of usual length, in the log but pushed to nobody; the place of the last one."""
        robot, alice = self.staff.people["robot1"].id, self.staff.people["alice"].id
        with self.database.filling() as connection:
            numbers = users.numbers(connection, [robot, alice])
            channel = channels.pair(*numbers.values())
            entries = [_entry(channel, numbers[robot], number) for number in range(count)]
            first = log.append(connection, entries)
            members.open_windows(connection, [Window(person, channel) for person in numbers.values()])
        return first + count - 1

    def close(self) -> None:
        for desk in self.desks:
            desk.end()
        for server in self.servers:
            server.end()
        self.network.close()
        self.database.close()


def _entry(channel: int, sender: int, number: int) -> Entry:
    body = f"{new_id()} script {number} " + "." * 200
    content = msgspec.json.encode(Content(body=body)).decode()
    return Entry(channel=channel, kind=names.KIND_MESSAGE, sender=sender, at=now_ms(), recipients=1, content=content)
