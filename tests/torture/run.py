"""One torture run, from the empty database to the verdict."""

import contextlib
import random
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from tests.desk.services import OwnRedis, find_postgres
from tests.torture.checker import Checker, ControlChecker, Verdict
from tests.torture.databases import Database, Lock, PostgresHouse, Records, SqliteFile
from tests.torture.device import Seat
from tests.torture.devices import Desk
from tests.torture.office import PEOPLE, ROBOTS, TEAM, Server, Setup, eventually, hire
from tests.torture.publishers import Publisher
from tests.torture.relay import Network
from tests.torture.services import PostgresFaults, RedisFaults
from tests.torture.trouble import Trouble

DEVICES = {"alice's desk": "alice", "alice's laptop": "alice", "bob's desk": "bob"}
ADDRESSES: list[tuple[str, ...]] = [("alice",), ("bob",), ("alice", "bob"), (TEAM,), ("bob", TEAM)]
FAILPOINTS = (
    "before_commit:0.0005,after_commit:0.0005,before_emit:0.0003,mid_emit:0.0002,after_emit:0.0003,handler:0.01"
)
DEVICE_CRASHES = 0.002
REST_S = 90.0
SLOW_S = 5.0
"""Within this a device has promised to have caught up."""
TURN_S = 0.02


@dataclass(frozen=True)
class Arm:
    """What the servers stand on. Two processes: workers on one port with SQLite, two servers with PostgreSQL."""

    database: str = "sqlite"
    processes: int = 1
    redis: bool = False

    def __str__(self) -> str:
        return f"{self.database}-{self.processes}" + ("-redis" if self.redis else "")


@dataclass(frozen=True)
class Options:
    seconds: float
    seed: int
    arm: Arm = Arm()
    emit_only: bool = False
    """The negative control."""
    pause_s: float = 0.02
    """Between two messages of one script, on average."""
    pace_s: float = 2.0
    """Between two troubles, on average."""
    keep: bool = False
    """Leave the folder behind."""


@dataclass
class Result:
    verdict: Verdict
    kills: int
    troubles: dict[str, int]
    delays: list[float]
    catch_ups: list[float]
    rested_in: float
    options: Options
    folder: Path
    faults: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return self.verdict.is_clean and not self.faults

    @property
    def line(self) -> str:
        v = self.verdict
        return (
            f"kills={self.kills} acked={v.acked} lost={v.lost} duplicated={v.duplicated} misordered={v.misordered}"
            f" popups_missing={v.popups_missing} popups_repeated={v.popups_repeated} unsent={v.unsent}"
            f" p50={percentile(self.delays, 50):.2f}s p99={percentile(self.delays, 99):.2f}s"
            f" caught_up_p99={percentile(self.catch_ups, 99):.2f}s({len(self.catch_ups)}) rested={self.rested_in:.1f}s"
            f" seed={self.options.seed} seconds={self.options.seconds:g} arm={self.options.arm}"
        )


def percentile(values: list[float], percent: int) -> float:
    if len(values) < 2:
        return values[0] if values else float("nan")
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


class Run:
    def __init__(self, options: Options, folder: Path, services: ExitStack) -> None:
        self._options = options
        self._folder = folder
        self._database = _database(options.arm, folder)
        services.callback(self._database.close)
        self._staff = hire(self._database, DEVICES | {name: name for name in ROBOTS})
        self._records = Records(self._database)
        self._network = Network(self._chance("network"))
        services.callback(self._network.close)
        self._faults = self._make_faults(services)
        self._servers = self._make_servers()
        self._desks = [self._desk(name, user) for name, user in DEVICES.items()]
        self._publishers = self._make_publishers()
        self._ups: list[tuple[float, dict[str, int]]] = []
        self._over = threading.Event()

    def _make_faults(self, services: ExitStack) -> list[PostgresFaults | RedisFaults]:
        faults: list[PostgresFaults | RedisFaults] = []
        self._redis = ""
        if isinstance(self._database, PostgresHouse):
            faults.append(PostgresFaults(self._database))
        if self._options.arm.redis:
            service = OwnRedis(self._folder)
            services.callback(service.stop)
            relay = self._network.relay(lambda: [service.port])
            self._redis = f"redis://127.0.0.1:{relay.port}/0"
            faults.append(RedisFaults(service, relay))
        return faults

    def _make_servers(self) -> list[Server]:
        arm = self._options.arm
        together = arm.database == "sqlite"  # as workers of one port
        setup = Setup(
            self._folder,
            self._database.url,
            self._redis,
            workers=arm.processes if together else 1,
            failpoints="" if self._options.emit_only else FAILPOINTS,
        )
        return [Server(setup, number) for number in range(1 if together else arm.processes)]

    def _chance(self, what: str) -> random.Random:
        return random.Random(f"{self._options.seed} {what}")

    def _ports(self) -> list[int]:
        return [server.port for server in self._servers]

    def _desk(self, name: str, user: str) -> Desk:
        relay = self._network.relay(self._ports)
        party = self._staff.people[user]
        seat = Seat(
            server=f"http://127.0.0.1:{relay.port}",
            token=self._staff.tokens[name],
            user=party,
            friends=[self._staff.people[other] for other in (*PEOPLE, TEAM) if other != user],
            folder=str(self._folder / name),
            crash_chance=DEVICE_CRASHES,
        )
        program = "tests.torture.emit_only" if self._options.emit_only else "tests.torture.device"
        return Desk(name, party, relay, seat, program)

    def _make_publishers(self) -> list[Publisher]:
        door = self._network.relay(self._ports)
        return [
            Publisher(name, self._staff.tokens[name], door, ADDRESSES, self._chance(name), self._options.pause_s)
            for name in ROBOTS
        ]

    # -- the run ------------------------------------------------------------------------------------------------------

    def __call__(self) -> Result:
        watcher = threading.Thread(target=self._watch_servers, daemon=True)
        try:
            for server in self._servers:
                server.start()
                server.wait_until_up()
            for desk in self._desks:
                desk.start()
            watcher.start()
            for publisher in self._publishers:
                publisher.start()
            trouble = self._make_trouble()
            until = time.monotonic() + self._options.seconds
            while time.monotonic() < until:
                trouble.turn()
                time.sleep(TURN_S)
            rested_in, faults = self._come_to_rest(trouble)
            return self._result(trouble, rested_in, faults)
        finally:
            self._over.set()
            for publisher in self._publishers:
                publisher.stop()
            for desk in self._desks:
                desk.end()
            for server in self._servers:
                server.end()
            if watcher.is_alive():
                watcher.join(25)

    def _make_trouble(self) -> Trouble:
        trouble = Trouble(
            self._chance("trouble"),
            self._servers,
            self._desks,
            [self._publishers[0].relay],
            self._network,
            Lock(self._database),
            self._options.pace_s,
            on_disk=not self._database.url,
        )
        for faults in self._faults:
            trouble.add(faults.kinds())
        return trouble

    def _watch_servers(self) -> None:
        """When each new server process answers first, and how long the logs were then."""
        known = {pid for server in self._servers for pid in server.serving}
        while not self._over.wait(0.02):
            for server in self._servers:
                fresh = set(server.serving) - known
                if fresh and not server.is_dead and server.is_up():
                    up = time.monotonic()
                    with contextlib.suppress(psycopg.OperationalError):
                        self._ups.append((up, self._records.heads()))
                    known |= fresh

    # -- the end ------------------------------------------------------------------------------------------------------

    def _come_to_rest(self, trouble: Trouble) -> tuple[float, list[str]]:
        """No more trouble and nothing new; how long it took until everybody had everything, and what was odd."""
        faults = []
        trouble.heal()
        for desk in self._desks:
            desk.hush()
        for server in self._servers:
            if not eventually(lambda server=server: not server.is_dead and server.is_up(), "a server", 30):  # type: ignore[misc]
                if server.is_dead:
                    server.start(failpoints=False)
                server.wait_until_up()
        for publisher in self._publishers:
            publisher.stop()
        self._revive_until(lambda: all(not publisher.is_running for publisher in self._publishers), 60)
        began = time.monotonic()
        if not self._options.emit_only and not self._revive_until(self._rests, REST_S):
            faults.append(f"not at rest after {REST_S:.0f} s: {self._unrest()}")
        if any(token.encode() in self._network.trap.heard for token in self._staff.tokens.values()):
            faults.append("a token went where a redirect pointed")
        return time.monotonic() - began, faults

    def _revive_until(self, condition: object, timeout: float) -> bool:
        """Waits, and starts again what failpoints still end meanwhile."""
        assert callable(condition)

        def look() -> bool:
            for server in self._servers:
                if server.is_dead:
                    server.kills += 1
                    server.start(failpoints=False)
            for desk in self._desks:
                if desk.is_dead:
                    desk.kills += 1
                    desk.start(calm=True)
            return bool(condition())

        return eventually(look, "rest", timeout)

    def _rests(self) -> bool:
        heads = self._records.heads()
        return all(desk.position() >= heads[desk.user.id] and desk.is_idle() for desk in self._desks)

    def _unrest(self) -> str:
        heads = self._records.heads()
        return ", ".join(f"{desk.name} at {desk.position()} of {heads[desk.user.id]}" for desk in self._desks)

    def _result(self, trouble: Trouble, rested_in: float, faults: list[str]) -> Result:
        kind = ControlChecker if self._options.emit_only else Checker
        verdict = kind(self._staff, self._records, self._desks, self._publishers).verdict()
        kills = sum(server.kills + server.killed_workers for server in self._servers)
        kills += sum(desk.kills for desk in self._desks)
        delays = [] if self._options.emit_only else self._delays()
        catch_ups = [] if self._options.emit_only else self._catch_ups(trouble)
        counts = dict(trouble.counts)
        return Result(verdict, kills, counts, delays, catch_ups, rested_in, self._options, self._folder, faults)

    def _delays(self) -> list[float]:
        """Seconds from a publisher's 2xx until a device had the message on its disk."""
        acked = {entry.id: entry.at for publisher in self._publishers for entry in publisher.acked}
        found = []
        for desk in self._desks:
            at = {line.id: acked.get(line.publish) for line in self._records.log(desk.user.id)}
            arrived = [(applied.at, at.get(id_)) for applied in desk.applied() for id_ in applied.ids]
            found += [max(0.0, there - sent) for there, sent in arrived if sent is not None]
        return found

    def _catch_ups(self, trouble: Trouble) -> list[float]:
        """Seconds from a new server's first answer until a device had what there was.

        Only where nothing else befell the device or the server meanwhile. Where something did, but more than `SLOW_S`
        had passed by then, those seconds count: at least so long it took.
        """
        found = []
        for desk in self._desks:
            applied = desk.applied()
            for up, heads in self._ups:
                head = heads[desk.user.id]
                if any(start < up < end for start, end in desk.disturbed):
                    continue
                done = next((a.at for a in applied if a.at > up and a.cursor >= head), float("inf"))
                if done == float("inf") and applied and applied[-1].cursor >= head:
                    continue  # it had everything already, and nothing came any more
                hit = [at for at in (*trouble.server_downs, *(start for start, _ in desk.disturbed)) if at > up]
                until = min([done, *hit])
                if until == done or SLOW_S < until - up < float("inf"):
                    found.append(until - up)
        return found


@contextmanager
def workplace(keep: bool) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="deskbell-torture-"))
    try:
        yield folder
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def torture(options: Options) -> Result:
    with workplace(options.keep) as folder, ExitStack() as services:
        return Run(options, folder, services)()


def _database(arm: Arm, folder: Path) -> Database:
    if arm.database == "sqlite":
        return SqliteFile(folder / "data" / "deskbell.db")
    programs = find_postgres()
    assert programs, "PostgreSQL is not installed (`python3 dev.py test` installs it)"
    return PostgresHouse(folder, programs)
