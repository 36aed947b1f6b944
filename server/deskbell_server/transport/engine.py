"""Engine.IO with `Connection`s: the sockets of everybody, their deadlines, and the way from a packet to a handler.

Long polling, where it is allowed, keeps python-engineio's code, and sockets that stand on the same clock.
"""

import logging
import time
from collections.abc import Iterable, Sequence
from itertools import islice
from threading import get_ident
from typing import Any, Final
from urllib.parse import parse_qs

import engineio
from engineio import packet as eio
from gevent import spawn_raw

from deskbell_server.transport import frames, handshake, packets, refusals
from deskbell_server.transport.base import HotHandler, Options
from deskbell_server.transport.connection import Connection
from deskbell_server.transport.engine_socket import EngineSocket
from deskbell_server.transport.guard import GuardedServer
from deskbell_server.transport.newcomers import Newcomers
from deskbell_server.transport.outbox import SLICE
from deskbell_server.transport.polling import PollingSocket
from deskbell_server.transport.reactor import Reactor
from deskbell_server.transport.refusals import HandshakeError
from deskbell_server.transport.sending import ConnectionState
from deskbell_server.transport.streams import Stream

log = logging.getLogger(__name__)

_TICK_S: Final = 0.25
Client = Connection | PollingSocket


class Engine(engineio.Server):  # type: ignore[misc]
    server: GuardedServer
    options: Options
    thread: int | None = None
    """Of the loop, while it serves."""

    def open(self, server: GuardedServer, app: Any, address: tuple[str, int], *, secure: bool) -> None:
        """Begin, on the loop of the calling thread."""
        self.server, self.options = server, server.options
        self.thread = get_ident()
        self.reactor = Reactor(min(_TICK_S, self.options.ping_interval_s / 4, self.options.login_s / 4))
        self.inline: dict[str, HotHandler] = server.inline
        self.shapes: dict[bytes, packets.Shape] = server.shapes
        options = self.options
        self.newcomers = Newcomers(options.waiting_max, options.patience_s, "Too many are waiting to sign in.")
        self._app, self._address, self._secure = app, address, secure
        self._terms = {
            "pingTimeout": int(self.options.ping_timeout_s * 1000),
            "pingInterval": int(self.options.ping_interval_s * 1000),
            "maxPayload": self.options.max_message,
        }
        self._hello = self._open_packet()

    def _open_packet(self) -> tuple[bytes, bytes]:
        rest = b'","upgrades":[],"pingTimeout":%d,"pingInterval":%d,"maxPayload":%d}'
        return b'0{"sid":"', rest % tuple(self._terms.values())

    def shut(self) -> None:
        self.thread = None
        self.reactor.close()

    # -- connections

    def upgrade(self, stream: Stream, upgrade: handshake.Upgrade, head: bytes, rest: bytes, address: Any) -> None:
        """A client's connection begins. HandshakeError when there is no room."""
        sid, environ = self.generate_id(), self._environ_of(upgrade, address)
        self._admit(sid, environ)
        connection = Connection(self.reactor, self, sid, stream, head, address)
        connection.environ = environ
        self.sockets[sid] = connection
        self._await_login(connection)
        opening = frames.encode(self._hello[0] + connection.sid.encode() + self._hello[1])
        connection.start(handshake.switching(upgrade.accept) + opening, rest)

    def handle_request(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Long polling. A request must name its transport; python-engineio would take it for this one."""
        query = environ.get("QUERY_STRING", "")
        if "transport" not in parse_qs(query):
            environ["QUERY_STRING"] = f"{query}&transport=none"
        return super().handle_request(environ, start_response)

    def make_environ(self, connection: EngineSocket) -> dict[str, Any]:
        """The environment of its request once more."""
        upgrade = handshake.read(connection.head, ("*",))
        assert upgrade is not None
        return self._environ_of(upgrade, connection.address)

    def _environ_of(self, upgrade: handshake.Upgrade, address: Any) -> dict[str, Any]:
        environ = handshake.environ(upgrade, address, self._address, secure=self._secure)
        environ["flask.app"] = self._app
        if self.options.environ is not None:
            self.options.environ(environ)
        return environ

    def _admit(self, sid: str, environ: dict[str, Any]) -> None:
        place = self.options.place(environ.get("REMOTE_ADDR", ""))
        self.newcomers.add(sid, place, time.monotonic(), lambda: spawn_raw(self.sockets[sid].close))

    def _await_login(self, client: Client) -> None:
        self.reactor.wheel.set(client, time.monotonic() + self.options.login_s)

    def login_changed(self, client: Client, by: int) -> None:
        """One more or one fewer namespace is connected; without any it waits for a login again."""
        client.logins += by
        if client.closing:
            return
        if by > 0 and client.logins == 1:
            client.pinged = False
            self.newcomers.remove(client.sid)
            self.answered(client)
        elif not client.logins:
            client.pinged = False  # its answer must not take the place of the deadline
            self._await_login(client)

    def answered(self, client: Client) -> None:
        """It is there; the next ping is due an interval from now."""
        self.reactor.wheel.set(client, time.monotonic() + self.options.ping_interval_s)

    def ended(self, connection: Connection, reason: str) -> None:
        self.newcomers.remove(connection.sid)
        spawn_raw(self._forget, connection, reason)

    def _forget(self, connection: Connection, reason: str) -> None:
        try:
            self._trigger_event("disconnect", connection.sid, reason)
        finally:
            connection.state = ConnectionState.CLOSED
            self.sockets.pop(connection.sid, None)

    # -- packets

    def malformed(self, connection: Connection, error: Exception) -> None:
        self.server.malformed(connection.sid, error)

    def dispatch(self, connection: Connection, packet: packets.Packet) -> None:
        self.server.dispatch(connection.sid, packet)

    def call_inline(self, connection: Connection, packet: packets.Packet) -> Any:
        sid = self.server.manager.sid_from_eio_sid(connection.sid, "/")
        if not self.server.manager.is_connected(sid, "/"):
            return self.server.not_handled
        data = packet.data
        try:
            return self.inline[data[0]](sid, data[1] if len(data) > 1 else None)
        except Exception as error:  # noqa: BLE001 - the answer's maker logs it
            return self.options.failure(data[0], error)

    def answer(self, connection: Connection, packet: packets.Packet, result: Any) -> None:
        if packet.id is not None and result is not self.server.not_handled:
            args = packets.arguments(result)
            try:
                text = packets.ack(packet.namespace, packet.id, args)
            except (TypeError, ValueError) as error:
                text = packets.ack(packet.namespace, packet.id, [self.options.failure(packet.data[0], error)])
            connection.write(frames.encode(text))

    # -- sending

    def send(self, sid: str, data: str | bytes) -> None:
        self.send_many([sid], [data])

    def sockets_of(self, sids: Iterable[str]) -> list[Any]:
        sockets = self.sockets
        return [socket for sid in sids if (socket := sockets.get(sid)) is not None]

    def send_many(self, sids: list[str], texts: Iterable[Any]) -> None:
        """Send encoded packets to many."""
        if self.foreign():
            self.reactor.loop.run_callback_threadsafe(self.send_many, sids, texts)
            return
        found = self.sockets_of(sids)
        for text in texts:
            self._send_one(found, text)

    def _send_one(self, found: list[Any], text: str | bytes) -> None:
        whole = (
            frames.encode(text, frames.Opcode.BINARY)
            if isinstance(text, bytes)
            else frames.encode(b"4" + text.encode())
        )
        ours = [socket for socket in found if type(socket) is Connection]
        self.spread((connection, (whole,)) for connection in ours)
        for socket in found:
            if type(socket) is not Connection:
                super().send(socket.sid, text)

    def spread(self, frames_of: Iterable[tuple[Connection, Sequence[bytes]]]) -> None:
        """Send to a few now; to many in slices: nobody else waits for all of them, nor the first for the last."""
        frames_of = iter(frames_of)
        first = list(islice(frames_of, SLICE + 1))
        if len(first) <= SLICE:
            for connection, found in first:
                for frame in found:
                    connection.write(frame)
            return
        outbox = self.reactor.outbox
        for connection, found in first:
            outbox.post(found, connection)
        outbox.start()
        for connection, found in frames_of:
            outbox.post(found, connection)
        outbox.start()

    def foreign(self) -> bool:
        """Whether the calling thread is not the loop's, and must hand over what it wants sent."""
        return self.thread is not None and get_ident() != self.thread

    # -- HTTP: long polling alone comes this way

    def _handle_connect(
        self,
        environ: dict[str, Any],
        start_response: Any,  # noqa: ARG002
        transport: str,
        jsonp_index: Any = None,
    ) -> Any:
        """As python-engineio's, for clients that are bounded."""
        if transport == "websocket" or jsonp_index is not None:
            return self._bad_request()
        client = PollingSocket(self, self.generate_id())
        try:
            self._admit(client.sid, environ)
        except HandshakeError as error:
            return refusals.busy(str(error))
        self.sockets[client.sid] = client
        self._await_login(client)
        client.send(eio.Packet(eio.OPEN, {"sid": client.sid, "upgrades": ["websocket"], **self._terms}))
        self._trigger_event("connect", client.sid, environ, run_async=False)
        client.connected = True
        return self._ok(client.poll())
