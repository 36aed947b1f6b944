"""The feed: what was committed, by whatever process, in the order of the log. The writer's thread looks after each of
its commits, or has it in memory; the loop passes it on. Source: LOG.md 8 to 12.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from deskbell_protocol.wire import Message
from deskbell_server.messaging import viewing
from deskbell_server.messaging.viewing import Parties
from deskbell_server.store import births, channels, log, members
from deskbell_server.store.births import Births
from deskbell_server.store.database import Connection, memory_of
from deskbell_server.store.log import LogEnd, Row

_log = logging.getLogger(__name__)

AT_ONCE = 1_000
KNOWN_S = 1.0
"""So long what somebody is called is not asked for again."""
BEHIND_MAX = 10_000
"""So far behind, the log is not followed any more: everybody is told where it ends, and asks."""
BEHIND_S = 5.0
"""Nor is it where the end was not reached for so long: what a process that was stopped would tell is old."""


class Push(msgspec.Struct, frozen=True):
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
    """What stands behind `after` up to `place`, one after the other; with `is_jump` none, and some were left out."""

    after: LogEnd
    place: LogEnd
    pushes: Sequence[Push]
    is_jump: bool = False
    is_own: bool = False
    """Whether this process has just committed: the others are to be told."""


class Feed:
    """Where this process has read the log to; used by the writer's thread alone."""

    def __init__(self, place: LogEnd) -> None:
        self._fetched = place
        self._births: Births | None = None
        self._parties = Parties()
        self._learned_at = 0.0
        self._even_at = time.monotonic()
        """When it had read to the end last."""

    def own(self, connection: Connection) -> Passed | None:
        """What this connection has just appended, without asking; None where something of others lies before it, where
        it is much, or where it has to be asked who sees it: then it is looked for.
        """
        known = memory_of(connection)
        rows, after, ids = known.appended, self._fetched, self._births
        if ids is None or LogEnd(known.epoch, rows[0].seq - 1) != after or len(rows) > AT_ONCE:
            return None
        try:
            said = viewing.said(ids, rows, Parties(known.parties))
            pushes = [_push(row, ids.id(row.seq), said.get(row.seq), _few(row)) for row in rows]
        except LookupError:
            return None
        self._fetched = place = LogEnd(after.epoch, rows[-1].seq)
        self._even_at = time.monotonic()
        return Passed(after, place, pushes, is_own=True)

    def look(self, connection: Connection, has_committed: bool) -> tuple[Passed, bool] | None:
        """What comes next, and whether there is more; None for nothing."""
        end, after, now = log.end(connection), self._fetched, time.monotonic()
        if end == after:
            self._even_at = now
            return None
        place, pushes = self._next(connection, end, now)
        if pushes is None:
            self._births, self._parties = None, Parties()
        if place == end:
            self._even_at = now
        self._fetched = place
        return Passed(after, place, pushes or (), pushes is None, has_committed), place != end

    def _next(self, connection: Connection, end: LogEnd, now: float) -> tuple[LogEnd, list[Push] | None]:
        """Up to where they go; no list where they cannot be told one by one."""
        after = self._fetched.seq
        is_near = after < end.seq <= after + BEHIND_MAX and now - self._even_at <= BEHIND_S
        if end.epoch != self._fetched.epoch or not is_near:
            return end, None
        try:
            rows = log.everything(connection, after, AT_ONCE)
            if [row.seq for row in rows] != list(range(after + 1, min(end.seq, after + AT_ONCE) + 1)):
                _log.error("the log has a hole between %d and %d", after, end.seq)
            elif not any(row.channel == channels.GONE for row in rows):  # else nobody would notice what they missed
                return LogEnd(end.epoch, rows[-1].seq), self._pushes(connection, rows, now)
        except (LookupError, TypeError, ValueError, msgspec.MsgspecError):
            _log.exception("entries between %d and %d cannot be told", after, end.seq)
        return end, None

    def _pushes(self, connection: Connection, rows: Sequence[Row], now: float) -> list[Push]:
        if now - self._learned_at > KNOWN_S:
            self._parties, self._learned_at = Parties(), now
        ids = self._births = self._births or births.births(connection)
        self._parties.learn(connection, rows)
        said = viewing.said(ids, rows, self._parties)
        audience = _Audience(connection, rows)
        return [_push(row, ids.id(row.seq), said.get(row.seq), audience.of(row)) for row in rows]


def _few(row: Row) -> Sequence[int] | None:
    """Who sees it, as far as the channel itself says that; LookupError for a group's."""
    if row.channel == channels.EVERYONE:
        return None
    person = channels.person_of(row.channel)
    if person is not None:
        return (person,)
    pair = channels.pair_of(row.channel)
    if pair is None:
        raise LookupError
    return pair[:1] if pair[0] == pair[1] else pair


def _push(row: Row, id_: str, message: Message | None, people: Sequence[int] | None) -> Push:
    if message is None:
        return Push(row.seq, people, _tail(row, id_, row.content.encode()))
    said = msgspec.json.encode(message)
    own = None if row.cid is None else b'%s,"cid":%s}' % (said[:-1], msgspec.json.encode(row.cid))
    return Push(row.seq, people, _tail(row, id_, said), row.sender, own and _tail(row, id_, own))


class _Audience:
    """Who sees which of these entries; of each group it is asked once."""

    def __init__(self, connection: Connection, rows: Sequence[Row]) -> None:
        groups = {row.channel for row in rows if channels.group_of(row.channel)}  # everyone's is 0
        first, last = rows[0].seq, rows[-1].seq
        self._windows = {group: members.of_group(connection, group, first, last) for group in groups}

    def of(self, row: Row) -> Sequence[int] | None:
        if row.channel not in self._windows:
            return _few(row)
        return [w.person for w in self._windows[row.channel] if w.from_seq <= row.seq <= w.to_seq]


def _tail(row: Row, id_: str, data: bytes) -> bytes:
    """An event after its `seq`."""
    return b',"kind":"%s","id":"%s","at":%d,"data":%s}' % (row.kind.encode(), id_.encode(), row.at, data)
