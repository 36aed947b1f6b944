"""A desktop without a desktop: session, carrier, store and network of the real program, and no Qt. Run as a program.

What it did outlives it in `popups.log` and `applied.log`: each line is written at once, so that a `kill -9` loses none.
"""

import argparse
import contextlib
import dataclasses
import logging
import os
import queue
import random
import signal
import time
from pathlib import Path
from typing import Any

import msgspec

from deskbell_desktop.carrier import Carrier
from deskbell_desktop.core import effects as do
from deskbell_desktop.core import events as on
from deskbell_desktop.core.events import Account, Moment
from deskbell_desktop.core.session import Session
from deskbell_desktop.core.views import Popup
from deskbell_desktop.core.words import Words
from deskbell_desktop.garbage import search_seldom
from deskbell_desktop.io import results
from deskbell_desktop.io.intake import Intake
from deskbell_desktop.io.network import Network
from deskbell_desktop.io.store import Store
from deskbell_desktop.safekeeping import Safekeeping
from deskbell_protocol.ids import new_id, now_ms
from deskbell_protocol.wire import Party
from tests.model.desk import Nowhere
from tests.torture.clock import bend_own_clock

STORE = "device.db"
POPUPS = "popups.log"
COUNTED = "+"
"""Begins a line of `POPUPS` with what only counts in the summary that follows."""
APPLIED = "applied.log"
WRITTEN = "written.log"
STEPS = "steps.log"
STEP_S = 0.01
ASLEEP_S = 3.0
"""A longer silence of this thread was a sleep, of which the session of the desktop would tell."""
HUSH = "hush"
"""While a file of this name lies in the folder, the person writes nothing."""


class Seat(msgspec.Struct, frozen=True):
    """All that a device program has to know."""

    server: str
    token: str
    user: Party
    friends: list[Party]
    folder: str
    write_every_s: float = 0.5
    crash_chance: float = 0.0
    """Of ending itself between a commit and its popup, and between the popup and its note."""


class Diary:
    """Lines that are in the file when `note` returns."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def note(self, *words: object) -> None:
        os.write(self._file, (" ".join(map(str, words)) + "\n").encode())


class Hands(Carrier):
    """Carries out as the program does, and notes it."""

    def __init__(self, device: "Device", network: Network, applied: Diary, popups: Diary, chance: float) -> None:
        nothing: Any = Nowhere()
        here: Any = device
        self.keeper = Safekeeping(device.tell, nothing, Path(), Words(), nothing.later, nothing.lost)
        super().__init__(
            device.tell,
            network=network,
            credentials=here,
            keeper=self.keeper,
            popups=here,
            presenter=nothing,
            settings=nothing,
            tray=nothing,
        )
        self._applied = applied
        self._popups_diary = popups
        self._chance = chance

    def _carry_out(self, effect: do.Effect) -> None:
        if isinstance(effect, do.ShowPopup):
            self._maybe_end()
            self._popups_diary.note(*effect.covers)
            self._maybe_end()
        if isinstance(effect, do.SilenceRings):
            self._popups_diary.note(COUNTED, *effect.ids)
        super()._carry_out(effect)
        if isinstance(effect, do.ApplyEvents):
            ids = [item.id for item in effect.messages]
            self._applied.note(f"{time.monotonic():.4f}", effect.epoch, effect.cursor, *ids)

    def _maybe_end(self) -> None:
        if random.random() < self._chance:
            os.kill(os.getpid(), signal.SIGKILL)
            signal.pause()


class Device(Nowhere):
    """The composition root, and the thread that owns session and store."""

    activation_token = ""

    def __init__(self, seat: Seat) -> None:
        folder, words = Path(seat.folder), Words()
        self._seat = seat
        self._posted: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._intake = Intake(self._posted.put)
        self._network = Network(self._posted.put, self._intake, words, client="torture/1", device="", ca_file=None)
        self._session = Session(words)
        self._account = Account(seat.server, seat.user, "")
        self._store = Store(folder / STORE, seat.user.id, words)
        assert not self._store.problem, self._store.problem
        self._hands = Hands(self, self._network, Diary(folder / APPLIED), Diary(folder / POPUPS), seat.crash_chance)
        self._hands.keeper.store = self._store
        self._written = Diary(folder / WRITTEN)
        self._hush = folder / HUSH
        self._steps = Diary(folder / STEPS)
        self._next_letter = time.monotonic() + 1 if seat.write_every_s else float("inf")

    def run(self) -> None:
        self.tell(on.Started(self._account))
        seen = time.monotonic()
        while True:
            now = time.monotonic()
            if now - seen > ASLEEP_S:
                self._network.hurry()
                self.tell(on.Woke())
            seen = now
            due = now + 1 if self._session.due is None else self._session.due
            wait = min(self._next_letter, due, now + 1) - now
            with contextlib.suppress(queue.Empty):
                posted = self._posted.get(timeout=max(wait, 0.001))
                began, busy = time.monotonic(), time.thread_time()
                self._take(posted)
                self._note_step(time.monotonic() - began, time.thread_time() - busy)
            if self._session.due is not None and self._session.due <= time.monotonic():
                self.tell(on.Ticked())
            if self._next_letter <= time.monotonic():
                self._write()

    def tell(self, event: on.Event) -> None:
        self._hands.carry_out(self._session.handle(event, Moment(now_ms(), time.monotonic())))

    def _take(self, event: Any) -> None:
        match event:
            case results.PushesWaiting():
                for taken in self._intake.take():
                    self.tell(taken)
            case on.SyncAnswered(_, answer):
                known = self._store.known(found.id for found in answer.events)
                self.tell(dataclasses.replace(event, known=known))
            case _:
                self.tell(event)

    def _note_step(self, seconds: float, busy: float) -> None:
        """So long the window would have stood still."""
        if seconds >= STEP_S:
            self._steps.note(f"{seconds:.4f} {busy:.4f}")

    def _write(self) -> None:
        """Noted once it is in the outbox: from then on it must arrive, once."""
        self._next_letter = time.monotonic() + random.uniform(0.2, 1.8) * self._seat.write_every_s
        if self._hush.exists():
            return
        cid, to = new_id(), random.choice(self._seat.friends)
        body = f"{cid} {self._seat.token[:6]}-{to.name} {time.time_ns()}"
        # a conversation of its own, or the answer would mark as read what still has to ring
        self.tell(on.Wrote(cid, f"to {to.name}", (to.name,), body))
        self._written.note(cid, to.name)

    # -- what the carrier wants of credentials and popups -------------------------------------------------------------

    def load(self, account: Account) -> None:
        self.tell(on.SignedIn(account, self._store.load()))

    def connect(self, account: Account) -> None:
        self._network.open(account.server, self._seat.token)

    def ask(self, _server: str, _name: str, problem: str) -> None:
        raise SystemExit(f"asked to sign in again: {problem}")

    def show(self, popup: Popup) -> None:
        """Noted already."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seat", type=Path)
    seat = msgspec.json.decode(parser.parse_args().seat.read_bytes(), type=Seat)
    bend_own_clock()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    device = Device(seat)
    search_seldom()
    device.run()


if __name__ == "__main__":
    main()
