"""HTTP in front of it all: accepts, reads a request's head within bounds, and knows an upgrade from other requests.

An upgrade leaves as a bare non-blocking stream, and so does what has a route. Everything else is answered in a greenlet
of its connection.
"""

import contextlib
import errno
import logging
import socket
import time
from collections.abc import Callable, Mapping
from email.utils import formatdate
from ssl import SSLContext
from typing import Any

from gevent import pywsgi, sleep, spawn_raw
from gevent import socket as gevent_socket
from gevent.ssl import SSLSocket

from deskbell_server.transport import handshake, refusals, requests
from deskbell_server.transport.answering import Handler
from deskbell_server.transport.base import Options, Route
from deskbell_server.transport.engine import Engine
from deskbell_server.transport.newcomers import Newcomers
from deskbell_server.transport.refusals import HandshakeError
from deskbell_server.transport.requests import Incoming, Request
from deskbell_server.transport.serving import within
from deskbell_server.transport.streams import TlsStream
from deskbell_server.transport.watched import Watched

log = logging.getLogger(__name__)

LINGER_S = 1.0
"""How long what still comes from somebody who was refused is thrown away."""
LINGERING_MAX = 100
"""Of so many at a time; the others are closed at once, and may not read why."""
ROOM_S = 0.25
"""How often one looks whether there is room again."""
TELL_S = 60.0
"""How often it is said that there is none."""
_NO_ROOM = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class HttpServer(pywsgi.WSGIServer):  # type: ignore[misc]
    def __init__(
        self,
        listener: Any,
        app: Any,
        engine: Engine,
        options: Options,
        tls: SSLContext | None,
        routes: Mapping[tuple[str, str], Route],
    ) -> None:
        super().__init__(listener, app, log=None, error_log=None, handler_class=Handler)
        self.routes = routes
        self._date = (0, "")
        self.options = options
        self._engine = engine
        self._tls = tls
        self._heads = Newcomers(options.waiting_max, options.patience_s, "Too many are waiting.")
        self.kept = Newcomers(options.http_max, options.patience_s, "Too many requests at a time.")
        self._told_at = -TELL_S
        self.handlers: set[Handler | Watched] = set()
        self.ending = False
        self._lingering = 0
        if tls is not None:
            self.environ["wsgi.url_scheme"] = "https"

    def date(self) -> str:
        """The time as HTTP says it, made once a second."""
        now = int(time.time())
        if self._date[0] != now:
            self._date = (now, formatdate(now, usegmt=True))
        return self._date[1]

    def do_read(self) -> tuple[int, Any] | None:
        try:
            fd, address = self.socket._accept()  # noqa: SLF001
        except (BlockingIOError, ConnectionAbortedError):
            return None
        except OSError as error:
            if error.errno not in _NO_ROOM:
                raise
            self._wait_for_room(error)
            return None
        return fd, address

    def _wait_for_room(self, error: OSError) -> None:
        """Whoever wants in waits in the backlog until somebody has left."""
        now = time.monotonic()
        if now - self._told_at > TELL_S:
            log.error("no more connections can be accepted: %s", error.strerror)
            self._told_at = now
        self.stop_accepting()
        self._timer = self.loop.timer(ROOM_S)
        self._timer.start(self._start_accepting_if_started)

    def do_handle(self, fd: int, address: Any) -> None:
        sock = socket.socket(self.family, socket.SOCK_STREAM, 0, fd)
        sock.setblocking(False)
        spawn_raw(self._open, sock, address)

    def _open(self, sock: Any, address: Any) -> None:
        """From an accepted socket to a connection, an HTTP request, or nothing."""
        number, place = sock.fileno(), self.options.place(str(address[0]) if address else "")
        try:
            self._heads.add(number, place, time.monotonic(), lambda: _hang_up(number))
        except HandshakeError as error:
            _answer(sock, error)
            return
        client: Any = sock
        head = b""
        incoming = Incoming(_receiver(sock))
        try:
            if self._tls is not None:
                client = self._wrapped(sock)
                incoming = Incoming(client.recv)
            head = self._read_head(client, incoming)
        except (OSError, EOFError):
            pass  # it went away, or speaks no TLS
        finally:
            self._heads.remove(number)
        if not head:
            client.close()
            return
        try:
            self._route(client, head, incoming, address)
        except OSError:
            client.close()
        except Exception:
            client.close()
            log.exception("opening a connection failed")

    def _wrapped(self, sock: Any) -> Any:
        return SSLSocket(_cooperative(sock), server_side=True, do_handshake_on_connect=False, _context=self._tls)

    def _read_head(self, client: Any, incoming: Incoming) -> bytes:
        """The first request's head, after the handshake; nothing when there was none."""
        refusal = HandshakeError(408, "Head too slow.")
        try:
            with within(self.options.header_s):
                if self._tls is not None:
                    client.do_handshake()
                return incoming.head(self.options.header_bytes)
        except HandshakeError as error:
            refusal = error
        if incoming.rest:
            self.refuse(client, refusal)
        return b""

    def _route(self, client: Any, head: bytes, incoming: Incoming, address: Any) -> None:
        try:
            request = requests.read(head)
            upgrade = handshake.grant(request, self.options.allowed_origins)
            if upgrade is not None:
                stream = client if self._tls is None else TlsStream(client)
                self._engine.upgrade(stream, upgrade, head, incoming.rest, address)
                return
            number = client.fileno()
            self.kept.add(number, self.options.place(str(address[0])), time.monotonic(), lambda: _hang_up(number))
        except HandshakeError as error:
            self.refuse(client, error)
            client.close()
            return
        if (request.method, request.path) in self.routes:
            stream = client if self._tls is None else TlsStream(client)
            watched = Watched(self, self._engine.reactor, client, stream, address)
            self.handlers.add(watched)
            watched.start(head + b"\r\n" + incoming.rest)
        else:
            self._serve_http(client, request, incoming.rest, address)

    def leave(self, watched: Watched, read: bytes) -> None:
        """It goes on in a greenlet."""
        self.handlers.discard(watched)
        spawn_raw(self._serve_http, watched.socket, None, read, watched.address)

    def gone(self, watched: Watched) -> None:
        self.handlers.discard(watched)
        self.kept.remove(watched.stream.fileno())
        watched.stream.close()

    def mark(self, watched: Watched, *, is_busy: bool) -> None:
        """Whether it is of use."""
        if is_busy:
            self.kept.busy(watched.stream.fileno())
        else:
            self.kept.idle(watched.stream.fileno(), time.monotonic())

    def _serve_http(self, client: Any, request: Request | None, rest: bytes, address: Any) -> None:
        number = client.fileno()
        try:
            self._serve_in_greenlet(client if self._tls is not None else _cooperative(client), request, rest, address)
        finally:
            self.kept.remove(number)

    def _serve_in_greenlet(self, client: Any, request: Request | None, rest: bytes, address: Any) -> None:
        # Of each single read or write; a polling client that was upgraded is silent between two pings.
        client.settimeout(max(self.options.body_s, self.options.ping_interval_s + self.options.ping_timeout_s))
        handler = Handler(client, address, self, Incoming(client.recv, rest))
        self.handlers.add(handler)
        try:
            handler.serve_first(request)
        finally:
            self.handlers.discard(handler)
            client.close()

    def refuse(self, sock: Any, error: HandshakeError) -> None:
        _send(sock, refusals.refusal(error))
        self.linger(sock)

    def linger(self, sock: Any) -> None:
        """Closing with input unread would take the answer back, before who still sends can read it."""
        if self._lingering >= LINGERING_MAX:
            return
        self._lingering += 1
        receive = _receiver(sock)
        try:
            with contextlib.suppress(OSError), within(LINGER_S):
                sock.shutdown(socket.SHUT_WR)
                while receive(requests.SCRAP):
                    pass
        finally:
            self._lingering -= 1

    def close(self) -> None:
        """Who stands in the backlog is let in first: closing resets what was asked there already."""
        if self.started:
            with contextlib.suppress(OSError):
                for _ in range(self.options.backlog):
                    found = self.do_read()
                    if found is None:
                        break
                    self.do_handle(*found)
        super().close()
        sleep(0)  # they read what they were sent

    def finish(self, grace_s: float) -> None:
        """Requests under way get `grace_s`; kept connections without one end now."""
        self.ending = True
        with within(grace_s):
            while any(handler.in_request for handler in self.handlers):
                sleep(0.02)
        for handler in list(self.handlers):
            with contextlib.suppress(OSError, AttributeError):
                handler.socket.shutdown(socket.SHUT_RDWR)


def _cooperative(sock: Any) -> Any:
    """The same socket as one that blocks its greenlet only."""
    return gevent_socket.socket(sock.family, sock.type, sock.proto, sock.detach())


def _hang_up(number: int) -> None:
    """As if the one on the other end of that descriptor had done it: whoever reads there comes to an end."""
    with contextlib.suppress(OSError):
        there = socket.socket(fileno=number)
        try:
            there.shutdown(socket.SHUT_RDWR)
        finally:
            there.detach()


def _receiver(sock: Any) -> Callable[[int], bytes]:
    def receive(size: int) -> bytes:
        while True:
            try:
                return bytes(sock.recv(size))
            except BlockingIOError:
                gevent_socket.wait_read(sock.fileno())

    return receive


def _send(sock: Any, data: bytes) -> None:
    with contextlib.suppress(OSError):
        sock.send(data)


def _answer(sock: Any, error: HandshakeError) -> None:
    with contextlib.suppress(OSError):
        sock.recv(16384)  # closing with input unread would take the answer back
    _send(sock, refusals.refusal(error))
    sock.close()
