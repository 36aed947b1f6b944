"""Non-blocking bytes of one client, plain or TLS, with the same few methods.

A plain one is the standard library's non-blocking socket itself; the TLS one is a gevent `SSLSocket` after its
handshake, read and written below gevent.
"""

import contextlib
import socket
import ssl
from typing import Any, Protocol


class Stream(Protocol):
    """`recv` and `send` raise BlockingIOError when they cannot go on now."""

    def fileno(self) -> int: ...
    def recv(self, size: int, /) -> bytes: ...
    def send(self, data: bytes, /) -> int: ...
    def shutdown(self, how: int, /) -> None: ...
    def close(self) -> None: ...


class TlsStream:
    __slots__ = ("_secure", "_socket")

    def __init__(self, secure: Any) -> None:
        self._socket = secure
        self._secure = secure._sslobj  # noqa: SLF001

    def fileno(self) -> int:
        return int(self._socket.fileno())

    def pending(self) -> int:
        """Bytes decrypted already, of which the loop cannot tell."""
        return int(self._secure.pending())

    def recv(self, size: int, /) -> bytes:
        try:
            return bytes(self._secure.read(size))
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError) as error:
            raise BlockingIOError from error
        except ssl.SSLEOFError:
            return b""

    def send(self, data: bytes, /) -> int:
        try:
            return int(self._secure.write(data))
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError) as error:
            raise BlockingIOError from error

    def shutdown(self, how: int, /) -> None:
        self._socket._sock.shutdown(how)  # noqa: SLF001 - the TCP half-close; close_notify would need waiting for

    def close(self) -> None:
        self._socket._sock.close()  # noqa: SLF001
        self._socket._sslobj = None  # noqa: SLF001


def has_pending(stream: Stream) -> bool:
    return type(stream) is TlsStream and stream.pending() > 0


def end_sending(stream: Stream) -> None:
    with contextlib.suppress(OSError):
        stream.shutdown(socket.SHUT_WR)
