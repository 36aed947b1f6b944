"""A client by long polling, under the rules of a `Connection`: a deadline for its login, pings, a bounded queue."""

import contextlib
import logging
import socket
from typing import Any, Final

from engineio import packet as eio
from engineio.exceptions import EngineIOError
from engineio.socket import Socket
from gevent import spawn_later, spawn_raw

log = logging.getLogger(__name__)

_LINGER_S: Final = 0.8


class PollingSocket(Socket):  # type: ignore[misc]
    """python-engineio's, with its clock on the engine's wheel instead of in greenlets. It may be upgraded later."""

    server: Any
    """The `Engine`."""

    def __init__(self, engine: Any, sid: str) -> None:
        super().__init__(engine, sid)
        self.logins, self.pinged = 0, False
        self.due, self.slot = 0.0, -1
        self._bytes = 0
        self._full = False
        self._web_socket: Any = None
        self._polled = False

    def send(self, pkt: Any) -> None:
        """Queue it; a client for whom too much waits is closed."""
        if self.closed or self._full:
            return
        self._bytes += len(pkt.data) if isinstance(pkt.data, str | bytes) else 0
        options = self.server.options
        if self.queue.qsize() >= options.out_frames or self._bytes > options.out_bytes:
            self._full = True
            self._end_soon(self.server.reason.TRANSPORT_ERROR)
        else:
            self.queue.put(pkt)

    def poll(self) -> Any:
        if self._polled and not self.upgraded:  # the WebSocket takes over while the last poll still hangs
            raise EngineIOError("two polls at a time: the session ends, as in Engine.IO's own server")
        self._polled = True
        try:
            packets = super().poll()
        finally:
            self._polled = False
        self._bytes = 0
        return packets or [eio.Packet(eio.NOOP)]  # the session is closed

    def handle_post_request(self, environ: dict[str, Any]) -> None:
        try:
            super().handle_post_request(environ)
        except ValueError as error:
            log.warning("%s closed: not an Engine.IO packet: %s", self.sid, type(error).__name__)
            raise EngineIOError from error  # which is answered 400, and ends it

    def close(self, wait: bool = True, abort: bool = False, reason: str | None = None) -> None:  # noqa: ARG002
        """End it. Nobody waits for what the client has not fetched: it may never come."""
        if self.closing:
            return
        engine = self.server
        engine.reactor.wheel.remove(self)
        engine.newcomers.remove(self.sid)
        try:
            super().close(wait=False, abort=abort, reason=reason)
        finally:
            self.closed = True
            engine.sockets.pop(self.sid, None)
            if self._web_socket is not None:
                spawn_later(_LINGER_S, self._hang_up)

    # -- upgraded to a WebSocket, by python-engineio's code and simple-websocket's

    def _upgrade_websocket(self, environ: dict[str, Any], start_response: Any) -> Any:
        if self._web_socket is not None or self.closing:
            return self.server._bad_request()  # noqa: SLF001
        self._web_socket = self.server._async["websocket"](self._websocket_handler, self.server)  # noqa: SLF001
        self._web_socket.server_args["max_message_size"] = self.server.options.max_message
        return self._web_socket(environ, start_response)

    def _websocket_handler(self, ws: Any) -> Any:
        try:
            return super()._websocket_handler(ws)
        except ValueError as error:
            log.warning("%s closed: not an Engine.IO packet: %s", self.sid, type(error).__name__)
            return []
        finally:
            if self.upgraded:
                self.close(abort=True, reason=self.server.reason.TRANSPORT_CLOSE)
            self._hang_up()

    def _hang_up(self) -> None:
        """Whatever the client still sends, or does not: simple-websocket reads until the connection ends."""
        ws, self._web_socket = self._web_socket, None
        with contextlib.suppress(OSError, AttributeError):
            ws.ws.sock.shutdown(socket.SHUT_RDWR)

    # -- time

    def on_due(self, now: float) -> None:
        """Its deadline has come: to have signed in, to be pinged, or to have answered that."""
        reason = self.server.reason
        if not self.logins:
            self._end_soon(reason.SERVER_DISCONNECT)
        elif self.pinged:
            self._end_soon(reason.PING_TIMEOUT)
        else:
            self.pinged = True
            self.server.reactor.wheel.set(self, now + self.server.options.ping_timeout_s)
            self.send(eio.Packet(eio.PING))

    def schedule_ping(self) -> None:
        """A ping was answered."""
        if self.pinged and not self.closing:
            self.pinged = False
            self.server.answered(self)

    def _end_soon(self, reason: str) -> None:
        # Its handlers hear of it, and may block, which the loop itself may not.
        spawn_raw(self.close, reason=reason)
