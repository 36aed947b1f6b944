"""Who is connected to this process: which sockets, of which devices, of which users."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from deskbell_protocol import limits
from deskbell_protocol.errors import Code
from deskbell_server.errors import LimitedError
from deskbell_server.principals import Principal

TOO_MANY_WAIT_S = 30.0


def user_room(number: int) -> str:
    """Of a person, by what the log calls them."""
    return f"u:{number}"


def device_room(device_id: str) -> str:
    return f"d:{device_id}"


@dataclass(slots=True)
class Presence:
    """Sockets by `sid`, counted by device and by user."""

    _sockets: dict[str, Principal] = field(default_factory=dict)
    _devices: dict[str, set[str]] = field(default_factory=dict)
    _users: dict[str, int] = field(default_factory=dict)

    def add(self, sid: str, principal: Principal) -> bool:
        """Whether it is the first socket of its user. RefusedError `too_many` beyond five of one device."""
        sockets = self._devices.setdefault(principal.device_id, set())
        if len(sockets) >= limits.SOCKETS_PER_DEVICE:
            raise LimitedError("this device has too many connections", TOO_MANY_WAIT_S, Code.TOO_MANY)
        sockets.add(sid)
        self._sockets[sid] = principal
        count = self._users.get(principal.user_id, 0) + 1
        self._users[principal.user_id] = count
        return count == 1

    def remove(self, sid: str) -> Principal | None:
        """Harmless for one that was never accepted, and twice."""
        principal = self._sockets.pop(sid, None)
        if principal is None:
            return None
        sockets = self._devices[principal.device_id]
        sockets.discard(sid)
        if not sockets:
            del self._devices[principal.device_id]
        self._users[principal.user_id] -= 1
        if not self._users[principal.user_id]:
            del self._users[principal.user_id]
        return principal

    def get(self, sid: str) -> Principal | None:
        return self._sockets.get(sid)

    def has_user(self, user_id: str) -> bool:
        return user_id in self._users

    def users(self) -> list[str]:
        return list(self._users)

    def owners(self) -> dict[str, str]:
        """The user of each connected device."""
        return {principal.device_id: principal.user_id for principal in self._sockets.values()}

    def devices(self) -> list[str]:
        return list(self._devices)

    def sockets(self) -> Iterator[str]:
        return iter(list(self._sockets))
