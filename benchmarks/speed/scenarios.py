"""The measurements: what is done to a running server, and which figures come out.

Each scenario takes a freshly started server and returns figures by name. All of them verify: the load generator checks
each message and each connection, and afterwards the database must hold exactly what was acknowledged.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from benchmarks.speed.load import Load, LoadFailed
from benchmarks.speed.servers import VARIANTS, Running, Servers, Variant
from benchmarks.speed.usage import cpu_s, descriptors

OUTSTANDING = 64
RATE = 1000
PIPELINED = 8
HTTP_CONNECTIONS = 32
IN_PAIRS = 100
MIXED_RATE = 500
PROBE_MS = 5

Figures = dict[str, float]


@dataclass(frozen=True)
class Effort:
    """How long and how often: quick or full. `few`: fewer clients, where a scenario says how many."""

    rounds: int
    seconds: float
    announcements: int
    idle_s: float
    idle_rounds: int
    jitter_s: float
    few: bool


QUICK = Effort(rounds=1, seconds=1.5, announcements=5, idle_s=25.0, idle_rounds=1, jitter_s=15.0, few=True)
FULL = Effort(rounds=5, seconds=5.0, announcements=15, idle_s=75.0, idle_rounds=2, jitter_s=60.0, few=False)


@dataclass(frozen=True)
class Scenario:
    """`variants` are measured one after the other in each round; `rounds` says how many of an effort's."""

    name: str
    accounts: int
    variants: tuple[str, ...]
    measure: Callable[["Bench", Variant], Figures]
    rounds: Callable[[Effort], int] = lambda effort: effort.rounds
    few: int | None = None

    def clients(self, effort: Effort) -> int:
        return self.few if effort.few and self.few else self.accounts


class Bench:
    """What a scenario works with: one running server and generators against it."""

    def __init__(self, servers: Servers, running: Running, variant: Variant, effort: Effort, accounts: int) -> None:
        self.running = running
        self.effort = effort
        self.accounts = accounts
        self._servers = servers
        self._variant = variant

    def load(self, phases: str, *, count: int = 0, first: int = 0, concurrency: int = OUTSTANDING) -> Load:
        return Load(
            self._servers.tools.load, port=self.running.port, dialect=self._variant.dialect, phases=phases,
            accounts=self.running.accounts, count=count or self.accounts, first=first, concurrency=concurrency,
        )  # fmt: skip

    def check_store(self, messages: int, announcements: int) -> None:
        """Every acknowledged message is in the database, with each event that it promised, and nothing else is."""
        if self._variant.key == "node_sql":
            self._must_be("SELECT count(*) FROM messages", messages + announcements)
        if self._variant.kind == "deskbell":
            self._must_be("SELECT count(*) FROM log", messages + announcements)
            self._must_be("SELECT count(DISTINCT cid) FROM log", messages + announcements)
            self._must_be("SELECT max(seq) FROM log", messages + announcements)

    def _must_be(self, sql: str, expected: int) -> None:
        found = self.running.stored(sql)
        if found != expected:
            raise LoadFailed(f"{sql}: {found}, but {expected} were acknowledged")


def messages(bench: Bench, variant: Variant) -> Figures:
    """1,000 clients: connecting; 1,000 messages a second on a fresh server; 64 messages outstanding; 1,000 messages a
    second again; announcements back to back.
    """
    seconds = bench.effort.seconds
    rate, closed = f"idle:0.5,rate:{RATE}:{seconds}", f"closed:{OUTSTANDING}:1,closed:{OUTSTANDING}:{seconds}"
    parts = [rate, closed, rate, f"idle:0.5,pipe:{PIPELINED}:{seconds}"]
    parts = {"relaxed": parts[1:2], "node_sql": parts[:3]}.get(variant.key, parts)
    with bench.load(",".join(["connect", *parts])) as load:
        figures: Figures = {"connect_1000": load.wait("connect")["per_second"]}
        if rate in parts:
            fresh = load.wait("rate", within_s=seconds)
            figures |= {"p50_fresh": fresh["delivered_p50_ms"], "p99_fresh": fresh["delivered_p99_ms"]}
        load.wait("closed")
        figures |= _with_processor(bench, load, "closed", "acked", "cpu_us_per_message")[1]
        if rate in parts:
            done, figure = _with_processor(bench, load, "rate", "", "cpu_us_at_rate")
            figures |= figure | {"p50_at_rate": done["delivered_p50_ms"], "p99_at_rate": done["delivered_p99_ms"]}
        if len(parts) > 3:
            figures["sustained"] = load.wait("pipe", within_s=seconds)["per_second"]
        load.finish()
        bench.check_store(load.messages, load.announcements)
    return figures


def _with_processor(bench: Bench, load: Load, phase: str, speed: str, cost: str) -> tuple[dict[str, Any], Figures]:
    """What a phase reports; its messages a second under the name `speed`, if any, and what the server's processor had
    to do for each, in µs, under `cost`.
    """
    load.begin(phase)
    before = bench.running.usage().cpu_s
    done = load.wait(phase, within_s=bench.effort.seconds)
    used = bench.running.usage().cpu_s - before
    return done, {cost: used / done["acked"] * 1e6} | ({speed: done["per_second"]} if speed else {})


def many(bench: Bench, _variant: Variant) -> Figures:
    """10,000 clients: connecting, memory, and an announcement until the last one has it."""
    base = bench.running.usage()
    with bench.load(f"connect,idle:2,announce:{bench.effort.announcements}:100") as load:
        connect = load.wait("connect", within_s=120)
        load.wait("idle")
        idle = bench.running.usage()
        announce = load.wait("announce", within_s=60)
        load.finish()
        bench.check_store(load.messages, load.announcements)
    return {
        "connect_10000": connect["per_second"],
        "kib_per_connection": (idle.rss_kib - base.rss_kib) / bench.accounts,
        "announce_last": announce["last_p50_ms"],
        "announce_first": announce["first_p50_ms"],
    }


def crowd(bench: Bench, _variant: Variant) -> Figures:
    """5,000 clients do nothing, then leave at once."""
    seconds = bench.effort.idle_s
    probed = 2
    leaving = bench.accounts - probed
    with (
        bench.load("connect,idle:3,hold,leave", count=leaving, first=probed) as load,
        bench.load(f"connect,hold,probe:{PROBE_MS}", count=probed) as probe,
    ):
        load.begin("hold")
        probe.begin("hold")
        start, before = time.monotonic(), bench.running.usage().cpu_s
        time.sleep(seconds)
        idle = (bench.running.usage().cpu_s - before) / (time.monotonic() - start) * 100
        probe.release()
        probe.begin("probe")
        time.sleep(0.5)
        remaining = descriptors(bench.running.pid) - leaving
        load.release()
        took = _time_to_settle(bench.running.pid, below=remaining + 1)
        probe.release()
        blocked = probe.wait("probe")
        load.release()
        load.finish()
    return {
        "idle_cpu_percent": idle,
        "leave_us_each": took / leaving * 1e6,
        "leave_blocked": blocked["max_ms"],
        "probe_p50": blocked["p50_ms"],
    }


def _time_to_settle(pid: int, below: int) -> float:
    """Seconds until the process has fewer descriptors than `below` and has been idle for a tenth of a second."""
    quiet_s, step_s, busy = 0.1, 0.01, 0.25
    start = time.monotonic()
    samples = [(start, cpu_s(pid))]
    while True:
        time.sleep(step_s)
        now, used = time.monotonic(), cpu_s(pid)
        samples.append((now, used))
        then, used_then = next((s for s in reversed(samples) if s[0] <= now - quiet_s), samples[0])
        if now - then >= quiet_s and used - used_then < busy * (now - then) and descriptors(pid) < below:
            return _end_of_work(samples, busy) - start
        if now - start > 120:
            raise LoadFailed("the server still works on the departures after two minutes")


def _end_of_work(samples: list[tuple[float, float]], busy: float) -> float:
    """When the last step ended in which the process was busy."""
    end = samples[0][0]
    for (before, used_before), (after, used_after) in pairwise(samples):
        if used_after - used_before > busy * (after - before):
            end = after
    return end


def mixed(bench: Bench, _variant: Variant) -> Figures:
    """100 clients write to each other while 4,900 receive announcements back to back."""
    seconds = bench.effort.seconds
    with (
        bench.load(f"connect,hold,pipe:1:{seconds + 2}", count=bench.accounts - IN_PAIRS) as crowd_load,
        bench.load(
            f"connect,hold,rate:{MIXED_RATE}:{seconds}", count=IN_PAIRS, first=bench.accounts - IN_PAIRS
        ) as pairs,
    ):
        crowd_load.begin("hold")
        pairs.begin("hold")
        crowd_load.release()
        crowd_load.begin("pipe")
        time.sleep(1.0)
        pairs.release()
        rate = pairs.wait("rate", within_s=seconds)
        pipe = crowd_load.wait("pipe", within_s=seconds)
        pairs.finish()
        crowd_load.finish()
        bench.check_store(pairs.messages, crowd_load.announcements)
    return {
        "mixed_p50": rate["delivered_p50_ms"],
        "mixed_p99": rate["delivered_p99_ms"],
        "mixed_announce": pipe["last_p50_ms"],
    }


def storm(bench: Bench, _variant: Variant) -> Figures:
    """2,000 clients come back at once after kill -9, from one address, and all can write again."""
    with bench.load("connect,storm:60,closed:64:0.5", concurrency=bench.accounts) as load:
        load.wait("ready")
        bench.running.kill()
        bench.running.restart()
        back = load.wait("storm", within_s=60)
        load.finish()
        bench.check_store(load.messages, load.announcements)
    return {"storm_s": back["seconds"], "storm_retries": back["retries"]}


def jitter(bench: Bench, _variant: Variant) -> Figures:
    """10,000 clients get two announcements a second, while each is cut about every 15 s for about 2 s."""
    seconds = bench.effort.jitter_s
    with bench.load(f"connect,jitter:{seconds}") as load:
        load.wait("connect", within_s=60)
        done = load.wait("jitter", within_s=seconds + 60)
        load.finish()
        bench.check_store(load.messages, load.announcements)
    return {
        "jitter_share": percent(done["share"]),
        "jitter_astray": done["astray"],
        "jitter_last_s": done["seconds"],
        "jitter_back_p50": done["back_p50_ms"],
        "jitter_back_p99": done["back_p99_ms"],
    }


def avalanche(bench: Bench, _variant: Variant) -> Figures:
    """5,000 clients come back at once after SIGTERM, and after kill -9; announcements before, meanwhile and after."""
    figures: Figures = {}
    again: Figures = {"avalanche_astray": 0.0, "avalanche_retries": 0.0}
    with bench.load("connect,avalanche:90,avalanche:90") as load:
        for name, end in (("stop", bench.running.terminate), ("kill", bench.running.kill)):
            load.wait("ready", within_s=60)
            end()
            bench.running.restart()
            back = load.wait("avalanche", within_s=90)
            again = {measure: count + back[measure.removeprefix("avalanche_")] for measure, count in again.items()}
            figures |= {f"avalanche_{name}_share": percent(back["share"]), f"avalanche_{name}_s": back["seconds"]}
        load.finish()
        bench.check_store(load.messages, load.announcements)
    return figures | again


def percent(share: float) -> float:
    """Rounded down, so that only everything is 100."""
    return math.floor(share * 1000) / 10


def http(bench: Bench, _variant: Variant) -> Figures:
    """32 keep-alive connections publish over HTTP to clients who are connected."""
    seconds = bench.effort.seconds
    with bench.load(f"connect,http:{HTTP_CONNECTIONS}:0.5,http:{HTTP_CONNECTIONS}:{seconds}") as load:
        load.wait("http")
        measured = load.wait("http", within_s=seconds)
        load.finish()
        bench.check_store(load.messages, load.announcements)
    return {"http": measured["per_second"], "http_p50": measured["ack_p50_ms"], "http_p99": measured["ack_p99_ms"]}


ALL = ("deskbell", "node", "stock", "node_sql", "node-recovery", "bun", "relaxed", "ceiling")
SOCKETS = ("deskbell", "node", "bun")
RETURNING = ("deskbell", "node", "node-recovery", "bun")

SCENARIOS = (
    Scenario("messages", 1_000, ALL, messages),
    Scenario("many", 10_000, (*SOCKETS, "ceiling"), many),
    Scenario("crowd", 5_000, SOCKETS, crowd, lambda effort: effort.idle_rounds),
    Scenario("mixed", 5_000, SOCKETS, mixed),
    Scenario("storm", 2_000, SOCKETS, storm),
    Scenario("jitter", 10_000, RETURNING, jitter, lambda effort: effort.idle_rounds, few=1_000),
    Scenario("avalanche", 5_000, RETURNING, avalanche, lambda effort: effort.idle_rounds, few=1_000),
    Scenario("http", 1_000, ("deskbell", "single"), http),
)


def run(servers: Servers, scenario: Scenario, key: str, effort: Effort) -> Figures:
    """Starts the variant, measures, ends it."""
    variant = VARIANTS[key]
    clients = scenario.clients(effort)
    running = servers.start(variant, clients)
    try:
        return scenario.measure(Bench(servers, running, variant, effort, clients), variant)
    except LoadFailed as problem:
        raise LoadFailed(f"{problem} · the server's last words: {running.last_words()}") from problem
    finally:
        servers.stop(running)
