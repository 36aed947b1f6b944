"""How long messages are kept: by age and by count. A client that was away longer is told where its history begins."""

import logging
from dataclasses import dataclass
from functools import partial

from deskbell_protocol.ids import now_ms
from deskbell_server.clock import Ages
from deskbell_server.periodic import Periodic
from deskbell_server.store import doors, prune
from deskbell_server.store.database import Database

log = logging.getLogger(__name__)

DAY_MS = 86_400_000
AT_ONCE = 500
KEPT_MS = 7 * DAY_MS
"""So long the row of what is forgotten stays, without what it said."""
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
        """Forgets what is not to be kept; how many entries of the log that were."""
        now, forgotten = self.database.write(self.ages.advance), 0
        if kept.days is not None:
            before = now - round(kept.days * DAY_MS)
            forgotten += self._forget(
                None, self.database.read(lambda connection: prune.last_before(connection, before))
            )
        if kept.events is not None:
            most = kept.events
            for channel, up_to in self.database.read(lambda connection: prune.crowded(connection, most)).items():
                forgotten += self._forget(channel, up_to)
        self._remove(self.database.read(lambda connection: prune.last_before(connection, now - KEPT_MS)))
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

    def _forget(self, channel: int | None, up_to: int) -> int:
        count = after = 0
        while places := self.database.read(
            partial(prune.standing, channel=channel, after=after, up_to=up_to, limit=AT_ONCE)
        ):
            self.database.write(partial(prune.take_out, places=places))
            count, after = count + len(places), places[-1][0]
        return count

    def _remove(self, week_ago: int) -> None:
        after = 0
        while places := self.database.read(partial(prune.gone, after=after, limit=AT_ONCE)):
            dead = self.database.read(partial(prune.without_others, places=places))
            self.database.write(partial(prune.remove, seqs=dead, week_ago=week_ago))
            after = places[-1][0]
