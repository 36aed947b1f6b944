"""What was done to accounts, groups and devices, and by whom."""

from dataclasses import dataclass

from deskbell_server.store import doors
from deskbell_server.store.database import Database

COMMAND_LINE = "command line"
"""Who acts when nobody is signed in."""


@dataclass(frozen=True, slots=True)
class Activity:
    database: Database

    def page(self, before: str | None, limit: int) -> list[doors.AuditRow]:
        """Newest first."""
        return self.database.read(lambda connection: doors.audited(connection, before, limit))
