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
from collections.abc import Callable, Mapping
from email.utils import formatdate
from ssl import SSLContext
from typing import Any

from gevent import GreenletExit, pywsgi, sleep, spawn_raw
from gevent import socket as gevent_socket
from gevent.ssl import SSLSocket

from deskbell_server.transport import handshake, refusals, requests
from deskbell_server.transport.base import Options, Reply, Route
from deskbell_server.transport.engine import Engine
from deskbell_server.transport.newcomers import Newcomers
from deskbell_server.transport.refusals import HandshakeError
from deskbell_server.transport.requests import Incoming, Request
from deskbell_server.transport.serving import within
from deskbell_server.transport.streams import TlsStream

log = logging.getLogger(__name__)

BODY_WITH_HEAD_S = 1.0
"""How long a body is awaited that may be answered without the application."""
LINGER_S = 1.0
"""How long what still comes from somebody who was refused is thrown away."""
LINGERING_MAX = 100
"""Of so many at a time; the others are closed at once, and may not read why."""
ROOM_S = 0.25
"""How often one looks whether there is room again."""
TELL_S = 60.0
"""How often it is said that there is none."""
_NO_ROOM = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_EXPECT = b"100-continue"


class _Input:
    """`wsgi.input` without a body; simple-websocket 1.1 finds the socket in it, to upgrade long polling."""

    def __init__(self, sock: Any) -> None:
        self.raw = self
        self._sock = sock

    def read(self, _size: int = -1) -> bytes:
        return b""


class Handler(pywsgi.WSGIHandler):  # type: ignore[misc]
    """pywsgi's answers to requests that are read here, patient for a bounded time with each part of one."""

    def __init__(self, sock: Any, address: Any, server: "HttpServer", incoming: Incoming) -> None:
        self._incoming = incoming
        self._options = server.options
        self._request: Request | None = None
        self._number = sock.fileno()
        self.in_request = False
        self.refused = False
        super().__init__(sock, address, server, rfile=io.BytesIO())

    def serve_first(self, request: Request) -> None:
        self._request = request
        self.handle()

    def handle_one_request(self) -> Any:
        try:
            request = self._next()
        except HandshakeError as error:
            self.server.refuse(self.socket, error)
            return None
        except (EOFError, OSError):
            return None
        if request is None:
            return None
        if not self._answer_directly(request):
            self._answer(request)
        if self.refused:
            self.server.linger(self.socket)
        return None if self.close_connection else True

    def _next(self) -> Request | None:
        """The first was read by the one who accepted the connection."""
        request, self._request = self._request, None
        self.in_request = request is not None
        if request is None:
            self.server.kept.idle(self._number, time.monotonic())
            with within(self._options.idle_s):
                self.in_request = self._incoming.begin()
        return request or (self._read() if self.in_request else None)

    def _read(self) -> Request:
        with within(self._options.header_s):
            return requests.read(self._incoming.head(self._options.header_bytes))
        raise HandshakeError(408, "Head too slow.")

    def _answer_directly(self, request: Request) -> bool:
        """Whether it was answered without the application; what was read of its body stands there still."""
        self.request_version = request.version
        self.close_connection = not request.keeps
        answer = self.server.routes.get((request.method, request.path)) if not request.query else None
        if answer is None or not request.length or b"expect" in request.headers:
            return False
        if not self._has_body(request.length):
            return False
        self.server.kept.busy(self._number)
        reply = answer(request, self._incoming.look(request.length))
        if reply is None:
            return False
        self._incoming.drop(request.length)
        self._send(reply)
        return True

    def _has_body(self, length: int) -> bool:
        """Also if it comes a little later than the head."""
        if not self._incoming.has(length) and length <= self._options.body_bytes:
            with contextlib.suppress(EOFError), within(BODY_WITH_HEAD_S):
                self._incoming.await_(length)
        return self._incoming.has(length)

    def _send(self, reply: Reply) -> None:
        self.close_connection |= self.server.ending
        headers = [*reply.headers, ("Date", self.server.date())]
        if self.close_connection:
            headers.append(("Connection", "close"))
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
        try:
            self.socket.sendall(f"HTTP/1.1 {reply.status}\r\n{lines}\r\n".encode("latin-1") + reply.body)
        except OSError:
            self.close_connection = True

    def _answer(self, request: Request) -> None:
        self._asked = request
        self.wsgi_input = pywsgi.Input(self.rfile, 0)  # nothing is left in it to be thrown away
        self.environ = self.server.get_environ() | requests.environ(request, self.client_address)
        self.environ["wsgi.input"] = _Input(self.socket)
        self.environ["wsgi.input_terminated"] = True
        self.application = self.server.application
        self.handle_one_response()

    def run_application(self) -> None:
        try:
            self._take_body(self._asked)
        except HandshakeError as error:
            self._refuse(error)
        except EOFError:
            self._refuse(HandshakeError(400, "The body is shorter than it should be."))
        else:
            self.server.kept.busy(self._number)  # not before: half a request is of no use
            super().run_application()

    def _take_body(self, request: Request) -> None:
        if request.length == 0:
            return
        expects = request.version == "HTTP/1.1" and request.headers.get(b"expect", b"").lower() == _EXPECT
        if expects and (request.length or 0) <= self._options.body_bytes:
            self.socket.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        with within(self._options.body_s):
            body = self._incoming.body(request.length, self._options.body_bytes)
            self.environ |= {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
            return
        raise HandshakeError(408, "The body did not arrive.")

    def finalize_headers(self) -> None:
        """The last answer of a connection says so, whoever ends it (RFC 9112 9.6)."""
        if self.server.ending:
            self.close_connection = True
        super().finalize_headers()
        if self.close_connection and all(name.lower() != b"connection" for name, _ in self.response_headers):
            self.response_headers.append((b"Connection", b"close"))

    def _log_error(self, kind: Any, error: Any, trace: Any) -> None:
        if not issubclass(kind, GreenletExit):
            log.error("%s failed below the application", self._asked.method, exc_info=(kind, error, trace))

    def _send_error_response_if_possible(self, error_code: int) -> None:
        if self.response_length:
            self.close_connection = True
        else:
            with contextlib.suppress(OSError):
                self._refuse(HandshakeError(error_code, "The server could not do this."))

    def _refuse(self, error: HandshakeError) -> None:
        self.close_connection = self.refused = True
        body = refusals.refusal_body(error.status, str(error))
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        self.start_response(refusals.status_line(error.status), headers)
        self.write(body)


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
        self.handlers: set[Handler] = set()
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
        try:
            self._serve_http(client if self._tls is not None else _cooperative(client), request, incoming.rest, address)
        finally:
            self.kept.remove(number)

    def _serve_http(self, client: Any, request: Request, rest: bytes, address: Any) -> None:
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
