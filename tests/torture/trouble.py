"""What goes wrong in a run, when and for how long: all of it drawn from one seed, several troubles at a time."""

import random
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from tests.desk.processes import tail
from tests.torture.databases import Lock
from tests.torture.devices import Desk
from tests.torture.office import Server
from tests.torture.relay import WRONG_ANSWERS, Network, Relay
from tests.torture.services import Fault

Undo = Callable[[], object]
COULD_NOT_START = re.compile(r"^Error: (cannot use the database|the server cannot store anything)", re.MULTILINE)
WITH_ITS_PARENT = 0.2
"""How often a server with workers is killed as a whole."""
QUICK_S, SLOW_S, DEAF_S = 5.0, 15.0, 50.0
"""How long after its end a trouble may still keep a device busy; a dead link is noticed within 45 s."""


@dataclass
class Pending:
    at: float
    undo: Undo


class Trouble:
    """`turn` again and again; `heal` at the end."""

    def __init__(
        self,
        chance: random.Random,
        servers: list[Server],
        desks: list[Desk],
        doors: list[Relay],
        network: Network,
        lock: Lock,
        pace_s: float,
        on_disk: bool,
    ) -> None:
        self.counts: Counter[str] = Counter()
        self.server_downs: list[float] = []
        self._chance = chance
        self._servers = servers
        self._desks = desks
        self._doors = doors
        self._network = network
        self._lock = lock
        self._pace_s = pace_s
        self._pending: list[Pending] = []
        self._next = time.monotonic()
        self._busy: set[int] = set()
        kinds: dict[Callable[[], None], int] = {
            self._kill_server: 6,
            self._kill_device: 7,
            self._pause_server: 2,
            self._pause_device: 2,
            self._cut: 4,
            self._stall: 2,
            self._go_silent: 1,
            self._trickle: 1,
            self._answer_wrongly: 3,
            self._lock_database: 1,
        }
        if on_disk:
            kinds[self._fill_disk] = 1
        self._kinds = kinds

    def add(self, kinds: Mapping[str, tuple[int, Fault]]) -> None:
        """Faults of something that only this run has: their names, weights and how they begin."""
        for name, (weight, fault) in kinds.items():
            self._kinds[partial(self._other, name, fault)] = weight

    def turn(self) -> None:
        now = time.monotonic()
        for pending in [pending for pending in self._pending if pending.at <= now]:
            self._pending.remove(pending)
            pending.undo()
        self._start_the_dead()
        if now >= self._next:
            self._next = now + self._chance.uniform(0.1, 2) * self._pace_s
            self._chance.choices(list(self._kinds), list(self._kinds.values()))[0]()

    def heal(self) -> None:
        for pending in self._pending:
            pending.undo()
        self._pending.clear()
        for relay in [*self._doors, *(desk.relay for desk in self._desks)]:
            relay.heal()
        self._start_the_dead()

    # -- processes ----------------------------------------------------------------------------------------------------

    def _start_the_dead(self) -> None:
        """Those that a failpoint ended, too."""
        things: list[Server | Desk] = [*self._servers, *self._desks]
        for thing in things:
            if id(thing) in self._busy or not thing.is_dead:
                continue
            code = thing.child.exit_code
            if isinstance(thing, Server) and code == 1 and COULD_NOT_START.search(tail(thing.child.log, 3)):
                self.counts["could not start"] += 1  # its database was away: it says so and ends, as it should
            else:
                assert code == -9, f"a program ended by itself with {code}\n{tail(thing.child.log)}"
                thing.kills += 1
                self.counts["failpoint"] += 1
            self._comes_back(thing)

    def _kill_server(self) -> None:
        server = self._chance.choice(self._servers)
        if server.workers == 1 or self._chance.random() < WITH_ITS_PARENT:
            self._kill(server, "kill -9 server")
        elif not server.is_dead:
            self.counts["kill -9 worker"] += 1
            self.server_downs.append(time.monotonic())
            server.kill_worker(self._chance)

    def _kill_device(self) -> None:
        self._kill(self._chance.choice(self._desks), "kill -9 device")

    def _kill(self, thing: Server | Desk, name: str) -> None:
        if not thing.is_dead and id(thing) not in self._busy:
            self.counts[name] += 1
            thing.kill()
            self._comes_back(thing)

    def _comes_back(self, thing: Server | Desk) -> None:
        self._busy.add(id(thing))
        wait = self._chance.uniform(0, 0.6)
        if isinstance(thing, Desk):
            self._disturb(thing, wait + QUICK_S)
        else:
            self.server_downs.append(time.monotonic())

        def back() -> None:
            thing.start()
            self._busy.discard(id(thing))

        self._later(wait, back)

    def _pause_server(self) -> None:
        server = self._chance.choice(self._servers)
        serving = server.serving
        if id(server) not in self._busy and serving:
            self.server_downs.append(time.monotonic())
            pid = self._chance.choice(serving)
            self._pause(partial(server.pause, pid), "SIGSTOP server")

    def _pause_device(self) -> None:
        desk = self._chance.choice(self._desks)
        if id(desk) not in self._busy and not desk.is_dead:
            child = desk.child
            pause = lambda paused: desk.pause(paused) if desk.child is child else None  # noqa: E731
            self._disturb(desk, self._pause(pause, "SIGSTOP device") + SLOW_S)

    def _pause(self, pause: Callable[[bool], object], name: str) -> float:
        seconds = self._chance.choice([0.2, 1.0, 3.0, 8.0])
        self.counts[name] += 1
        pause(True)
        self._later(seconds, lambda: pause(False))
        return seconds

    # -- the wire -----------------------------------------------------------------------------------------------------

    def _relay(self, seconds: float) -> Relay:
        """One device's way to the server, or that of all scripts."""
        desk = self._chance.choice([*self._desks, None])
        if desk is None:
            return self._chance.choice(self._doors)
        self._disturb(desk, seconds)
        return desk.relay

    def _cut(self) -> None:
        self.counts["cut"] += 1
        self._relay(QUICK_S).cut()

    def _stall(self) -> None:
        seconds = self._chance.choice([0.5, 3.0, 8.0])
        relay = self._relay(seconds + SLOW_S)
        self.counts["stall"] += 1
        relay.stall(True)
        self._later(seconds, lambda: relay.stall(False))

    def _go_silent(self) -> None:
        self.counts["half-open"] += 1
        self._relay(DEAF_S).go_silent()

    def _trickle(self) -> None:
        seconds = self._chance.uniform(2, 8)
        relay = self._relay(seconds + SLOW_S)
        self.counts["1 B/s"] += 1
        relay.trickle(True)
        self._later(seconds, lambda: relay.trickle(False))

    def _answer_wrongly(self) -> None:
        seconds = self._chance.uniform(0.5, 4)
        relay = self._relay(seconds + SLOW_S)
        self.counts["wrong answer"] += 1
        relay.answer_wrongly(self._chance.choice([*WRONG_ANSWERS.values(), self._network.trap.redirect]))
        self._later(seconds, lambda: relay.answer_wrongly(None))

    # -- what the server stands on -------------------------------------------------------------------------------------

    def _lock_database(self) -> None:
        self.counts["database locked"] += 1
        self.server_downs.append(time.monotonic())
        self._lock.hold(self._chance.choice([0.5, 2.0, 6.5]))

    def _fill_disk(self) -> None:
        server = self._chance.choice(self._servers)
        if server.is_dead or not server.is_up():
            return  # one that cannot even start is told so and ends, as it should
        self.counts["disk full"] += 1
        self.server_downs.append(time.monotonic())
        server.limit_files(4096)
        self._later(self._chance.uniform(0.5, 2.5), lambda: server.limit_files(None))

    def _other(self, name: str, fault: Fault) -> None:
        """Something else that all servers need."""
        self.counts[name] += 1
        self.server_downs.append(time.monotonic())
        seconds, undo = fault(self._chance)
        self._later(seconds, undo)

    # -- the books ----------------------------------------------------------------------------------------------------

    def _disturb(self, desk: Desk, seconds: float) -> None:
        now = time.monotonic()
        desk.disturbed.append((now, now + seconds))

    def _later(self, seconds: float, undo: Undo) -> None:
        self._pending.append(Pending(time.monotonic() + seconds, undo))
