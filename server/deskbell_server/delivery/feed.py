"""The feed: what was committed, by whatever process, in the order of the log. The writer's thread reads it after each
of its commits, and the loop passes it on. Source: LOG.md 8 to 12.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from deskbell_server.messaging import viewing
from deskbell_server.store import births, channels, log, members
from deskbell_server.store.database import Connection
from deskbell_server.store.log import LogEnd, Row

_log = logging.getLogger(__name__)

AT_ONCE = 1_000
BEHIND_MAX = 10_000
"""So far behind, the log is not followed any more: everybody is told where it ends, and asks."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the log as it is sent: an event after its `seq`, and what its sender is told instead. `people` are
    the numbers of those who see it; None: everyone.
    """

    seq: int
    people: Sequence[int] | None
    tail: bytes
    sender: int = 0
    own_tail: bytes | None = None


@dataclass(frozen=True, slots=True)
class Passed:
    """Entries up to `place`, one after the other; with `is_jump` none, and some before it were left out."""

    place: LogEnd
    entries: Sequence[Entry]
    is_jump: bool = False
    is_own: bool = False
    """Whether this process has just committed: the others are to be told."""


class Feed:
    """Where this process has read the log to; used by the writer's thread alone."""

    def __init__(self, place: LogEnd) -> None:
        self._fetched = place

    def look(self, connection: Connection, has_committed: bool) -> Passed | None:
        """The next entries; None when there are none."""
        end = log.end(connection)
        if end == self._fetched:
            return None
        place, entries = self._next(connection, end)
        self._fetched = place
        return Passed(place, entries or (), is_jump=entries is None, is_own=has_committed)

    def _next(self, connection: Connection, end: LogEnd) -> tuple[LogEnd, list[Entry] | None]:
        """Up to where they go; no list where they cannot be told one by one."""
        after = self._fetched.seq
        if end.epoch != self._fetched.epoch or not after < end.seq <= after + BEHIND_MAX:
            return end, None
        try:
            rows = log.everything(connection, after, AT_ONCE)
            if [row.seq for row in rows] != list(range(after + 1, min(end.seq, after + AT_ONCE) + 1)):
                _log.error("the log has a hole between %d and %d", after, end.seq)
            elif not any(row.channel == channels.GONE for row in rows):  # else nobody would notice what they missed
                return LogEnd(end.epoch, rows[-1].seq), _entries(connection, rows)
        except (KeyError, msgspec.MsgspecError):
            _log.exception("entries between %d and %d cannot be told", after, end.seq)
        return end, None


def _entries(connection: Connection, rows: Sequence[Row]) -> list[Entry]:
    ids = births.births(connection)
    said = viewing.messages(connection, ids, rows)
    found = []
    for row in rows:
        message, id_ = said.get(row.seq), ids.id(row.seq)
        own = None
        if message is not None and message.cid is not None:
            own, message = _tail(row, id_, msgspec.json.encode(message)), viewing.for_others(message)
        data = row.content.encode() if message is None else msgspec.json.encode(message)
        found.append(Entry(row.seq, _people(connection, row), _tail(row, id_, data), row.sender, own))
    return found


def _people(connection: Connection, row: Row) -> Sequence[int] | None:
    if row.channel == channels.EVERYONE:
        return None
    pair, person = channels.pair_of(row.channel), channels.person_of(row.channel)
    if person is not None:
        return (person,)
    return tuple(set(pair)) if pair else members.people(connection, row.channel, row.seq)


def _tail(row: Row, id_: str, data: bytes) -> bytes:
    """An event after its `seq`."""
    return b',"kind":"%s","id":"%s","at":%d,"data":%s}' % (row.kind.encode(), id_.encode(), row.at, data)
