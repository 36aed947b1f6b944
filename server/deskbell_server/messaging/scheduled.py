"""Messages that wait for their time: they survive a restart, can be cancelled, and are then stored like any other."""

import logging
from collections.abc import Callable

import msgspec
from gevent.event import Event

from deskbell_protocol.errors import Code
from deskbell_protocol.ids import now_ms
from deskbell_protocol.wire import Publish
from deskbell_server.errors import RefusedError, UnavailableError
from deskbell_server.messaging.addressing import resolve
from deskbell_server.messaging.messages import append
from deskbell_server.messaging.publishes import Announcement, Stored
from deskbell_server.periodic import Periodic
from deskbell_server.principals import Principal
from deskbell_server.store import devices, doors
from deskbell_server.store.database import Connection, Database
from deskbell_server.store.doors import ScheduledRow

log = logging.getLogger(__name__)

AT_ONCE = 100
SLEEP_MAX_S = 60.0
RETRY_S = 1.0


class Scheduled:
    """Its turn delivers what is due; `announce` as for `Messages`."""

    def __init__(
        self, database: Database, announce: Callable[[Announcement], None], now: Callable[[], int] = now_ms
    ) -> None:
        self._database = database
        self._now = now
        self._announce = announce
        self._changed = Event()

    def of(self, principal: Principal) -> list[ScheduledRow]:
        return self._database.read(lambda connection: doors.scheduled_of(connection, principal.user_id))

    def cancel(self, principal: Principal, message_id: str) -> None:
        """RefusedError `not_found` when it is not theirs, or was delivered."""

        def job(connection: Connection) -> None:
            if not doors.cancel_scheduled(connection, message_id, principal.user_id, self._now()):
                raise RefusedError(Code.NOT_FOUND, "no such message is waiting")

        self._database.write(job)

    def on_scheduled(self, _deliver_at: int) -> None:
        self._changed.set()

    def loop(self) -> Periodic:
        return Periodic("what is scheduled", self._turn, RETRY_S, rest=self._changed.wait)

    def _turn(self) -> float:
        """Delivers what is due; the seconds until the next."""
        self._changed.clear()
        rows = self._database.read(lambda connection: doors.due(connection, self._now(), AT_ONCE))
        for row in rows:
            self._deliver(row)
        if len(rows) == AT_ONCE:
            return 0.0
        due = self._database.read(doors.next_due)
        return SLEEP_MAX_S if due is None else min(SLEEP_MAX_S, max(0.0, (due - self._now()) / 1000))

    def _deliver(self, row: ScheduledRow) -> None:
        try:
            stored = self._database.write(lambda connection: deliver(connection, row, self._now()))
        except RefusedError as refused:
            if isinstance(refused, UnavailableError):
                raise
            log.warning("scheduled message %s cannot be delivered: %s", row.id, refused.code)
            problem = f"{refused.code}: {refused.message}"
            self._database.write(lambda connection: doors.fail_scheduled(connection, row.id, problem))
            return
        if stored is not None and stored.announcement is not None:
            log.info("scheduled message %s delivered to %d", row.id, stored.recipients)
            self._announce(stored.announcement)


def deliver(connection: Connection, row: ScheduledRow, at: int) -> Stored | None:
    """In one transaction: no longer waiting, and in the logs. None when it was cancelled meanwhile."""
    draft = msgspec.json.decode(row.draft, type=Publish)
    writer = devices.writer(connection, row.user_id)
    if writer is None:
        raise RefusedError(Code.FORBIDDEN, "the account that wrote it is disabled")
    audience = resolve(connection, writer, draft)
    if not doors.take_scheduled(connection, row.id):
        return None
    return append(connection, writer.party, draft, audience, row.cid, row.id, at)
