"""What both kinds of transport share: binding, running on the calling thread's loop, and being told to stop."""

import contextlib
import socket
from abc import abstractmethod
from collections.abc import Callable
from ssl import SSLContext
from typing import Any

import gevent
import msgspec
from gevent import get_hub
from gevent import socket as gevent_socket
from gevent.event import Event

from deskbell_server.transport import packets
from deskbell_server.transport.base import ConnectHandler, DisconnectHandler, HotHandler, Options, Route, Transport
from deskbell_server.transport.guard import GuardedServer, GuardedSocketIO


def listen(host: str, port: int, backlog: int, *, reuse_port: bool) -> Any:
    """A listening socket whose accepted sockets send small packets at once."""
    family, kind, number, _name, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = gevent_socket.socket(family, kind, number)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if reuse_port:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(address)
        listener.listen(backlog)
    except OSError:
        listener.close()
        raise
    return listener


def within(seconds: float) -> contextlib.AbstractContextManager[Any, bool]:
    """Leave the block when its time is up."""
    return gevent.Timeout(seconds, False)  # type: ignore[no-any-return]


class Serving(Transport):
    """A transport over a `GuardedServer`; a kind adds how it starts, ends, sends and closes."""

    def __init__(self, socketio: GuardedSocketIO, server: GuardedServer, options: Options) -> None:
        self.socketio = socketio
        self.server = server
        self.options = options
        self.routes: dict[tuple[str, str], Route] = {}
        self._stopping = Event()
        self._grace_s = 0.0
        self._loop: Any = None
        self._wake: Any = None

    def hot(self, event: str, handler: HotHandler, *, inline: bool = False, shape: type | None = None) -> None:
        self.server.hot[event] = handler
        if inline:
            self.server.inline[event] = handler
        if shape is not None:
            self.server.shapes[event.encode()] = packets.Shape(event, msgspec.json.Decoder(shape).decode)

    def route(self, method: str, path: str, answer: Route) -> None:
        self.routes[method, path] = answer

    def hot_connect(self, handler: ConnectHandler) -> None:
        self.server.hot_connect = handler

    def hot_disconnect(self, handler: DisconnectHandler) -> None:
        self.server.hot_disconnect = handler

    def join(self, sid: str, room: str) -> None:
        self.server.manager.enter_room(sid, "/", room)

    def members(self, room: str) -> list[str]:
        return [sid for sid, _ in self.server.manager.get_participants("/", room)]

    def call_soon(self, function: Callable[..., object], *args: Any) -> None:
        loop = self._loop
        if loop is not None:
            loop.run_callback_threadsafe(function, *args)

    def serve(
        self,
        host: str,
        port: int,
        *,
        ssl_context: SSLContext | None = None,
        reuse_port: bool = False,
        on_ready: Callable[[], object] | None = None,
    ) -> None:
        listener = listen(host, port, self.options.backlog, reuse_port=reuse_port)
        self._loop = get_hub().loop
        self._wake = self._loop.async_()
        self._wake.start(self._stopping.set)
        self.port = listener.getsockname()[1]
        try:
            self._start(listener, ssl_context)
            if on_ready is not None:
                on_ready()
            self._stopping.wait()
        finally:
            self._finish(self._grace_s)
            self._loop = None
            wake, self._wake = self._wake, None
            wake.stop()
            wake.close()
            listener.close()

    def stop(self, grace_s: float = 5.0) -> None:
        self._grace_s = grace_s
        wake = self._wake
        if wake is None:
            self._stopping.set()
        else:
            with contextlib.suppress(ValueError):  # closed by now
                wake.send()

    @abstractmethod
    def _start(self, listener: Any, tls: SSLContext | None) -> None:
        """Accept on `listener`."""

    @abstractmethod
    def _finish(self, grace_s: float) -> None:
        """End everything."""
