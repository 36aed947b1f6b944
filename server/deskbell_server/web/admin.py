"""Administration by browser: each route parses, calls the service that the command line calls too, and answers."""

import secrets
from dataclasses import dataclass
from typing import Annotated

from flask import Blueprint, Response, request
from msgspec import Meta, field

from deskbell_protocol import limits, names
from deskbell_protocol.wire import Incoming, Key, Publish, Said, saying
from deskbell_server.delivery.presence import Presence
from deskbell_server.edge.gate import Needs, answer, body_as, caller, needs
from deskbell_server.messaging.messages import Messages
from deskbell_server.people.people import People
from deskbell_server.web.browser import Browser
from deskbell_server.web.session import describe

PAGE = 50
Names = Annotated[list[str], Meta(max_length=limits.RECIPIENTS)]


class Confirmation(Incoming, frozen=True):
    password: Annotated[str, Meta(max_length=limits.PASSWORD_CHARS_MAX)]


class NewUser(Incoming, frozen=True):
    name: str
    display: str = ""
    admin: bool = False


class GroupChange(Incoming, frozen=True):
    group: str
    display: str = ""
    add: Names = field(default_factory=list)
    remove: Names = field(default_factory=list)


class Announcement(Said, frozen=True, kw_only=True):
    key: Key


@dataclass(frozen=True, slots=True)
class Admin:
    people: People
    messages: Messages
    presence: Presence
    browser: Browser
    diagnostics: bool

    def blueprint(self) -> Blueprint:
        found = Blueprint("web_admin", __name__, url_prefix="/admin")
        for rule, method, view in (
            ("/session", "GET", self.session),
            ("/confirm", "POST", self.confirm),
            ("/api/users", "GET", self.users),
            ("/api/users", "POST", self.add_user),
            ("/api/users/<name>/link", "POST", self.link),
            ("/api/users/<name>/disable", "POST", self.disable),
            ("/api/users/<name>/enable", "POST", self.enable),
            ("/api/groups", "GET", self.groups),
            ("/api/groups", "POST", self.change_group),
            ("/api/groups/<name>", "DELETE", self.remove_group),
            ("/api/devices", "GET", self.devices),
            ("/api/devices/<device_id>", "DELETE", self.revoke),
            ("/api/announce", "POST", self.announce),
            ("/api/activity", "GET", self.activity),
        ):
            found.add_url_rule(rule, view.__name__, view, methods=[method])
        return found

    @needs(Needs.NOTHING)
    def session(self) -> Response:
        """As `/web/session`; asked here, because the cookie of the confirmation is sent to no other place."""
        return describe(self.browser, diagnostics=self.diagnostics)

    @needs(Needs.SESSION)
    def confirm(self) -> Response:
        principal = caller()
        self.people.accounts.confirm(principal, body_as(Confirmation).password)
        response = answer({})
        self.browser.confirm(response, principal)
        return response

    # -- people

    @needs(Needs.ADMIN)
    def users(self) -> Response:
        rows = [
            {
                "id": user.id,
                "name": user.name,
                "display": user.display,
                "admin": user.is_admin,
                "may_announce": user.may_announce,
                "disabled": user.disabled_at is not None,
                "online": self.presence.has_user(user.id),
            }
            for user in self.people.accounts.everyone()
        ]
        return answer({"users": rows})

    @needs(Needs.ADMIN)
    def add_user(self) -> Response:
        """With a password that nobody knows, and a link to choose another."""
        asked, actor = body_as(NewUser), caller().user_id
        secret = secrets.token_urlsafe(32)
        party = self.people.accounts.add(asked.name, secret, display=asked.display, admin=asked.admin, actor=actor)
        return answer({"name": party.name, "link": self._link(party.name)}, 201)

    @needs(Needs.ADMIN)
    def link(self, name: str) -> Response:
        return answer({"link": self._link(name)})

    @needs(Needs.ADMIN)
    def disable(self, name: str) -> Response:
        self.people.accounts.set_disabled(name, True, caller().user_id)
        return Response(status=204)

    @needs(Needs.ADMIN)
    def enable(self, name: str) -> Response:
        self.people.accounts.set_disabled(name, False, caller().user_id)
        return Response(status=204)

    def _link(self, name: str) -> str:
        return link_path(self.people.accounts.link(name, caller().user_id))

    # -- groups

    @needs(Needs.ADMIN)
    def groups(self) -> Response:
        return answer({"groups": self.people.groups.listed()})

    @needs(Needs.ADMIN)
    def change_group(self) -> Response:
        asked, actor = body_as(GroupChange), caller().user_id
        if asked.remove:
            self.people.groups.remove(asked.group, asked.remove, actor)
        else:
            self.people.groups.add(asked.group, asked.add, asked.display, actor)
        return Response(status=204)

    @needs(Needs.ADMIN)
    def remove_group(self, name: str) -> Response:
        self.people.groups.remove(name, [], caller().user_id)
        return Response(status=204)

    # -- devices

    @needs(Needs.ADMIN)
    def devices(self) -> Response:
        online = set(self.presence.devices())
        rows = [
            {
                "id": row.id,
                "user": row.user_name,
                "name": row.name,
                "created_at": row.created_at,
                "last_used_at": row.last_used_at,
                "online": row.id in online,
            }
            for row in self.people.devices.everyones()
        ]
        return answer({"devices": rows})

    @needs(Needs.ADMIN)
    def revoke(self, device_id: str) -> Response:
        self.people.devices.revoke(device_id, caller().user_id)
        return Response(status=204)

    # -- everyone

    @needs(Needs.ADMIN)
    def announce(self) -> Response:
        asked = body_as(Announcement)
        draft = saying(Publish, asked, to=[names.EVERYONE])
        principal = caller()
        stored = self.messages.publish(principal, draft, asked.key, announced_by=principal.user_id)
        return answer({"id": stored.id, "recipients": stored.recipients, "duplicate": stored.duplicate}, 201)

    @needs(Needs.ADMIN)
    def activity(self) -> Response:
        rows = self.people.activity.page(request.args.get("before"), PAGE + 1)
        return answer({"entries": rows[:PAGE], "more": len(rows) > PAGE})


def link_path(link: str) -> str:
    """Behind the `#`, so that it stands in no server's log."""
    return f"password#{link}"
