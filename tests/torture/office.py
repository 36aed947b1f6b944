"""The server side of a torture run: people and tokens for its database, and real server processes on it."""

import contextlib
import http.client
import os
import random
import resource
import secrets
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from deskbell_protocol.ids import new_id, now_ms
from deskbell_protocol.wire import Party
from deskbell_server.people import membership
from deskbell_server.people.devices import token_hash
from deskbell_server.store import devices, groups, users
from tests.desk.processes import Child, NotInTimeError, free_port, wait_for
from tests.torture.databases import Database

TEAM = "@team"
PEOPLE = ("alice", "bob")
ROBOTS = tuple(f"robot{number}" for number in range(1, 9))
START_S = 30.0


@dataclass(frozen=True)
class Staff:
    """Who is there, and the tokens that were given out: one for each device's name."""

    people: dict[str, Party]
    tokens: dict[str, str]


def hire(database: Database, seats: dict[str, str]) -> Staff:
    """Makes the schema and fills it. `seats`: a device's name → its user's."""
    people: dict[str, Party] = {}
    tokens: dict[str, str] = {}
    with database.filling() as connection:
        at = now_ms()
        group = Party(new_id(), TEAM, kind="group")
        groups.add(connection, group.id, TEAM, TEAM, "", at)
        people[TEAM] = group
        for name in (*PEOPLE, *ROBOTS):
            user = users.User(new_id(), name, "", "-", False, False, None)
            users.add(connection, user, name, name, at)
            groups.add_member(connection, group.id, user.id)
            membership.join(connection, group, user.id, at)
            people[name] = user.party
        for seat, name in seats.items():
            tokens[seat] = secrets.token_urlsafe(32)
            devices.add(connection, new_id(), people[name].id, seat, token_hash(tokens[seat]), at)
    return Staff(people, tokens)


@dataclass(frozen=True)
class Setup:
    """What all servers of a run have in common."""

    folder: Path
    database: str = ""
    redis: str = ""
    workers: int = 1
    failpoints: str = ""
    env: Mapping[str, str] = field(default_factory=dict)


class Server:
    """One `serve`, started again on the same port however it ended. With workers, a parent and its children."""

    def __init__(self, setup: Setup, number: int) -> None:
        self.port = free_port()
        self.kills = 0
        """Of whole servers; see `killed_workers`."""
        self.workers = setup.workers
        self._setup = setup
        self._log = setup.folder / f"server{number}.log"
        self._data = setup.folder / ("data" if not setup.database else f"data{number}")
        self._child: Child | None = None

    def start(self, failpoints: bool = True) -> None:
        setup = self._setup
        env = {**os.environ, **setup.env, "TORTURE_FAILPOINTS": setup.failpoints if failpoints else ""}
        command = [sys.executable, "-m", "tests.torture.launch", "--data", str(self._data)]
        command += ["--database", setup.database] if setup.database else []
        command += ["--redis", setup.redis] if setup.redis else []
        command += ["serve", "--port", str(self.port), "--publish-rate", "0", "--log-level", "warning"]
        command += ["--workers", str(self.workers)] if self.workers > 1 else []
        self._child = Child(command, self._log, env=env)

    @property
    def child(self) -> Child:
        assert self._child, "not started"
        return self._child

    @property
    def is_dead(self) -> bool:
        return self.child.exit_code is not None

    @property
    def serving(self) -> list[int]:
        """The processes that serve, oldest first."""
        if self.workers == 1 or self.is_dead:
            return [] if self.is_dead else [self.child.pid]
        with contextlib.suppress(psutil.NoSuchProcess):
            return sorted(process.pid for process in psutil.Process(self.child.pid).children())
        return []

    @property
    def killed_workers(self) -> int:
        """Those that their parent saw die, by us or at a failpoint."""
        text = self._log.read_text(errors="replace") if self.workers > 1 and self._log.exists() else ""
        return text.count("ended with -9;")

    def wait_until_up(self) -> None:
        self.child.wait_until(self.is_up, "the server's port to answer", START_S)

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
        """All of it."""
        self.kills += 1
        self.end()

    def kill_worker(self, chance: random.Random) -> None:
        """One of those that serve; the parent lives, counts it and starts another."""
        found = self.serving
        if found:
            _signal(chance.choice(found), signal.SIGKILL)

    def pause(self, pid: int, paused: bool) -> None:
        _signal(pid, signal.SIGSTOP if paused else signal.SIGCONT)

    def limit_files(self, size: int | None) -> None:
        """No file of it may grow beyond `size`: to SQLite, a disk that takes no more. None: as much as before."""
        for pid in {*self.serving, *([] if self.is_dead else [self.child.pid])}:
            with contextlib.suppress(ProcessLookupError):
                hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)[1]
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard if size is None else size, hard))

    def end(self) -> None:
        if self._child is None or self.is_dead:
            return
        serving = self.serving
        self._child.signal(signal.SIGKILL)
        self._child.wait()
        for pid in serving:
            _signal(pid, signal.SIGKILL)
        if self.workers > 1:
            wait_for(lambda: not any(map(psutil.pid_exists, serving)), "the workers to end")

    def stop(self) -> int:
        """SIGTERM; its exit code."""
        return self.child.stop(patience=15)


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def eventually(condition: Callable[[], bool], what: str, timeout: float) -> bool:
    """Whether it came true in time."""
    try:
        return wait_for(condition, what, timeout, every=0.1)
    except NotInTimeError:
        return False
