"""`python -m tests.torture.power --seconds 20 --states 500 --seed 7`: power cuts played back, and their control."""

import argparse
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from random import Random
from types import ModuleType

from tests.torture.power import desk, server
from tests.torture.power.states import states

SUBJECTS: dict[str, ModuleType] = {"server": server, "desk": desk}


@dataclass(frozen=True)
class Outcome:
    """`bad`: in how many of the states something was wrong, by what."""

    states: int
    promised: int
    bad: Counter[str]

    @property
    def line(self) -> str:
        return f"states={self.states} acknowledged={self.promised} bad={self.bad.total()}"


def cut(name: str, *, seconds: float, kills: int, count: int, seed: int, relaxed: bool = False) -> Outcome:
    """Records a run and looks at `count` states that a power cut during it could have left."""
    subject = SUBJECTS[name]
    with tempfile.TemporaryDirectory(prefix="deskbell-power-") as folder:
        recording = subject.record(Path(folder), seconds, kills, seed, relaxed=relaxed)
        place, bad, looked = Path(folder) / "after", Counter[str](), 0
        for promised in states(recording, count, Random(seed), place):
            looked += 1
            bad.update(subject.problems(place, promised)[:1])
    return Outcome(looked, len(recording.promised), bad)


def say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.torture.power", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--states", type=int, default=500)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    given = parser.parse_args()
    is_well = True
    for name in SUBJECTS:
        for relaxed in (False, True):
            how = {"seconds": given.seconds, "kills": given.kills, "count": given.states, "seed": given.seed}
            outcome = cut(name, **how, relaxed=relaxed)
            say(f"{name}{', control' if relaxed else ''}: {outcome.line} seed={given.seed}")
            for problem, times in outcome.bad.most_common(5):
                say(f"  {times} x {problem}")
            is_well &= bool(outcome.bad) == relaxed
    return 0 if is_well else 1


if __name__ == "__main__":
    sys.exit(main())
