"""python-socketio and Flask-SocketIO with their ways to fail open closed; both kinds of transport stand on it."""

import inspect
import logging
import time
from collections.abc import Callable
from typing import Any, Final

import flask_socketio
import socketio
from flask import Flask
from flask_socketio import _SocketIOMiddleware  # type: ignore[attr-defined]
from socketio import packet as sio
from socketio.exceptions import ConnectionRefusedError as Refused

from deskbell_server.transport import packets
from deskbell_server.transport.base import ConnectHandler, DisconnectHandler, HotHandler, Later, Options

log = logging.getLogger(__name__)

STRIKES: Final = 3
_POLL_S: Final = 0.8
_CLOSED: Final = {"message": "there is no such namespace", "data": {"code": "not_found", "fatal": True}}
_RESERVED: Final = frozenset({"connect", "disconnect"})


class StrictPacket(sio.Packet):  # type: ignore[misc]
    """Outgoing packets of the ordinary path; incoming ones are parsed by `packets`."""

    json = packets.Json


class GuardedServer(socketio.Server):  # type: ignore[misc]
    """A Socket.IO server whose connect fails closed, whose clients cannot fire reserved events or send binary
    packets, whose failing handlers are answered, and which ends a transport that was refused or talks nonsense."""

    def __init__(self, options: Options, **kwargs: Any) -> None:
        quiet = logging.getLogger(__name__ + ".stock")
        quiet.setLevel(logging.ERROR)  # below that they log what clients send
        super().__init__(
            logger=quiet,
            engineio_logger=quiet,
            async_mode="gevent",
            async_handlers=False,
            always_connect=False,
            serializer=StrictPacket,
            max_http_buffer_size=options.max_message,
            ping_interval=options.ping_interval_s,
            ping_timeout=options.ping_timeout_s,
            transports=["polling", "websocket"] if options.polling else ["websocket"],
            http_compression=False,
            **kwargs,
        )
        self.options = options
        self.hot: dict[str, HotHandler] = {}
        self.inline: dict[str, HotHandler] = {}
        self.shapes: dict[bytes, packets.Shape] = {}
        self.hot_connect: ConnectHandler | None = None
        self.hot_disconnect: DisconnectHandler | None = None
        self.refusals: dict[str, BaseException] = {}
        self.strikes: dict[str, int] = {}
        self.dropping: set[str] = set()

    # -- in

    def _handle_eio_message(self, eio_sid: str, data: Any) -> None:
        if eio_sid in self.dropping or not self.is_open(eio_sid):
            return
        try:
            if not isinstance(data, str):
                raise packets.BinaryRefusedError("binary messages are refused")
            packet = packets.parse(data.encode())
        except (packets.PacketError, UnicodeEncodeError) as error:
            self.malformed(eio_sid, error)
            return
        self.dispatch(eio_sid, packet)

    def malformed(self, eio_sid: str, error: Exception) -> None:
        """Count a message that is no packet: the third ends the transport, one with binary data does at once."""
        strikes = self.strikes[eio_sid] = self.strikes.get(eio_sid, 0) + 1
        if strikes == STRIKES or isinstance(error, packets.BinaryRefusedError):
            log.warning("%s closed after %d malformed messages: %s", eio_sid, strikes, error)
            self.drop(eio_sid)

    def dispatch(self, eio_sid: str, packet: packets.Packet) -> None:
        kind, namespace, number, data = packet
        if kind == packets.EVENT:
            self._handle_event(eio_sid, namespace, number, data)
        elif kind == packets.ACK:
            self._handle_ack(eio_sid, namespace, number, data)
        elif kind == packets.CONNECT:
            self._handle_connect(eio_sid, namespace, data)
        else:
            self._handle_disconnect(eio_sid, namespace, self.reason.CLIENT_DISCONNECT)

    # -- logins

    def _handle_connect(self, eio_sid: str, namespace: str, data: Any) -> None:
        environ = self.environ.get(eio_sid)
        if environ is None:  # gone already
            return
        sid = self.manager.pre_connect(eio_sid, namespace) if self._served(namespace) else None
        if sid is None:
            self._refuse(eio_sid, namespace, _CLOSED)
            return
        try:
            refusal = self._decide(environ, namespace, sid, data)
        except BaseException:
            self.manager.disconnect(sid, namespace)
            raise
        if refusal is not None:
            self.manager.disconnect(sid, namespace)
            self._refuse(eio_sid, namespace, refusal)
        else:
            self._accept(eio_sid, namespace, sid, environ)

    def _served(self, namespace: str) -> bool:
        return namespace in self.handlers or namespace in self.namespace_handlers or namespace in self.namespaces

    def _decide(self, environ: Any, namespace: str, sid: str, auth: Any) -> Any:
        """None to accept, or what CONNECT_ERROR carries."""
        try:
            if namespace == "/" and self.hot_connect is not None:
                self.hot_connect(sid, auth, environ)
                return None
            if self._trigger_event("connect", namespace, sid, environ, auth) is False:
                return Refused().error_args
        except Refused as error:
            return error.error_args
        except Exception as error:  # noqa: BLE001 - whatever went wrong, nobody was let in; the refusal logs it
            message, detail = self.options.refusal(error)
            return Refused(message, detail).error_args
        return None

    def _accept(self, eio_sid: str, namespace: str, sid: str, environ: Any) -> None:
        # Before CONNECT is sent: it may find the transport dead, and its end must find the login.
        self.manager.connect(sid, namespace)
        if self.is_open(eio_sid):
            self._send_packet(eio_sid, StrictPacket(sio.CONNECT, {"sid": sid}, namespace=namespace))
            return
        self.environ[eio_sid] = environ  # Flask-SocketIO does not call handlers of whom it finds no request
        try:
            self._end(sid, namespace, self.reason.TRANSPORT_CLOSE)
        finally:
            self.environ.pop(eio_sid, None)

    def _refuse(self, eio_sid: str, namespace: str, answer: Any) -> None:
        self._send_packet(eio_sid, StrictPacket(sio.CONNECT_ERROR, answer, namespace=namespace))
        if not self.is_logged_in(eio_sid):
            self.drop(eio_sid)

    def _trigger_event(self, event: str, namespace: str, *args: Any) -> Any:
        if event == "disconnect" and namespace == "/" and self.hot_disconnect is not None:
            return self.hot_disconnect(*args)
        if event != "connect":
            return super()._trigger_event(event, namespace, *args)
        # A handler of errors, global or the namespace's own, may have turned the refusal into a return value.
        try:
            return super()._trigger_event(event, namespace, *args)
        finally:
            refusal = self.refusals.pop(args[0], None)
            if refusal is not None:
                raise refusal

    # -- ends

    def _handle_disconnect(self, eio_sid: str, namespace: str, reason: str | None = None) -> None:
        sid = self.manager.sid_from_eio_sid(eio_sid, namespace)
        if self.manager.is_connected(sid, namespace):
            self._end(sid, namespace, reason or self.reason.CLIENT_DISCONNECT)

    def _end(self, sid: str, namespace: str, reason: str) -> None:
        self.manager.pre_disconnect(sid, namespace)
        try:
            self._trigger_event("disconnect", namespace, sid, reason)
        except Exception:
            log.exception("disconnect handler of %s failed", namespace)
        finally:
            self.manager.disconnect(sid, namespace)

    def _handle_eio_disconnect(self, eio_sid: str, reason: str) -> None:
        self.strikes.pop(eio_sid, None)
        self.dropping.discard(eio_sid)
        super()._handle_eio_disconnect(eio_sid, reason)

    # -- events

    def _handle_event(self, eio_sid: str, namespace: str, id: int | None, data: list[Any]) -> None:  # noqa: A002
        sid = self.manager.sid_from_eio_sid(eio_sid, namespace)
        event = data[0]
        if event in _RESERVED or not self.manager.is_connected(sid, namespace):
            return
        try:
            result = self._result(event, namespace, sid, data)
            if type(result) is Later:
                result = result.wait()
        except Exception as error:  # noqa: BLE001 - the answer's maker logs it
            result = self.options.failure(event, error)
        if id is not None and result is not self.not_handled:
            self.acknowledge(eio_sid, namespace, id, packets.arguments(result))

    def _result(self, event: str, namespace: str, sid: str, data: list[Any]) -> Any:
        handler = self.hot.get(event) if namespace == "/" else None
        if handler is not None:
            return handler(sid, data[1] if len(data) > 1 else None)
        if self._handled(event, namespace):
            return self._trigger_event(event, namespace, sid, *data[1:])
        return self.not_handled if self.options.unknown is None else self.options.unknown(event)

    def _handled(self, event: str, namespace: str) -> bool:
        if self._get_event_handler(event, namespace, ())[0] is not None:
            return True
        handler = self._get_namespace_handler(namespace, ())[0]
        return handler is not None and hasattr(handler, "on_" + event)

    def acknowledge(self, eio_sid: str, namespace: str, number: int, args: list[Any]) -> None:
        self._send_packet(eio_sid, StrictPacket(sio.ACK, args, namespace=namespace, id=number))

    def _handle_ack(self, eio_sid: str, namespace: str, id: int | None, data: list[Any]) -> None:  # noqa: A002
        sid = self.manager.sid_from_eio_sid(eio_sid, namespace)
        # Number 0 is where python-socketio keeps its counter; an unknown number is a late or an invented answer.
        if not id or id not in self.manager.callbacks.get(sid, ()):
            return
        try:
            self.manager.trigger_callback(sid, id, data)
        except Exception:
            log.exception("callback of an acknowledgement failed")

    # -- the transport below

    def is_open(self, eio_sid: str) -> bool:
        client = self.eio.sockets.get(eio_sid)
        return client is not None and not client.closed and not client.closing

    def is_logged_in(self, eio_sid: str) -> bool:
        manager = self.manager
        return any(
            manager.is_connected(manager.sid_from_eio_sid(eio_sid, namespace), namespace)
            for namespace in list(manager.get_namespaces())
        )

    def drop(self, eio_sid: str) -> None:
        """End a transport after what was sent before, within a second; not waiting for it."""
        client = self.eio.sockets.get(eio_sid)
        if client is None:
            return
        if client.upgraded:
            client.close(wait=False, reason=self.reason.SERVER_DISCONNECT)
        elif eio_sid not in self.dropping:
            self.dropping.add(eio_sid)
            self.start_background_task(self._drop_polling, client)

    def _drop_polling(self, client: Any) -> None:
        # What was sent before is fetched by the client's next request, of which a closed session knows nothing.
        until = time.monotonic() + _POLL_S
        while not client.queue.empty() and time.monotonic() < until:
            self.sleep(0.02)
        client.close(wait=False, reason=self.reason.SERVER_DISCONNECT)


class GuardedSocketIO(flask_socketio.SocketIO):
    """Flask-SocketIO on a server made before, failing closed where an error handler would have let a client in."""

    def __init__(self, app: Flask, server: GuardedServer) -> None:
        super().__init__()  # without an application it only collects
        self.server = server
        self.async_mode = server.async_mode
        self.sockio_mw = _SocketIOMiddleware(server, app, socketio_path="socket.io")
        app.extensions["socketio"] = self
        app.wsgi_app = self.sockio_mw  # type: ignore[method-assign]

    def _handle_event(self, handler: Callable[..., Any], message: str, namespace: str, sid: str, *args: Any) -> Any:
        if message != "connect":
            return super()._handle_event(handler, message, namespace, sid, *args)  # type: ignore[misc]
        wanted = _takes_argument(handler)

        def decide(*auth: Any) -> Any:
            # One call whatever it raises: Flask-SocketIO repeats a connect handler that raised a TypeError.
            try:
                return handler(*auth) if wanted else handler()
            except Exception as error:
                self.server.refusals[sid] = error
                raise Refused from error

        return super()._handle_event(decide, message, namespace, sid, *args)  # type: ignore[misc]


def _takes_argument(handler: Callable[..., Any]) -> bool:
    try:
        inspect.signature(handler).bind(None)
    except TypeError:
        return False
    return True
