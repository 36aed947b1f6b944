"""Where this device stands in its user's log: applies what fits, notices what is missing, asks for it once at a time.

Room 6 of a message's way. The server's push is a hint; only the numbers say what is true.
"""

from collections.abc import Iterable

from deskbell_desktop.core.effects import Effect, RequestSync, SendAck
from deskbell_desktop.core.events import Moment
from deskbell_protocol import limits, wire

RETRY_FIRST_S = 1.0
RETRY_MAX_S = 30.0


class Log:
    def __init__(self, epoch: str | None, cursor: int) -> None:
        self.epoch = epoch
        self.cursor = cursor
        self.online = False
        self._head = cursor
        self._elsewhere: tuple[str, int] = ("", 0)
        """What was seen of an epoch that is not ours, or not yet."""
        self._asking = False
        self._failures = 0
        self._retry_at: float | None = None
        self._ack_at: float | None = None

    # -- the link ---------------------------------------------------------------------------------------------

    def up(self) -> list[Effect]:
        self.online, self._asking, self._failures = True, False, 0
        return self.ask()

    def down(self) -> None:
        self.online, self._asking, self._retry_at, self._ack_at = False, False, None, None

    def ask(self) -> list[Effect]:
        """One sync, unless one is under way or there is nobody to ask."""
        if not self.online or self._asking:
            return []
        self._asking, self._retry_at = True, None
        return [RequestSync(self.epoch, self.cursor)]

    def failed(self, now: Moment, retry_after_s: float | None) -> None:
        self._asking = False
        if self.online:
            wait = retry_after_s if retry_after_s is not None else RETRY_FIRST_S * 2**self._failures
            self._failures = min(self._failures + 1, 10)
            self._retry_at = now.mono + min(max(wait, RETRY_FIRST_S), RETRY_MAX_S)

    # -- the numbers ------------------------------------------------------------------------------------------

    def seen(self, epoch: str, head: int) -> bool:
        """Whether the log goes on beyond what we have."""
        if epoch != self.epoch:
            self._elsewhere = (epoch, max(head, self._elsewhere[1] if self._elsewhere[0] == epoch else 0))
            return True
        self._head = max(self._head, head)
        return self._head > self.cursor

    def fitting(self, events: Iterable[wire.Event]) -> tuple[list[wire.Event], bool]:
        """The events that continue the log (the cursor has moved past them), and whether some are missing."""
        fit: list[wire.Event] = []
        beyond = False
        for event in sorted(events, key=lambda event: event.seq):
            if event.epoch == self.epoch and event.seq == self.cursor + 1:
                self.cursor = event.seq
                fit.append(event)
            else:
                beyond = self.seen(event.epoch, event.seq) or beyond
        return fit, beyond

    def answered(self, answer: wire.SyncAnswer) -> bool:
        """Take note of a sync answer; whether the log starts over (another epoch, or history that is gone)."""
        self._asking = False
        over = answer.reset or answer.epoch != self.epoch
        if over:
            first = self.epoch is None and answer.floor == 0 and self.cursor == 0
            self.epoch, self.cursor, self._head = answer.epoch, answer.floor, answer.floor
            over = not first
        epoch, head = self._elsewhere
        self._head = max(self._head, answer.head, head if epoch == self.epoch else 0)
        return over

    def go_on(self, now: Moment, *, progress: bool, more: bool) -> list[Effect]:
        """After an answer was applied: ask for the rest; later, if the server's numbers led nowhere."""
        if not (more or self._head > self.cursor):
            self._failures = 0
            return []
        if progress:
            return self.ask()
        self.failed(now, None)
        return []

    @property
    def caught_up(self) -> bool:
        return self.online and not self._asking and self._retry_at is None and self._head <= self.cursor

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
