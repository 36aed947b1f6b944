"""A small place for single faults: what each test or measurement of one promise begins with."""

import contextlib
import http.client
import json
import random
import time
from pathlib import Path
from typing import Any

from deskbell_protocol.ids import new_id, now_ms
from deskbell_protocol.wire import Message
from deskbell_server.store import logs
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

    def fill(self, count: int) -> None:
        """As many messages to alice, each with a text of usual length, in the log but pushed to nobody."""
        robot, alice = self.staff.people["robot1"], self.staff.people["alice"]
        with self.database.filling() as connection:
            for number in range(count):
                message = Message(sender=robot, to=[alice], body=f"{number} script {number} " + "." * 200)
                at, id_ = now_ms(), new_id()
                logs.insert_message(connection, id_, message, 1, at)
                logs.append_message(connection, [alice.id], id_, at, message)

    def close(self) -> None:
        for desk in self.desks:
            desk.end()
        for server in self.servers:
            server.end()
        self.network.close()
        self.database.close()
