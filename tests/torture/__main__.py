"""`python -m tests.torture --seconds 600 --seed 7`: one run, its negative control, one line of result for each."""

import argparse
import sys
import time

from tests.torture.run import Options, Result, torture

CONTROL_S = 15.0


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


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--processes", type=int, choices=(1, 2), default=1)
    parser.add_argument("--redis", action="store_true", help="with hints through Redis, which is killed too")
    parser.add_argument("--pace", type=float, default=2.0, help="seconds between two troubles, on average")
    parser.add_argument(
        "--pause", type=float, default=0.02, help="seconds between two messages of a script, on average"
    )
    parser.add_argument("--no-control", action="store_true", help="leave out the negative control")
    parser.add_argument("--keep", action="store_true", help="leave the files of the run behind")
    options = parser.parse_args()
    if options.database == "postgres" or options.redis:
        parser.error("the server has no PostgreSQL and no Redis yet")
    say(f"seed={options.seed}")
    result = torture(
        Options(
            seconds=options.seconds,
            seed=options.seed,
            processes=options.processes,
            pause_s=options.pause,
            pace_s=options.pace,
            keep=options.keep,
        )
    )
    report(result)
    say(result.line)
    seen = options.no_control or control(options.seed, CONTROL_S)
    if not seen:
        say("the control lost nothing: this run proves nothing")
    return 0 if result.is_clean and seen else 1


if __name__ == "__main__":
    sys.exit(main())
