"""Deadlines of very many items on one coarse clock, without I/O: pings, logins and lingering all wait here."""

from typing import Generic, Protocol, TypeVar


class Timed(Protocol):
    due: float
    """When it is due, by the clock that `Wheel.turn` is called with."""
    slot: int
    """Where the wheel keeps it; the wheel's own, -1 when it does not."""


T = TypeVar("T", bound=Timed)


class Wheel(Generic[T]):
    """Setting, moving and removing a deadline costs the same however many there are.

    An item is reported at the first turn at or after its time, at most one tick late, and is then no longer kept.
    """

    def __init__(self, tick_s: float, now: float, slots: int = 512) -> None:
        self.tick_s = tick_s
        self._slots: list[set[T]] = [set() for _ in range(slots)]
        self._turned = int(now / tick_s)

    def __len__(self) -> int:
        return sum(map(len, self._slots))

    def set(self, item: T, due: float) -> None:
        """Report `item` at `due`, and no longer at another time."""
        self.remove(item)
        item.due = due
        # Beyond the horizon it waits in the last slot, is found early there, and goes round again.
        ahead = min(int(due / self.tick_s) + 1, self._turned + len(self._slots) - 1)
        item.slot = max(ahead, self._turned + 1) % len(self._slots)
        self._slots[item.slot].add(item)

    def remove(self, item: T) -> None:
        if item.slot >= 0:
            self._slots[item.slot].discard(item)
            item.slot = -1

    def turn(self, now: float) -> list[T]:
        """The items due since the last turn."""
        until = int(now / self.tick_s)
        due: list[T] = []
        # After a long pause every slot is looked at once, not once per missed tick.
        self._turned = max(self._turned, until - len(self._slots))
        while self._turned < until:
            self._turned += 1
            slot, self._slots[self._turned % len(self._slots)] = self._slots[self._turned % len(self._slots)], set()
            for item in slot:
                item.slot = -1
                if item.due <= now:
                    due.append(item)
                else:
                    self.set(item, item.due)
        return due
