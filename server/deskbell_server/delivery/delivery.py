"""Passes on to whoever is connected what the feed brings: an event to those who see it, to the others nothing.

`told` of a person is the place up to which their sockets here have been sent what they see; it stands in the next frame
as `prev`, so that a client notices what it missed. Source: LOG.md 11 and 13 to 15.
"""

import logging
from collections.abc import Iterable, Sequence
from itertools import groupby, pairwise

import msgspec

from deskbell_protocol import names
from deskbell_protocol.errors import FATAL, Code
from deskbell_protocol.wire import Bye
from deskbell_server.delivery.feed import Passed, Push
from deskbell_server.delivery.presence import Presence, device_room, user_room
from deskbell_server.principals import Principal
from deskbell_server.store.log import LogEnd
from deskbell_server.transport import Transport

log = logging.getLogger(__name__)


class Delivery:
    """In the loop alone. Nothing here may fail a request: what it tells was committed before."""

    def __init__(self, transport: Transport, presence: Presence, place: LogEnd) -> None:
        self._transport = transport
        self._presence = presence
        self._told: dict[int, int] = {}
        self._left: set[str] = set()
        """Epochs that are over."""
        self.place = place
        """Up to where everything was passed on."""

    def arrived(self, principal: Principal) -> None:
        """One of their sockets is in its rooms, and nobody else was told anything since."""
        self._told.setdefault(principal.number, max(self.place.seq, principal.from_seq - 1))

    def left(self, principal: Principal) -> None:
        """Their last socket here is gone."""
        self._told.pop(principal.number, None)

    def connected(self, people: Iterable[int]) -> set[int]:
        """Those of them who are."""
        return self._told.keys() & set(people)

    def passed(self, found: Passed) -> None:
        """What the feed brings."""
        if found.after.epoch != found.place.epoch:
            self._left.discard(found.place.epoch)  # it came last, whatever was heard of it before
        elif found.place.epoch in self._left:
            return
        if found.is_jump or found.after != self.place:  # else what lies between would be passed silently
            self._jump(found.place)
            return
        self.place = found.place
        for people, pushes in groupby(found.pushes, lambda push: push.people):
            if people is None:
                self._pass_joined(list(pushes))
                continue
            for push in pushes:
                self._pass(push, people)

    def synced(self, place: LogEnd) -> None:
        """What an answer to a sync said: another log than this one is told of at once, but none that came before it."""
        if place.epoch != self.place.epoch and place.epoch not in self._left:
            self._jump(place)

    def head(self, people: Iterable[int]) -> None:
        """Where the log ends, to those of these people who are connected."""
        rooms = []
        for person in people:
            told = self._told.get(person)
            if told is not None:
                self._told[person] = seq = max(told, self.place.seq)
                rooms.append((user_room(person), self._place(told, seq)))
        try:
            self._transport.fan_out(names.HEAD, rooms, b"}")
        except Exception:
            log.exception("where the log ends cannot be pushed")

    def bye_all(self, code: Code, after_ms: int) -> None:
        """Everybody is told when to come back."""
        rooms = [(user_room(person), b"") for person in self._told]
        self._transport.fan_out(names.BYE, rooms, msgspec.json.encode(Bye(code=code, after_ms=after_ms)))

    def close_devices(self, device_ids: list[str]) -> None:
        """They were signed out: told so, and closed."""
        tail = msgspec.json.encode(Bye(code=Code.REVOKED, fatal=Code.REVOKED in FATAL))
        connected = set(self._presence.devices())
        for device_id in connected.intersection(device_ids):
            log.info("device %s is signed out: closing its connections", device_id)
            self._transport.fan_out(names.BYE, [(device_room(device_id), b"")], tail)
            self._transport.disconnect_room(device_room(device_id))

    def _jump(self, place: LogEnd) -> None:
        """What lies between is not passed on: all are told where the log ends, and ask."""
        if place.epoch != self.place.epoch:
            self._left.add(self.place.epoch)
            log.warning("the database was restored: epoch %s", place.epoch)
            self._told = dict.fromkeys(self._told, place.seq)
        else:
            self._told = {person: max(told, place.seq) for person, told in self._told.items()}
        self.place = place
        self.head(list(self._told))

    def _pass(self, push: Push, people: Iterable[int]) -> None:
        """To those of these people who are connected, and were not told of it."""
        told = self._told
        rooms: list[tuple[str, bytes]] = []
        own: list[tuple[str, bytes]] = []
        for person in people:
            prev = told.get(person)
            if prev is None or prev >= push.seq:
                continue
            told[person] = push.seq  # of all before anything is sent: whoever does not get it must notice with the next
            to = own if push.own_tail is not None and person == push.sender else rooms
            to.append((user_room(person), self._place(prev, push.seq)))
        if own and push.own_tail is not None:
            self._send(own, push.own_tail)
        if rooms:
            self._send(rooms, push.tail)

    def _pass_joined(self, pushes: Sequence[Push]) -> None:
        """To everyone: as one write, but for those who wrote some of it, or were told of some."""
        first, last = pushes[0].seq, pushes[-1].seq
        more = [self._place(before.seq, push.seq) + push.tail for before, push in pairwise(pushes)]
        senders = {push.sender for push in pushes if push.own_tail is not None}
        told = self._told
        places: dict[int, bytes] = {}
        rooms: list[tuple[str, bytes]] = []
        apart: list[int] = []
        for person, prev in told.items():
            if prev >= first or person in senders:
                apart.append(person)
                continue
            place = places.get(prev)
            if place is None:
                place = places[prev] = self._place(prev, first)
            told[person] = last
            rooms.append((user_room(person), place))
        self._send(rooms, pushes[0].tail, more)
        for push in pushes:
            self._pass(push, apart)

    def _send(self, rooms: Sequence[tuple[str, bytes]], tail: bytes, more: Sequence[bytes] = ()) -> None:
        """Whoever does not get it notices that with what comes next."""
        try:
            self._transport.fan_out(names.EVENT, rooms, tail, more)
        except Exception:
            log.exception("what is stored up to %d cannot be pushed", self.place.seq)

    def _place(self, prev: int, seq: int) -> bytes:
        """How every frame begins, event or head."""
        return b'{"epoch":"%s","prev":%d,"seq":%d' % (self.place.epoch.encode(), prev, seq)
