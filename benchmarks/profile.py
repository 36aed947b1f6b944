"""Where the processor's time of a message goes: `python -m benchmarks.profile [--seconds S]`.

Measured is Deskbell as it is, by its threads; perf, where it is, then samples it for kernel, SQLite, libc and Python.
Under the same load another one, with clocks in it (`speed/stages.py`), says which shares its stages have.
"""

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from benchmarks.speed import machine, stages
from benchmarks.speed.build import build
from benchmarks.speed.load import Load
from benchmarks.speed.scenarios import OUTSTANDING, RATE
from benchmarks.speed.servers import VARIANTS, Running, Servers, Variant
from benchmarks.speed.stages import LOOP, OTHERS, REST, STAGES, WRITER
from benchmarks.speed.usage import threads

CLIENTS = 1_000
WARM_S = 2.0
SLACK_S = 3.0
"""How long whoever looks may take to begin and end."""
HERTZ = 999
LATEST_S = 10.0
LOADS = {"closed": f"closed:{OUTSTANDING}", "rate": f"rate:{RATE}"}
TITLES = {"closed": f"{OUTSTANDING} outstanding", "rate": f"{RATE:,} messages/s"}
TIMED_FILE = "stages.json"
TIMED = Variant("timed", "Deskbell with clocks", "deskbell", entry=(str(stages.__file__), TIMED_FILE))
KINDS = ("kernel", "SQLite", "libc", "Python & C modules")
SAMPLE = re.compile(r"\s*(?P<thread>\d+)\s+[0-9a-f]+ \((?P<object>.*)\)")

ByThread = Mapping[int, Mapping[str, float]]
Table = dict[str, dict[str, float]]
"""By role (loop, writer, other threads), then by stage or kind."""


class Window(NamedTuple):
    """One server under load: µs a message of each role, and what else was seen of it, in any unit."""

    per_second: float
    used: dict[str, float]
    seen: Table


def watched(servers: Servers, variant: Variant, load_name: str, seconds: float, see: "See") -> Window:
    """Warm up, measure, and let `see` look at the same load for as long."""
    running, load = servers.start(variant, CLIENTS), LOADS[load_name]
    try:
        phases = f"connect,{load}:{WARM_S},{load}:{seconds},{load}:{seconds + SLACK_S}"
        with Load(
            servers.tools.load, port=running.port, dialect="deskbell", accounts=running.accounts, phases=phases,
            count=CLIENTS,
        ) as generator:  # fmt: skip
            generator.wait(load_name, within_s=WARM_S)
            generator.begin(load_name)
            before = threads(running.pid)
            measured = generator.wait(load_name, within_s=seconds)
            used = {thread: now - before.get(thread, 0.0) for thread, now in threads(running.pid).items()}
            generator.begin(load_name)
            seen = see(running, seconds)
            generator.wait(load_name, within_s=seconds)
            generator.finish()
    finally:
        servers.stop(running)
    role_of = roles(running.pid, used)
    each = together({thread: {"": s / measured["acked"] * 1e6} for thread, s in used.items()}, role_of)
    return Window(
        measured["per_second"], {role: sum(row.values()) for role, row in each.items()}, together(seen, role_of)
    )


See = Callable[[Running, float], ByThread]


def roles(pid: int, used: Mapping[int, float]) -> dict[int, str]:
    """The first thread is the loop; the busiest of the others is the writer."""
    writer = max(used.keys() - {pid}, key=used.__getitem__)
    return dict.fromkeys(used, OTHERS) | {pid: LOOP, writer: WRITER}


def together(by_thread: ByThread, role_of: Mapping[int, str]) -> Table:
    table: Table = {role: defaultdict(float) for role in REST}
    for thread, row in by_thread.items():
        for name, amount in row.items():
            table[role_of.get(thread, OTHERS)][name] += amount
    return table


def scaled(shares: Table, used: Mapping[str, float]) -> Table:
    """What each role used, in these shares: so it adds up."""
    table: Table = {}
    for role, amount in used.items():
        row = {name: share for name, share in shares[role].items() if share} or {"": 1.0}
        table[role] = {name: amount * share / sum(row.values()) for name, share in row.items()}
    return table


def sampled(running: Running, seconds: float) -> ByThread:
    """Samples by thread and kind; nothing where perf is not, or may not look."""
    if not shutil.which("perf"):
        return {}
    with tempfile.TemporaryDirectory() as folder:
        data = str(Path(folder) / "data")
        perf = ["perf", "record", "-q", "-e", "cpu-clock", "-F", str(HERTZ), "-o", data, "-p", str(running.pid)]
        subprocess.run([*perf, "--", "sleep", str(seconds)], capture_output=True, check=False)
        script = ["perf", "script", "-i", data, "-F", "tid,ip,dso"]
        return kinds(subprocess.run(script, capture_output=True, text=True, check=False).stdout)


def kinds(script: str) -> dict[int, Counter[str]]:
    """Of what `perf script -F tid,ip,dso` prints."""
    found: dict[int, Counter[str]] = defaultdict(Counter)
    for match in filter(None, map(SAMPLE.fullmatch, script.splitlines())):
        found[int(match["thread"])][kind(match["object"])] += 1
    return found


def kind(shared_object: str) -> str:
    name = shared_object.rsplit("/", 1)[-1]
    if name.startswith("[kernel"):
        return "kernel"
    if name.startswith(("libc.", "ld-linux", "libm.", "[vdso")):
        return "libc"
    return "SQLite" if name.startswith("libsqlite3") else "Python & C modules"


def clocked(running: Running, seconds: float) -> ByThread:
    """Nanoseconds by thread and stage, of this long."""
    before = asked(running)
    time.sleep(seconds)
    return {
        thread: {stage: float(ns - before.get(thread, {}).get(stage, 0)) for stage, ns in spent.items()}
        for thread, spent in asked(running).items()
    }


def asked(running: Running) -> stages.Spent:
    file = running.folder / TIMED_FILE
    file.unlink(missing_ok=True)
    os.kill(running.pid, signal.SIGUSR2)
    deadline = time.monotonic() + LATEST_S
    while not file.exists():
        if time.monotonic() > deadline:
            raise RuntimeError(f"the server does not tell its stages: {running.last_words()}")
        time.sleep(0.01)
    return {int(thread): spent for thread, spent in json.loads(file.read_text()).items()}


def shown(title: str, plain: Window, timed: Window) -> str:
    """Two tables."""
    whole = sum(plain.used.values())
    with_clocks = f"with clocks in it {timed.per_second:,.0f} messages/s, {sum(timed.used.values()):.1f} µs"
    lines = [
        f"{title}: {plain.per_second:,.0f} messages/s, {whole:.1f} µs of processor a message; {with_clocks}.",
        "",
        "| | stage | µs a message | share |",
        "| --- | --- | ---: | ---: |",
    ]
    for role, row in scaled(timed.seen, plain.used).items():
        named = [*STAGES.get(role, ()), *(name for name in row if name not in STAGES.get(role, ()))]
        lines += [_row(role, name or REST[role], row.get(name, 0.0), whole) for name in named]
        lines.append(_row(role, "**together**", plain.used[role], whole))
    lines += [_row("**all**", "", whole, whole), ""]
    if not any(plain.seen.values()):
        return "\n".join([*lines, "perf is not here, or may not look: kernel, SQLite and libc are not told apart."])
    by_kind = scaled(plain.seen, plain.used)
    by_kind["**all**"] = {kind: sum(row.get(kind, 0.0) for row in by_kind.values()) for kind in KINDS}
    lines += ["| µs a message | " + " | ".join(KINDS) + " |", "| --- |" + " ---: |" * len(KINDS)]
    lines += [
        f"| {r} | " + " | ".join(f"{row.get(kind, 0.0):.1f}" for kind in KINDS) + " |" for r, row in by_kind.items()
    ]
    return "\n".join(lines)


def _row(role: str, name: str, us: float, whole: float) -> str:
    return f"| {role} | {name} | {us:.1f} | {us / whole:.0%} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--seconds", type=float, default=8.0, help="of each measurement; there are four for a load")
    seconds = parser.parse_args().seconds
    machine.raise_descriptor_limit()
    cache = Path.home() / ".cache" / "deskbell-benchmarks"
    tools = build(cache)
    work = Path(tempfile.mkdtemp(prefix="profile-", dir=cache))
    watch, servers = machine.Watch(tools.load, work), Servers(tools, work, sys.executable)
    try:
        for name, title in TITLES.items():
            watch.look()
            plain = watched(servers, VARIANTS["deskbell"], name, seconds, sampled)
            timed = watched(servers, TIMED, name, seconds, clocked)
            print(shown(title, plain, timed), end="\n\n", flush=True)
        print("Doubts: " + ("; ".join(machine.doubts(watch.summary(), [])) or "none, the machine was quiet") + ".")
    finally:
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
