"""Connections that have been of no use yet: how many there may be, from where, and which of them give way. Pure."""

from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Final

from deskbell_server.transport.refusals import HandshakeError

SHARE: Final = 4
"""One place may have so many times less than all together."""


@dataclass(slots=True)
class Newcomer:
    place: str
    close: Callable[[], object]
    since: float


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
        self._waiting: dict[str, dict[Hashable, Newcomer]] = {"": {}}
        """Who is of no use, in the order of how long: everybody under "", and each place's own."""

    def __len__(self) -> int:
        return len(self._known)

    def add(self, key: Hashable, place: str, now: float, close: Callable[[], object]) -> None:
        """HandshakeError 503 when there is no room, and nobody gives way."""
        if place and self._at[place] >= self._each:
            self._make_room(now, place)
        elif len(self._known) >= self._most:
            self._make_room(now, "")
        self._known[key] = Newcomer(place, close, now)
        self._at[place] += 1
        self.idle(key, now)

    def busy(self, key: Hashable) -> None:
        """It is of use, gives way to nobody, and keeps its place."""
        if key in self._known:
            self._stop_waiting(key, self._known[key].place)

    def idle(self, key: Hashable, now: float) -> None:
        """It is of no use any more."""
        one = self._known.get(key)
        if one is not None:
            self._stop_waiting(key, one.place)
            one.since = now
            for place in ("", one.place):
                self._waiting.setdefault(place, {})[key] = one

    def remove(self, key: Hashable) -> None:
        """It has been of use, or has gone."""
        one = self._known.pop(key, None)
        if one is not None:
            self._stop_waiting(key, one.place)
            self._at[one.place] -= 1
            if not self._at[one.place]:
                del self._at[one.place]

    def _stop_waiting(self, key: Hashable, place: str) -> None:
        self._waiting[""].pop(key, None)
        own = self._waiting.get(place, {})
        own.pop(key, None)
        if place and not own:
            self._waiting.pop(place, None)

    def _make_room(self, now: float, place: str) -> None:
        key, first = next(iter(self._waiting.get(place, {}).items()), (None, None))
        if first is None or now - first.since < self._patience_s:
            raise HandshakeError(503, self._refusal)
        self.remove(key)
        first.close()
