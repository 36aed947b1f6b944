"""Servers that answer as no Deskbell server would: real sockets on loopback, each for one kind of trouble."""

import json
import select
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

OPEN = json.dumps({"sid": "s1", "upgrades": [], "pingInterval": 25000, "pingTimeout": 20000, "maxPayload": 65536})


@dataclass
class Seen:
    """What reached the server: request lines, headers and bodies."""

    url: str
    requests: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    frames: list[str] = field(default_factory=list)

    @property
    def all(self) -> str:
        return repr(self.requests) + repr(self.frames)


@contextmanager
def http_server(
    status: int, body: bytes = b"", headers: dict[str, str] | None = None, *, tls: ssl.SSLContext | None = None
) -> Iterator[Seen]:
    """Answers everything in one way."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            seen.requests.append((self.command, self.path, dict(self.headers), self.rfile.read(length)))
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = answer  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that breaks off a handshake is what some tests are about."""

    server = Server(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    seen = Seen(f"{'http' if tls is None else 'https'}://localhost:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Proxy:
    port: int
    asked: list[str] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)


@contextmanager
def connect_proxy(target: int | None) -> Iterator[Proxy]:
    """Leads every CONNECT to `target` on this computer, or with None refuses it."""

    class Handler(BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            proxy.asked.append(self.requestline)
            proxy.secrets.append(self.headers.get("Proxy-Authorization", ""))
            if target is None:
                self.send_error(407)
                return
            self.send_response(200)
            self.end_headers()
            with socket.create_connection(("127.0.0.1", target)) as there:
                ways = {there: self.connection, self.connection: there}
                while ready := select.select(list(ways), [], [], 10)[0]:
                    for one in ready:
                        if not (data := one.recv(1 << 16)):
                            return
                        ways[one].sendall(data)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    proxy = Proxy(server.server_port)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def socket_server(talk: Callable[[ServerConnection, Seen], None]) -> Iterator[Seen]:
    """A WebSocket server; `talk` has each connection to itself until it returns."""

    def handle(connection: ServerConnection) -> None:
        assert connection.request is not None
        seen.requests.append(("GET", connection.request.path, {}, b""))
        with suppress(ConnectionClosed, TimeoutError):
            talk(connection, seen)

    with serve(handle, "127.0.0.1", 0, compression=None) as server:
        seen = Seen(f"http://127.0.0.1:{server.socket.getsockname()[1]}")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield seen
        finally:
            server.shutdown()
            thread.join()


def let_in(connection: ServerConnection, seen: Seen, *more: str) -> None:
    """Engine.IO's OPEN and Socket.IO's CONNECT, as they should be; `more` comes in one segment with the latter."""
    connection.send("0" + OPEN)
    seen.frames.append(str(connection.recv(timeout=10)))
    frames = ['40{"sid":"s2"}', *more]
    connection.socket.sendall(b"".join(bytes((0x81, len(frame))) + frame.encode() for frame in frames))


def listen(connection: ServerConnection, seen: Seen) -> None:
    """Take what comes, and say nothing."""
    for frame in connection:
        seen.frames.append(str(frame))
