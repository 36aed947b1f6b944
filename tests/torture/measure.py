"""Figures that are no tests: a busy machine would fail them. `python -m tests.torture.measure redis behind …`."""

import argparse
import http.client
import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psutil

from deskbell_protocol.ids import new_id
from tests.desk.processes import wait_for
from tests.desk.services import OwnRedis
from tests.torture.herds import Crowd
from tests.torture.office import Server
from tests.torture.run import percentile
from tests.torture.site import Site

REDIS_S = 8.0
BEHIND = 50_000
HERD = 500
SOAK_SOCKETS = 200
SOAK_MESSAGES = 72_000
"""An hour at 20 messages a second."""
MIB = 1 << 20


def say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


@contextmanager
def at_site(seats: dict[str, str] | None = None) -> Iterator[Site]:
    with tempfile.TemporaryDirectory(prefix="deskbell-measure-", ignore_cleanup_errors=True) as name:
        site = Site(Path(name), seats=seats)
        try:
            yield site
        finally:
            site.close()


class Script:
    """Publishes to one connection, one message after the other, and keeps how long each took."""

    def __init__(self, site: Site, server: Server, pause_s: float = 0.0) -> None:
        self.times: list[float] = []
        self.failures = 0
        self._site = site
        self._server = server
        self._pause_s = pause_s
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join(20)

    def _run(self) -> None:
        headers = {
            "Authorization": f"Bearer {self._site.staff.tokens['script']}",
            "Content-Type": "application/json",
        }
        body = json.dumps({"to": ["alice"], "body": "x" * 200})
        with closing(http.client.HTTPConnection("127.0.0.1", self._server.port, timeout=15)) as connection:
            while not self._over.wait(self._pause_s):
                began = time.monotonic()
                try:
                    connection.request("POST", "/api/v1/messages", body, headers | {"Idempotency-Key": new_id()})
                    answer = connection.getresponse()
                    answer.read()
                    self.failures += answer.status != 201
                except (OSError, http.client.HTTPException):
                    connection.close()
                    self.failures += 1
                self.times.append(time.monotonic() - began)


def redis() -> bool:
    """Publishing while Redis is well, dead, hung, in a black hole, and flushed all the time."""
    worst = 0.0
    with at_site() as site:
        own = OwnRedis(site.folder)
        relay = site.network.relay(lambda: [own.port])
        server = site.serve(redis=f"redis://127.0.0.1:{relay.port}/0")
        flushing = threading.Event()

        def flush() -> None:
            while flushing.is_set():
                own.client.flushall()
                time.sleep(0.01)

        def flood(begin: bool) -> None:
            if begin:
                flushing.set()
                threading.Thread(target=flush, daemon=True).start()
            else:
                flushing.clear()

        states: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
            "well": (lambda: None, lambda: None),
            "hung": (lambda: own.pause(True), lambda: own.pause(False)),
            "in a black hole": (lambda: relay.swallow(True), lambda: relay.swallow(False)),
            "flushed 100 times a second": (lambda: flood(True), lambda: flood(False)),
            "dead": (own.kill, own.start),
        }
        try:
            for state, (begin, end) in states.items():
                scripts = [Script(site, server, 0.01) for _ in range(4)]
                begin()
                began = time.monotonic()
                wait_for(lambda began=began: time.monotonic() - began > REDIS_S, "the state to last", 60)  # type: ignore[misc]
                for script in scripts:
                    script.stop()
                end()
                times = [taken for script in scripts for taken in script.times]
                worst = max(worst, percentile(times, 99), *[1e9 for script in scripts if script.failures])
                say(
                    f"redis {state}: publishes={len(times)} failed={sum(script.failures for script in scripts)}"
                    f" p50={1000 * percentile(times, 50):.1f}ms p99={1000 * percentile(times, 99):.1f}ms"
                    f" max={1000 * max(times):.1f}ms"
                )
        finally:
            flushing.clear()
            own.stop()
    return worst < 0.25


def behind() -> bool:
    """A device that has never connected, and a long log."""
    with at_site() as site:
        last = site.fill(BEHIND)
        desk = site.sit_down("desk", site.serve())
        wait_for(lambda: desk.position() >= last, f"{BEHIND} events", 300, every=0.1)
        wait_for(desk.is_idle, "the popup", 20)
        applied = desk.applied()
        rate = (last - applied[0].cursor) / (applied[-1].at - applied[0].at)
        steps = desk.steps()
        slow = sum(step > 0.05 for step, _ in steps)
        longest = max((step for step, _ in steps), default=0.0), max((busy for _, busy in steps), default=0.0)
        say(
            f"behind: events={BEHIND} per_second={rate:.0f} steps_over_50ms={slow}"
            f" longest_step={1000 * longest[0]:.0f}ms longest_of_processor={1000 * longest[1]:.0f}ms"
            f" popups={len(desk.popups())}"
        )
        return rate >= 2_000 and not slow and len(desk.popups()) == 1


def herd() -> bool:
    """All cut at once by a `kill -9` of the server, which is back soon, while a script goes on."""
    seats = {f"seat {number}": f"robot{number % 8 + 1}" for number in range(HERD)}
    with at_site({"script": "robot1"} | seats) as site:
        server = site.serve()
        crowd = Crowd(site.folder / "herd", f"http://127.0.0.1:{server.port}", [site.staff.tokens[s] for s in seats])
        try:
            crowd.wait_until_all(120)
            server.kill()
            wait_for(lambda: crowd.connected() == 0, "the cut to be noticed", 30)
            server.start()
            server.wait_until_up()
            began = time.monotonic()
            script = Script(site, server, 0.02)
            crowd.wait_until_all(120)
            took = time.monotonic() - began
            script.stop()
            p99 = percentile(script.times, 99)
            say(
                f"herd: devices={HERD} all_back={took:.1f}s refused={crowd.refused()}"
                f" publishes={len(script.times)} failed={script.failures} p99={1000 * p99:.0f}ms"
            )
            return took <= 60 and p99 < 1 and not crowd.refused() and not script.failures
        finally:
            crowd.end()


def soak() -> bool:
    """As many messages as an hour brings, and devices that come and go: what the server's process still holds then."""
    seats = {f"seat {number}": f"robot{number % 8 + 1}" for number in range(SOAK_SOCKETS)}
    with at_site({"script": "robot1"} | seats) as site:
        server = site.serve()
        url, tokens = f"http://127.0.0.1:{server.port}", [site.staff.tokens[seat] for seat in seats]
        process = psutil.Process(server.child.pid)
        marks: list[tuple[float, int, int]] = []
        began = time.monotonic()
        for part in range(6):
            crowd = Crowd(site.folder / f"herd{part}", url, tokens)
            crowd.wait_until_all(60)
            scripts = [Script(site, server) for _ in range(8)]
            due = SOAK_MESSAGES // 6
            wait_for(lambda s=scripts, due=due: sum(len(x.times) for x in s) >= due, f"{due} messages", 300, every=0.1)  # type: ignore[misc]
            for script in scripts:
                script.stop()
            crowd.end()
            wait_for(lambda: process.num_fds() < SOAK_SOCKETS // 4, "the sockets to be closed", 60)
            marks.append((process.memory_full_info().uss / MIB, process.num_fds(), process.num_threads()))
            say(f"soak: {part + 1}/6 memory={marks[-1][0]:.1f}MiB files={marks[-1][1]} threads={marks[-1][2]}")
        grown = marks[-1][0] - marks[2][0]
        say(
            f"soak: messages={SOAK_MESSAGES} sockets={SOAK_SOCKETS} x 6 grown={grown:.1f}MiB after half of it,"
            f" files={marks[-1][1] - marks[2][1]:+d} threads={marks[-1][2] - marks[2][2]:+d}"
            f" in {time.monotonic() - began:.0f}s"
        )
        return grown < 2 and marks[-1][1] - marks[2][1] <= 5 and marks[-1][2] - marks[2][2] <= 5


WHAT: dict[str, Callable[[], bool]] = {"redis": redis, "behind": behind, "herd": herd, "soak": soak}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.torture.measure", description=__doc__)
    parser.add_argument("what", nargs="*", metavar="what", help=", ".join(WHAT))
    chosen = parser.parse_args().what or list(WHAT)
    if unknown := set(chosen) - set(WHAT):
        parser.error(f"there is no {', '.join(unknown)}: {', '.join(WHAT)}")
    kept = {name: WHAT[name]() for name in chosen}
    say(", ".join(f"{name}: {'kept' if well else 'NOT KEPT'}" for name, well in kept.items()))
    return 0 if all(kept.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
