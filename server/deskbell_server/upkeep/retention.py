"""How long messages are kept: by age and by count. A client that was away longer is told where its history begins."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from deskbell_protocol.ids import now_ms
from deskbell_server.clock import Ages
from deskbell_server.errors import UnavailableError
from deskbell_server.periodic import Periodic
from deskbell_server.store import doors, prune
from deskbell_server.store import log as log_rows
from deskbell_server.store.database import Connection, Database

log = logging.getLogger(__name__)

DAY_MS = 86_400_000
AT_ONCE = 500
EVERY_S = 3_600.0
FIRST_S = 30.0


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """Entries younger than `days`, and of each conversation the newest `events`; None: without end."""

    days: float | None
    events: int | None

    @property
    def everything(self) -> bool:
        return self.days is None and self.events is None


@dataclass(frozen=True, slots=True)
class Pruning:
    """In small transactions, so that no message waits for them."""

    database: Database
    ages: Ages

    def prune(self, kept: RetentionPolicy, actor: str) -> int:
        """Forgets what is not to be kept; how many entries of the log that were. UnavailableError where a restore comes
        in between.
        """
        now, forgotten = self.database.write(self.ages.advance), 0
        epoch = self.database.read(log_rows.end).epoch
        if kept.days is not None:
            before = now - round(kept.days * DAY_MS)
            forgotten += self._forget(epoch, None, self.database.read(partial(prune.last_before, at=before)))
        if kept.events is not None:
            for channel, up_to in self.database.read(partial(prune.crowded, keep=kept.events)).items():
                forgotten += self._forget(epoch, channel, up_to)
        self._remove(epoch, self.database.read(partial(prune.last_before, at=now - log_rows.KEY_LIFE_MS)))
        if forgotten:
            said = f"{forgotten} entries"
            self.database.write(lambda connection: doors.audit(connection, now_ms(), actor, "prune", "", said))
        return forgotten

    def loop(self, kept: RetentionPolicy) -> Periodic:
        return Periodic("retention", partial(self._turn, kept), EVERY_S, first_s=FIRST_S)

    def _turn(self, kept: RetentionPolicy) -> None:
        forgotten = self.prune(kept, "retention")
        if forgotten:
            log.info("%d entries were older than is kept", forgotten)

    def _forget(self, epoch: str, channel: int | None, up_to: int) -> int:
        count = after = 0
        standing = partial(prune.standing, channel=channel, up_to=up_to, limit=AT_ONCE)
        while places := self.database.read(partial(standing, after=after)):
            self._write(epoch, partial(prune.take_out, places=places))
            count, after = count + len(places), places[-1][0]
        return count

    def _remove(self, epoch: str, week_ago: int) -> None:
        after = 0
        while places := self.database.read(partial(prune.gone, after=after, limit=AT_ONCE)):
            dead = self.database.read(partial(prune.without_others, places=places))
            self._write(epoch, partial(prune.remove, seqs=dead, week_ago=week_ago))
            after = places[-1][0]

    def _write(self, epoch: str, job: Callable[[Connection], None]) -> None:
        """A place of a log that was replaced meanwhile is another message."""

        def of_this_log(connection: Connection) -> None:
            if log_rows.end(connection).epoch != epoch:
                raise UnavailableError("the database was restored meanwhile")
            job(connection)

        self.database.write(of_this_log)
