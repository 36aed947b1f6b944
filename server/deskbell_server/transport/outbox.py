"""When frames leave: joined into one write per client.

Frames for one client wait for the end of the loop's turn in which they came: so a sender's own event and the answer,
of one commit, are one system call. A broadcast puts its frame with every client and sends to a slice of them per turn,
so that between two slices the loop reads and answers everybody else; rounds that overtake each other leave joined.
"""

from collections import deque
from collections.abc import Sequence
from typing import Any, Final, Protocol

SLICE: Final = 64


class Sender(Protocol):
    queue: list[bytes] | None
    """Frames that wait for their turn."""

    @property
    def closing(self) -> bool: ...

    def flush(self) -> None: ...


class Outbox:
    def __init__(self, loop: Any) -> None:
        self._loop = loop
        self._soon: list[Sender] = []
        self._later: deque[Sender] = deque()
        self._next = loop.timer(0)  # a callback would run again before the loop looks for input

    def soon(self, sender: Sender) -> None:
        """Flush `sender` at the end of this turn."""
        if not self._soon:
            self._loop.run_callback(self._flush_soon)
        self._soon.append(sender)

    def _flush_soon(self) -> None:
        senders, self._soon = self._soon, []
        for sender in senders:
            sender.flush()

    def post(self, frames: Sequence[bytes], sender: Sender) -> None:
        """Give `sender` frames that leave in its slice; `start` when all have theirs. Nothing to one that is closed."""
        if sender.closing:
            return
        if sender.queue is None:
            sender.queue = list(frames)
            self._later.append(sender)
        else:
            sender.queue += frames
            if len(sender.queue) >= SLICE:
                sender.flush()

    def start(self) -> None:
        if self._later and not self._next.active:
            self._slice()

    def _slice(self) -> None:
        later = self._later
        sent = 0
        while later and sent < SLICE:
            sender = later.popleft()
            if sender.queue is not None:
                sender.flush()
                sent += 1
        if later:
            self._next.start(self._slice, update=False)

    def close(self) -> None:
        self._next.stop()
        self._next.close()
