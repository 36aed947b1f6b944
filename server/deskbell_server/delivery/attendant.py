"""Once a second: whose tokens ended, to whom a `head` is due, and that the writer looks at what others committed."""

import math
import random
import time

from deskbell_protocol import limits
from deskbell_server.delivery.delivery import Delivery
from deskbell_server.delivery.presence import Presence
from deskbell_server.people.devices import Devices
from deskbell_server.periodic import Periodic
from deskbell_server.principals import Principal
from deskbell_server.store.database import Database

EVERY_S = 1.0
_GRAIN_S = 0.25


class HeadTimes:
    """When each connected person is due for a `head`: every 15 s ± 20 %, spread by chance. Pure."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._due: dict[int, list[int]] = {}

    def add(self, person: int, now: float) -> None:
        spread = 1 + limits.HEAD_JITTER * (2 * self._chance.random() - 1)
        grain = math.ceil((now + limits.HEAD_INTERVAL_S * spread) / _GRAIN_S)
        self._due.setdefault(grain, []).append(person)

    def take(self, now: float) -> list[int]:
        """Those who are due; they must be added again."""
        grains = [grain for grain in self._due if grain * _GRAIN_S <= now]
        return [person for grain in grains for person in self._due.pop(grain)]


class Attendant:
    """Looks after who is connected here. What it asks of the database every second lets the writer look, too."""

    def __init__(self, database: Database, devices: Devices, presence: Presence, delivery: Delivery) -> None:
        self._database = database
        self._devices = devices
        self._presence = presence
        self._delivery = delivery
        self._times = HeadTimes(random.Random())  # noqa: S311 - spreads load, guards nothing
        self._timed: set[int] = set()
        self._is_changed = False

    def connected(self, principal: Principal) -> None:
        """A socket of theirs was let in."""
        self._delivery.arrived(principal)
        if principal.number not in self._timed:
            self._timed.add(principal.number)
            self._times.add(principal.number, time.monotonic())

    def disconnected(self, principal: Principal) -> None:
        """One was closed."""
        if not self._presence.has_user(principal.user_id):
            self._delivery.left(principal)

    def loop(self) -> Periodic:
        return Periodic("looking after who is connected", self._turn, EVERY_S, first_s=EVERY_S)

    def _turn(self) -> None:
        now = time.monotonic()
        due = self._times.take(now)
        here = self._delivery.connected(due)
        self._timed.difference_update(set(due) - here)
        for person in here:
            self._times.add(person, now)
        self._delivery.head(here)
        # What was seen to be changed is looked at until that succeeds.
        self._is_changed = self._database.changed_elsewhere() or self._is_changed
        if self._is_changed:
            self._devices.recheck(self._presence.devices())
            self._is_changed = False
