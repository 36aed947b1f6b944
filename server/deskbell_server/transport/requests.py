"""A request of HTTP/1.1, read strictly (RFC 9110, 9112): what two readers could understand differently is refused.

Pure but for `Incoming`, which takes the bytes in. Everything that reaches the server is read here, once.
"""

import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

from deskbell_server.transport.refusals import HandshakeError

HEADERS_MAX: Final = 100
LINE_MAX: Final = 8192
SCRAP: Final = 16384
CHUNKS_MAX: Final = 8192
END: Final = b"\r\n\r\n"
_TOKEN: Final = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_LINE: Final = re.compile(rb"(" + _TOKEN + rb") (/[\x21-\x7e]*) HTTP/1\.([01])")
_FIELD: Final = re.compile(rb"(" + _TOKEN + rb"):([\t\x20-\x7e\x80-\xff]*)")
_HOST: Final = re.compile(rb"(?:[\w.~%!$&'()*+;=-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]*)?")
_LENGTH: Final = re.compile(rb"[0-9]{1,16}")
_CHUNK: Final = re.compile(rb"([0-9A-Fa-f]{1,8})(?:[ \t]*;[\t\x20-\x7e\x80-\xff]*)?")
_BARE: Final = re.compile(rb"(?<!\r)\n|\r(?=[^\n])")
_ONCE: Final = frozenset({b"host", b"content-length", b"transfer-encoding", b"content-type", b"authorization"})


class Request(NamedTuple):
    """A head. `length` is that of the body that follows, None when it comes in chunks."""

    method: str
    path: str
    query: str
    version: str
    headers: dict[bytes, bytes]
    length: int | None
    keeps: bool
    """Whether the sender wants to send another one on this connection."""


def read(head: bytes) -> Request:
    """`head` is all lines but the empty one. Raises HandshakeError, after which the connection is of no more use."""
    line, *fields = head.removesuffix(b"\r\n").split(b"\r\n")
    if len(line) > LINE_MAX:
        raise HandshakeError(414, "The address is too long.")
    found = _LINE.fullmatch(line)
    if found is None:
        raise HandshakeError(400, "This is not a request of HTTP/1.1.")
    headers = _headers(fields)
    path, _, query = found[2].decode("ascii").partition("?")
    method, version = found[1].decode("ascii"), f"HTTP/1.{found[3].decode('ascii')}"
    length = _framing(headers, version)
    return Request(method, path, query, version, headers, length, _keeps(headers, version))


def _headers(fields: list[bytes]) -> dict[bytes, bytes]:
    if len(fields) > HEADERS_MAX:
        raise HandshakeError(431, "Too many headers.")
    headers: dict[bytes, bytes] = {}
    for field in fields:
        found = _FIELD.fullmatch(field)
        if found is None:
            raise HandshakeError(400, "Bad header.")
        name, value = found[1].lower(), found[2].strip(b" \t")
        if name in headers:
            if name in _ONCE:
                raise HandshakeError(400, f"There is more than one {name.decode('ascii')}.")
            value = headers[name] + (b"; " if name == b"cookie" else b",") + value
        headers[name] = value
    return headers


def _framing(headers: dict[bytes, bytes], version: str) -> int | None:
    host, length, coding = (headers.get(name) for name in (b"host", b"content-length", b"transfer-encoding"))
    if (host is None and version == "HTTP/1.1") or not _HOST.fullmatch(host or b""):
        raise HandshakeError(400, "Bad Host, or none.")
    if coding is not None and (length is not None or version == "HTTP/1.0" or coding.lower() != b"chunked"):
        raise HandshakeError(400, "Bad Transfer-Encoding.")
    if length is not None and not _LENGTH.fullmatch(length):
        raise HandshakeError(400, "Bad Content-Length.")
    return None if coding is not None else int(length or 0)


def _keeps(headers: dict[bytes, bytes], version: str) -> bool:
    wanted = tokens(headers.get(b"connection"))
    return b"close" not in wanted if version == "HTTP/1.1" else b"keep-alive" in wanted


def tokens(value: bytes | None) -> list[bytes]:
    return [token.strip() for token in value.lower().split(b",")] if value else []


def environ(request: Request, address: Any) -> dict[str, Any]:
    """The request as WSGI shows it, without what is the server's."""
    made = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(request.path, encoding="latin-1"),
        "QUERY_STRING": request.query,
        "SERVER_PROTOCOL": request.version,
        "REMOTE_ADDR": str(address[0]) if address else "",
        "REMOTE_PORT": str(address[1]) if address else "",
    }
    for name, value in request.headers.items():
        if b"_" not in name:
            key = name.decode("ascii").upper().replace("-", "_")
            made[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else "HTTP_" + key] = value.decode("latin-1")
    return made


class Incoming:
    """What comes from a client. EOFError when it ends in the middle of what is asked for."""

    def __init__(self, receive: Callable[[int], bytes], first: bytes = b"") -> None:
        self._receive = receive
        self._buffer = bytearray(first)

    @property
    def rest(self) -> bytes:
        """What has come and was not asked for yet."""
        return bytes(self._buffer)

    def begin(self) -> bool:
        """Wait for the first byte of something; false when there is nothing more."""
        try:
            self._pass_empty_lines()
        except EOFError:
            return False
        return True

    def _pass_empty_lines(self) -> None:
        """Old clients send one behind a body. Waits for the first byte of something else."""
        while not (rest := self._buffer.lstrip(b"\r\n")):
            self._buffer.clear()
            self._more()
        self._buffer = rest

    def head(self, size_max: int) -> bytes:
        """As `read` wants it."""
        self._pass_empty_lines()
        looked = 0
        while (end := self._buffer.find(END, max(0, looked - 3))) < 0 and len(self._buffer) <= size_max:
            looked = self._more_lines(looked)
        if not 0 <= end <= size_max:
            raise HandshakeError(431, "Head too large.")
        return self._taken(end + 4)[:-2]

    def body(self, length: int | None, size_max: int) -> bytes:
        """Of that length, or in chunks. Raises HandshakeError, 413 for what is too large."""
        if length is not None:
            if length > size_max:
                raise HandshakeError(413, "The body is too large.")
            return self._exactly(length)
        body = bytearray()
        for _ in range(CHUNKS_MAX + 1):
            size = self._chunk_size()
            if not size:
                self._trailers()
                return bytes(body)
            if len(body) + size > size_max:
                raise HandshakeError(413, "The body is too large.")
            body += self._exactly(size)
            if self._exactly(2) != b"\r\n":
                raise HandshakeError(400, "Bad chunk.")
        raise HandshakeError(413, "The body comes in too many chunks.")

    def _chunk_size(self) -> int:
        found = _CHUNK.fullmatch(self._line())
        if found is None:
            raise HandshakeError(400, "Bad chunk.")
        return int(found[1], 16)

    def _trailers(self) -> None:
        for _ in range(HEADERS_MAX + 1):
            line = self._line()
            if not line:
                return
            if _FIELD.fullmatch(line) is None:
                raise HandshakeError(400, "Bad trailer.")
        raise HandshakeError(431, "Too many trailers.")

    def _line(self) -> bytes:
        looked = 0
        while (end := self._buffer.find(b"\r\n", max(0, looked - 1))) < 0:
            if len(self._buffer) > SCRAP:
                raise HandshakeError(400, "Lines end with CR LF.")
            looked = self._more_lines(looked)
        line = self._taken(end + 2)[:-2]
        if b"\r" in line or b"\n" in line:
            raise HandshakeError(400, "Lines end with CR LF.")
        return line

    def _exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            self._more()
        return self._taken(size)

    def _taken(self, size: int) -> bytes:
        found = bytes(self._buffer[:size])
        del self._buffer[:size]
        return found

    def _more_lines(self, looked: int) -> int:
        """How much has been looked through, of what is to be lines."""
        if _BARE.search(self._buffer, max(0, looked - 1)):
            raise HandshakeError(400, "Lines end with CR LF.")
        looked = len(self._buffer)
        self._more()
        return looked

    def _more(self) -> None:
        more = self._receive(SCRAP)
        if not more:
            raise EOFError
        self._buffer += more
