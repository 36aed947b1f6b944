"""What the writer does after each group for whoever follows: tells what it appended, and looks at what others did."""

import logging
from collections.abc import Callable
from typing import Any

from deskbell_server.store.database import Connection, Session
from deskbell_server.store.wake import Job

log = logging.getLogger(__name__)


class Following:
    """Used by the writer's thread alone, but for `is_nudged`. The parts: `Database.follow`."""

    def __init__(
        self,
        own: Callable[[Connection], Any],
        look: Callable[[Connection, bool], tuple[Any, bool] | None],
        give: Callable[[Any], object],
    ) -> None:
        self._own = own
        self._look = look
        self._give = give
        self._told_all = self._is_wanted = False
        self.is_nudged = False
        """Whether somebody wants it to look, and has put a job in the queue for it."""
        self.has_written = False
        """Whether something was committed that is not told yet."""

    def begun(self) -> None:
        """A group is taken, and who nudged before it was is served with it; who comes now has a job behind it."""
        self._is_wanted, self.is_nudged = self._is_wanted or self.is_nudged, False

    def own(self, session: Session) -> list[Job]:
        """What the group has appended, where nothing need be asked for it: who wrote it gets it with the answer."""
        if not session.memory.appended:
            return []
        try:
            found = self._own(session)
        except Exception:
            log.exception("what was committed cannot be told at once")
            found = None
        session.memory.appended.clear()
        if found is None:
            return []
        self.has_written, self._told_all = False, True
        return [self._told(found)]

    def is_due(self) -> bool:
        """Whether to look now: not where all that the last group wrote is told, and nobody wants it."""
        is_due = self._is_wanted or not self._told_all
        self._is_wanted = self._told_all = False
        return is_due

    def look(self, session: Session, end: Callable[[Session], object]) -> tuple[Job, bool] | None:
        """On a snapshot, which is over with `end`: what is to be told, and whether there is more."""
        has_written, self.has_written = self.has_written, False
        session.begin_reading()
        try:
            found = self._look(session, has_written)
        finally:
            end(session)
        return None if found is None else (self._told(found[0]), found[1])

    def _told(self, found: Any) -> Job:
        told = Job(_nothing, lambda job: self._give(job.result))
        told.result = found
        return told


def _nothing(_connection: Connection) -> None:
    """Work of what is told: it was done."""
