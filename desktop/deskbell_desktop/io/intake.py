"""The bounded room between the wire and the owner thread: a burst waits here, to be taken in stretches (room 5)."""

import threading
from collections import deque
from collections.abc import Callable

from deskbell_desktop.core.events import FramesPushed
from deskbell_desktop.io.results import PushesWaiting
from deskbell_protocol import wire

WAITING_MAX = 2000
STRETCH = 50
"""Frames applied in one commit, so that the window stays alive between two."""


class Intake:
    """`push` on the network's thread, `take` on the owner's. What does not fit is dropped: the numbers repair it."""

    def __init__(self, post: Callable[[object], None]) -> None:
        self._post = post
        self._lock = threading.Lock()
        self._frames: deque[wire.Event | wire.Head] = deque()
        self._dropped: wire.Head | None = None

    def push(self, frame: wire.Event | wire.Head) -> None:
        with self._lock:
            first = not self._frames
            if len(self._frames) < WAITING_MAX:
                self._frames.append(frame)
            else:  # a place that nothing leads to
                self._dropped = wire.Head(frame.epoch, frame.seq, frame.seq)
        if first:
            self._post(PushesWaiting())

    def take(self) -> list[FramesPushed]:
        """One stretch, if any; what remains announces itself again."""
        with self._lock:
            stretch = [self._frames.popleft() for _ in range(min(STRETCH, len(self._frames)))]
            remains = bool(self._frames)
            if not remains and self._dropped is not None:
                stretch.append(self._dropped)
                self._dropped = None
        if remains:
            self._post(PushesWaiting())
        return [FramesPushed(tuple(stretch))] if stretch else []

    def clear(self) -> None:
        """What one account's connection left must not meet the next."""
        with self._lock:
            self._frames.clear()
            self._dropped = None
