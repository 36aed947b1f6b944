"""A wall clock that is set while a program runs: TORTURE_CLOCK names a file, in it the seconds by which it is wrong."""

import os
import time
from pathlib import Path


def bend_own_clock() -> None:
    if os.environ.get("TORTURE_CLOCK"):
        _bend(Path(os.environ["TORTURE_CLOCK"]))


def _bend(path: Path) -> None:
    """What a person or a time server does to the machine's clock, for this process alone."""

    def wrong_by() -> float:
        try:
            return float(path.read_text())
        except (OSError, ValueError):
            return 0.0

    seconds, nanoseconds = time.time, time.time_ns
    time.time = lambda: seconds() + wrong_by()
    time.time_ns = lambda: nanoseconds() + int(wrong_by() * 1e9)
