"""The outgoing half of a connection: sent at once as far as the kernel takes it, the rest waits up to the bounds."""

import logging
import time
from collections import deque
from enum import Enum, auto
from typing import Any, Final

from deskbell_server.transport.reactor import REASON, Handler, Reactor
from deskbell_server.transport.streams import Stream, end_sending

log = logging.getLogger(__name__)

QUEUE: Final = 64
"""Frames that may wait for their turn; more leave at once."""
_WRITE: Final = 2


class ConnectionState(Enum):
    """From ours to the client; the names are wsproto's."""

    OPEN = auto()
    LOCAL_CLOSING = auto()
    """The last frame has its moment to be taken; nothing is handled any more."""
    CLOSED = auto()
    """Its handlers have heard of the end."""


OPEN: Final = ConnectionState.OPEN


class Sending:
    __slots__ = (
        "_handler",
        "_out",
        "_out_bytes",
        "_progress_at",
        "_reactor",
        "_soon",
        "_stream",
        "_writable",
        "queue",
        "sid",
        "state",
    )

    def __init__(self, reactor: Reactor, handler: Handler, sid: str, stream: Stream) -> None:
        self._reactor = reactor
        self._handler = handler
        self.sid = sid
        self._stream = stream
        self._writable: Any = None
        self.queue: list[bytes] | None = None
        self._out: deque[bytes] | None = None
        self._out_bytes = 0
        self._soon = False
        self._progress_at = 0.0
        self.state = OPEN

    @property
    def closing(self) -> bool:
        return self.state is not OPEN

    @property
    def closed(self) -> bool:
        return self.state is ConnectionState.CLOSED

    def write(self, frame: bytes) -> None:
        """Send a frame, together with all others of this turn of the loop, at its end."""
        if self.state is not OPEN:
            return
        if self.queue is None:
            self.queue = [frame]
        else:
            self.queue.append(frame)
        if len(self.queue) >= QUEUE:
            self.flush()
        elif not self._soon:
            self._soon = True
            self._reactor.outbox.soon(self)

    def flush(self) -> None:
        """Send what waits for its turn, in one write."""
        self._soon = False
        waiting, self.queue = self.queue, None
        if waiting is not None and self.state is OPEN:
            if self._out is None:
                self._push(waiting[0] if len(waiting) == 1 else b"".join(waiting))
            else:
                self._keep(waiting)

    def _push(self, data: bytes) -> None:
        if self._out is not None:
            self._keep([data])
            return
        try:
            sent = self._stream.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.end(REASON.TRANSPORT_ERROR)
            return
        if sent != len(data):
            self._out = deque()
            self._progress_at = time.monotonic()
            self._reactor.blocked.add(self)
            self._writable = self._reactor.loop.io(self._stream.fileno(), _WRITE)
            self._writable.start(self._on_writable)
            self._keep([data[sent:]])

    def _keep(self, waiting: list[bytes]) -> None:
        assert self._out is not None
        self._out.extend(waiting)
        self._out_bytes += sum(map(len, waiting))
        options = self._handler.options
        if self._out_bytes > options.out_bytes or len(self._out) > options.out_frames:
            self._too_slow("does not read")

    def check_progress(self, now: float) -> None:
        if now - self._progress_at > self._handler.options.stall_s:
            self._too_slow("takes nothing")

    def _too_slow(self, why: str) -> None:
        log.warning("%s closed: it %s, %d bytes wait", self.sid, why, self._out_bytes)
        self.end(REASON.TRANSPORT_ERROR)

    def _on_writable(self) -> None:
        out = self._out
        try:
            while out:
                # A piece that was refused is offered again unchanged: TLS asks for that.
                sent = self._stream.send(out[0])
                self._out_bytes -= sent
                self._progress_at = time.monotonic()
                if sent < len(out[0]):
                    out[0] = out[0][sent:]
                    return
                out.popleft()
        except BlockingIOError:
            return
        except OSError:
            self._broken()
            return
        self._unblock()
        if self.state is not OPEN:
            end_sending(self._stream)

    def _unblock(self) -> None:
        self._out, self._out_bytes = None, 0
        self._reactor.blocked.discard(self)
        if self._writable is not None:
            self._writable.stop()
            self._writable.close()
            self._writable = None

    def _broken(self) -> None:
        raise NotImplementedError

    def end(self, reason: str, last: bytes | None = None) -> None:
        raise NotImplementedError
