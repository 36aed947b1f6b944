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


def fuzz(name: str, seconds: int, folder: Path) -> None:
    """Ends this process: 0 when nothing was found. What finds a fault is kept beside `folder`, which begins empty."""
    import atheris  # type: ignore[import-not-found, import-untyped, unused-ignore]

    with atheris.instrument_imports(include=["deskbell_server.transport"]):
        from tests.fuzz.targets import TARGETS
    target, seeds = TARGETS[name]
    for number, seed in enumerate(seeds):
        (folder / str(number)).write_bytes(seed)
    options = [f"-max_total_time={seconds}", f"-max_len={LONGEST}", "-print_final_stats=1", "-verbosity=0"]
    atheris.Setup(["fuzz", str(folder), *options, f"-artifact_prefix={folder.parent}/deskbell-{name}-"], target)
    atheris.Fuzz()


def run(name: str, seconds: int) -> bool:
    with tempfile.TemporaryDirectory(prefix="deskbell-fuzz-") as folder:
        command = [sys.executable, "-m", "tests.fuzz", "--seconds", str(seconds), "--only", name, "--folder", folder]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    figures = dict(line.removeprefix("stat::").split(":", 1) for line in done.stderr.splitlines() if "stat::" in line)
    count = int(figures.get("number_of_executed_units", 0))
    is_well = done.returncode == 0 and count > 0  # an instrument that did not run has found nothing either
    say(f"{name}: {count:,} inputs, {'nothing' if is_well else 'a fault'} found")
    if not is_well:
        say(done.stderr[-3000:])
    return is_well


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=180, help="for each target")
    parser.add_argument("--only", choices=NAMES)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.only:
        fuzz(given.only, given.seconds, given.folder or Path(tempfile.mkdtemp(prefix="deskbell-fuzz-")))
    if find_spec("atheris") is None:
        bring()
    are_well = [run(name, given.seconds) for name in NAMES]
    return 0 if all(are_well) else 1


if __name__ == "__main__":
    sys.exit(main())
