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
EVENTS_AT_ONCE = 2_000
MESSAGES_AT_ONCE = 500
EVERY_S = 3_600.0
FIRST_S = 30.0


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """Events younger than `days`, and of each log the newest `events`; None: without end."""

    days: float | None
    events: int | None

    @property
    def everything(self) -> bool:
        return self.days is None and self.events is None


@dataclass(frozen=True, slots=True)
class Pruned:
    events: int
    messages: int


@dataclass(frozen=True, slots=True)
class Pruning:
    """In small transactions, so that no message waits for them."""

    database: Database
    ages: Ages

    def prune(self, kept: RetentionPolicy, actor: str) -> Pruned:
        """Forgets what is not to be kept."""
        now = self.database.write(self.ages.advance)
        before = 0 if kept.days is None else now - round(kept.days * DAY_MS)
        floors = self.database.read(lambda connection: prune.floors(connection, before, kept.events))
        events = sum(self._one(user_id, floor) for user_id, floor in floors.items())
        messages = self.database.read(prune.unreferred) if events else []
        for start in range(0, len(messages), MESSAGES_AT_ONCE):
            part = messages[start : start + MESSAGES_AT_ONCE]
            self.database.write(partial(prune.remove_messages, ids=part))
        if events:
            said = f"{events} events, {len(messages)} messages"
            self.database.write(lambda connection: doors.audit(connection, now_ms(), actor, "prune", "", said))
        return Pruned(events, len(messages))

    def loop(self, kept: RetentionPolicy) -> Periodic:
        return Periodic("retention", partial(self._turn, kept), EVERY_S, first_s=FIRST_S)

    def _turn(self, kept: RetentionPolicy) -> None:
        pruned = self.prune(kept, "retention")
        if pruned.events:
            log.info("%d events and %d messages were older than is kept", pruned.events, pruned.messages)

    def _one(self, user_id: str, floor: int) -> int:
        gone, now = 0, -1
        while now < floor:
            before = now
            now, count = self.database.write(
                lambda connection: prune.raise_floor(connection, user_id, floor, EVENTS_AT_ONCE)
            )
            gone += count
            if now == before:
                break
        return gone
