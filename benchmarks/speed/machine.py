"""What machine this is, and whether it was quiet enough for its figures to be believed."""

import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

CALIBRATION_DRIFT = 1.25
"""The calibration loop's median over its best: above this the cores were shared or slowed down."""
FOREIGN_CPU = 0.10
"""Cores used by other programs while we measured."""
STEAL = 0.05
LOAD_AT_START = 0.7
FSYNCS = 100


def raise_descriptor_limit(wanted: int = 65536) -> int:
    """As many descriptors as allowed, for this process and those it starts; how many."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for limit in (max(wanted, hard), hard):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
        except (ValueError, OSError):
            continue
        return limit
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def description(work: Path) -> dict[str, str]:
    """Name, processor, kernel and so on, as shown beside the results."""
    return {
        "machine": platform.node(),
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "kernel": f"{platform.system()} {platform.release()}",
        "databases on": _filesystem(work),
        "Python": platform.python_version(),
        "Node.js": _node_version(),
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def _filesystem(path: Path) -> str:
    best, kind = "", "unknown"
    for line in Path("/proc/mounts").read_text().splitlines():
        point, found = line.split()[1:3]
        if str(path.resolve()).startswith(point) and len(point) >= len(best):
            best, kind = point, found
    return kind


def _node_version() -> str:
    if not shutil.which("node"):
        return "none"
    return subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()


@dataclass
class Watch:
    """Looks at the machine between the measurements, never during one."""

    load_program: Path
    work: Path
    calibrations_ms: list[float] = field(default_factory=list)
    fsyncs_ms: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.load_at_start = os.getloadavg()[0]
        self._began = time.monotonic()
        self._ticks = _ticks()
        self._own = _own_cpu_s()

    def look(self) -> None:
        """One turn of the calibration loop, and a few durable writes."""
        answer = subprocess.run([self.load_program, "--calibrate"], capture_output=True, text=True, check=True)
        self.calibrations_ms.append(float(json.loads(answer.stdout)["ms"]))
        self.fsyncs_ms.append(_fsync_ms(self.work))

    def summary(self) -> dict[str, float]:
        """Call it when every process that we started has ended."""
        wall = time.monotonic() - self._began
        busy, steal = (now - then for now, then in zip(_ticks(), self._ticks, strict=True))
        return {
            "load_at_start": self.load_at_start,
            "foreign_cores": max(0.0, (busy - (_own_cpu_s() - self._own)) / wall),
            "stolen_cores": steal / wall,
            "calibration_drift": statistics.median(self.calibrations_ms) / min(self.calibrations_ms),
            "calibration_ms": statistics.median(self.calibrations_ms),
            "fsync_ms": statistics.median(self.fsyncs_ms),
            "minutes": wall / 60,
        }


def doubts(summary: dict[str, float], noisy: list[str]) -> list[str]:
    """Why these figures should not be believed; empty when the machine was quiet."""
    found = []
    if summary["load_at_start"] > LOAD_AT_START:
        found.append(f"the load average was {summary['load_at_start']:.1f} before anything was started")
    if summary["foreign_cores"] > FOREIGN_CPU:
        found.append(f"other programs used {summary['foreign_cores']:.2f} cores meanwhile")
    if summary["stolen_cores"] > STEAL:
        found.append(f"the hypervisor took {summary['stolen_cores']:.2f} cores away")
    if summary["calibration_drift"] > CALIBRATION_DRIFT:
        found.append(f"a fixed calculation took {summary['calibration_drift']:.2f} × its best time")
    if noisy:
        found.append("rounds far apart: " + "; ".join(noisy))
    return found


def _ticks() -> tuple[float, float]:
    """Busy and stolen seconds of all cores together."""
    numbers = [int(n) for n in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    user, nice, system, _idle, _iowait, irq, softirq, steal = numbers
    hertz = os.sysconf("SC_CLK_TCK")
    return (user + nice + system + irq + softirq) / hertz, steal / hertz


def _own_cpu_s() -> float:
    used = 0.0
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        usage = resource.getrusage(who)
        used += usage.ru_utime + usage.ru_stime
    return used


def _fsync_ms(work: Path) -> float:
    times = []
    file = work / "fsync"
    with file.open("wb", buffering=0) as out:
        for _ in range(FSYNCS):
            start = time.perf_counter()
            out.write(bytes(4096))
            os.fdatasync(out.fileno())
            times.append((time.perf_counter() - start) * 1000)
    file.unlink()
    return statistics.median(times)
