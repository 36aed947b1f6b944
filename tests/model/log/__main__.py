"""The long form: `python -m tests.model.log --walks 20000 --seed 1`, and every interleaving of larger worlds."""

import argparse
import sys
import time
from random import Random

from tests.model.log.explorer import Explorer, Found, walk
from tests.model.log.readings import READINGS, AsWritten
from tests.model.log.world import World
from tests.model.log.worlds import LARGE, any_world


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.model.log", description=__doc__)
    parser.add_argument("--walks", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    parser.add_argument("--worlds", nargs="*", choices=LARGE, default=list(LARGE), metavar="NAME")
    options = parser.parse_args()
    print(f"seed={options.seed}", flush=True)  # noqa: T201
    broken = walk_all(options.walks, options.seed)
    for name in options.worlds:
        for reading in (World, AsWritten):
            began = time.process_time()
            found = Explorer(reading(LARGE[name])).run()
            broken += report(f"{reading.__name__}, {name}", found, time.process_time() - began)
    return 1 if broken else 0


def walk_all(walks: int, seed: int) -> int:
    began, moves = time.process_time(), 0
    readings: tuple[type[World], ...] = (World, *READINGS)
    for number in range(walks):
        chance = Random(f"{seed} {number}")
        found = walk(readings[number % len(readings)](any_world(chance)), chance, steps=150)
        moves += found.moves
        if found.broken:
            return report(f"walk {number}", found, time.process_time() - began)
    return report(f"{walks} walks", Found(0, moves), time.process_time() - began)


def report(what: str, found: Found, took: float) -> int:
    print(f"{what}: states={found.states} moves={found.moves} ({took:.0f} s of processor) {found}", flush=True)  # noqa: T201
    return 1 if found.broken else 0


if __name__ == "__main__":
    sys.exit(main())
