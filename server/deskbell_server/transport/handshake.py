"""The HTTP request that opens a WebSocket, without I/O: read, judged, answered, and shown to handlers as WSGI."""

import base64
import binascii
import hashlib
import io
import sys
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qs

from deskbell_server.transport import requests
from deskbell_server.transport.origins import allowed
from deskbell_server.transport.refusals import HandshakeError
from deskbell_server.transport.requests import Request

PATH: Final = "/socket.io/"
_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Upgrade(NamedTuple):
    """A request that opens a WebSocket here; `accept` answers its key."""

    request: Request
    accept: bytes


def read(head: bytes, origins: tuple[str, ...]) -> Upgrade | None:
    """The same as `grant`, of a head that was not read yet."""
    return grant(requests.read(head), origins)


def grant(request: Request, origins: tuple[str, ...]) -> Upgrade | None:
    """The upgrade that is asked for; None when something else is. Raises HandshakeError when it cannot be granted."""
    if request.method != "GET" or request.path != PATH:
        return None
    if b"websocket" not in requests.tokens(request.headers.get(b"upgrade")) or "sid=" in request.query:
        return None
    _judge(request, origins)
    key = request.headers[b"sec-websocket-key"]
    accept = base64.b64encode(hashlib.sha1(key + _GUID, usedforsecurity=False).digest())
    return Upgrade(request, accept)


def _judge(request: Request, origins: tuple[str, ...]) -> None:
    headers = request.headers
    if request.version != "HTTP/1.1" or b"upgrade" not in requests.tokens(headers.get(b"connection")):
        raise HandshakeError(400, "Not an upgrade of HTTP/1.1.")
    if headers.get(b"sec-websocket-version") != b"13":
        raise HandshakeError(426, "WebSocket version 13 is spoken here.")
    if not _is_key(headers.get(b"sec-websocket-key", b"")):
        raise HandshakeError(400, "Bad Sec-WebSocket-Key.")
    if request.length != 0:
        raise HandshakeError(400, "An upgrade has no body.")
    wanted = parse_qs(request.query)
    if wanted.get("EIO") != ["4"] or wanted.get("transport") != ["websocket"]:
        raise HandshakeError(400, "Engine.IO 4 over WebSocket is spoken here.")
    origin = headers.get(b"origin")
    if origin and not allowed(origin.decode("latin-1"), headers[b"host"].decode("latin-1"), origins):
        raise HandshakeError(403, "Not an accepted origin.")


def _is_key(value: bytes) -> bool:
    try:
        return len(base64.b64decode(value, validate=True)) == 16
    except binascii.Error:
        return False


def switching(accept: bytes) -> bytes:
    """The answer that grants an upgrade. No extension is ever agreed to: frames are shared between clients."""
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
        + accept
        + b"\r\n\r\n"
    )


def environ(upgrade: Upgrade, address: Any, server: tuple[str, int], *, secure: bool) -> dict[str, Any]:
    """The upgrade request as WSGI shows it."""
    return requests.environ(upgrade.request, address) | {
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https" if secure else "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
