"""Measures the tray program on a real screen, beside a real server and panel: `python -m benchmarks.desktop`.

What is on the screen is read from its pixels, so that a figure ends when a person could see it.
"""

import argparse
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil
from jeepney import DBusAddress

from benchmarks.speed import machine
from tests.desk.client import Client
from tests.desk.desktop import TRAY, Desk
from tests.desk.processes import wait_for
from tests.desk.screen import Area
from tests.desk.server import Login, Server
from tests.desk.wire import Wire

PASSWORD = "correct horse"
POPUP = Area(1100, 60, 100, 20)
WINDOW = Area(200, 400, 200, 100)
CALM_S = 2.6
"""More than four popups in ten seconds are a flood to the client, which then gathers them for a second."""
MIB = 1 << 20
WAITING, BURST = 250, 1000


@dataclass(frozen=True)
class Figure:
    """One line of the table. `most` is what we promise."""

    what: str
    value: float
    most: float
    unit: str
    note: str = ""

    @property
    def line(self) -> str:
        mark = "" if self.value <= self.most else "  MISSED"
        return f"| {self.what} | {self.value:.4g} {self.unit} | ≤ {self.most:g} {self.unit} | {self.note}{mark} |"


class Bench:
    """One desk, one server, one client; the measurements in the order in which they suit each other."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self.desk = stack.enter_context(Desk(folder / "desk"))
        self.server = stack.enter_context(Server(folder, "--publish-rate", "0"))
        self.server.add_user("maria", PASSWORD, "--display", "Maria Garcia")
        for name in ("alex", "build"):
            self.server.add_user(name, PASSWORD)
        self.server.start()
        self.maria = self.server.login("maria", PASSWORD)
        self.machine = self.server.login("build", PASSWORD)
        self.client = stack.enter_context(self._client("client"))

    def _client(self, name: str) -> Client:
        return Client(self.desk, self.server, name).sign_in_beforehand(self._login(name))

    def _login(self, name: str) -> Login:
        return self.server.login("alex", PASSWORD, name)

    # -- starting --------------------------------------------------------------------------------------------------

    def starts(self, rounds: int) -> list[Figure]:
        tray, connected = [], []
        for _ in range(rounds):
            with self.desk.screen.watch(TRAY) as icon:
                begun = time.monotonic()
                self.client.start()
                tray.append(icon.wait_until_changed("the tray icon") - begun)
                self.client.wait_for_log("connected")
                connected.append(time.monotonic() - begun)
                self.client.stop()
                icon.wait_until_as_before("the tray to be empty")
        return [
            Figure("start → icon in the tray", median_ms(tray), 500, "ms", spread(tray)),
            Figure("start → connected", median_ms(connected), 1000, "ms", spread(connected)),
        ]

    def rest(self, seconds: float) -> list[Figure]:
        self.client.start()
        self.client.wait_for_log("connected")
        process = psutil.Process(self.client.process.pid)
        settled = time.monotonic() + 5
        wait_for(lambda: time.monotonic() > settled, "the start to be over", every=0.5)
        before, begun = cpu_seconds(process), time.monotonic()
        wait_for(lambda: time.monotonic() - begun > seconds, "the minute to pass", seconds + 5, every=1)
        used = 100 * (cpu_seconds(process) - before) / (time.monotonic() - begun)
        return [
            Figure("memory at rest (PSS)", process.memory_full_info().pss / MIB, 75, "MiB", "window never opened"),
            Figure("processor at rest", used, 0.1, "%", f"over {seconds:g} s"),
        ]

    # -- the walk --------------------------------------------------------------------------------------------------

    def walks(self, rounds: int) -> list[Figure]:
        popup, window = [], []
        for number in range(rounds):
            next_round = time.monotonic() + CALM_S
            with self.desk.screen.watch(POPUP) as shown, self.desk.screen.watch(WINDOW) as opened:
                begun = time.monotonic()
                self.server.publish(self.maria, "alex", body=f"Lunch at 12:30? ({number})")
                popup.append(shown.wait_until_changed("the popup") - begun)
                place = wait_for(self.desk.hand.popups, "the popup")[0]
                begun = time.monotonic()
                self.desk.hand.click_in(place, 60, 20)
                window.append(opened.wait_until_changed("the window") - begun)
                self.desk.hand.close(self.client.wait_for_window())
                opened.wait_until_as_before("the window to go")
                shown.wait_until_as_before("the popup to go")
            wait_until(next_round)
        return [
            Figure("publish (HTTP) → popup on the screen", median_ms(popup), 150, "ms", spread(popup)),
            Figure("click → window on the screen", median_ms(window), 200, "ms", spread(window)),
            Figure("the first click of a run", 1000 * window[0], 200, "ms", "makes the window"),
        ]

    # -- many at once ----------------------------------------------------------------------------------------------

    def waiting(self) -> list[Figure]:
        have = self._count()
        self.client.stop()
        with Wire(self.server, self.maria) as wire:
            wire.send_all([{"cid": f"w{number}", "to": ["alex"], "body": f"{number}"} for number in range(WAITING)])
        with self.desk.bus.watch("Notify") as notify:
            begun = time.monotonic()
            self.client.start()
            wait_for(lambda: self._count() == have + WAITING, f"{WAITING} messages", 30)
            took = time.monotonic() - begun
            wait_for(lambda: notify.calls, "the summary")
            popups = len(notify.calls)
        return [
            Figure(f"start with {WAITING} waiting → all in the store", 1000 * took, 5000, "ms"),
            Figure("popups for them", popups, 1, ""),
        ]

    def burst(self) -> list[Figure]:
        """The window is open meanwhile, on another conversation."""
        have = self._count()
        self.client.start_again()
        self.client.wait_until_focused(self.client.wait_for_window())
        messages = [{"to": ["alex"], "body": f"{number}"} for number in range(BURST)]
        with self.desk.bus.watch("Notify") as notify, Pulse(self.desk) as pulse:
            begun = time.monotonic()
            self.server.publish_at_once(self.machine, messages)
            sent = time.monotonic() - begun
            wait_for(lambda: self._count() == have + BURST, f"{BURST} messages", 60)
            stored = time.monotonic() - begun
            longest = pulse.longest
            made = [call for call in notify.calls if call[1] == 0]
        return [
            Figure(f"{BURST} at once: longest block of the window", 1000 * longest, 100, "ms", f"sent in {sent:.2f} s"),
            Figure(f"{BURST} at once → all in the store", 1000 * stored, 10_000, "ms"),
            Figure("popups for them", len(made), 5, ""),
        ]

    def _count(self) -> int:
        return int(self.client.rows("SELECT count(*) FROM messages")[0][0])


class Pulse:
    """Asks the tray icon for its title again and again; the answer comes from the window's thread when it is free."""

    def __init__(self, desk: Desk) -> None:
        service, _, path = desk.tray_items()[0].partition("/")
        self._item = DBusAddress("/" + path, service, "org.freedesktop.DBus.Properties")
        self._desk = desk
        self._over = threading.Event()
        self._waits: list[float] = []
        self._thread = threading.Thread(target=self._run)

    @property
    def longest(self) -> float:
        return max(self._waits)

    def _run(self) -> None:
        call = self._desk.bus.caller(self._item, "Get", "ss", ("org.kde.StatusNotifierItem", "Title"))
        while not self._over.is_set():
            begun = time.monotonic()
            call()
            self._waits.append(time.monotonic() - begun)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._thread.join()


def wait_until(moment: float) -> None:
    wait_for(lambda: time.monotonic() > moment, "the next round", every=0.05)


def cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def median_ms(seconds: list[float]) -> float:
    return 1000 * statistics.median(seconds)


def spread(seconds: list[float]) -> str:
    low, high = min(seconds), max(seconds)
    return f"median of {len(seconds)}; {1000 * low:.0f} to {1000 * high:.0f}"


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure the tray program on a real screen.")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--rest", type=float, default=60, metavar="SECONDS")
    given = parser.parse_args()
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="deskbell-bench-") as name, ExitStack() as stack:
        bench = Bench(stack, Path(name))
        plan: list[Callable[[], list[Figure]]] = [
            lambda: bench.starts(max(3, given.rounds // 2)),
            lambda: bench.rest(given.rest),
            lambda: bench.walks(given.rounds),
            bench.waiting,
            bench.burst,
        ]
        print("; ".join(f"{key}: {value}" for key, value in machine.description(Path(name)).items()))
        print("\n| | measured | promised | |\n| --- | --- | --- | --- |")
        for measure in plan:
            for figure in measure():
                figures.append(figure)
                print(figure.line, flush=True)
    return int(any(figure.value > figure.most for figure in figures))


if __name__ == "__main__":
    sys.exit(main())
