"""The turns of one loop: its clock, its outbox, who goes on in the next turn and who has left.

A connection knows this and the `Handler` that it is served by, and nothing of what stands above.
"""

import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final, Protocol

from engineio import Server as _EngineIO
from gevent import get_hub

from deskbell_server.transport.base import HotHandler, Options
from deskbell_server.transport.outbox import SLICE, Outbox
from deskbell_server.transport.packets import Packet, Shape
from deskbell_server.transport.wheel import Timed, Wheel

REASON: Final = _EngineIO.reason
"""Why a connection ended, in Engine.IO's words."""


class Due(Timed, Protocol):
    def on_due(self, now: float) -> None: ...


class Sending(Protocol):
    def check_progress(self, now: float) -> None: ...


class Handler(Protocol):
    """What a connection tells about itself, and who handles its packets. `Any` is the connection."""

    options: Options
    inline: dict[str, HotHandler]
    shapes: dict[bytes, Shape]

    def make_environ(self, connection: Any, /) -> dict[str, Any]: ...
    def answered(self, connection: Any, /) -> None: ...
    def ended(self, connection: Any, reason: str, /) -> None: ...
    def malformed(self, connection: Any, error: Exception, /) -> None: ...
    def dispatch(self, connection: Any, packet: Packet, /) -> None: ...
    def call_inline(self, connection: Any, packet: Packet, /) -> Any: ...
    def answer(self, connection: Any, packet: Packet, result: Any, /) -> None: ...


class Reactor:
    """Made on the loop's thread, and used there."""

    def __init__(self, tick_s: float) -> None:
        self.loop = get_hub().loop
        self.outbox = Outbox(self.loop)
        self.wheel: Wheel[Due] = Wheel(tick_s, time.monotonic())
        self.blocked: set[Sending] = set()
        """Those whose client takes less than it is sent."""
        self._resuming: list[Callable[[], object]] = []
        self._next_turn = self.loop.timer(0)
        self._leaving: deque[Callable[[str], object]] = deque()
        self._leave = self.loop.timer(0)
        self._ticks = self.loop.timer(tick_s, tick_s)
        self._ticks.start(self._tick)

    def close(self) -> None:
        for watcher in (self._next_turn, self._leave, self._ticks):
            watcher.stop()
            watcher.close()
        self.outbox.close()

    def resume_soon(self, resume: Callable[[], object]) -> None:
        """Call this in the next turn of the loop."""
        if not self._resuming:
            self._next_turn.start(self._resume, update=False)
        self._resuming.append(resume)

    def client_gone(self, end: Callable[[str], object]) -> None:
        """End somebody whose client has gone. When thousands go at once they are seen off in slices, and nobody else
        waits for it.
        """
        if not self._leaving:
            self._leave.start(self._see_off, update=False)
        self._leaving.append(end)

    def _resume(self) -> None:
        resuming, self._resuming = self._resuming, []
        for resume in resuming:
            resume()

    def _see_off(self) -> None:
        for _ in range(min(SLICE, len(self._leaving))):
            self._leaving.popleft()(REASON.TRANSPORT_CLOSE)
        if self._leaving:
            self._leave.start(self._see_off, update=False)

    def _tick(self) -> None:
        now = time.monotonic()
        for item in self.wheel.turn(now):
            item.on_due(now)
        self.outbox.start()
        for sending in list(self.blocked):
            sending.check_progress(now)
