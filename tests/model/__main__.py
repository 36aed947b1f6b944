"""The long form of the model: `python -m tests.model --examples 2000 --steps 50 --seed 1`."""

import argparse
import logging
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Verbosity, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.model.machine import Machine
from tests.model.office import make_small, make_template


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.model", description=__doc__)
    parser.add_argument("--examples", type=int, default=2000)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)  # failed pushes are played by the thousand
    print(f"seed={options.seed}", flush=True)  # noqa: T201
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        make_small(patch)
        Machine.template = Path(folder) / "template.db"
        make_template(Machine.template)
        long = settings(
            max_examples=options.examples,
            stateful_step_count=options.steps,
            deadline=None,
            database=None,
            print_blob=True,
            verbosity=Verbosity.normal,
            suppress_health_check=list(HealthCheck),
        )
        run_state_machine_as_test(seed(options.seed)(Machine), settings=long)
    took = time.monotonic() - began
    line = f"examples={options.examples} steps={options.steps} seed={options.seed} broken=0 ({took:.0f} s)"
    print(line)  # noqa: T201


if __name__ == "__main__":
    main()
