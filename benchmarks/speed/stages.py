"""Deskbell's server with clocks in it: how much processor time each stage of a message takes.

`python benchmarks/speed/stages.py FILE ARGUMENT...` is `python -m deskbell_server ARGUMENT...`; at each SIGUSR2 it
writes to FILE the nanoseconds of each thread in each stage until then. Waiting, for the disk, the interpreter's lock or
a processor, does not count; a sampler that looks from outside (py-spy) takes it for work where the machine is busy.
"""

import json
import runpy
import signal
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from time import thread_time_ns
from typing import Any, ClassVar, Final

LOOP: Final = "loop"
WRITER: Final = "writer"
OTHERS: Final = "other threads"

STAGES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    LOOP: {
        "read, frame, parse": ("transport.connection:Connection._on_readable",),
        "handler": ("ingest.socket:SocketDoor.on_send",),
        "delivery": ("delivery.delivery:Delivery.passed",),
        "answer": ("store.patience:Waiting._tell",),
        "flush": ("transport.outbox:Outbox._flush_soon", "transport.outbox:Outbox._slice"),
    },
    WRITER: {
        "keys": ("messaging.appending:_used_keys", "messaging.appending:first_answer"),
        "permission": ("messaging.appending:_channels_of_one", "messaging.appending:resolve"),
        "encoding": ("messaging.appending:_entries",),
        "windows": ("store.known:open_pairs",),
        "insert": ("messaging.appending:store", "messaging.appending:store_together", "store.log:append"),
        "begin, rollback": (
            "store.sqlite:SqliteSession.begin",
            "store.sqlite:SqliteSession.begin_reading",
            "store.sqlite:SqliteSession.rollback",
        ),
        "commit, fsync": ("store.sqlite:SqliteSession.commit",),
        "encode for delivery": ("delivery.feed:Feed.own", "delivery.feed:Feed.look"),
    },
}
"""What begins a stage. In each other begins another one, until it returns."""
REST = {LOOP: "epoll, callbacks, the rest", WRITER: "queue, grouping, the rest", OTHERS: "all"}
"""What is in no stage."""

Spent = dict[int, dict[str, int]]
"""Nanoseconds by thread and stage; what is in none has no name."""


class Clock(threading.local):
    """One thread's time, divided among the stages that it goes through."""

    everybody: ClassVar[Spent] = {}

    def __init__(self) -> None:
        self.stage = ""
        self.since = thread_time_ns()
        self.spent: dict[str, int] = defaultdict(int)
        self.spent[""] = self.since
        self.everybody[threading.get_native_id()] = self.spent

    def enter(self, stage: str) -> str:
        """Returns the stage that is left."""
        now = thread_time_ns()
        left, self.stage = self.stage, stage
        self.spent[left] += now - self.since
        self.since = now
        return left


def timed(function: Callable[..., Any], stage: str, clock: Clock) -> Callable[..., Any]:
    def run(*args: Any, **named: Any) -> Any:
        outer = clock.enter(stage)
        try:
            return function(*args, **named)
        finally:
            clock.enter(outer)

    return run


def place(target: str) -> tuple[Any, str]:
    """Where a function stands, and under which name."""
    module, path = target.split(":")
    *owners, name = path.split(".")
    owner: Any = import_module(f"deskbell_server.{module}")
    for part in owners:
        owner = getattr(owner, part)
    return owner, name


def wind(clock: Clock) -> None:
    for stages in STAGES.values():
        for stage, targets in stages.items():
            for owner, name in map(place, targets):
                setattr(owner, name, timed(getattr(owner, name), stage, clock))


def main() -> None:
    sys.path.pop(0)  # this folder, whose names would hide others
    file, *sys.argv[1:] = sys.argv[1:]

    def write(*_: object) -> None:
        part = Path(file + ".part")
        part.write_text(json.dumps(Clock.everybody))
        part.replace(file)

    signal.signal(signal.SIGUSR2, write)
    wind(Clock())
    runpy.run_module("deskbell_server", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
