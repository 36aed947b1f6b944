"""SQL of the one log: a row for every message, whatever its audience, and for what one person's devices are told.

A person's view is the rows of their channels, in the order of `seq`; it is never stored. Source: LOG.md.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import astuple

from deskbell_protocol import limits
from deskbell_server.store import ages, channels, members
from deskbell_server.store.database import Connection, memory_of
from deskbell_server.store.sets import insert, select

KEY_LIFE_MS: Final = int(limits.IDEMPOTENCY_LIFE_S * 1000)
"""So long a key is known, and so long the row stays that has it."""
RANGE = 4_000
"""So many places are looked through first; each time that was too few, `WIDER` times as many."""
WIDER = 8


class Entry(Struct, frozen=True, kw_only=True):
    """What is about to be appended. `part` counts the channels of one publish from 0; what all of them share stands in
    part 0 alone: `cid`, `request_hash`, `recipients` and `content`, a document.
    """

    channel: int
    kind: str
    sender: int
    at: int
    part: int = 0
    cid: str | None = None
    request_hash: bytes | None = None
    recipients: int = 0
    reply_to: int | None = None
    content: str | None = None


class Row(Struct, frozen=True):
    """An entry of the log, whole whichever part it is; `cid` in part 0 alone. Without content it cannot be told."""

    seq: int
    channel: int
    kind: str
    sender: int
    at: int
    part: int
    reply_to: int | None
    cid: str | None
    content: str

    @property
    def publish(self) -> int:
        """The place of part 0."""
        return self.seq - self.part


@dataclass(frozen=True, slots=True)
class Claim:
    """The publish that has a key."""

    seq: int
    request_hash: bytes
    recipients: int
    at: int


_WHOLE = (
    "l.seq, l.channel, l.kind, l.sender, l.at, l.part, l.reply_to, l.cid, coalesce(l.content, w.content)"
    " FROM log l LEFT JOIN log w ON l.part > 0 AND w.seq = l.seq - l.part"
)
_COLUMNS = ", ".join(("seq", *Entry.__struct_fields__))


@dataclass(frozen=True, slots=True)
class LogEnd:
    """Where a log ends, and which one it is."""

    epoch: str
    seq: int


def end(connection: Connection) -> LogEnd:
    rows = connection.execute("SELECT key, value FROM meta WHERE key IN ('epoch', 'head')").fetchall()
    found = dict(rows)
    return LogEnd(found["epoch"], int(found["head"]))


def head(connection: Connection) -> int:
    """The place of the last entry that there ever was."""
    return int(connection.execute("SELECT value FROM meta WHERE key = 'head'").fetchone()[0])


def append(connection: Connection, entries: Sequence[Entry]) -> int:
    """Numbers and stores them, one after the other; the place of the first. In the writer's transaction only."""
    before, memory = end(connection), memory_of(connection)
    first = before.seq + 1
    insert(
        connection,
        f"INSERT INTO log ({_COLUMNS})",
        [(first + place, *astuple(entry)) for place, entry in enumerate(entries)],
    )
    connection.execute("UPDATE meta SET value = ? WHERE key = 'head'", (str(first + len(entries) - 1),))
    memory.epoch = before.epoch
    memory.appended += _as_read(first, entries)
    return first


def _as_read(first: int, entries: Sequence[Entry]) -> Iterator[Row]:
    """What will be read of them."""
    content: Any = None
    for seq, entry in enumerate(entries, first):
        content = content if entry.part else entry.content
        yield Row(
            seq, entry.channel, entry.kind, entry.sender, entry.at, entry.part, entry.reply_to, entry.cid, content
        )


def everything(connection: Connection, after: int, limit: int) -> list[Row]:
    """Whoever sees it, behind `after`."""
    rows = connection.execute(f"SELECT {_WHOLE} WHERE l.seq > ? ORDER BY l.seq LIMIT ?", (after, limit)).fetchall()
    return [Row(*row) for row in rows]


def after(connection: Connection, person: int, seq: int, last: int, limit: int) -> tuple[list[Row], int]:
    """What the person sees behind `seq`, oldest first, and how far that goes; `last` is the head."""
    found: list[Row] = []
    low, step = seq, RANGE
    while low < last and len(found) < limit:
        high = min(last, low + step)
        found += _between(connection, person, low, high, limit - len(found))
        low, step = high, step * WIDER
    return found, found[-1].seq if len(found) >= limit else last


def before(connection: Connection, person: int, channel: int | None, seq: int, limit: int) -> list[Row]:
    """What stands before `seq` in a channel, or in all that hold messages: what the person sees of it, newest first."""
    found: list[Row] = []
    high, step = min(seq - 1, head(connection)), RANGE
    while high > 0 and len(found) < limit:
        low = max(0, high - step)
        found += _between(connection, person, low, high, limit - len(found), "DESC", channel)
        high, step = low, step * WIDER
    return found


def _between(
    connection: Connection,
    person: int,
    low: int,
    high: int,
    limit: int,
    order: str = "ASC",
    channel: int | None = None,
) -> list[Row]:
    """What the person sees in (`low`, `high`]: in one channel, in all (forwards), in all with messages (backwards).

    Places come first, from the index alone; only those that are wanted are looked up.
    """
    which, values = ("", []) if channel is None else (" AND m.channel = ?", [channel])
    if order == "DESC" and channel is None:
        which = f" AND m.channel {channels.NOT_OWN}"
    rows = connection.execute(
        f"WITH seen AS (SELECT l.seq AS place FROM {members.SEEN}"
        f" WHERE m.person = ?{which} AND m.to_seq > ? AND m.from_seq <= ? ORDER BY l.seq {order} LIMIT ?)"
        f" SELECT {_WHOLE} JOIN seen ON l.seq = seen.place ORDER BY l.seq {order}",
        [low, low, high, high, person, *values, low, high, limit],
    ).fetchall()
    return [Row(*row) for row in rows]


def visible(connection: Connection, person: int, seqs: Sequence[int]) -> list[Row]:
    """Those of these places that the person sees, in order."""
    sql = f"SELECT {_WHOLE} WHERE l.seq IN ({{}}) AND EXISTS (SELECT 1 FROM members m WHERE {members.VISIBLE})"
    rows = select(connection, sql, seqs, after=(person,))
    return sorted((Row(*row) for row in rows), key=lambda row: row.seq)


def claimed(connection: Connection, keys: Sequence[tuple[int, str]]) -> dict[tuple[int, str], Claim]:
    """Of keys, each with its sender, those of publishes no older than `KEY_LIFE_MS`, by the time that `ages` keeps:
    the machine's clock may have leapt.
    """
    sql = (
        "SELECT sender, cid, seq, request_hash, recipients, at FROM log WHERE cid IN ({})"
        f" AND at >= coalesce(({ages.LAST}), 0) - ? ORDER BY seq"
    )
    rows = select(connection, sql, sorted({cid for _, cid in keys}), after=(KEY_LIFE_MS,))
    found = {(row[0], row[1]): Claim(row[2], bytes(row[3]), row[4], row[5]) for row in rows}
    return {key: found[key] for key in keys if key in found}
