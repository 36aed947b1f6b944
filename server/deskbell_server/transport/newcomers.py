"""Connections that have been of no use yet: how many there may be, from where, and which of them give way. Pure."""

from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from math import inf
from typing import Final

from deskbell_server.transport.refusals import HandshakeError

SHARE: Final = 4
"""One place may have so many times less than all together."""


@dataclass(slots=True)
class Newcomer:
    place: str
    since: float
    close: Callable[[], object]


class Newcomers:
    """At most `most`, and a quarter of that from one place ("" stands for everywhere). Who has waited for `patience_s`
    without being of use gives way to who comes; a place that is full makes room among its own.
    """

    def __init__(self, most: int, patience_s: float, refusal: str) -> None:
        self._most = most
        self._each = max(1, most // SHARE)
        self._patience_s = patience_s
        self._refusal = refusal
        self._known: dict[Hashable, Newcomer] = {}
        self._at: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._known)

    def add(self, key: Hashable, place: str, now: float, close: Callable[[], object]) -> None:
        """HandshakeError 503 when there is no room, and nobody gives way."""
        if place and self._at[place] >= self._each:
            self._make_room(now, place)
        elif len(self._known) >= self._most:
            self._make_room(now)
        self._known[key] = Newcomer(place, now, close)
        self._at[place] += 1

    def busy(self, key: Hashable) -> None:
        """It is of use, gives way to nobody, and keeps its place."""
        if key in self._known:
            self._known[key].since = inf

    def idle(self, key: Hashable, now: float) -> None:
        """It is of no use any more."""
        if key in self._known:
            one = self._known[key] = self._known.pop(key)
            one.since = now

    def remove(self, key: Hashable) -> None:
        """It has been of use, or has gone."""
        found = self._known.pop(key, None)
        if found is not None:
            self._at[found.place] -= 1
            if not self._at[found.place]:
                del self._at[found.place]

    def _make_room(self, now: float, place: str = "") -> None:
        """In the order of coming: who is the first has waited longest."""
        for key, one in self._known.items():
            if now - one.since >= self._patience_s and place in ("", one.place):
                self.remove(key)
                one.close()
                return
        raise HandshakeError(503, self._refusal)
