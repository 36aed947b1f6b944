"""The desktop's store at work in a process that is killed now and then; and what must be left of it."""

import contextlib
import itertools
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from deskbell_desktop.core import effects as do
from deskbell_desktop.core.events import Moment, Outgoing
from deskbell_desktop.core.words import Words
from deskbell_desktop.io.store import Store
from deskbell_protocol.wire import Content, Message
from tests.desk.processes import Child, wait_for
from tests.fakes import BOB, ME
from tests.torture.power import recorder
from tests.torture.power.states import Recording

DATABASE = "account.db"
Promise = tuple[str, int]
"""What, and the number of the step that did it."""


def record(folder: Path, seconds: float, kills: int, seed: int, *, relaxed: bool) -> Recording[Promise]:
    """`relaxed`: the control, whose store does not wait for the disk."""
    del seed  # what it does is always the same
    place, log, promised = folder / "profile", folder / "recorded", folder / "promised"
    place.mkdir()
    command = [sys.executable, "-m", "tests.torture.power.desk", *map(str, (place, log, promised))]
    command += ["relaxed"] if relaxed else []
    for _life in range(kills + 1):
        before = promised.stat().st_size if promised.exists() else 0
        child = Child(command, folder / "desk.log")
        wait_for(lambda: promised.exists() and promised.stat().st_size > before, "its first step", 20)  # noqa: B023
        time.sleep(seconds / (kills + 1))  # the work goes on
        child.signal(signal.SIGKILL)
        child.wait()
    lines = (line.split() for line in promised.read_text().splitlines())
    return Recording(log, [(int(at), (what, int(number))) for at, what, number in lines])


def work(place: Path, log: Path, promised: Path, *, relaxed: bool) -> None:
    """Step by step until it is killed; what is done is promised."""
    recorder.begin(place, log)
    store = Store(place / DATABASE, ME.id, Words())
    if relaxed:
        store.database.execute("PRAGMA synchronous = NORMAL")
    file = os.open(promised, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    first = int(promised.read_text().splitlines()[-1].split()[2]) + 1 if promised.stat().st_size else 1
    for number in itertools.count(first):
        for what, step in steps(store, number).items():
            step()
            os.write(file, f"{time.monotonic_ns()} {what} {number}\n".encode())


def steps(store: Store, number: int) -> dict[str, Callable[[], None]]:
    """A message comes, is read, is answered; a draft is gone on with."""
    message = Message(sender=BOB, to=[ME], body=f"{number} {'x' * 500}")
    arrived = do.Arrived(f"m{number}", number, number, BOB.id, message, mine=False, unread=True)
    answer = Outgoing(f"c{number}", BOB.id, ("bob",), Content(body="y" * 300), number, None, counted=Moment(0, 0.0))
    return {
        "message": lambda: store.apply(do.ApplyEvents("e1", number, (arrived,))),
        "read": lambda: store.mark_read((f"m{number}",)),
        "answer": lambda: store.keep(answer),
        "draft": lambda: store.keep_draft(BOB.id, str(number)),
    }


def problems(folder: Path, promised: Sequence[Promise]) -> list[str]:
    """What is wrong with the store that a cut has left."""
    with contextlib.closing(Store(folder / DATABASE, ME.id, Words())) as store:
        if store.problem and promised:
            return [store.problem]
        database, stored = store.database, store.load()
        damage = [word for (word,) in database.execute("PRAGMA integrity_check") if word != "ok"]
        unread = {item.id for item in stored.unread}
        messages = {id_ for (id_,) in database.execute("SELECT id FROM messages")}
        answers = {item.cid for item in stored.outbox}
        draft = max((int(text) for (text,) in database.execute("SELECT text FROM drafts")), default=0)
    is_kept: dict[str, Callable[[int], bool]] = {
        "message": lambda number: f"m{number}" in messages,
        "read": lambda number: f"m{number}" not in unread,
        "answer": lambda number: f"c{number}" in answers,
        "draft": lambda number: draft >= number,
    }
    lost = Counter(what for what, number in promised if not is_kept[what](number))
    return [*damage, *(["lost: " + ", ".join(sorted(lost))] if lost else [])]


if __name__ == "__main__":
    work(*(Path(name) for name in sys.argv[1:4]), relaxed=sys.argv[4:] == ["relaxed"])
