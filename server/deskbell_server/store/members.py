"""SQL of windows: which part of a channel a person sees. What is visible to whom is asked here and nowhere else.

A window is opened and closed at a place of the log and never changed afterwards; (person, channel, from_seq) is its
key, both ends belong to it. It goes when all that stood in it is forgotten. Source: LOG.md 3 and 4.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from deskbell_server.store import channels
from deskbell_server.store.database import Connection
from deskbell_server.store.sets import insert

OPEN = 2**53 - 1
"""`to_seq` of a window that has no end yet."""


@dataclass(frozen=True, slots=True)
class Window:
    person: int
    channel: int
    from_seq: int = 0
    to_seq: int = OPEN


def open_windows(connection: Connection, windows: Sequence[Window]) -> None:
    """Those that are there already stay as they are."""
    _insert(connection, [(window.person, window.channel, window.from_seq, window.to_seq) for window in windows])


def _insert(connection: Connection, rows: Sequence[tuple[int, int, int, int]]) -> None:
    insert(connection, "INSERT INTO members (person, channel, from_seq, to_seq)", rows, "ON CONFLICT DO NOTHING")


def open_pairs(connection: Connection, pairs: Sequence[int]) -> None:
    """For both people of each."""
    rows = []
    for pair in pairs:
        one, other = channels.pair_of(pair) or (0, 0)
        rows += [(one, pair, 0, OPEN)] if one == other else [(one, pair, 0, OPEN), (other, pair, 0, OPEN)]
    _insert(connection, rows)


def begin(connection: Connection, person: int, head: int) -> None:
    """What every account sees from its beginning: its own channel, and what is said to everyone from now on."""
    open_windows(connection, [Window(person, channels.own(person)), Window(person, channels.EVERYONE, head + 1)])


def close(connection: Connection, person: int, channel: int, seq: int) -> None:
    connection.execute(
        "UPDATE members SET to_seq = ? WHERE person = ? AND channel = ? AND to_seq = ?", (seq, person, channel, OPEN)
    )


def forget(connection: Connection, channel: int, up_to: int) -> list[tuple[int, int]]:
    """Those of a group's windows that end there or before: whose they were, and their ends."""
    if not channels.group_of(channel):
        return []
    return connection.execute(
        f"DELETE FROM members WHERE channel = ? AND {channels.OF_GROUP} AND to_seq <= ? RETURNING person, to_seq",
        (channel, up_to),
    ).fetchall()


def is_open(connection: Connection, person: int, channel: int) -> bool:
    row = connection.execute(
        "SELECT 1 FROM members WHERE person = ? AND channel = ? AND to_seq = ? LIMIT 1", (person, channel, OPEN)
    ).fetchone()
    return row is not None


def of_group(connection: Connection, channel: int, first: int, last: int) -> list[Window]:
    """Windows of that group in which some of these places lie."""
    rows = connection.execute(
        "SELECT person, channel, from_seq, to_seq FROM members"
        f" WHERE channel = ? AND {channels.OF_GROUP} AND to_seq >= ? AND from_seq <= ?",
        (channel, first, last),
    ).fetchall()
    return [Window(*row) for row in rows]


SEEN = (
    "members m JOIN log l ON l.channel = m.channel"
    " AND l.seq > CASE WHEN m.from_seq > ? THEN m.from_seq - 1 ELSE ? END"
    " AND l.seq <= CASE WHEN m.to_seq < ? THEN m.to_seq ELSE ? END"
)
"""SQL of windows and of what stands in them behind one place and up to another, each given twice. There is one bound on
either side: of two lower ones SQLite would go by the first and walk through what lies before.
"""
VISIBLE = "m.person = ? AND m.channel = l.channel AND l.seq >= m.from_seq AND l.seq <= m.to_seq"
"""SQL of a join of `members m` and `log l`: the rows that a person sees. Windows of one channel do not overlap."""
