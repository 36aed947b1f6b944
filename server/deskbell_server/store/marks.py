"""SQL of read marks: one for each channel of a person, one for all of them, and what was read above them.

Source: LOG.md 23. A mark only grows; what it covers is no exception any more.
"""

from collections.abc import Sequence

from deskbell_server.store import channels, members
from deskbell_server.store.database import Connection
from deskbell_server.store.log import Row
from deskbell_server.store.sets import select

ALL = -1
"""Instead of a channel: the mark of all of them."""
EXCEPTIONS = 1_000
"""So many messages above the mark may be read by themselves; with more, the oldest fall to the mark."""


def raise_mark(connection: Connection, person: int, channel: int, up_to: int) -> bool:
    """Whether it says something new."""
    if up_to <= max(_mark(connection, person, ALL), _mark(connection, person, channel)):
        return False
    connection.execute(
        "INSERT INTO marks (person, channel, up_to) VALUES (?, ?, ?)"
        " ON CONFLICT (person, channel) DO UPDATE SET up_to = excluded.up_to",
        (person, channel, up_to),
    )
    which, values = ("", []) if channel == ALL else (" AND channel = ?", [channel])
    connection.execute(f"DELETE FROM exceptions WHERE person = ? AND seq <= ?{which}", [person, up_to, *values])
    return True


def read(connection: Connection, person: int, rows: Sequence[Row]) -> list[int]:
    """These were read by themselves; they are unread and visible. Places of further ones that count as read by it."""
    connection.executemany(
        "INSERT INTO exceptions (person, channel, seq) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        [(person, row.channel, row.seq) for row in rows],
    )
    fallen: list[int] = []
    for channel in sorted({row.channel for row in rows}):
        _gather(connection, person, channel)
        oldest = connection.execute(
            "SELECT seq FROM exceptions WHERE person = ? AND channel = ? ORDER BY seq DESC LIMIT 1 OFFSET ?",
            (person, channel, EXCEPTIONS),
        ).fetchone()
        if oldest is not None:
            told = _unread_up_to(connection, person, channel, oldest[0], EXCEPTIONS + 1)
            up_to = oldest[0] if len(told) <= EXCEPTIONS else told.pop() - 1
            raise_mark(connection, person, channel, up_to)
            fallen += told
    return fallen


def _gather(connection: Connection, person: int, channel: int) -> None:
    """Where nothing is unread before an exception, the mark covers it."""
    last = "SELECT max(seq) FROM exceptions WHERE person = ? AND channel = ? AND seq < ?"
    (end,) = connection.execute(last, (person, channel, members.OPEN)).fetchone()
    if end is None:
        return
    unread = _unread_up_to(connection, person, channel, end, 1)
    (covered,) = connection.execute(last, (person, channel, unread[0])).fetchone() if unread else (end,)
    if covered is not None:
        raise_mark(connection, person, channel, covered)


def _unread_up_to(connection: Connection, person: int, channel: int, up_to: int, limit: int) -> list[int]:
    mark = max(_mark(connection, person, ALL), _mark(connection, person, channel))
    rows = connection.execute(
        f"SELECT l.seq FROM {members.SEEN}"
        " WHERE m.person = ? AND m.channel = ? AND m.to_seq > ?"
        " AND l.kind = 'message' AND (l.sender <> ? OR l.channel = ?)"
        " AND NOT EXISTS (SELECT 1 FROM exceptions x WHERE x.person = ? AND x.channel = l.channel AND x.seq = l.seq)"
        " ORDER BY l.seq LIMIT ?",
        [mark, mark, up_to, up_to, person, channel, mark, person, channels.pair(person, person), person, limit],
    ).fetchall()
    return [row[0] for row in rows]


def unread(connection: Connection, person: int, rows: Sequence[Row]) -> list[Row]:
    """Those of these rows that no mark covers and that were not read by themselves; of one's own only notes to oneself
    are ever unread.
    """
    everywhere, read_singly = _mark(connection, person, ALL), _exceptions(connection, person, rows)
    marks = {channel: _mark(connection, person, channel) for channel in {row.channel for row in rows}}
    return [
        row
        for row in rows
        if (row.sender != person or row.channel == channels.pair(person, person))
        and row.seq > max(everywhere, marks[row.channel])
        and row.seq not in read_singly
    ]


def _mark(connection: Connection, person: int, channel: int) -> int:
    row = connection.execute("SELECT up_to FROM marks WHERE person = ? AND channel = ?", (person, channel)).fetchone()
    return int(row[0]) if row else 0


def _exceptions(connection: Connection, person: int, rows: Sequence[Row]) -> set[int]:
    sql = "SELECT seq FROM exceptions WHERE person = ? AND channel = ? AND seq IN ({})"
    found: set[int] = set()
    for channel in {row.channel for row in rows}:
        seqs = [row.seq for row in rows if row.channel == channel]
        found.update(row[0] for row in select(connection, sql, seqs, before=(person, channel)))
    return found
