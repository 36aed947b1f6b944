"""Messages that wait for their time: they survive a restart, can be cancelled, and are then stored like any other."""

import logging
from collections.abc import Callable

from gevent.event import Event

from deskbell_protocol.errors import Code
from deskbell_protocol.ids import now_ms
from deskbell_server.errors import STORE_AWAY, RefusedError
from deskbell_server.messaging.appending import deliver
from deskbell_server.messaging.publishes import Stored
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
    """Its turn delivers what is due."""

    def __init__(self, database: Database, now: Callable[[], int] = now_ms) -> None:
        self._database = database
        self._now = now
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
            stored = self._database.write(lambda connection: self._delivered(connection, row))
        except STORE_AWAY:
            raise
        except RefusedError as refused:
            log.warning("scheduled message %s cannot be delivered: %s", row.id, refused.code)
            self._fail(row, f"{refused.code}: {refused.message}")
        except Exception:
            log.exception("scheduled message %s cannot be delivered", row.id)
            self._fail(row, f"{Code.INTERNAL}: the server could not do this")
        else:
            if stored is not None:
                log.info("scheduled message %s delivered to %d", row.id, stored.recipients)

    def _delivered(self, connection: Connection, row: ScheduledRow) -> Stored | None:
        writer = devices.writer(connection, row.user_id)
        if writer is None:
            raise RefusedError(Code.FORBIDDEN, "the account that wrote it is disabled")
        return deliver(connection, writer, row, self._now())

    def _fail(self, row: ScheduledRow, problem: str) -> None:
        """It waits no longer, and stands in the way of no other."""
        self._database.write(lambda connection: doors.fail_scheduled(connection, row.id, problem))
