"""One HTTP connection whose requests have a route: read and answered on a watcher, without greenlet and application.

What has no route, or does not come in one piece, is left to a greenlet, with all its bytes: nothing was done with it.
"""

import logging
import time
from collections.abc import Mapping
from typing import Any, Final, Protocol

from gevent import socket as gevent_socket
from gevent import spawn_raw

from deskbell_server.transport import requests
from deskbell_server.transport.base import Answer, Options, Route
from deskbell_server.transport.reactor import Reactor
from deskbell_server.transport.refusals import HandshakeError
from deskbell_server.transport.requests import Request
from deskbell_server.transport.streams import Stream, has_pending

log = logging.getLogger(__name__)

PIECE_S: Final = 1.0
"""How long the rest of a request is awaited here."""
_CHUNK: Final = 65536
_READ: Final = 1


class Serving(Protocol):
    """What it needs of the server."""

    options: Options
    routes: Mapping[tuple[str, str], Route]
    ending: bool

    def date(self) -> str: ...
    def leave(self, watched: Any, read: bytes, /) -> None: ...
    def gone(self, watched: Any, /) -> None: ...
    def mark(self, watched: Any, /, *, is_busy: bool) -> None: ...


class Watched:
    """`socket` is the one below, which the server may shut down; `in_request` while something is being answered."""

    def __init__(self, server: Serving, reactor: Reactor, socket: Any, stream: Stream, address: Any) -> None:
        self.socket = socket
        self.stream = stream
        self.address = address
        self.in_request = False
        self.due, self.slot = 0.0, -1
        self._server = server
        self._reactor = reactor
        self._buffer = bytearray()
        self._head: Request | None = None
        self._length = 0
        self._goes_on = False
        self._ends = False
        """Whether the next answer is the last."""
        self._watcher: Any = reactor.loop.io(stream.fileno(), _READ)

    def start(self, read: bytes) -> None:
        """With what has been read already."""
        self._buffer += read
        self._watcher.start(self._on_readable)
        self._go_on()

    def _on_readable(self) -> None:
        try:
            while True:
                data = self.stream.recv(_CHUNK)
                self._buffer += data
                if not data or not has_pending(self.stream):
                    break
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if self.in_request:
            self._come_while_asked(is_end=not data)
        elif data:
            self._go_on()
        else:
            self._end()

    def _come_while_asked(self, *, is_end: bool) -> None:
        """Who has sent all may still read the answer; what stands behind a request waits for it, within bounds."""
        self._ends = self._ends or is_end
        if is_end or len(self._buffer) > self._length + _CHUNK:
            self._watcher.stop()

    def _go_on(self) -> None:
        """As far as what has come goes."""
        self._goes_on = True
        while self._watcher is not None and not self.in_request and self._is_whole():
            self._ask(may_block=False)
        self._goes_on = False
        if self._watcher is None or self.in_request:
            return
        self._server.mark(self, is_busy=False)
        wait = PIECE_S if self._buffer else self._server.options.idle_s
        self._reactor.wheel.set(self, time.monotonic() + wait)

    def _is_whole(self) -> bool:
        """Whether a request has come, with its body; one without a route is left at once."""
        if self._head is None:
            del self._buffer[: len(self._buffer) - len(self._buffer.lstrip(b"\r\n"))]
            end = self._buffer.find(requests.END)
            if end < 0:
                if len(self._buffer) > self._server.options.header_bytes:
                    self._leave()
                return False
            try:
                self._head = requests.read(bytes(self._buffer[: end + 2]))
            except HandshakeError:
                self._leave()
                return False
            if self._route() is None:
                self._leave()
                return False
            self._length = end + len(requests.END) + (self._head.length or 0)
        return len(self._buffer) >= self._length

    def _route(self) -> Route | None:
        head = self._head
        if head is None or head.query or head.version != "HTTP/1.1" or b"expect" in head.headers:
            return None
        if not head.length or head.length > self._server.options.body_bytes:
            return None
        return self._server.routes.get((head.method, head.path))

    def _ask(self, *, may_block: bool) -> None:
        head, route = self._head, self._route()
        assert head is not None
        assert route is not None
        self.in_request = True
        self._server.mark(self, is_busy=True)
        self._reactor.wheel.remove(self)
        body = bytes(self._buffer[self._length - (head.length or 0) : self._length])
        taken = route(head, body, self._answer, may_block)
        if taken is None:
            spawn_raw(self._ask_blocking)
        elif not taken:
            self._leave()

    def _ask_blocking(self) -> None:
        try:
            self._ask(may_block=True)
        except Exception:
            log.exception("an HTTP request failed")
            self._end()

    def _answer(self, answer: Answer) -> None:
        if self._watcher is None or self._head is None:
            return
        status, headers, body = answer
        self._ends = self._ends or self._server.ending or not self._head.keeps
        headers = (*headers, ("Date", self._server.date()))
        if self._ends:
            headers = (*headers, ("Connection", "close"))
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
        data = f"HTTP/1.1 {status}\r\n{lines}\r\n".encode("latin-1") + body
        del self._buffer[: self._length]
        self._head, self._length = None, 0
        try:
            sent = self.stream.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._end()
            return
        if sent < len(data):
            spawn_raw(self._send_rest, data[sent:])
        else:
            self._answered()

    def _send_rest(self, data: bytes) -> None:
        """To one who reads slowly, for a while."""
        try:
            while data:
                gevent_socket.wait_write(self.stream.fileno(), timeout=self._server.options.body_s)
                try:
                    data = data[self.stream.send(data) :]
                except BlockingIOError:
                    continue
        except OSError:
            self._end()
        else:
            self._answered()

    def _answered(self) -> None:
        self.in_request = False
        if self._ends:
            self._end()
        elif self._watcher is not None:
            if not self._watcher.active:
                self._watcher.start(self._on_readable)
            if not self._goes_on:
                self._go_on()

    def on_due(self, _now: float) -> None:
        """Nothing came for too long, or half a request, which is awaited elsewhere."""
        if self.in_request:
            return
        if self._buffer:
            self._leave()
        else:
            self._end()

    def _leave(self) -> None:
        self.in_request = False
        if self._stop():
            self._server.leave(self, bytes(self._buffer))

    def _end(self) -> None:
        if self._stop():
            self._server.gone(self)

    def _stop(self) -> bool:
        """Whether it has not stopped before."""
        watcher, self._watcher = self._watcher, None
        if watcher is None:
            return False
        self._reactor.wheel.remove(self)
        watcher.stop()
        watcher.close()
        return True
