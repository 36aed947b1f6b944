"""The stock kind: Engine.IO's own sockets on gevent's WSGI server, for comparing and as a way back.

It keeps the rules of `guard`, but not the bounds on memory, waiting logins and slow readers: its tests list which.
"""

import socket
from collections.abc import Callable, Iterable
from ssl import SSLContext
from typing import Any

from flask import Flask
from gevent import get_hub, pywsgi, spawn_raw
from gevent import socket as gevent_socket
from gevent.event import Event

from deskbell_server.transport import packets
from deskbell_server.transport.base import ConnectHandler, DisconnectHandler, HotHandler, Options, Transport
from deskbell_server.transport.guard import GuardedServer, GuardedSocketIO
from deskbell_server.transport.origins import origin_check


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


class Stock(Transport):
    def __init__(self, app: Flask, options: Options) -> None:
        self.options = options
        self.server = GuardedServer(options, cors_allowed_origins=origin_check(options.allowed_origins))
        self.socketio = GuardedSocketIO(app, self.server)
        self._app = app
        self._stopping = Event()
        self._grace_s = 0.0
        self._loop: Any = None
        self._wake: Any = None

    def hot(self, event: str, handler: HotHandler, *, inline: bool = False) -> None:  # noqa: ARG002 - one way here
        self.server.hot[event] = handler

    def hot_connect(self, handler: ConnectHandler) -> None:
        self.server.hot_connect = handler

    def hot_disconnect(self, handler: DisconnectHandler) -> None:
        self.server.hot_disconnect = handler

    def fan_out(self, event: str, heads: Iterable[tuple[str, bytes]], tail: bytes) -> None:
        self.call_soon(self._fan_out, event, list(heads), tail)

    def _fan_out(self, event: str, heads: list[tuple[str, bytes]], tail: bytes) -> None:
        prefix = packets.event_prefix(event)[1:]
        for room, head in heads:
            text = (prefix + head + tail + b"]").decode()
            for _sid, eio_sid in self.server.manager.get_participants("/", room):
                self.server.eio.send(eio_sid, text)

    def join(self, sid: str, room: str) -> None:
        self.server.enter_room(sid, room, namespace="/")

    def members(self, room: str) -> list[str]:
        return [sid for sid, _ in self.server.manager.get_participants("/", room)]

    def close(self, sid: str) -> None:
        self.call_soon(self._close, sid)

    def _close(self, sid: str) -> None:
        eio_sid = self.server.manager.eio_sid_from_sid(sid, "/")
        if eio_sid is not None:
            self.server.disconnect(sid)
            self.server.drop(eio_sid)

    def disconnect_room(self, room: str) -> None:
        self.call_soon(self._close_members, room)

    def _close_members(self, room: str) -> None:
        for sid in self.members(room):
            self._close(sid)

    def call_soon(self, function: Callable[..., object], *args: Any) -> None:
        if self._loop is None:
            function(*args)
        else:
            # In a greenlet of its own: stock closing and sending may switch, which the loop itself cannot.
            self._loop.run_callback_threadsafe(spawn_raw, function, *args)

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
        tls = {} if ssl_context is None else {"ssl_context": ssl_context}
        http = pywsgi.WSGIServer(listener, self._app, log=None, error_log=None, **tls)
        self._loop = get_hub().loop
        self._wake = self._loop.async_()
        self._wake.start(self._stopping.set)
        self.port = listener.getsockname()[1]
        http.start()
        try:
            if on_ready is not None:
                on_ready()
            self._stopping.wait()
        finally:
            http.close()
            self._end()

    def _end(self) -> None:
        for below in list(self.server.eio.sockets.values()):
            below.close(wait=False, reason=self.server.reason.SERVER_DISCONNECT)
        self._wake.stop()
        self._wake.close()
        self.server.shutdown()

    def stop(self, grace_s: float = 5.0) -> None:
        self._grace_s = grace_s
        if self._wake is None:
            self._stopping.set()
        else:
            self._wake.send()
