"""Who is connected to a namespace and in which rooms, known both ways: leaving costs as much as one's own rooms.

python-socketio's manager looks through every room of the namespace at each disconnect. Every method of it that reads
its tables is replaced here.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

from socketio import packet as sio
from socketio.manager import Manager

Send = Callable[[list[str], list[Any]], None]
"""Sends encoded packets (text, or bytes of attachments) to Engine.IO sockets."""
HELD: Final = 256
"""Packets that one client may be sent before it is let in; they follow its CONNECT."""


class _Space:
    """One namespace."""

    __slots__ = ("eio_sids", "joined", "leaving", "pending", "rooms", "sids")

    def __init__(self) -> None:
        self.eio_sids: dict[str, str] = {}
        self.sids: dict[str, str] = {}
        self.pending: dict[str, list[Any]] = {}
        self.leaving: set[str] = set()
        self.rooms: dict[str, dict[str, str]] = {}
        self.joined: dict[str, list[str]] = {}


_NOTHING: dict[str, str] = {}


class Rooms(Manager):  # type: ignore[misc]
    def __init__(self, send: Send, login_changed: Callable[[str, int], None]) -> None:
        super().__init__()
        self._send = send
        self._login_changed = login_changed
        self._spaces: dict[str, _Space] = {}

    def get_namespaces(self) -> list[str]:
        return list(self._spaces)

    # -- logins

    def pre_connect(self, eio_sid: str, namespace: str) -> str | None:
        space = self._spaces.setdefault(namespace, _Space())
        if eio_sid in space.sids:
            return None
        sid: str = self.server.eio.generate_id()
        space.eio_sids[sid] = eio_sid
        space.sids[eio_sid] = sid
        space.pending[sid] = []
        return sid

    def connect(self, sid: str, namespace: str) -> str:
        space = self._spaces[namespace]
        space.pending.pop(sid, None)
        self._login_changed(space.eio_sids[sid], 1)
        return sid

    def held(self, sid: str, namespace: str) -> list[Any]:
        """What handlers have sent to a client whom nobody has let in yet."""
        return self._spaces[namespace].pending.get(sid, [])

    def is_pre_connected(self, sid: str, namespace: str) -> bool:
        space = self._spaces.get(namespace)
        return space is not None and sid in space.pending

    def is_connected(self, sid: str | None, namespace: str) -> bool:
        space = self._spaces.get(namespace)
        return space is not None and sid in space.eio_sids and sid not in space.pending and sid not in space.leaving

    def sid_from_eio_sid(self, eio_sid: str, namespace: str) -> str | None:
        space = self._spaces.get(namespace)
        return space.sids.get(eio_sid) if space is not None else None

    def eio_sid_from_sid(self, sid: str, namespace: str) -> str | None:
        space = self._spaces.get(namespace)
        return space.eio_sids.get(sid) if space is not None else None

    def pre_disconnect(self, sid: str, namespace: str) -> str | None:
        space = self._spaces[namespace]
        space.leaving.add(sid)
        return space.eio_sids.get(sid)

    def basic_disconnect(self, sid: str, namespace: str, **_options: Any) -> None:
        space = self._spaces.get(namespace)
        if space is None or sid not in space.eio_sids:
            return
        for room in space.joined.pop(sid, ()):
            self._drop(space, sid, room)
        eio_sid = space.eio_sids.pop(sid)
        del space.sids[eio_sid]
        self.callbacks.pop(sid, None)
        space.leaving.discard(sid)
        if space.pending.pop(sid, None) is None:
            self._login_changed(eio_sid, -1)

    # -- rooms

    def is_sid_room(self, namespace: str, room: str) -> bool:
        space = self._spaces.get(namespace)
        return space is not None and room in space.eio_sids

    def basic_enter_room(self, sid: str, namespace: str, room: str, eio_sid: str | None = None) -> None:  # noqa: ARG002
        space = self._spaces.get(namespace)
        if space is None or sid not in space.eio_sids:
            raise ValueError("sid is not connected to requested namespace")
        if room == sid:
            return
        if room in space.eio_sids:
            raise ValueError("cannot enter a sid room")
        members = space.rooms.setdefault(room, {})
        if sid not in members:
            members[sid] = space.eio_sids[sid]
            space.joined.setdefault(sid, []).append(room)

    def basic_leave_room(self, sid: str, namespace: str, room: str) -> None:
        space = self._spaces.get(namespace)
        if space is not None and room in space.joined.get(sid, ()):
            space.joined[sid].remove(room)
            self._drop(space, sid, room)

    def _drop(self, space: _Space, sid: str, room: str) -> None:
        members = space.rooms[room]
        del members[sid]
        if not members:
            del space.rooms[room]

    def basic_close_room(self, room: str, namespace: str) -> None:
        if self.is_sid_room(namespace, room):
            raise ValueError("cannot close a sid room")
        space = self._spaces.get(namespace)
        for sid in list(space.rooms.get(room, ())) if space is not None else ():
            self.basic_leave_room(sid, namespace, room)

    def get_rooms(self, sid: str, namespace: str) -> list[str]:
        space = self._spaces.get(namespace)
        if space is None or sid not in space.eio_sids:
            return []
        return [sid, *space.joined.get(sid, ())]

    def members(self, namespace: str, room: str | None) -> dict[str, str]:
        """sid -> Engine.IO sid of a room, of one client by its sid, or of everybody (None). Not to be changed."""
        space = self._spaces.get(namespace)
        if space is None:
            return _NOTHING
        if room is None:
            found = space.eio_sids
        elif room in space.rooms:
            found = space.rooms[room]
        else:
            found = {room: space.eio_sids[room]} if room in space.eio_sids else _NOTHING
        if space.pending and not space.pending.keys().isdisjoint(found):
            # Whoever is still being asked who they are gets nothing.
            return {sid: eio_sid for sid, eio_sid in found.items() if sid not in space.pending}
        return found

    def get_participants(self, namespace: str, room: Any) -> Iterator[tuple[str, str]]:
        if room is None or isinstance(room, str):
            found = self.members(namespace, room)
        else:
            found = {sid: eio_sid for one in room for sid, eio_sid in self.members(namespace, one).items()}
        yield from list(found.items())

    # -- out

    def emit(
        self,
        event: str,
        data: Any,
        namespace: str,
        room: Any = None,
        skip_sid: Any = None,
        callback: Callable[..., Any] | None = None,
        to: Any = None,
        **_options: Any,
    ) -> None:
        args = list(data) if isinstance(data, tuple) else [] if data is None else [data]
        skip = set(skip_sid) if isinstance(skip_sid, list) else {skip_sid}
        members = [pair for pair in self.get_participants(namespace, to or room) if pair[0] not in skip]
        held = [pair for pair in self._holding(namespace, to or room) if pair[0] not in skip]
        if callback is None:
            encoded = self._encoded(namespace, None, [event, *args]) if members or held else []
            if members:
                self._send([eio_sid for _, eio_sid in members], encoded)
            for _, waiting in held:
                waiting.extend(encoded)
            return
        for sid, eio_sid in members:
            number = self._generate_ack_id(sid, callback)
            self._send([eio_sid], self._encoded(namespace, number, [event, *args]))
        for sid, waiting in held:
            waiting.extend(self._encoded(namespace, self._generate_ack_id(sid, callback), [event, *args]))

    def _holding(self, namespace: str, room: Any) -> list[tuple[str, list[Any]]]:
        """Those of `room` who are still being asked who they are, and what waits for them."""
        space = self._spaces.get(namespace)
        if space is None or not space.pending:
            return []
        rooms = (room,) if room is None or isinstance(room, str) else room
        return [
            (sid, waiting)
            for sid, waiting in space.pending.items()
            if len(waiting) < HELD and any(one in (None, sid, *space.joined.get(sid, ())) for one in rooms)
        ]

    def _encoded(self, namespace: str, number: int | None, data: list[Any]) -> list[Any]:
        encoded = self.server.packet_class(sio.EVENT, data=data, namespace=namespace, id=number).encode()
        return encoded if isinstance(encoded, list) else [encoded]
