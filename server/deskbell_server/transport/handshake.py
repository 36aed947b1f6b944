"""The HTTP request that opens a WebSocket, without I/O: read, judged, answered, and shown to handlers as WSGI."""

import base64
import binascii
import hashlib
import io
import sys
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qs, unquote

import msgspec

from deskbell_server.transport.origins import allowed

PATH: Final = b"/socket.io/"
_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_REASONS: Final = {
    400: ("Bad Request", "bad_request"),
    403: ("Forbidden", "forbidden"),
    408: ("Request Timeout", "bad_request"),
    413: ("Content Too Large", "too_large"),
    414: ("URI Too Long", "too_large"),
    426: ("Upgrade Required", "upgrade_required"),
    431: ("Request Header Fields Too Large", "too_large"),
    500: ("Internal Server Error", "internal"),
    503: ("Service Unavailable", "busy"),
}
"""Of each status the reason, and the `code` in the body: what is refused down here looks like any other answer."""


class HandshakeError(Exception):
    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Upgrade(NamedTuple):
    """A request that opens a WebSocket here; `accept` answers its key."""

    path: str
    query: str
    headers: dict[bytes, bytes]
    accept: bytes


def response(status: int, reason: str, *headers: str) -> bytes:
    """A whole HTTP answer that closes the connection; its body says `reason`."""
    body = refusal_body(status, reason)
    lines = [f"HTTP/1.1 {status_line(status)}", *headers, "Content-Type: application/json"]
    lines += [f"Content-Length: {len(body)}", "Connection: close", "", ""]
    return "\r\n".join(lines).encode() + body


def status_line(status: int) -> str:
    return f"{status} {_REASONS[status][0]}"


def refusal_body(status: int, reason: str) -> bytes:
    return msgspec.json.encode({"code": _REASONS[status][1], "message": reason})


def refusal(error: HandshakeError) -> bytes:
    extra = ["Sec-WebSocket-Version: 13"] if error.status == 426 else []
    if error.status == 503:
        extra.append("Retry-After: 5")
    return response(error.status, str(error), *extra)


def busy(reason: str) -> dict[str, Any]:
    """The same 503 as python-engineio's code answers with."""
    headers = [("Content-Type", "application/json"), ("Retry-After", "5")]
    return {"status": status_line(503), "headers": headers, "response": refusal_body(503, reason)}


def read(head: bytes, origins: tuple[str, ...]) -> Upgrade | None:
    """The upgrade that `head` (a request up to its empty line) asks for; None when it asks for something else.

    Raises HandshakeError for an upgrade that cannot be granted.
    """
    line, _, fields = head.partition(b"\r\n")
    if not line.startswith(b"GET " + PATH):
        return None
    headers = _headers(fields)
    path, _, query = line[4:].partition(b" ")[0].partition(b"?")
    if b"websocket" not in _tokens(headers.get(b"upgrade")) or b"sid=" in query:
        return None
    _judge(line, headers, query.decode("latin-1"), origins)
    accept = base64.b64encode(hashlib.sha1(headers[b"sec-websocket-key"] + _GUID, usedforsecurity=False).digest())
    return Upgrade(path.decode("latin-1"), query.decode("latin-1"), headers, accept)


def _headers(fields: bytes) -> dict[bytes, bytes]:
    headers: dict[bytes, bytes] = {}
    for field in fields.split(b"\r\n"):
        if field:
            name, colon, value = field.partition(b":")
            if not colon or not name or name != name.strip():
                raise HandshakeError(400, "Bad header.")
            name, value = name.lower(), value.strip()
            headers[name] = headers[name] + b"," + value if name in headers else value
    return headers


def _tokens(value: bytes | None) -> list[bytes]:
    return [token.strip() for token in value.lower().split(b",")] if value else []


def _judge(line: bytes, headers: dict[bytes, bytes], query: str, origins: tuple[str, ...]) -> None:
    if not line.endswith(b" HTTP/1.1") or b"upgrade" not in _tokens(headers.get(b"connection")):
        raise HandshakeError(400, "Not an upgrade of HTTP/1.1.")
    if headers.get(b"sec-websocket-version") != b"13":
        raise HandshakeError(426, "WebSocket version 13 is spoken here.")
    if not _is_key(headers.get(b"sec-websocket-key", b"")) or b"host" not in headers:
        raise HandshakeError(400, "Bad Sec-WebSocket-Key, or no Host.")
    if b"transfer-encoding" in headers or headers.get(b"content-length", b"0") != b"0":
        raise HandshakeError(400, "An upgrade has no body.")
    wanted = parse_qs(query)
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
    made: dict[str, Any] = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(upgrade.path, encoding="latin-1"),
        "QUERY_STRING": upgrade.query,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "REMOTE_ADDR": str(address[0]) if address else "",
        "REMOTE_PORT": str(address[1]) if address else "",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https" if secure else "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in upgrade.headers.items():
        if b"_" not in name:
            made["HTTP_" + name.decode("latin-1").upper().replace("-", "_")] = value.decode("latin-1")
    return made
