"""The bounded room between the wire and the owner thread: a burst waits here, to be taken in stretches (room 5)."""

import threading
from collections import deque
from collections.abc import Callable

from deskbell_desktop.core.events import EventsPushed, HeadSeen
from deskbell_desktop.io.results import PushesWaiting
from deskbell_protocol import wire

WAITING_MAX = 2000
STRETCH = 50
"""Events applied in one commit, so that the window stays alive between two."""


class Intake:
    """`push` on the network's thread, `take` on the owner's. What does not fit is dropped: the numbers repair it."""

    def __init__(self, post: Callable[[object], None]) -> None:
        self._post = post
        self._lock = threading.Lock()
        self._events: deque[wire.Event] = deque()
        self._dropped: wire.Event | None = None

    def push(self, event: wire.Event) -> None:
        with self._lock:
            first = not self._events
            if len(self._events) < WAITING_MAX:
                self._events.append(event)
            else:
                self._dropped = event
        if first:
            self._post(PushesWaiting())

    def take(self) -> list[EventsPushed | HeadSeen]:
        """One stretch; what remains announces itself again."""
        with self._lock:
            stretch = [self._events.popleft() for _ in range(min(STRETCH, len(self._events)))]
            remains = bool(self._events)
            dropped = None if remains else self._dropped
            if not remains:
                self._dropped = None
        if remains:
            self._post(PushesWaiting())
        taken: list[EventsPushed | HeadSeen] = [EventsPushed(tuple(stretch))] if stretch else []
        return taken if dropped is None else [*taken, HeadSeen(dropped.epoch, dropped.seq)]

    def clear(self) -> None:
        """What one account's connection left must not meet the next."""
        with self._lock:
            self._events.clear()
            self._dropped = None
