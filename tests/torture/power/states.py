"""Instants of a recording, and the folder as a power cut just then could have left it."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Generic, TypeVar

from tests.torture.power.playback import Disk
from tests.torture.power.records import Record, read

Promise = TypeVar("Promise")
AT_WORK = 8
"""So many operations at most are under way at once."""
NEAR_NS = (-20_000, -1, 1, 20_000)


@dataclass(frozen=True)
class Recording(Generic[Promise]):
    """`promised`: what was acknowledged, and when (CLOCK_MONOTONIC, ns), in order."""

    log: Path
    promised: Sequence[tuple[int, Promise]]

    def until(self, instant: int) -> list[Promise]:
        times = [at for at, _promise in self.promised]
        return [promise for _at, promise in self.promised[: bisect_right(times, instant)]]


def states(recording: Recording[Promise], count: int, random: Random, folder: Path) -> Iterator[list[Promise]]:
    """`count` times: `folder` as it may be found after a cut, and what had been promised by then."""
    records = sorted(read(recording.log), key=lambda record: record.end)
    disk, done = Disk(), 0
    for instant in sorted(instants(records, recording.promised, count, random)):
        while done < len(records) and records[done].end <= instant:
            disk.take(records[done])
            done += 1
        at_work = [
            record
            for record in records[done : done + AT_WORK]
            if record.start <= instant and record.op in ("write", "cut")
        ]
        lay_out(folder, disk.after_cut(random, at_work))
        yield recording.until(instant)


def instants(
    records: Sequence[Record], promised: Sequence[tuple[int, object]], count: int, random: Random
) -> Iterator[int]:
    """Around what was done, around what was synced, around what was promised, and anywhere."""
    began = next(place for place, record in enumerate(records) if record.op != "seen")
    records = records[began:]
    synced = [record.end for record in records if record.op == "sync"]
    kinds = ([record.end for record in records], synced, [at for at, _promise in promised])
    for number in range(count):
        if number % 4 == 3:
            yield random.randrange(records[0].start, records[-1].end)
        else:
            yield random.choice(kinds[number % 4]) + random.choice(NEAR_NS)


def lay_out(folder: Path, files: dict[str, bytes]) -> None:
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for name, content in files.items():
        (folder / name).write_bytes(content)
