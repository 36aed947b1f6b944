"""Where this device stands in the log: applies what fits, notices what is missing, asks for it once at a time.

Room 6 of a message's way. The server's push is a hint; only the numbers say what is true.
"""

from collections.abc import Iterable

import msgspec

from deskbell_desktop.core.effects import Effect, RequestSync, SendAck
from deskbell_desktop.core.events import Moment
from deskbell_protocol import limits, wire

RETRY_FIRST_S = 1.0
RETRY_MAX_S = 30.0


class Log:
    """`cursor` may be ahead of the store's by places at which there is nothing to see: the next commit has them."""

    def __init__(self, epoch: str | None, cursor: int) -> None:
        self.epoch = epoch
        self.cursor = cursor
        self.online = False
        self._beyond = cursor
        """The furthest place of this epoch that was heard of."""
        self._foreign = False
        """Something of another epoch came while a sync was under way, which may have been answered before."""
        self._held: dict[int, wire.Event] = {}
        self._held_bytes = 0
        self._rest = False
        """The last answer was not the end of the log."""
        self._is_told = False
        """What is missing before the rest was told: each answer on the way to the end says it again."""
        self._request: RequestSync | None = None
        """The sync that is under way."""
        self._asked = cursor
        self._failures = 0
        self._retry_at: float | None = None
        self._ack_at: float | None = None

    # -- the link ---------------------------------------------------------------------------------------------

    def up(self) -> list[Effect]:
        self.online, self._request, self._failures = True, None, 0
        self._beyond = self.cursor
        return self.ask()

    def down(self) -> None:
        self.online, self._request, self._retry_at, self._ack_at = False, None, None, None
        self._foreign = self._rest = self._is_told = False
        self._let_go()

    def ask(self) -> list[Effect]:
        """One sync, unless one is under way or there is nobody to ask."""
        if not self.online or self._request is not None:
            return []
        self._request = RequestSync(self.epoch, self.cursor)
        self._asked, self._foreign, self._retry_at = self.cursor, False, None
        return [self._request]

    def ended(self, request: object) -> bool:
        """Whether it was the sync under way. What came of any other one counts for nothing, and ends nothing."""
        if request is not self._request:
            return False
        self._request = None
        return True

    def failed(self, now: Moment, retry_after_s: float | None) -> None:
        if self.online:
            wait = retry_after_s if retry_after_s is not None else RETRY_FIRST_S * 2**self._failures
            self._failures = min(self._failures + 1, 10)
            self._retry_at = now.mono + min(max(wait, RETRY_FIRST_S), RETRY_MAX_S)

    # -- the numbers ------------------------------------------------------------------------------------------

    def pushed(self, frames: Iterable[wire.Event | wire.Head]) -> tuple[list[wire.Event], bool]:
        """The events that continue the log (the cursor has moved past them), and whether something is missing."""
        fit: list[wire.Event] = []
        missing = False
        for frame in sorted(frames, key=lambda frame: frame.seq):
            if frame.epoch != self.epoch:
                self._foreign = self._foreign or self._request is not None
                missing = True
            elif frame.seq > self.cursor:
                missing = not self._fits(frame, fit) or missing
        return fit, missing

    def _fits(self, frame: wire.Event | wire.Head, fit: list[wire.Event]) -> bool:
        self._beyond = max(self._beyond, frame.seq)
        if frame.prev > self.cursor:
            if isinstance(frame, wire.Event):
                self._hold(frame)
            return False
        self.cursor = frame.seq
        if isinstance(frame, wire.Event):
            fit.append(frame)
        return True

    def _hold(self, event: wire.Event) -> None:
        """As much as a sync would answer: the rest is asked for."""
        size = len(msgspec.json.encode(event))
        room = len(self._held) < limits.SYNC_EVENTS and self._held_bytes + size <= limits.SYNC_BYTES
        if room and event.seq not in self._held:
            self._held[event.seq] = event
            self._held_bytes += size

    def _let_go(self) -> list[wire.Event]:
        held, self._held, self._held_bytes = self._held, {}, 0
        return list(held.values())

    def answered(self, answer: wire.SyncAnswer) -> tuple[bool, list[wire.Event]]:
        """Whether something is missing before the answer, and the events that continue the log."""
        self._rest = answer.upto < answer.head
        held, over = self._let_go(), answer.reset
        was_told = self._is_told
        if answer.epoch != self.epoch or (over and answer.after != self._asked):
            if not over and (self.epoch is not None or answer.after != self._asked):
                self._rest = True  # it says nothing of our log
                return False, []
            was_told, held = False, []
            self._rest = self._rest or answer.epoch == self.epoch  # what was pushed meanwhile was taken for old
            self.epoch, self.cursor, self._beyond = answer.epoch, answer.after, answer.after
        elif answer.after > self.cursor:
            self._rest = True
            return False, []
        fit = [e for e in answer.events if self.cursor < e.seq <= answer.upto and e.epoch == answer.epoch]
        self.cursor = max(self.cursor, answer.upto)
        later, _ = self.pushed(held)
        self._is_told = self._rest and (was_told or over)
        return over and not was_told, [*fit, *later]

    def go_on(self, now: Moment, *, progress: bool) -> list[Effect]:
        """After an answer was applied: ask for the rest; later, if the server's numbers led nowhere."""
        if not (self._rest or self._foreign or self._beyond > self.cursor):
            self._failures = 0
            return []
        if progress:
            return self.ask()
        self.failed(now, None)
        return []

    @property
    def caught_up(self) -> bool:
        waits = self._request is not None or self._foreign or self._rest or self._retry_at is not None
        return self.online and not waits and self._beyond <= self.cursor

    # -- telling the server -----------------------------------------------------------------------------------

    def moved(self, now: Moment) -> None:
        if self.online and self._ack_at is None:
            self._ack_at = now.mono + limits.ACK_INTERVAL_S

    def tick(self, now: Moment) -> list[Effect]:
        effects: list[Effect] = []
        if self._ack_at is not None and self._ack_at <= now.mono and self.epoch is not None:
            self._ack_at = None
            effects.append(SendAck(self.epoch, self.cursor))
        if self._retry_at is not None and self._retry_at <= now.mono:
            self._retry_at = None
            effects += self.ask()
        return effects

    @property
    def dues(self) -> list[float]:
        return [at for at in (self._ack_at, self._retry_at) if at is not None]
