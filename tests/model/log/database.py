"""The database of the model, seen by one person: the log of each epoch, the windows, and what was removed."""

from functools import lru_cache
from typing import NamedTuple

OWN, GROUP, FOREIGN = CHANNELS = "own", "group", "foreign"
"""Channels: always visible; visible inside a window; never visible."""
JOINS, LEAVES, RESERVED = "joins", "leaves", "reserved"
OPEN = 1 << 30


class Row(NamedTuple):
    """`epoch` is that of its birth: after a restore it tells a row from another one of the same place."""

    channel: str
    epoch: int
    means: str = ""
    target: int = 0
    """Place of the row that it updates."""


class Window(NamedTuple):
    from_seq: int
    to_seq: int = OPEN


Windows = tuple[Window, ...]


class Life(NamedTuple):
    """The log of one epoch, the group's windows, and the places whose rows were removed."""

    rows: tuple[Row, ...] = ()
    windows: Windows = ()
    removed: frozenset[int] = frozenset()

    @property
    def head(self) -> int:
        return len(self.rows)

    def append(self, row: Row) -> "Life":
        return self._replace(rows=(*self.rows, row), windows=changed(self.windows, self.head + 1, row))

    def without(self, channel: str, keep: int) -> "Life":
        """All but the newest of a channel."""
        places = [seq for seq, row in enumerate(self.rows, 1) if row.channel == channel]
        return self._replace(removed=self.removed.union(places[: max(0, len(places) - keep)]))

    def there(self, seq: int) -> bool:
        return seq not in self.removed and self.rows[seq - 1].means != RESERVED

    def floor(self, channel: str) -> int:
        return max((seq for seq in self.removed if self.rows[seq - 1].channel == channel), default=0)


class Snapshot(NamedTuple):
    epoch: int
    life: Life


class Place(NamedTuple):
    epoch: int
    seq: int


def changed(windows: Windows, seq: int, row: Row) -> Windows:
    """Rule 3: opened and closed at the place of the row that says so."""
    if row.means == JOINS:
        return (*windows, Window(seq))
    if row.means == LEAVES:
        return tuple(window._replace(to_seq=min(window.to_seq, seq)) for window in windows)
    return windows


def holds(windows: Windows, seq: int) -> bool:
    return any(window.from_seq <= seq <= window.to_seq for window in windows)


def visible(windows: Windows, seq: int, row: Row) -> bool:
    """Rule 4, by the table."""
    if row.channel == GROUP:
        return holds(windows, seq) and (not row.target or holds(windows, row.target))
    return row.channel == OWN


@lru_cache(maxsize=1 << 17)
def view(rows: tuple[Row, ...]) -> tuple[int, ...]:
    """Places that the person sees. The truth for all invariants: it follows the membership rows, not the table."""
    found: list[int] = []
    inside = False
    for seq, row in enumerate(rows, 1):
        inside = inside if row.means not in {JOINS, LEAVES} else row.means == JOINS
        in_group = row.channel == GROUP and inside and (not row.target or row.target in found)
        if (row.channel == OWN and row.means != RESERVED) or in_group:
            found.append(seq)
    return tuple(found)


def may_miss(life: Life, after: int) -> bool:
    """Whether a channel's floor lies behind `after` in a part of it that the person sees (rule 17)."""
    if life.floor(OWN) > after:
        return True
    floor = life.floor(GROUP)
    return any(max(window.from_seq, after + 1) <= min(window.to_seq, floor) for window in life.windows)
