"""Scripts that publish over HTTP, one message after the other, each with its key until the answer is definite."""

import http.client
import json
import random
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from deskbell_protocol.ids import new_id
from tests.torture.relay import Relay

TIMEOUT_S = 8.0
FINISH_S = 40.0
HANG_UP = 0.05
"""How often the next message comes on a connection of its own."""


@dataclass(frozen=True)
class Acked:
    """A message that the server has promised to deliver."""

    key: str
    id: str
    to: tuple[str, ...]
    at: float
    took: float
    """From the first attempt of the request that was answered to its answer."""


@dataclass
class Publisher:
    """`problems`: answers that must not be."""

    name: str
    token: str
    relay: Relay
    addresses: list[tuple[str, ...]]
    chance: random.Random
    pause_s: float
    acked: list[Acked] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    attempts: int = 0
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _connection: http.client.HTTPConnection | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """The last message is still brought to its end."""
        self._over.set()

    @property
    def is_running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _run(self) -> None:
        number = 0
        while not self._over.is_set():
            number += 1
            self._publish(number)
            self._over.wait(self.chance.uniform(0, 2 * self.pause_s))
            if self.chance.random() < HANG_UP:
                self._hang_up()
        self._hang_up()

    def _publish(self, number: int) -> None:
        key, to = new_id(), self.chance.choice(self.addresses)
        body = json.dumps({"to": list(to), "body": f"{key} {self.name} {number} " + "." * self.chance.randrange(300)})
        until: float | None = None
        while until is None or time.monotonic() < until:
            began = time.monotonic()
            status, answer = self._post(key, body)
            if status in {200, 201} and "id" in answer:
                now = time.monotonic()
                self.acked.append(Acked(key, answer["id"], to, now, now - began))
                if self.chance.random() < 0.05:
                    self._repeat(key, body, answer["id"])
                return
            if 400 <= status < 500:
                self.problems.append(f"{self.name}: {status} {answer}")
                return
            if self._over.is_set() and until is None:
                until = time.monotonic() + FINISH_S
            time.sleep(self.chance.uniform(0.02, 0.2))

    def _repeat(self, key: str, body: str, first: str) -> None:
        status, answer = self._post(key, body)
        if status in {200, 201} and answer.get("id") and (answer["id"] != first or answer.get("duplicate") is not True):
            self.problems.append(f"{self.name}: {key} was answered {first} and then {answer}")

    def _post(self, key: str, body: str) -> tuple[int, dict[str, Any]]:
        """Status and answer; (0, {}) where there was none, or none of ours."""
        self.attempts += 1
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/json",
            "Idempotency-Key": key,
        }
        try:
            self._connection = self._connection or self._connect()
            self._connection.request("POST", "/api/v1/messages", body, headers)
            response = self._connection.getresponse()
            answer = json.loads(response.read() or b"{}")
        except (OSError, http.client.HTTPException, ValueError):
            self._hang_up()
            return 0, {}
        return (response.status, answer) if isinstance(answer, dict) else (0, {})

    def _connect(self) -> http.client.HTTPConnection:
        """Kept from one message to the next, as a script would that has many."""
        return http.client.HTTPConnection("127.0.0.1", self.relay.port, timeout=TIMEOUT_S)

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None
