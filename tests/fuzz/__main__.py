"""`python -m tests.fuzz --seconds 180`: each target in a process of its own, led by what code its inputs reach."""

import argparse
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import dev

NAMES = ("frames", "http", "handshake", "packets")
LONGEST = 4096


def say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


def bring() -> None:
    """Not in the lock: it is large, and there are wheels of it for few versions of Python."""
    uv = dev.working_uv()
    pip = [uv, "pip", "install", "--python", sys.executable] if uv else [sys.executable, "-m", "pip", "install"]
    subprocess.run([*pip, "--quiet", "atheris>=3,<4"], check=True)


def fuzz(name: str, seconds: int) -> None:
    """Ends this process: 0 when nothing was found."""
    import atheris  # type: ignore[import-not-found, import-untyped, unused-ignore]

    with atheris.instrument_imports(include=["deskbell_server.transport"]):
        from tests.fuzz.targets import TARGETS
    target, seeds = TARGETS[name]
    with tempfile.TemporaryDirectory(prefix="deskbell-fuzz-") as folder:
        for number, seed in enumerate(seeds):
            (Path(folder) / str(number)).write_bytes(seed)
        options = [f"-max_total_time={seconds}", f"-max_len={LONGEST}", "-print_final_stats=1", "-verbosity=0"]
        atheris.Setup(["fuzz", folder, *options, f"-artifact_prefix={tempfile.gettempdir()}/deskbell-{name}-"], target)
        atheris.Fuzz()


def run(name: str, seconds: int) -> bool:
    command = [sys.executable, "-m", "tests.fuzz", "--seconds", str(seconds), "--only", name]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    figures = dict(line.removeprefix("stat::").split(":", 1) for line in done.stderr.splitlines() if "stat::" in line)
    count = int(figures.get("number_of_executed_units", 0))
    say(f"{name}: {count:,} inputs, {'a fault' if done.returncode else 'nothing'} found")
    if done.returncode:
        say(done.stderr[-3000:])
    return done.returncode == 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=180, help="for each target")
    parser.add_argument("--only", choices=NAMES)
    given = parser.parse_args()
    if given.only:
        fuzz(given.only, given.seconds)
    if find_spec("atheris") is None:
        bring()
    are_well = [run(name, given.seconds) for name in NAMES]
    return 0 if all(are_well) else 1


if __name__ == "__main__":
    sys.exit(main())
