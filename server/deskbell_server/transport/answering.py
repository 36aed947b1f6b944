"""Answers of the application to the requests of one HTTP connection, by pywsgi's own code.

Their heads and bodies are read here, patient for a bounded time with each part.
"""

import contextlib
import io
import logging
import time
from typing import Any

from gevent import GreenletExit, pywsgi

from deskbell_server.transport import refusals, requests
from deskbell_server.transport.refusals import HandshakeError
from deskbell_server.transport.requests import Incoming, Request
from deskbell_server.transport.serving import within

log = logging.getLogger(__name__)

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

    def __init__(self, sock: Any, address: Any, server: Any, incoming: Incoming) -> None:
        self._incoming = incoming
        self._options = server.options
        self._request: Request | None = None
        self._number = sock.fileno()
        self.in_request = False
        self.refused = False
        super().__init__(sock, address, server, rfile=io.BytesIO())

    def serve_first(self, request: Request | None) -> None:
        """That, if it was read already, and what follows."""
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

    def _answer(self, request: Request) -> None:
        self._asked = request
        self.request_version = request.version
        self.close_connection = not request.keeps
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
