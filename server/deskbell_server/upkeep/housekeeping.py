"""What must be done now and then: when devices were last used, and what was cancelled so long ago that it is over."""

import gevent

from deskbell_server.clock import Ages
from deskbell_server.people.devices import Devices
from deskbell_server.periodic import Periodic
from deskbell_server.store import doors
from deskbell_server.store.database import Database
from deskbell_server.store.log import KEY_LIFE_MS

EVERY_S = 60.0
AT_ONCE = 2_000


class Housekeeping:
    """Small transactions, so that no message waits for them."""

    def __init__(self, database: Database, devices: Devices, ages: Ages) -> None:
        self._database = database
        self._devices = devices
        self._ages = ages

    def loop(self) -> Periodic:
        return Periodic("housekeeping", self._turn, EVERY_S)

    def _turn(self) -> None:
        self._devices.save_used()
        self.forget_cancelled()

    def forget_cancelled(self) -> None:
        before = self._database.write(self._ages.advance) - KEY_LIFE_MS
        while self._database.write(lambda connection: doors.forget_cancelled(connection, before, AT_ONCE)):
            gevent.sleep(0.05)
