"""The server side of a torture run: a database with people and tokens in it, and real server processes on it."""

import contextlib
import http.client
import os
import resource
import secrets
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deskbell_protocol.ids import new_id, now_ms
from deskbell_protocol.wire import Party
from deskbell_server.devices import token_hash
from deskbell_server.store import devices, groups, migrate, users
from tests.desk.processes import Child, NotInTimeError, free_port, wait_for

TEAM = "@team"
PEOPLE = ("alice", "bob")
ROBOTS = ("robot1", "robot2", "robot3", "robot4")
START_S = 30.0


@dataclass(frozen=True)
class Staff:
    """Who is there, and the tokens that were given out: one for each device's name."""

    people: dict[str, Party]
    tokens: dict[str, str]


def hire(path: Path, seats: dict[str, str]) -> Staff:
    """Makes the database. `seats`: a device's name → its user's."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    migrate.prepare(path)
    people: dict[str, Party] = {}
    tokens: dict[str, str] = {}
    with closing(sqlite3.connect(path)) as connection, connection:
        at = now_ms()
        group = Party(new_id(), TEAM, kind="group")
        groups.add(connection, group.id, TEAM, TEAM, "", at)
        people[TEAM] = group
        for name in (*PEOPLE, *ROBOTS):
            user = users.User(new_id(), name, "", "-", False, False, None)
            users.add(connection, user, name, name, at)
            groups.add_member(connection, group.id, user.id)
            people[name] = user.party
        for seat, name in seats.items():
            tokens[seat] = secrets.token_urlsafe(32)
            devices.add(connection, new_id(), people[name].id, seat, token_hash(tokens[seat]), at)
    return Staff(people, tokens)


class Server:
    """One server process, started again on the same port however it ended."""

    def __init__(self, folder: Path, number: int, failpoints: str, env: Mapping[str, str] | None = None) -> None:
        self.port = free_port()
        self.kills = 0
        self.answered: list[float] = []
        """When its port first answered after each start."""
        self._folder = folder
        self._log = folder / f"server{number}.log"
        self._failpoints = failpoints
        self._env = env or {}
        self._child: Child | None = None

    def start(self, failpoints: bool = True) -> None:
        env = {**os.environ, **self._env, "TORTURE_FAILPOINTS": self._failpoints if failpoints else ""}
        command = [sys.executable, "-m", "tests.torture.launch", "--data", str(self._folder / "data"), "serve"]
        options = ["--port", str(self.port), "--publish-rate", "0", "--log-level", "warning"]
        self._child = Child([*command, *options], self._log, env=env)

    @property
    def child(self) -> Child:
        assert self._child, "not started"
        return self._child

    @property
    def is_dead(self) -> bool:
        return self.child.exit_code is not None

    def wait_until_up(self) -> None:
        self.child.wait_until(self.is_up, "the server's port to answer", START_S)
        self.answered.append(time.monotonic())

    def is_up(self) -> bool:
        return self.health() == 200

    def health(self) -> int:
        """The status of /healthz, 0 where nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/healthz")
            return connection.getresponse().status
        return 0

    def kill(self) -> None:
        self.child.signal(signal.SIGKILL)
        self.child.wait()
        self.kills += 1

    def pause(self, paused: bool) -> None:
        if not self.is_dead:
            self.child.signal(signal.SIGSTOP if paused else signal.SIGCONT)

    def limit_files(self, size: int | None) -> None:
        """No file of it may grow beyond `size`: to SQLite, a disk that takes no more. None: as much as before."""
        if not self.is_dead:
            with contextlib.suppress(ProcessLookupError):
                hard = resource.prlimit(self.child.pid, resource.RLIMIT_FSIZE)[1]
                resource.prlimit(self.child.pid, resource.RLIMIT_FSIZE, (hard if size is None else size, hard))

    def end(self) -> None:
        if self._child is not None and not self.is_dead:
            self._child.signal(signal.SIGKILL)
            self._child.wait()

    def stop(self) -> int:
        """SIGTERM; its exit code."""
        return self.child.stop(patience=15)


class Lock:
    """Another process's long transaction, as SQLite sees it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def hold(self, seconds: float) -> None:
        held = threading.Event()
        threading.Thread(target=self._hold, args=(seconds, held), daemon=True).start()
        held.wait(10)

    def _hold(self, seconds: float, held: threading.Event) -> None:
        with (
            closing(sqlite3.connect(self._path, timeout=10, isolation_level=None)) as connection,
            contextlib.suppress(sqlite3.OperationalError),
        ):
            connection.execute("BEGIN IMMEDIATE")
            held.set()
            time.sleep(seconds)  # the fault itself: so long it is locked
            connection.execute("ROLLBACK")


class Records:
    """What the database says, read beside the running servers."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def heads(self) -> dict[str, int]:
        """user id → head."""
        return dict(self._rows("SELECT user_id, head FROM streams"))

    def log(self, user_id: str) -> list[tuple[int, str, str]]:
        """(seq, id, body) of the messages in this user's log."""
        query = (
            "SELECT e.seq, e.id, m.body FROM events e JOIN messages m ON m.id = e.id"
            " WHERE e.user_id = ? AND e.kind = 'message' ORDER BY e.seq"
        )
        return [(seq, id_, body) for seq, id_, body in self._rows(query, user_id)]

    def problems(self) -> list[str]:
        return [row[0] for row in self._rows("PRAGMA integrity_check") if row[0] != "ok"]

    def _rows(self, query: str, *values: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(f"file:{self._path}?mode=ro", uri=True, timeout=30)) as connection:
            return connection.execute(query, values).fetchall()


def eventually(condition: Callable[[], bool], what: str, timeout: float) -> bool:
    """Whether it came true in time."""
    try:
        return wait_for(condition, what, timeout, every=0.1)
    except NotInTimeError:
        return False
