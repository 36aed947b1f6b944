"""HTTP in front of it all: accepts, reads a request's head within bounds, and knows an upgrade from other requests.

An upgrade leaves as a bare non-blocking stream. Everything else becomes an ordinary pywsgi request, its head and body
read within bounds of time and size too.
"""

import contextlib
import errno
import io
import logging
import socket
import time
from collections.abc import Callable
from ssl import SSLContext
from typing import Any

from gevent import pywsgi, sleep, spawn_raw
from gevent import socket as gevent_socket
from gevent.ssl import SSLSocket

from deskbell_server.transport import handshake
from deskbell_server.transport.base import Options
from deskbell_server.transport.engine import Engine
from deskbell_server.transport.handshake import HandshakeError
from deskbell_server.transport.serving import within
from deskbell_server.transport.streams import TlsStream

log = logging.getLogger(__name__)

ROOM_S = 0.25
"""How often one looks whether there is room again."""
TELL_S = 60.0
"""How often it is said that there is none."""
_NO_ROOM = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_END = b"\r\n\r\n"
_BROKEN = {
    400: "This is not a request of HTTP/1.1.",
    408: "The body did not arrive.",
    413: "The body is too large.",
    414: "The address is too long.",
    500: "The server could not do this.",
}


class _Replay(io.RawIOBase):
    """A socket's input with what was read already in front; `budget` bounds what may still come of a head."""

    def __init__(self, first: bytes, sock: Any) -> None:
        self._first = first
        self._socket = sock
        self.budget: int | None = None

    @property
    def _sock(self) -> Any:
        """What simple-websocket 1.1 takes for the socket, when long polling is upgraded."""
        return self._socket

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._first:
            data, self._first = self._first[: len(buffer)], self._first[len(buffer) :]
            buffer[: len(data)] = data
            return len(data)
        if self.budget is not None and self.budget <= 0:
            raise ValueError("request head too large")
        count = int(self._socket.recv_into(buffer))
        if self.budget is not None:
            self.budget -= count
        return count


class Handler(pywsgi.WSGIHandler):  # type: ignore[misc]
    """pywsgi's, patient for a bounded time with each part of a request."""

    def __init__(self, sock: Any, address: Any, server: "HttpServer", first: bytes) -> None:
        self._replay = _Replay(first, sock)
        self._options = server.options
        self.in_request = False
        super().__init__(sock, address, server, rfile=io.BufferedReader(self._replay))

    def read_requestline(self) -> str:
        self.in_request = False
        self._replay.budget = self._options.header_bytes
        with within(self._options.idle_s), contextlib.suppress(ValueError):
            line = super().read_requestline()
            self.in_request = True
            return str(line)
        return ""

    def read_request(self, raw_requestline: str) -> Any:
        with within(self._options.header_s):
            read = super().read_request(raw_requestline)
            self._replay.budget = None
            return read
        raise ValueError("request head too slow")

    def handle_one_request(self) -> Any:
        """As pywsgi does it; a request that cannot be read is answered like every other refusal."""
        done = super().handle_one_request()
        if not isinstance(done, tuple):
            return done
        status = int(done[0])
        return done[0], handshake.response(status, _BROKEN[status])

    def run_application(self) -> None:
        refused = self._read_body()
        if refused:
            self._refuse(refused)
        else:
            super().run_application()

    def _send_error_response_if_possible(self, error_code: int) -> None:
        if self.response_length:
            self.close_connection = True
        else:
            with contextlib.suppress(OSError):
                self._refuse(error_code)

    def _read_body(self) -> int:
        """Take the body in; or the status that says why not."""
        chunked = self.wsgi_input.chunked_input
        size, limit = self.content_length or 0, self._options.body_bytes
        if not size and not chunked:
            return 0
        if size > limit:
            return 413
        with within(self._options.body_s):
            body = self.wsgi_input.read(limit + 1 if chunked else size)
            if len(body) > limit:
                return 413
            self.environ["wsgi.input"] = io.BytesIO(body)
            self.environ["wsgi.input_terminated"] = True
            self.environ["CONTENT_LENGTH"] = str(len(body))
            return 0
        return 408

    def _refuse(self, status: int) -> None:
        self.close_connection = True
        self.wsgi_input.chunked_input = False
        self.wsgi_input.position = self.content_length or 0  # nothing is read only to be thrown away
        body = handshake.refusal_body(status, _BROKEN[status])
        headers = [("Content-Type", "application/json"), ("Connection", "close"), ("Content-Length", str(len(body)))]
        self.start_response(handshake.status_line(status), headers)
        self.write(body)


class HttpServer(pywsgi.WSGIServer):  # type: ignore[misc]
    def __init__(self, listener: Any, app: Any, engine: Engine, options: Options, tls: SSLContext | None) -> None:
        super().__init__(listener, app, log=None, error_log=None, handler_class=Handler)
        self.options = options
        self._engine = engine
        self._tls = tls
        self._opening = 0
        self._told_at = -TELL_S
        self.handlers: set[Handler] = set()
        if tls is not None:
            self.environ["wsgi.url_scheme"] = "https"

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
        if self._opening >= self.options.waiting_max:
            _answer(sock, HandshakeError(503, "Too many are waiting."))
            return
        client, head, rest = sock, b"", b""
        self._opening += 1
        try:
            if self._tls is not None:
                client = self._wrapped(sock)
            head, rest = self._read_head(client)
        except OSError:
            pass  # it went away, or speaks no TLS
        finally:
            self._opening -= 1
        if not head:
            client.close()
            return
        try:
            self._route(client, head, rest, address)
        except OSError:
            client.close()
        except Exception:
            client.close()
            log.exception("opening a connection failed")

    def _wrapped(self, sock: Any) -> Any:
        return SSLSocket(_cooperative(sock), server_side=True, do_handshake_on_connect=False, _context=self._tls)

    def _read_head(self, client: Any) -> tuple[bytes, bytes]:
        """The first request's head, after the handshake, and what followed it; nothing when there was none."""
        data, refusal = b"", HandshakeError(408, "Head too slow.")
        with within(self.options.header_s):
            if self._tls is not None:
                client.do_handshake()
            receive = client.recv if self._tls is not None else _receiver(client)
            while (end := data.find(_END)) < 0 and len(data) <= self.options.header_bytes:
                more = receive(16384)
                if not more:
                    return b"", b""
                data += more
            if 0 <= end <= self.options.header_bytes:
                return data[: end + 2], data[end + 4 :]
            refusal = HandshakeError(431, "Head too large.")
        if data:
            _send(client, handshake.refusal(refusal))
        return b"", b""

    def _route(self, client: Any, head: bytes, rest: bytes, address: Any) -> None:
        try:
            upgrade = handshake.read(head, self.options.allowed_origins)
            if upgrade is not None and self._engine.waiting >= self.options.waiting_max:
                raise HandshakeError(503, "Too many are waiting to sign in.")
            if upgrade is None and len(self.handlers) >= self.options.http_max:
                raise HandshakeError(503, "Too many requests at a time.")
        except HandshakeError as error:
            _send(client, handshake.refusal(error))
            client.close()
            return
        if upgrade is not None:
            self._engine.upgrade(client if self._tls is None else TlsStream(client), upgrade, head, rest, address)
        else:
            self._serve_http(client if self._tls is not None else _cooperative(client), head + b"\r\n" + rest, address)

    def _serve_http(self, client: Any, first: bytes, address: Any) -> None:
        # Of each single read or write; a polling client that was upgraded is silent between two pings.
        client.settimeout(max(self.options.body_s, self.options.ping_interval_s + self.options.ping_timeout_s))
        handler = Handler(client, address, self, first)
        self.handlers.add(handler)
        try:
            handler.handle()
        finally:
            self.handlers.discard(handler)
            client.close()

    def finish(self, grace_s: float) -> None:
        """Requests under way get `grace_s`; kept connections without one end now."""
        with within(grace_s):
            while any(handler.in_request for handler in self.handlers):
                sleep(0.02)
        for handler in list(self.handlers):
            with contextlib.suppress(OSError, AttributeError):
                handler.socket.shutdown(socket.SHUT_RDWR)


def _cooperative(sock: Any) -> Any:
    """The same socket as one that blocks its greenlet only."""
    return gevent_socket.socket(sock.family, sock.type, sock.proto, sock.detach())


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
    _send(sock, handshake.refusal(error))
    sock.close()
