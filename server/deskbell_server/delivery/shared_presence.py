"""Who is connected to any process: each tells the others, through the database, within two seconds.

Only pages ask this. Delivery asks `Presence`, because a process can push to its own sockets alone.
"""

import logging
import secrets
import time

import msgspec

from deskbell_server.delivery.presence import Presence
from deskbell_server.errors import STORE_AWAY
from deskbell_server.periodic import Periodic
from deskbell_server.store import online
from deskbell_server.store.database import Database

log = logging.getLogger(__name__)

EVERY_S = 1.0
BEAT_S = 10.0
SILENT_S = 25.0
"""A process that has not said anything for so long is gone."""


class Told(msgspec.Struct, frozen=True):
    """What a process says: its devices, and a number that grows."""

    beat: int
    devices: dict[str, str]


_decoder = msgspec.json.Decoder(Told)


class SharedPresence(Presence):
    """`here` and all that the others told. The caller passes the monotonic time in."""

    def __init__(self, database: Database, here: Presence) -> None:
        super().__init__()
        self._database = database
        self._here = here
        self._process = secrets.token_hex(8)
        self._said = Told(0, {})
        self._said_at = float("-inf")
        self._heard: dict[str, tuple[str, float]] = {}
        self._elsewhere: dict[str, str] = {}

    def has_user(self, user_id: str) -> bool:
        return self._here.has_user(user_id) or user_id in self._elsewhere.values()

    def users(self) -> list[str]:
        return list({*self._here.users(), *self._elsewhere.values()})

    def devices(self) -> list[str]:
        return list({*self._here.devices(), *self._elsewhere})

    def loop(self) -> Periodic:
        return Periodic("telling who is connected", lambda: self.exchange(time.monotonic()), EVERY_S)

    def exchange(self, now: float) -> None:
        """Tells what has changed, and hears the others."""
        devices = self._here.owners()
        if devices != self._said.devices or now - self._said_at >= BEAT_S:
            said = Told(self._said.beat + 1, devices)
            text = msgspec.json.encode(said).decode()
            self._database.write(lambda connection: online.tell(connection, self._process, text))
            self._said, self._said_at = said, now
        found = self._database.read(online.told)
        found.pop(self._process, None)
        self._hear(found, now)

    def close(self) -> None:
        """The others need not wait to see that it is gone."""
        try:
            self._database.write(lambda connection: online.forget(connection, self._process))
        except STORE_AWAY:
            log.info("the others will notice that this process is gone")

    def _hear(self, found: dict[str, str], now: float) -> None:
        self._heard = {
            process: known if (known := self._heard.get(process)) and known[0] == text else (text, now)
            for process, text in found.items()
        }
        self._elsewhere = {}
        for process, (text, since) in list(self._heard.items()):
            if now - since < SILENT_S:
                self._elsewhere |= _decoder.decode(text).devices
            else:
                gone = (process, text)
                self._database.write(lambda connection, gone=gone: online.forget(connection, *gone))  # type: ignore[misc]
