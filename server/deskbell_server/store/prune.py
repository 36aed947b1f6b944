"""SQL of forgetting. What is forgotten leaves its channel, whose floor rises; its row stays for a week, because places
and keys younger than that must not be missing, and as long as another part of its publish needs what it says.
Source: LOG.md 5.
"""

from collections.abc import Sequence

from deskbell_protocol import limits
from deskbell_server.store import channels, floors, log, members
from deskbell_server.store.channels import GONE, NOT_OWN
from deskbell_server.store.database import Connection
from deskbell_server.store.sets import chunks, select

Standing = tuple[int, int]
"""A place of the log and its channel."""


def last_before(connection: Connection, at: int) -> int:
    """The place up to which all is older than that time; never in the middle of a publish. By halving, for places are
    nearly in the order of time.
    """
    low, high = 1, log.head(connection) + 1
    while low < high:
        middle = (low + high) // 2
        row = connection.execute("SELECT at FROM log WHERE seq >= ? ORDER BY seq LIMIT 1", (middle,)).fetchone()
        low, high = (middle + 1, high) if row is not None and row[0] < at else (low, middle)
    row = connection.execute("SELECT part FROM log WHERE seq = ?", (low,)).fetchone()
    return low - 1 - (row[0] if row else 0)


def crowded(connection: Connection, keep: int) -> dict[int, int]:
    """Channels with more than `keep` messages, and the last place of those that are too many. What only one's devices
    are told goes by age alone: a new one must hear what was read, of whatever still stands.
    """
    rows = connection.execute(
        f"SELECT channel FROM log WHERE channel >= 0 AND channel {NOT_OWN} GROUP BY channel HAVING count(*) > ?",
        (keep,),
    ).fetchall()
    last = "SELECT seq FROM log WHERE channel = ? ORDER BY seq DESC LIMIT 1 OFFSET ?"
    return {row[0]: connection.execute(last, (row[0], keep)).fetchone()[0] for row in rows}


def standing(connection: Connection, channel: int | None, after: int, up_to: int, limit: int) -> list[Standing]:
    """What still stands in that channel, or in any."""
    which, values = ("channel >= 0", []) if channel is None else ("channel = ?", [channel])
    return connection.execute(
        f"SELECT seq, channel FROM log WHERE {which} AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?",
        [*values, after, up_to, limit],
    ).fetchall()


def take_out(connection: Connection, places: Sequence[Standing]) -> None:
    """Nobody sees them any more. Windows in which nothing stands now go, too: that something did is told to the
    person's devices by the floor of their own channel.
    """
    for marks, values in chunks([seq for seq, _ in places]):
        connection.execute(f"UPDATE log SET channel = {GONE} WHERE seq IN ({marks})", values)
    for channel, up_to in {channel: seq for seq, channel in places}.items():
        floors.raise_floor(connection, channel, up_to)
        for person, seq in members.forget(connection, channel, up_to):
            floors.raise_floor(connection, channels.own(person), seq)


def gone(connection: Connection, after: int, limit: int) -> list[tuple[int, int]]:
    """What was taken out: places, and the first place of the publish of each."""
    return connection.execute(
        f"SELECT seq, seq - part FROM log WHERE channel = {GONE} AND seq > ? ORDER BY seq LIMIT ?", (after, limit)
    ).fetchall()


def without_others(connection: Connection, places: Sequence[tuple[int, int]]) -> list[int]:
    """Those of `gone` of whose publish nothing stands any more."""
    several = {first for seq, first in places if seq != first}
    seconds = [first + 1 for _, first in places]
    several.update(
        row[0] for row in select(connection, "SELECT seq - 1 FROM log WHERE seq IN ({}) AND part = 1", seconds)
    )
    standing = {first for first in several if _stands(connection, first)}
    return [seq for seq, first in places if first not in standing]


def _stands(connection: Connection, first: int) -> bool:
    row = connection.execute(
        "SELECT 1 FROM log WHERE seq >= ? AND seq < ? AND seq - part = ? AND channel >= 0 LIMIT 1",
        (first, first + limits.RECIPIENTS, first),
    ).fetchone()
    return row is not None


def remove(connection: Connection, seqs: Sequence[int], week_ago: int) -> None:
    """The old ones wholly; of the others what they say."""
    for marks, values in chunks(seqs):
        which = f"WHERE seq IN ({marks}) AND channel = {GONE}"
        connection.execute(f"DELETE FROM log {which} AND seq <= ?", [*values, week_ago])
        connection.execute(f"UPDATE log SET content = NULL, reply_to = NULL {which} AND content IS NOT NULL", values)
