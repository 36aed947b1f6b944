"""What the rest of a server sees of the transport: its options, its one interface, and answers that come later."""

import logging
import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from ssl import SSLContext
from typing import Any, Final, Literal, Self

import flask_socketio
from gevent.event import Event

from deskbell_protocol import limits
from deskbell_protocol.errors import Code
from deskbell_server.transport.requests import Request

log = logging.getLogger(__name__)

HotHandler = Callable[[str, Any], Any]
"""`handler(sid, data)`; its return value is the acknowledgement (a tuple is several arguments, None is none)."""
ConnectHandler = Callable[[str, Any, Mapping[str, Any]], None]
"""`handler(sid, auth, environ)`; returns to accept, raises `ConnectionRefusedError(message, data)` to refuse."""
DisconnectHandler = Callable[[str, str], None]
"""`handler(sid, reason)`; the reasons are python-socketio's."""

_UNANSWERED: Final = object()


Answer = tuple[str, tuple[tuple[str, str], ...], bytes]
"""By HTTP: the status with its reason, the headers, the body."""
Route = Callable[[Request, bytes, Callable[[Answer], None], bool], bool | None]
"""`route(head, body, answer, may_block)`: True where `answer` is or will be called, in the loop's thread; False where
the application has to answer; None where it would block: then it is asked again in a greenlet, with `may_block`.
"""


def answer_failure(event: str, error: BaseException) -> Any:
    """The answer to an event whose handler raised `error`: a reference that the log knows, and nothing else."""
    ref = secrets.token_hex(6)
    log.error("handler of %r failed, ref %s", event, ref, exc_info=error)
    return {"ok": False, "code": Code.INTERNAL, "message": "The server could not do this.", "ref": ref}


def refuse_failure(error: BaseException) -> tuple[str, Any]:
    """Message and data of the CONNECT_ERROR when a connect handler raised `error` instead of deciding."""
    ref = secrets.token_hex(6)
    log.error("connect handler failed, ref %s", ref, exc_info=error)
    return "The server could not check this sign-in.", {"code": Code.UNAVAILABLE, "fatal": False, "ref": ref}


@dataclass(frozen=True, slots=True)
class Options:
    """Bounds and behaviour of a transport; sizes in bytes, times in seconds.

    `allowed_origins` are origins accepted beside the server's own host (`Host` and `Origin` compared by host and
    port); `("*",)` accepts any, a request without `Origin` comes from no browser and is accepted.
    """

    kind: Literal["native", "stock"] = "native"
    polling: bool = False
    """Long polling, and upgrading from it, through the stock code."""
    max_message: int = limits.REQUEST_BYTES
    login_s: float = limits.LOGIN_S
    """From an opened transport to an accepted CONNECT."""
    ping_interval_s: float = limits.PING_INTERVAL_S
    ping_timeout_s: float = limits.PING_TIMEOUT_S
    waiting_max: int = 6000
    """Sockets that have not signed in yet, and half heads; further ones are answered 503."""
    patience_s: float = 2.0
    """Who has been of no use for so long (half a head, no login, no request) gives way to who comes."""
    place: Callable[[str], str] = lambda _address: ""
    """What an address counts as: one place has a quarter of the room; "" is everywhere, and is not counted."""
    out_bytes: int = 1 << 20
    out_frames: int = 256
    """What may wait for a client whose kernel buffer is full; more closes it."""
    stall_s: float = 20.0
    """A client that takes nothing for so long while something waits is closed."""
    allowed_origins: tuple[str, ...] = ()
    backlog: int = 4096
    header_bytes: int = 16 * 1024
    header_s: float = 10.0
    """A TLS handshake with a request's head, or the head of a further request on a kept connection."""
    body_bytes: int = 1 << 20
    body_s: float = 30.0
    idle_s: float = 60.0
    """A kept HTTP connection without a request."""
    http_max: int = 1000
    """HTTP connections at a time, upgraded ones not counted; further ones are answered 503."""
    failure: Callable[[str, BaseException], Any] = answer_failure
    refusal: Callable[[BaseException], tuple[str, Any]] = refuse_failure
    environ: Callable[[dict[str, Any]], object] | None = None
    """Adjusts an upgrade request's WSGI environment in place, as middleware would (the address behind a proxy)."""
    unknown: Callable[[str], Any] | None = None
    """The answer to an event without a handler; None leaves it unanswered, as python-socketio does."""


class Later:
    """An answer that a hot handler does not have yet: return it, and call `answer` once, from the loop's thread.

    The events of one connection stay in order: the next one waits until this one is answered, unless it has the same
    name. Then the handler is called again meanwhile, and keeps the order itself.
    """

    __slots__ = ("_event", "_then", "_value")

    def __init__(self) -> None:
        self._value: Any = _UNANSWERED
        self._then: Callable[[Any], None] | None = None
        self._event: Event | None = None

    @classmethod
    def answered_with(cls, value: Any) -> Self:
        later = cls()
        later.answer(value)
        return later

    @property
    def answered(self) -> bool:
        return self._value is not _UNANSWERED

    def answer(self, value: Any) -> None:
        if self.answered:
            return
        self._value = value
        if self._event is not None:
            self._event.set()
        if self._then is not None:
            self._then(value)

    def then(self, call: Callable[[Any], None]) -> None:
        """`call(value)` when answered, at once when it already is."""
        if self.answered:
            call(self._value)
        else:
            self._then = call

    def wait(self) -> Any:
        """The answer; blocks the calling greenlet."""
        if not self.answered:
            self._event = Event()
            self._event.wait()
        return self._value


class Transport(ABC):
    """A Flask application with Flask-SocketIO and the HTTP server below both.

    Ordinary handlers are registered on `socketio` as with any Flask-SocketIO program: class namespaces, rooms,
    acknowledgements, `on_error`, `emit` from anywhere. What is below is shorter for the few events that are hot.
    """

    socketio: flask_socketio.SocketIO
    port: int = 0
    """The bound port, known when `serve` calls `on_ready`."""

    @abstractmethod
    def hot(self, event: str, handler: HotHandler, *, inline: bool = False, shape: type | None = None) -> None:
        """Call `handler(sid, data)` for `event` in namespace "/" without a Flask request context.

        `data` is the event's first argument, None without one. Events of one connection are handled in order, each
        connection in a greenlet of its own, so a handler may block that greenlet. An `inline` handler runs in the
        loop itself, which is faster: it must never block, and it may return a `Later`. Data that has the `shape` may
        come as that already; whatever else comes as it was sent.
        """

    @abstractmethod
    def hot_connect(self, handler: ConnectHandler) -> None:
        """Decide logins in namespace "/" with `handler(sid, auth, environ)`, without a Flask request context.

        Takes the place of `connect` handlers of that namespace. It may block its greenlet, and `join` works in it.
        `environ` is the upgrade request as in WSGI. ConnectionRefusedError (exported by this package) refuses; so
        does every other exception, with `Options.refusal` as the answer.
        """

    @abstractmethod
    def hot_disconnect(self, handler: DisconnectHandler) -> None:
        """Call `handler(sid, reason)` once for every accepted login in namespace "/" that ended.

        Takes the place of `disconnect` handlers of that namespace. The rooms are still there while it runs.
        """

    @abstractmethod
    def route(self, method: str, path: str, answer: Route) -> None:
        """Ask `answer` first, of requests to exactly this address that come with their body: in the loop itself, and
        without the application. A kind may leave all to the application.
        """

    @abstractmethod
    def fan_out(self, event: str, heads: Iterable[tuple[str, bytes]], tail: bytes, more: Sequence[bytes] = ()) -> None:
        """Send `42["event",HEAD+TAIL]` to every member of each (room, HEAD); HEAD+TAIL must be one JSON value. Those
        of `more` follow, each the same event with that value, the same for all.

        From any thread. Nothing is sent to rooms without members.
        """

    @abstractmethod
    def join(self, sid: str, room: str) -> None:
        """Put a connection of namespace "/" in a room; it leaves all of them when it ends."""

    @abstractmethod
    def members(self, room: str) -> list[str]:
        """The `sid`s in a room of namespace "/"."""

    @abstractmethod
    def close(self, sid: str) -> None:
        """End the connection of `sid` after what waits for it was sent, within a second. From any thread."""

    @abstractmethod
    def disconnect_room(self, room: str) -> None:
        """`close` for every member of a room. From any thread."""

    @abstractmethod
    def call_soon(self, function: Callable[..., object], *args: Any) -> None:
        """Call `function(*args)` in the loop's thread; it must not block. From any thread; nothing unless it serves."""

    @abstractmethod
    def serve(
        self,
        host: str,
        port: int,
        *,
        ssl_context: SSLContext | None = None,
        reuse_port: bool = False,
        on_ready: Callable[[], object] | None = None,
    ) -> None:
        """Bind (0 picks a port), call `on_ready()`, and serve until `stop`."""

    @abstractmethod
    def stop(self, grace_s: float = 5.0) -> None:
        """Make `serve` return: accept nothing more, send what waits for at most `grace_s`, end every connection.

        From any thread or signal handler.
        """
