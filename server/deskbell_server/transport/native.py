"""The native kind: Flask-SocketIO's public API over `Engine`, `Rooms` and `HttpServer`."""

from collections.abc import Iterable, Iterator, Sequence
from ssl import SSLContext
from typing import Any, Final

import gevent
from flask import Flask
from gevent import spawn_raw

from deskbell_server.transport import frames, packets
from deskbell_server.transport.base import Options
from deskbell_server.transport.connection import Connection
from deskbell_server.transport.engine import Engine
from deskbell_server.transport.guard import GuardedServer, GuardedSocketIO
from deskbell_server.transport.http import HttpServer
from deskbell_server.transport.origins import origin_check
from deskbell_server.transport.outbox import SLICE
from deskbell_server.transport.rooms import Rooms
from deskbell_server.transport.serving import Serving, within

_GOODBYE: Final = frames.encode(b"41")


class _Environs(dict[str, Any]):
    """python-socketio's table of request environments: connections make theirs when asked."""

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self._engine = engine

    def __missing__(self, eio_sid: str) -> Any:
        client = self._engine.sockets.get(eio_sid)
        if type(client) is not Connection:
            raise KeyError(eio_sid)
        return client.environ

    def get(self, eio_sid: str, default: Any = None) -> Any:
        try:
            return self[eio_sid]
        except KeyError:
            return default


class NativeServer(GuardedServer):
    def __init__(self, options: Options) -> None:
        rooms = Rooms(self._send_encoded, self._login_changed)
        super().__init__(
            options,
            client_manager=rooms,
            cors_allowed_origins=origin_check(options.allowed_origins),
            monitor_clients=False,
        )
        self.environ = _Environs(self.eio)

    def _engineio_server_class(self) -> type[Engine]:
        return Engine

    def _send_encoded(self, eio_sids: list[str], encoded: list[Any]) -> None:
        self.eio.send_many(eio_sids, encoded)

    def _login_changed(self, eio_sid: str, by: int) -> None:
        client = self.eio.sockets.get(eio_sid)
        if client is not None:
            self.eio.login_changed(client, by)

    def _accept(self, eio_sid: str, namespace: str, sid: str, environ: Any) -> None:
        held = self.manager.held(sid, namespace)
        super()._accept(eio_sid, namespace, sid, environ)
        if held:
            self._send_encoded([eio_sid], held)

    def is_logged_in(self, eio_sid: str) -> bool:
        client = self.eio.sockets.get(eio_sid)
        return client is not None and client.logins > 0

    def acknowledge(self, eio_sid: str, namespace: str, number: int, args: list[Any]) -> None:
        client = self.eio.sockets.get(eio_sid)
        if type(client) is Connection and namespace == "/" and not self.packet_class.data_is_binary(args):
            client.write(frames.encode(packets.ack(namespace, number, args)))
        else:
            super().acknowledge(eio_sid, namespace, number, args)


def _event(prefix: bytes, value: bytes) -> bytes:
    return b"%b%b%b]" % (frames.header(len(prefix) + len(value) + 1), prefix, value)


class Native(Serving):
    def __init__(self, app: Flask, options: Options) -> None:
        server = NativeServer(options)
        super().__init__(GuardedSocketIO(app, server), server, options)
        self._app = app
        self._engine: Engine = server.eio
        self._http: Any = None

    def fan_out(self, event: str, heads: Iterable[tuple[str, bytes]], tail: bytes, more: Sequence[bytes] = ()) -> None:
        if self._engine.foreign():
            self.call_soon(self.fan_out, event, list(heads), tail, more)
        else:
            self._engine.spread(self._sendings(packets.event_prefix(event), heads, tail, more))

    def _sendings(
        self, prefix: bytes, heads: Iterable[tuple[str, bytes]], tail: bytes, more: Sequence[bytes]
    ) -> Iterator[tuple[Connection, Sequence[bytes]]]:
        """To whom which frames go; made once for all that begin alike. Those who poll are sent theirs."""
        members, sockets = self.server.manager.members, self._engine.sockets
        rest = [_event(prefix, value) for value in more]
        last_head, found = b"", [b""]
        for room, head in heads:
            if head != last_head or not found[0]:
                last_head, found = head, [_event(prefix, head + tail), *rest]
            for eio_sid in members("/", room).values():
                socket = sockets.get(eio_sid)
                if type(socket) is Connection:
                    yield socket, found
                elif socket is not None:
                    for value in (head + tail, *more):
                        self._engine.send(socket.sid, (prefix[1:] + value + b"]").decode())

    def close(self, sid: str) -> None:
        if self._engine.foreign():
            self.call_soon(self._close, sid)
        else:
            self._close(sid)

    def disconnect_room(self, room: str) -> None:
        self.call_soon(spawn_raw, self._close_members, room)

    def _close_members(self, room: str) -> None:
        for number, sid in enumerate(self.members(room), 1):
            self._close(sid)
            if not number % SLICE:
                gevent.sleep(0)

    def _close(self, sid: str) -> None:
        eio_sid = self.server.manager.eio_sid_from_sid(sid, "/")
        client = self._engine.sockets.get(eio_sid)
        if type(client) is Connection:
            client.write(_GOODBYE)
            client.close()
        elif client is not None:
            self.server.drop(eio_sid)

    def _start(self, listener: Any, tls: SSLContext | None) -> None:
        address = listener.getsockname()[:2]
        self._engine.open(self.server, self._app, address, secure=tls is not None)
        self._http = HttpServer(listener, self._app, self._engine, self.options, tls, self.routes)
        self._http.start()

    def _finish(self, grace_s: float) -> None:
        self._http.close()
        with within(grace_s):
            while self._engine.reactor.blocked:
                gevent.sleep(0.02)
        self._hang_up(polling=True)  # a poll is a request that waits for us
        self._http.finish(grace_s)
        self._hang_up()
        with within(2.0):
            while self._engine.sockets or len(self._engine.reactor.wheel):
                gevent.sleep(0.02)
        self._engine.shut()

    def _hang_up(self, *, polling: bool = False) -> None:
        """On everybody, or on those who came by polling."""
        for number, client in enumerate(list(self._engine.sockets.values())):
            if not polling or type(client) is not Connection:
                client.close(wait=False)
            if not number % SLICE:
                gevent.sleep(0)
