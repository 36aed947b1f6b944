"""Announces what was committed: the event that all recipients share is encoded once, only `seq` differs."""

import logging
from collections.abc import Iterable, Iterator

import msgspec

from deskbell_protocol import names
from deskbell_protocol.errors import FATAL, Code
from deskbell_protocol.wire import Bye, Message, ReadMark
from deskbell_server.delivery.presence import Presence, device_room, user_room
from deskbell_server.messaging.publishes import Announcement
from deskbell_server.messaging.views import hides_parties, seen_by
from deskbell_server.transport import Transport

log = logging.getLogger(__name__)


class Delivery:
    """Rooms to the transport. Nothing here may fail a request: it was committed before."""

    def __init__(self, transport: Transport, presence: Presence, epoch: str) -> None:
        self._transport = transport
        self._presence = presence
        self.epoch = epoch
        self.pushed: dict[str, int] = {}
        """The highest `seq` that each connected user was sent."""

    def announce(self, announcement: Announcement) -> None:
        try:
            if isinstance(announcement.data, Message):
                self._message(announcement, announcement.data)
            else:
                self._push(announcement.heads.items(), _tail(announcement, announcement.data))
        except Exception:
            log.exception("%s %s is stored, but cannot be pushed", announcement.kind, announcement.id)

    def head(self, heads: dict[str, int]) -> None:
        """Where the logs of these connected users end."""
        epoch, pushed = self.epoch.encode(), self.pushed
        for user_id, head in heads.items():
            if pushed.get(user_id, -1) < head:
                pushed[user_id] = head
        rooms = [(user_room(user_id), _place(epoch, head, head)) for user_id, head in heads.items()]
        self._transport.fan_out(names.HEAD, rooms, b"}")

    def bye_all(self, code: Code, after_ms: int) -> None:
        """Everybody is told when to come back."""
        rooms = [(user_room(user_id), b"") for user_id in self._presence.users()]
        self._transport.fan_out(names.BYE, rooms, msgspec.json.encode(Bye(code=code, after_ms=after_ms)))

    def close_devices(self, device_ids: list[str]) -> None:
        """They were signed out: told so, and closed."""
        tail = msgspec.json.encode(Bye(code=Code.REVOKED, fatal=Code.REVOKED in FATAL))
        connected = set(self._presence.devices())
        for device_id in connected.intersection(device_ids):
            log.info("device %s is signed out: closing its connections", device_id)
            self._transport.fan_out(names.BYE, [(device_room(device_id), b"")], tail)
            self._transport.disconnect_room(device_room(device_id))

    def _message(self, announcement: Announcement, message: Message) -> None:
        """To the sender with the `cid`, to the others without it."""
        sender, heads = message.sender.id, announcement.heads
        mine = [(sender, heads[sender])]
        others = [item for item in heads.items() if item[0] != sender]
        if message.cid is not None or hides_parties(message):
            self._push(mine, _tail(announcement, message))
        else:
            others = mine + others
        if not hides_parties(message):
            shared = msgspec.structs.replace(message, cid=None) if message.cid is not None else message
            self._push(others, _tail(announcement, shared))
            return
        named = {party.id: party for party in message.to}
        for user_id, seq in others:
            if user_id in named:
                own = seen_by(message, named[user_id])
                self._push([(user_id, seq)], _tail(announcement, own))
        self.head(
            {user_id: seq for user_id, seq in others if user_id not in named and self._presence.has_user(user_id)}
        )

    def _push(self, heads: Iterable[tuple[str, int]], tail: bytes) -> None:
        self._transport.fan_out(names.EVENT, self._rooms(heads), tail)

    def _rooms(self, heads: Iterable[tuple[str, int]]) -> Iterator[tuple[str, bytes]]:
        epoch = self.epoch.encode()
        for user_id, seq in heads:
            if self._presence.has_user(user_id):
                self.pushed[user_id] = max(seq, self.pushed.get(user_id, 0))
                yield user_room(user_id), _place(epoch, seq - 1, seq)


def _place(epoch: bytes, prev: int, seq: int) -> bytes:
    """How every frame begins, event or head."""
    return b'{"epoch":"%s","prev":%d,"seq":%d' % (epoch, prev, seq)


def _tail(event: Announcement, data: Message | ReadMark) -> bytes:
    """An event after its `seq`, with what one of its people may see of it."""
    encoded = msgspec.json.encode(data)
    return b',"kind":"%s","id":"%s","at":%d,"data":%s}' % (event.kind.encode(), event.id.encode(), event.at, encoded)
