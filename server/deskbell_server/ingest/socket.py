"""The Socket.IO door, namespace `/`: who may connect, and the four events a client may send, each answered."""

import logging
from collections.abc import Mapping
from typing import Any

import flask_socketio
import msgspec

from deskbell_protocol import PROTOCOL_VERSION, names, wire
from deskbell_protocol.errors import FATAL, FINAL, Code
from deskbell_server.delivery.attendant import Attendant
from deskbell_server.delivery.presence import Presence, device_room, user_room
from deskbell_server.edge import wording
from deskbell_server.edge.gate import printable
from deskbell_server.errors import RefusedError
from deskbell_server.messaging.messages import Messages, Stored
from deskbell_server.messaging.reading import Reading
from deskbell_server.people.devices import Devices
from deskbell_server.principals import Principal
from deskbell_server.transport import ConnectionRefusedError as NotConnectedError
from deskbell_server.transport import Later, Transport

log = logging.getLogger(__name__)


def refusal(refused: RefusedError) -> wire.Refusal:
    """A failed answer."""
    return wire.Refusal(
        code=refused.code, message=refused.message, retry_after_s=refused.retry_after_s, names=refused.names
    )


def unknown(event: str) -> wire.Refusal:
    """The answer to an event that no client should send."""
    return wire.Refusal(code=Code.UNKNOWN_EVENT, message=f"there is no event “{printable(event)}”"[:200])


class SocketDoor(flask_socketio.Namespace):
    """Handlers of one connection run in order, without a Flask request context: each gets the `sid`."""

    def __init__(
        self,
        transport: Transport,
        devices: Devices,
        presence: Presence,
        attendant: Attendant,
        messages: Messages,
        reading: Reading,
    ) -> None:
        super().__init__("/")
        self._transport = transport
        self._devices = devices
        self._presence = presence
        self._attendant = attendant
        self._messages = messages
        self._reading = reading

    def register(self) -> None:
        transport = self._transport
        transport.socketio.on_namespace(self)
        transport.hot_connect(self.on_connect)
        transport.hot_disconnect(self.on_disconnect)
        transport.hot(names.SEND, self.on_send, inline=True, shape=wire.Send)
        transport.hot(names.SYNC, self.on_sync)
        transport.hot(names.READ, self.on_read)
        transport.hot(names.ACK, self.on_ack)

    def on_connect(self, sid: str, auth: Any, environ: Mapping[str, Any]) -> None:
        """Accepts by returning. Whatever else happens here, nobody gets in."""
        try:
            self._accept(sid, auth, environ)
        except RefusedError as refused:
            self._forget(sid)
            log.info("%s refused: %s", sid, refused.code)
            raise NotConnectedError(refused.message, _connect_error(refused)) from refused
        except BaseException:
            self._forget(sid)
            raise

    def on_disconnect(self, sid: str, reason: str) -> None:
        if self._forget(sid):
            log.info("%s disconnected: %s", sid, reason)

    def on_send(self, sid: str, data: Any) -> Any:
        """In the loop: the answer comes after the commit."""
        later = Later()

        def done(stored: Stored | None, problem: Exception | None) -> None:
            if stored is not None:
                log.debug("%s message %s stored for %d", sid, stored.id, stored.recipients)
                answer = wire.SendAnswer(id=stored.id, seq=stored.seq, duplicate=stored.duplicate)
                later.answer(answer)
            else:
                later.answer(_failed(sid, names.SEND, problem))

        try:
            principal = self._principal(sid)
            send = _parsed(wire.Send, data)
            self._messages.publish_soon(principal, send, send.cid, done)
        except RefusedError as refused:
            return refusal(refused)
        return later

    def on_sync(self, sid: str, data: Any) -> Any:
        try:
            return self._reading.sync(self._principal(sid), _parsed(wire.Sync, data))
        except RefusedError as refused:
            return refusal(refused)

    def on_read(self, sid: str, data: Any) -> Any:
        try:
            return {"ok": True, "seq": self._reading.read(self._principal(sid), _parsed(wire.Read, data))}
        except RefusedError as refused:
            return refusal(refused)

    def on_ack(self, sid: str, data: Any) -> Any:
        try:
            self._reading.ack(self._principal(sid), _parsed(wire.Ack, data))
        except RefusedError as refused:
            return refusal(refused)
        return {"ok": True}

    def _accept(self, sid: str, auth: Any, environ: Mapping[str, Any]) -> None:
        if not isinstance(auth, dict):
            raise RefusedError(Code.UNAUTHORIZED, "auth is missing")
        if auth.get("v") != PROTOCOL_VERSION or isinstance(auth["v"], bool):
            raise RefusedError(Code.UPGRADE_REQUIRED, f"this server speaks version {PROTOCOL_VERSION}")
        request = _parsed(wire.ConnectAuth, auth)
        principal = self._devices.identify(request.token)
        self._presence.add(sid, principal)
        self._transport.join(sid, user_room(principal.number))
        self._transport.join(sid, device_room(principal.device_id))
        self._attendant.connected(principal)
        log.info(
            "%s connected: device %s from %s, %s",
            sid,
            principal.device_id,
            environ.get("REMOTE_ADDR", "-"),
            printable(request.client),
        )

    def _forget(self, sid: str) -> bool:
        """Whether it had been let in."""
        principal = self._presence.remove(sid)
        if principal is not None:
            self._attendant.disconnected(principal)
        return principal is not None

    def _principal(self, sid: str) -> Principal:
        principal = self._presence.get(sid)
        if principal is None:
            raise RefusedError(Code.REVOKED, "this device was signed out")
        return principal


def _parsed(type_: type[wire.T], data: Any) -> wire.T:
    if type(data) is type_:
        return data
    try:
        return wire.parse(type_, data)
    except msgspec.ValidationError as problem:
        raise wording.refused(problem) from problem


def _failed(sid: str, event: str, problem: Exception | None) -> wire.Refusal:
    if isinstance(problem, RefusedError):
        return refusal(problem)
    log.error("%s %s failed", sid, event, exc_info=problem)
    return wire.Refusal(code=Code.INTERNAL, message="the server could not do this")


def _connect_error(refused: RefusedError) -> dict[str, Any]:
    data: dict[str, Any] = {"code": refused.code.value, "fatal": refused.code in FATAL | FINAL}
    if refused.retry_after_s is not None:
        data["retry_after_s"] = refused.retry_after_s
    return data
