"""Diagnostics: the namespace `/test`, in which every form of Socket.IO event works, and the facts about it for a page.

It carries none of Deskbell's data. Off unless switched on; then it asks for an admin's token, or, when open, for none.
"""

import logging
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import flask_socketio
from flask import Blueprint, Response, request
from flask_socketio import emit, join_room, leave_room, send

from deskbell_protocol.errors import Code
from deskbell_server.edge.gate import Needs, answer, needs
from deskbell_server.errors import RefusedError
from deskbell_server.people.devices import Devices
from deskbell_server.transport import ConnectionRefusedError as NotConnectedError
from deskbell_server.transport import Transport
from deskbell_server.web.browser import Browser

log = logging.getLogger(__name__)

NAMESPACE = "/test"
UNHANDLED = "/test-default"
"""The same, without an error handler of its own."""
RESPONSE = "my_response"
TIMES = 3
EVERY_S = 0.3
ROOMS_MOST = 20
NAME_MOST = 64
LOOPBACK = ("127.0.0.1", "::1", "localhost")


def is_here(host: str) -> bool:
    """Whether `Host` names this machine, and not a name that leads to it."""
    try:
        return urlsplit(f"//{host}").hostname in LOOPBACK
    except ValueError:
        return False


class Guarded(flask_socketio.Namespace):
    """Lets in admins, or everybody when open; lets go whose device was signed out."""

    def __init__(self, namespace: str, socketio: Any, devices: Devices, is_open: bool) -> None:
        super().__init__(namespace)
        self._name = namespace
        self._io = socketio
        self._devices = devices
        self._is_open = is_open
        self._sids: dict[str, str] = {}

    def on_connect(self, auth: Any = None) -> None:
        auth = auth if isinstance(auth, dict) else {}
        device_id = self._nobody() if self._is_open else self._admin_device(auth.get("token"))
        if auth.get("refuse"):
            raise NotConnectedError("refused, as you asked", {"code": Code.FORBIDDEN.value, "fatal": False})
        if device_id:
            self._sids[_sid()] = device_id
        # after this handler, which decides: a client gets nothing before it knows that it is connected
        self._io.start_background_task(self._greet, _sid())

    def _greet(self, sid: str) -> None:
        self._io.emit("my response", {"data": "Connected"}, namespace=self._name, to=sid)

    def on_disconnect(self, reason: str) -> None:
        self._sids.pop(_sid(), None)
        log.info("%s %s disconnected: %s", self._name, _sid(), reason)

    def on_my_error(self, _data: Any) -> None:
        raise RuntimeError("as you asked")

    def revoked(self, device_ids: list[str]) -> None:
        for sid, device_id in list(self._sids.items()):
            if device_id in device_ids:
                self._io.server.disconnect(sid, self._name)

    def _nobody(self) -> str:
        """Whoever sits at this machine; not a page whose name somebody has pointed at it (DNS rebinding)."""
        if not is_here(request.host):
            raise NotConnectedError("only for this machine itself", {"code": Code.FORBIDDEN.value, "fatal": True})
        return ""

    def _admin_device(self, token: Any) -> str:
        try:
            principal = self._devices.identify(token if isinstance(token, str) else "")
        except RefusedError as refused:
            raise NotConnectedError(refused.message, {"code": refused.code.value, "fatal": True}) from refused
        if not principal.is_admin:
            raise NotConnectedError("only admins may do this", {"code": Code.FORBIDDEN.value, "fatal": True})
        return principal.device_id


class Forms(Guarded):
    """Every form of event, as class methods; `my event`, whose name no method can have, is registered by `on_event`."""

    def on_message(self, message: Any) -> None:
        send(message)

    def on_json(self, data: Any) -> None:
        send(data, json=True)

    def on_my_event(self, data: Any) -> None:
        emit(RESPONSE, data)

    def arguments(self, first: Any, second: Any, third: Any) -> None:
        """`my event`, with three; answered with a tuple, which arrives as several arguments too."""
        emit(RESPONSE, (first, second, third))

    def on_my_ack(self, data: Any) -> tuple[str, int]:
        emit(RESPONSE, data)
        return "one", 1

    def on_my_callback(self, data: Any) -> None:
        """The client's values come back into `acknowledged`."""
        sid = _sid()

        def acknowledged(*values: Any) -> None:
            self._io.emit("my_acknowledged", {"values": list(values)}, namespace=NAMESPACE, to=sid)

        emit("my_question", data, callback=acknowledged)

    def on_join(self, data: Any) -> None:
        username, room = _named(data)
        if len(flask_socketio.rooms()) >= ROOMS_MOST:
            raise ValueError(f"at most {ROOMS_MOST} rooms")
        join_room(room)
        send(f"{username} has entered the room.", to=room)

    def on_leave(self, data: Any) -> None:
        username, room = _named(data)
        leave_room(room)
        send(f"{username} has left the room.", to=room)

    def on_my_room_event(self, data: Any) -> None:
        """To a room; one that is named like a `sid` holds that connection alone."""
        emit(RESPONSE, {"data": data["data"]}, to=str(data["room"]))

    def on_my_broadcast(self, data: Any) -> None:
        emit(RESPONSE, data, broadcast=True)

    def on_my_background(self, data: Any) -> None:
        self._io.start_background_task(self._from_background, data)

    def on_my_ping(self) -> None:
        """Answered by its acknowledgement alone."""

    def _from_background(self, data: Any) -> None:
        """No client asks here, so it goes to all of the namespace."""
        for number in range(1, TIMES + 1):
            self._io.sleep(EVERY_S)
            self._io.emit(RESPONSE, {"data": data, "count": number}, namespace=NAMESPACE)


class Diagnostics:
    """Registers the namespaces, and answers what the page asks about them."""

    def __init__(self, transport: Transport, devices: Devices, browser: Browser, is_open: bool, polling: bool) -> None:
        self._transport = transport
        self._devices = devices
        self._browser = browser
        self._is_open = is_open
        self._polling = polling

    def register(self) -> None:
        socketio: Any = self._transport.socketio
        forms = Forms(NAMESPACE, socketio, self._devices, self._is_open)
        unhandled = Guarded(UNHANDLED, socketio, self._devices, self._is_open)
        for namespace in (forms, unhandled):
            socketio.on_namespace(namespace)
            self._devices.on_revoked(partial(self._transport.call_soon, namespace.revoked))
        socketio.on_event("my event", forms.arguments, namespace=NAMESPACE)
        socketio.on_error(NAMESPACE)(lambda error: failed("on_error", error))
        socketio.on_error_default(lambda error: failed("on_error_default", error))

    def blueprint(self) -> Blueprint:
        found = Blueprint("web_diagnostics", __name__)
        found.add_url_rule("/diagnostics/facts", "facts", self.facts)
        return found

    @needs(Needs.NOTHING)
    def facts(self) -> Response:
        """For admins; for everybody when open."""
        if not self._is_open and not self._browser.principal().is_admin:
            raise RefusedError(Code.FORBIDDEN, "only admins may do this")
        socketio: Any = self._transport.socketio
        mode = socketio.server.async_mode
        return answer({"async_mode": mode, "open": self._is_open, "polling": self._polling})


def failed(handler: str, error: BaseException) -> dict[str, Any]:
    """What an error handler sees; also the answer to the event, if one was asked for."""
    event = request.event  # type: ignore[attr-defined]
    log.info("%s: %s of %r", handler, type(error).__name__, event["message"])
    if event["message"] in ("connect", "disconnect"):
        raise error
    seen = {"handler": handler, "error": str(error), "message": event["message"], "args": list(event["args"])}
    emit("my_error_response", seen)
    return seen


def _sid() -> str:
    return str(request.sid)  # type: ignore[attr-defined]


def _named(data: Any) -> tuple[str, str]:
    username, room = data["username"], data["room"]
    if not (isinstance(username, str) and isinstance(room, str) and 1 <= len(room) <= NAME_MOST):
        raise ValueError(f"a name, and a room of 1 to {NAME_MOST} characters")
    return username[:NAME_MOST], room
