"""Once a second: what other processes committed, whose tokens ended, to whom a `head` is due."""

import logging
import math
import random
import time

from deskbell_protocol import limits
from deskbell_server.delivery.delivery import Delivery
from deskbell_server.delivery.presence import Presence
from deskbell_server.people.devices import Devices
from deskbell_server.periodic import Periodic
from deskbell_server.store import users
from deskbell_server.store.database import Database

log = logging.getLogger(__name__)

EVERY_S = 1.0
_GRAIN_S = 0.25


class HeadTimes:
    """When each connected user is due for a `head`: every 15 s ± 20 %, spread by chance. Pure."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._due: dict[int, list[str]] = {}

    def add(self, user_id: str, now: float) -> None:
        spread = 1 + limits.HEAD_JITTER * (2 * self._chance.random() - 1)
        grain = math.ceil((now + limits.HEAD_INTERVAL_S * spread) / _GRAIN_S)
        self._due.setdefault(grain, []).append(user_id)

    def take(self, now: float) -> list[str]:
        """Those who are due; they must be added again."""
        grains = [grain for grain in self._due if grain * _GRAIN_S <= now]
        return [user_id for grain in grains for user_id in self._due.pop(grain)]


class Follower:
    """Keeps what is connected here in step with the database."""

    def __init__(self, database: Database, devices: Devices, presence: Presence, delivery: Delivery) -> None:
        self._database = database
        self._devices = devices
        self._presence = presence
        self._delivery = delivery
        self._times = HeadTimes(random.Random())  # noqa: S311 - spreads load, guards nothing
        self._timed: set[str] = set()
        self._is_changed = False

    def connected(self, user_id: str) -> None:
        if user_id not in self._timed:
            self._timed.add(user_id)
            self._times.add(user_id, time.monotonic())

    def loop(self) -> Periodic:
        return Periodic("looking after who is connected", self._turn, EVERY_S, first_s=EVERY_S)

    def _turn(self) -> None:
        due = {user_id for user_id in self._times.take(time.monotonic()) if self._still_here(user_id)}
        try:
            self._look(due)
        finally:
            now = time.monotonic()
            for user_id in due:
                self._times.add(user_id, now)

    def _look(self, due: set[str]) -> None:
        moved: set[str] = set()
        # What was seen to be changed is looked at until that succeeds.
        self._is_changed = self._database.changed_elsewhere() or self._is_changed
        if self._is_changed:
            self._see_epoch(self._database.read(users.epoch))
            self._devices.recheck(self._presence.devices())
            moved = set(self._presence.users()) - due
        heads = self._database.read(lambda connection: users.heads(connection, due | moved)) if due or moved else {}
        pushed = self._delivery.pushed
        self._delivery.head({u: head for u, head in heads.items() if u in due or head > pushed.get(u, 0)})
        self._is_changed = False

    def _see_epoch(self, epoch: str) -> None:
        """Another one: a backup was restored, and no number means what it meant."""
        if epoch != self._delivery.epoch:
            log.warning("the database was restored: epoch %s", epoch)
            self._delivery.epoch = epoch
            self._delivery.pushed.clear()
            self._delivery.head(dict.fromkeys(self._presence.users(), 0))

    def _still_here(self, user_id: str) -> bool:
        if self._presence.has_user(user_id):
            return True
        self._timed.discard(user_id)
        self._delivery.pushed.pop(user_id, None)
        return False
