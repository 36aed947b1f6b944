"""Announcements, sent by an admin from a page or the command line and written down; and all that was written down."""

from dataclasses import dataclass

from deskbell_protocol.ids import now_ms
from deskbell_protocol.wire import Publish
from deskbell_server.messages import Messages, Stored
from deskbell_server.principals import Principal
from deskbell_server.store import doors
from deskbell_server.store.database import Database


@dataclass(frozen=True, slots=True)
class Announcing:
    database: Database
    messages: Messages

    def announce(self, principal: Principal, draft: Publish, key: str, *, actor: str = "") -> Stored:
        """As `Messages.publish`; a repeated one is neither sent nor written down again."""
        stored = self.messages.publish(principal, draft, key)
        if not stored.duplicate:
            by, detail = actor or principal.user_id, f"{stored.recipients} recipients"
            self.database.write(lambda connection: doors.audit(connection, now_ms(), by, "announce", stored.id, detail))
        return stored


@dataclass(frozen=True, slots=True)
class Activity:
    """What was done to accounts, groups and devices, and by whom."""

    database: Database

    def page(self, before: str | None, limit: int) -> list[doors.AuditRow]:
        """Newest first."""
        return self.database.read(lambda connection: doors.audited(connection, before, limit))
