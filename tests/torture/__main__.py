"""`python -m tests.torture --seconds 600 --seed 7`: runs, their negative control, one line of result for each."""

import argparse
import sys
import time

from tests.torture.run import Arm, Options, Result, torture

CONTROL_S = 15.0
ARMS = ("sqlite-1", "sqlite-1-redis", "postgres-2", "postgres-2-redis")


def say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


def report(result: Result) -> None:
    for word in [*result.verdict.words, *result.verdict.problems, *result.faults]:
        say(f"  {word}")
    say("  " + ", ".join(f"{name}: {count}" for name, count in sorted(result.troubles.items())))
    if result.options.keep:
        say(f"  its files: {result.folder}")


def control(seed: int, seconds: float) -> bool:
    """The same against clients that believe the push: whether the checker sees what they lose."""
    result = torture(Options(seconds=seconds, seed=seed, emit_only=True, pace_s=1.2))
    verdict = result.verdict
    share = 100 * verdict.lost / max(1, verdict.acked)
    say(f"control: kills={result.kills} acked={verdict.acked} lost={verdict.lost} ({share:.0f} % of acked) seed={seed}")
    return verdict.lost > 0


def run(options: Options) -> bool:
    """Whether all was well."""
    say(f"{options.arm} seed={options.seed}")
    result = torture(options)
    report(result)
    say(result.line)
    return result.is_clean


def arms(text: str) -> list[Arm]:
    """`all`, or names such as `postgres-2-redis`, with commas between them."""
    found = []
    for name in ARMS if text == "all" else text.split(","):
        database, processes, *redis = name.split("-")
        if database not in {"sqlite", "postgres"} or processes not in {"1", "2"} or redis not in ([], ["redis"]):
            raise argparse.ArgumentTypeError(f"there is no arm {name}: all, or some of {', '.join(ARMS)}, sqlite-2 …")
        found.append(Arm(database, int(processes), bool(redis)))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--processes", type=int, choices=(1, 2), default=1)
    parser.add_argument("--redis", action="store_true", help="with hints through Redis, which is killed too")
    parser.add_argument("--arms", type=arms, help="several runs, one after the other: all, or names as in the result")
    parser.add_argument("--pace", type=float, default=2.0, help="seconds between two troubles, on average")
    parser.add_argument(
        "--pause", type=float, default=0.02, help="seconds between two messages of a script, on average"
    )
    parser.add_argument("--no-control", action="store_true", help="leave out the negative control")
    parser.add_argument("--keep", action="store_true", help="leave the files of the run behind")
    given = parser.parse_args()
    chosen = given.arms or [Arm(given.database, given.processes, given.redis)]
    are_clean = [
        run(Options(given.seconds, given.seed + n, arm, pause_s=given.pause, pace_s=given.pace, keep=given.keep))
        for n, arm in enumerate(chosen)
    ]
    seen = given.no_control or control(given.seed, CONTROL_S)
    if not seen:
        say("the control lost nothing: this run proves nothing")
    return 0 if all(are_clean) and seen else 1


if __name__ == "__main__":
    sys.exit(main())
