"""What python-engineio and Flask expect of a socket, made from as little as a connection keeps."""

from typing import Any, Final

from deskbell_server.transport import frames
from deskbell_server.transport.reactor import REASON, Handler, Reactor
from deskbell_server.transport.sending import Sending
from deskbell_server.transport.streams import Stream

_CLOSE: Final = frames.encode(b"1")


class EngineSocket(Sending):
    __slots__ = ("_environ", "_session", "address", "head")
    connected = upgraded = True
    upgrading = False

    def __init__(self, reactor: Reactor, handler: Handler, sid: str, stream: Stream, head: bytes, address: Any) -> None:
        super().__init__(reactor, handler, sid, stream)
        self.head = head
        self.address = address
        self._environ: dict[str, Any] | None = None
        self._session: dict[str, Any] | None = None

    @property
    def session(self) -> dict[str, Any]:
        if self._session is None:
            self._session = {}
        return self._session

    @session.setter
    def session(self, session: dict[str, Any]) -> None:
        self._session = session

    @property
    def environ(self) -> dict[str, Any]:
        """The upgrade request; made when needed, and kept only while a Flask session may hang on it."""
        if self._environ is None:
            self._environ = self._handler.make_environ(self)
        return self._environ

    @environ.setter
    def environ(self, environ: dict[str, Any]) -> None:
        self._environ = environ

    def send(self, packet: Any) -> None:
        encoded = packet.encode()
        if isinstance(encoded, bytes):
            self.write(frames.encode(encoded, frames.Opcode.BINARY))
        else:
            self.write(frames.encode(encoded.encode()))

    def close(self, wait: bool = True, abort: bool = False, reason: str | None = None) -> None:  # noqa: ARG002
        """End it; what was sent before arrives before."""
        if not abort:
            self.write(_CLOSE)
        self.end(reason or REASON.SERVER_DISCONNECT, frames.close_frame(frames.CloseReason.NORMAL_CLOSURE))

    def forget_environ(self) -> None:
        environ = self._environ
        if environ is not None and not environ.get("saved_session") and "HTTP_COOKIE" not in environ:
            self._environ = None
