"""The HTTP door, `/api/v1/`: each route parses, calls its service, and answers."""

from dataclasses import dataclass

import msgspec
from flask import Blueprint, Response, g, request

from deskbell_protocol import limits
from deskbell_protocol.wire import Device, Login, Publish
from deskbell_server.edge.gate import Needs, answer, body_as, caller, needs, number
from deskbell_server.messaging.messages import Messages, Stored
from deskbell_server.messaging.reading import Reading
from deskbell_server.messaging.scheduled import Scheduled
from deskbell_server.people.accounts import Accounts
from deskbell_server.people.devices import Devices
from deskbell_server.people.groups import Groups
from deskbell_server.principals import Principal
from deskbell_server.store.devices import DeviceRow
from deskbell_server.store.doors import ScheduledRow

PREFIX = "/api/v1"
MESSAGES = "/messages"
PAGE_DEFAULT = 50


@dataclass(frozen=True, slots=True)
class Api:
    """The services behind the routes."""

    accounts: Accounts
    devices: Devices
    groups: Groups
    messages: Messages
    reading: Reading
    scheduled: Scheduled

    def blueprint(self) -> Blueprint:
        found = Blueprint("api", __name__, url_prefix=PREFIX)
        for rule, method, view in (
            ("/login", "POST", self.login),
            ("/logout", "POST", self.logout),
            ("/me", "GET", self.me),
            ("/users", "GET", self.users),
            (MESSAGES, "POST", self.publish),
            (MESSAGES, "GET", self.history),
            ("/devices", "GET", self.list_devices),
            ("/devices/<device_id>", "DELETE", self.revoke_device),
            ("/scheduled", "GET", self.list_scheduled),
            ("/scheduled/<message_id>", "DELETE", self.cancel_scheduled),
        ):
            found.add_url_rule(rule, view.__name__, view, methods=[method])
        return found

    @needs(Needs.NOTHING)
    def login(self) -> Response:
        return answer(self.accounts.login(body_as(Login), request.remote_addr or ""))

    @needs(Needs.TOKEN)
    def logout(self) -> Response:
        principal = caller()
        self.devices.revoke(principal.device_id, principal.user_id)
        return Response(status=204)

    @needs(Needs.TOKEN)
    def me(self) -> Response:
        principal = caller()
        device = Device(id=principal.device_id, name=principal.device_name, current=True)
        return answer({"user": principal.party, "admin": principal.is_admin, "device": device})

    @needs(Needs.TOKEN)
    def users(self) -> Response:
        return answer({"users": self.groups.whom(caller(), request.args.get("q", "")[: limits.DISPLAY_CHARS])})

    @needs(Needs.TOKEN)
    def publish(self) -> Response:
        stored = self.messages.publish(caller(), body_as(Publish), request.headers.get("Idempotency-Key"))
        g.message_id = stored.id
        return answer(*told(stored))

    @needs(Needs.TOKEN)
    def history(self) -> Response:
        limit = number("limit", PAGE_DEFAULT, 1, limits.PAGE) or PAGE_DEFAULT
        before = number("before", None, 0, 2**53 - 1)
        page = self.reading.history(caller(), request.args.get("conversation"), before, limit)
        return answer({"events": page.events, "more": page.more})

    @needs(Needs.TOKEN)
    def list_devices(self) -> Response:
        principal = caller()
        return answer({"devices": [_device(row, principal) for row in self.devices.of_user(principal.user_id)]})

    @needs(Needs.TOKEN)
    def revoke_device(self, device_id: str) -> Response:
        principal = caller()
        self.devices.revoke(device_id, principal.user_id, user_id=principal.user_id)
        return Response(status=204)

    @needs(Needs.TOKEN)
    def list_scheduled(self) -> Response:
        return answer({"scheduled": [_scheduled(row) for row in self.scheduled.of(caller())]})

    @needs(Needs.TOKEN)
    def cancel_scheduled(self, message_id: str) -> Response:
        self.scheduled.cancel(caller(), message_id)
        return Response(status=204)


def told(stored: Stored) -> tuple[dict[str, object], int]:
    """What a publish is answered with, and the status."""
    body = {"id": stored.id, "recipients": stored.recipients, "duplicate": stored.duplicate}
    return body, 200 if stored.duplicate else 201


def _device(row: DeviceRow, principal: Principal) -> Device:
    return Device(
        id=row.id,
        name=row.name,
        created_at=row.created_at,
        last_used_at=row.last_used_at,
        current=row.id == principal.device_id,
    )


def _scheduled(row: ScheduledRow) -> dict[str, object]:
    draft = msgspec.to_builtins(msgspec.json.decode(row.draft, type=Publish))
    kept = {name: value for name, value in draft.items() if value not in (None, "")}
    waiting = {"id": row.id, "created_at": row.created_at, "recipients": row.recipients}
    return kept | waiting | ({"problem": row.problem} if row.problem else {})
