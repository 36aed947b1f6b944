"""What a running process uses, out of /proc."""

from dataclasses import dataclass
from pathlib import Path

NANO = 1e9


@dataclass(frozen=True)
class Usage:
    """Summed over the process and its descendants; `descriptors` of the process itself."""

    rss_kib: int
    cpu_s: float
    descriptors: int


def usage(pid: int) -> Usage:
    family = _family(pid)
    return Usage(sum(map(_rss_kib, family)), sum(map(cpu_s, family)), descriptors(pid))


def threads(pid: int) -> dict[int, float]:
    """Each one's seconds on a processor, to the nanosecond."""
    found = {}
    for thread in _listed(Path(f"/proc/{pid}/task")):
        found[int(thread.name)] = int((_read(thread / "schedstat") or "0").split()[0]) / NANO
    return found


def cpu_s(pid: int) -> float:
    """Time on a processor, all threads together."""
    return sum(threads(pid).values())


def descriptors(pid: int) -> int:
    return len(_listed(Path(f"/proc/{pid}/fd")))


def _family(pid: int) -> list[int]:
    found = [pid]
    for parent in found:
        for thread in _listed(Path(f"/proc/{parent}/task")):
            found += [int(child) for child in _read(thread / "children").split()]
    return found


def _rss_kib(pid: int) -> int:
    for line in _read(Path(f"/proc/{pid}/smaps_rollup")).splitlines():
        if line.startswith("Rss:"):
            return int(line.split()[1])
    return 0


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""
