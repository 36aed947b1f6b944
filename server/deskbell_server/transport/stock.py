"""The stock kind: Engine.IO's own sockets on gevent's WSGI server, for comparing and as a way back.

It keeps the rules of `guard`, but not the bounds on memory, waiting logins and slow readers: its tests list which.
"""

from collections.abc import Iterable, Sequence
from ssl import SSLContext
from typing import Any

from flask import Flask
from gevent import pywsgi, spawn_raw
from gevent.ssl import SSLContext as GeventSSLContext

from deskbell_server.transport import packets
from deskbell_server.transport.base import Options
from deskbell_server.transport.guard import GuardedServer, GuardedSocketIO
from deskbell_server.transport.origins import origin_check
from deskbell_server.transport.serving import Serving


class Stock(Serving):
    def __init__(self, app: Flask, options: Options) -> None:
        server = GuardedServer(options, cors_allowed_origins=origin_check(options.allowed_origins))
        super().__init__(GuardedSocketIO(app, server), server, options)
        self._app = app
        self._http: Any = None

    # Stock sending and closing may switch, which the loop itself cannot: greenlets do it.

    def fan_out(self, event: str, heads: Iterable[tuple[str, bytes]], tail: bytes, more: Sequence[bytes] = ()) -> None:
        self.call_soon(spawn_raw, self._fan_out, event, list(heads), tail, more)

    def _fan_out(self, event: str, heads: list[tuple[str, bytes]], tail: bytes, more: Sequence[bytes]) -> None:
        prefix = packets.event_prefix(event)[1:]
        for room, head in heads:
            texts = [(prefix + value + b"]").decode() for value in (head + tail, *more)]
            for _sid, eio_sid in self.server.manager.get_participants("/", room):
                for text in texts:
                    self.server.eio.send(eio_sid, text)

    def close(self, sid: str) -> None:
        self.call_soon(spawn_raw, self._close, [sid])

    def disconnect_room(self, room: str) -> None:
        self.call_soon(spawn_raw, lambda: self._close(self.members(room)))

    def _close(self, sids: list[str]) -> None:
        for sid in sids:
            eio_sid = self.server.manager.eio_sid_from_sid(sid, "/")
            if eio_sid is not None:
                self.server.disconnect(sid)
                self.server.drop(eio_sid)

    def _start(self, listener: Any, tls: SSLContext | None) -> None:
        if tls is None:
            self._http = pywsgi.WSGIServer(listener, self._app, log=None, error_log=None)
        else:
            if not isinstance(tls, GeventSSLContext):
                raise TypeError("the stock kind needs a gevent.ssl.SSLContext: the standard one would block the loop")
            self._http = pywsgi.WSGIServer(listener, self._app, log=None, error_log=None, ssl_context=tls)
        self._http.start()

    def _finish(self, grace_s: float) -> None:  # noqa: ARG002 - nothing here tells what still waits
        if self._http is not None:
            self._http.close()
        for below in list(self.server.eio.sockets.values()):
            below.close(wait=False, reason=self.server.reason.SERVER_DISCONNECT)
        self.server.shutdown()
