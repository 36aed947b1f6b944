"""Which popups ring, and when: each publish once, a flood in at most five, what was missed in one.

Room 6 of a message's way. A ring waits here from its message's commit until its popup was shown; whoever has a message
in a group and singly too is rung for once, and has seen it as soon as one of the two is read.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import get_args

from deskbell_desktop.core.effects import Effect, ShowPopup, SilenceRings, WithdrawPopup
from deskbell_desktop.core.events import Looking, Moment, Ring
from deskbell_desktop.core.views import Popup
from deskbell_desktop.core.words import Words
from deskbell_protocol.wire import Priority

SUMMARY = "summary"
"""Key of the popup that stands for many conversations."""
MISSED_MAX = 5
MISSED_AGE_MS = 10 * 60 * 1000
AT_ONCE = 4
WINDOW_S = 10.0
"""At most `AT_ONCE` popups in this time; what comes after them is gathered into one."""
CALM_S = 1.0
GATHER_MAX_S = 10.0
START_WAIT_S = 5.0
"""What was left from before, or from a sync that broke off, rings after this without waiting for the server."""
VIEW_S = 0.5
"""What arrives where the person looks has so long to come into view."""


class Rings:
    def __init__(self, waiting: Iterable[Ring], now: Moment, words: Words) -> None:
        self._words = words
        self._waiting: dict[str, Ring] = {}
        """By publish, as `_coming`."""
        self._coming: dict[str, Ring] = {}
        """Expected to come into view, where they need no popup."""
        for ring in waiting:
            self._add(ring, coming=False)
        self._shown: dict[str, list[Ring]] = {}
        self._closed: set[str] = set()
        self._times: deque[float] = deque()
        self._missing = False
        self._left_over = bool(self._waiting)
        """Some may have rung before the program ended: one popup for them all is at most one too many."""
        self._due: float | None = now.mono + START_WAIT_S if self._waiting else None
        self._gathering_since: float | None = None
        self._coming_until: float | None = None
        self._last = ""
        """The publish that came last: nothing stands between its messages."""

    # -- what comes in ----------------------------------------------------------------------------------------

    def add(self, rings: Iterable[Ring], looking: Looking, now: Moment) -> list[Effect]:
        told = []
        for ring in rings:
            if ring.rings_as == self._last and self._was_told(ring):
                told.append(ring.id)
            else:
                self._add(ring, coming=looking.at_end and ring.conversation == looking.conversation)
            self._last = ring.rings_as
        if self._coming and self._coming_until is None:
            self._coming_until = now.mono + VIEW_S
        return _silenced(told)

    def _was_told(self, ring: Ring) -> bool:
        """Whether the rest of its publish is past ringing; a popup that is there stands for this one too."""
        if ring.rings_as in self._waiting or ring.rings_as in self._coming:
            return False
        for key, rings in self._shown.items():
            self._shown[key] = [_joined(had, ring) if had.rings_as == ring.rings_as else had for had in rings]
        return True

    def _add(self, ring: Ring, *, coming: bool) -> None:
        """The one that comes into view speaks for its publish, or else the first."""
        was_coming = self._coming.pop(ring.rings_as, None)
        before = was_coming or self._waiting.pop(ring.rings_as, None)
        if before is not None:
            ring = _joined(ring, before) if coming and not was_coming else _joined(before, ring)
        (self._coming if coming or was_coming else self._waiting)[ring.rings_as] = ring

    def looked(self, looking: Looking, now: Moment) -> list[Effect]:
        """The person looks elsewhere: what was expected to come into view there will not."""
        if all(ring.conversation == looking.conversation for ring in self._coming.values()):
            return []
        return self._not_seen(now, told_there=False)

    def _not_seen(self, now: Moment, *, told_there: bool) -> list[Effect]:
        """They did not come into view: they ring after all, unless the window in front tells of them."""
        coming, self._coming, self._coming_until = self._coming, {}, None
        silent = {key for key, ring in coming.items() if told_there and ring.priority != "urgent"}
        self._waiting.update({key: ring for key, ring in coming.items() if key not in silent})
        return [*_silenced(_ids(coming[key] for key in coming if key in silent)), *self.release(now)]

    def catching_up(self) -> None:
        """A sync has begun: hold everything until it is clear how much was missed."""
        self._missing, self._due, self._gathering_since = True, None, None

    def broke_off(self, now: Moment) -> None:
        if self._missing or self._waiting:
            self._due = now.mono + START_WAIT_S

    def caught_up(self, now: Moment) -> list[Effect]:
        if not self._missing:
            return []
        self._missing, self._due = False, None
        return self._release_missed(now)

    # -- what goes out ----------------------------------------------------------------------------------------

    def release(self, now: Moment) -> list[Effect]:
        """Popups for what has just arrived, as far as this moment bears them."""
        if self._missing or (self._due is not None and self._gathering_since is None) or not self._waiting:
            return []
        while self._times and self._times[0] <= now.mono - WINDOW_S:
            self._times.popleft()
        effects: list[Effect] = []
        for group in self._groups():
            if len(self._times) >= AT_ONCE:
                break
            effects.append(self._show(group, now))
        self._gather(now)
        return effects

    def tick(self, now: Moment) -> list[Effect]:
        late = self._coming_until is not None and self._coming_until <= now.mono
        effects = self._not_seen(now, told_there=True) if late else []
        return effects + self._tick(now)

    def _tick(self, now: Moment) -> list[Effect]:
        if self._due is None or self._due > now.mono:
            return []
        gathered = self._gathering_since is not None
        self._missing, self._due, self._gathering_since = False, None, None
        return self._in_one(now, self._words.new_messages) if gathered else self._release_missed(now)

    def _release_missed(self, now: Moment) -> list[Effect]:
        rings = self._waiting.values()
        left_over, self._left_over = self._left_over, False
        old = any(now.wall - ring.at > MISSED_AGE_MS for ring in rings)
        if left_over or old or len(rings) > MISSED_MAX:
            return self._in_one(now, self._words.while_away)
        return self.release(now)

    def _gather(self, now: Moment) -> None:
        if not self._waiting:
            self._gathering_since = self._due = None
            return
        if self._gathering_since is None:
            self._gathering_since = now.mono
        self._due = min(now.mono + CALM_S, self._gathering_since + GATHER_MAX_S)

    def _groups(self) -> list[list[Ring]]:
        """By conversation, the urgent first."""
        groups: dict[str, list[Ring]] = {}
        for ring in self._waiting.values():
            groups.setdefault(ring.conversation, []).append(ring)
        return sorted(groups.values(), key=lambda group: all(ring.priority != "urgent" for ring in group))

    def _show(self, group: list[Ring], now: Moment) -> Effect:
        last = group[-1]
        rings = self._cover(last.conversation, group, now)
        priority = _highest(rings)
        popup = Popup(
            key=last.conversation,
            title=self._marked(self._words.counted(last.title, len(rings)), priority),
            body=last.body,
            sender=last.sender,
            message_key=last.id,
            priority=priority,
            can_reply=last.can_reply,
        )
        return ShowPopup(popup, _ids(group))

    def _in_one(self, now: Moment, title: Callable[[int], str]) -> list[Effect]:
        group = list(self._waiting.values())
        if not group:
            return []
        if len({ring.conversation for ring in group}) == 1:
            return [self._show(group, now)]
        rings = self._cover(SUMMARY, group, now)
        labels = list(dict.fromkeys(ring.label for ring in reversed(rings)))
        priority = _highest(rings)
        popup = Popup(
            key=SUMMARY,
            title=self._marked(title(len(rings)), priority),
            body=self._words.from_people(labels),
            priority=priority,
            can_reply=False,
        )
        return [ShowPopup(popup, _ids(group))]

    def _marked(self, title: str, priority: Priority) -> str:
        return {"high": self._words.important, "urgent": self._words.urgent}.get(priority, str)(title)

    def _cover(self, key: str, group: list[Ring], now: Moment) -> list[Ring]:
        """All that the popup `key` stands for now."""
        for ring in group:
            del self._waiting[ring.rings_as]
        self._times.append(now.mono)
        before = [] if key in self._closed else self._shown.get(key, [])
        self._closed.discard(key)
        self._shown[key] = [*before, *group]
        return self._shown[key]

    # -- what is over -----------------------------------------------------------------------------------------

    def read(self, ids: Iterable[str]) -> list[Effect]:
        """Read somewhere: no ring any more, and a popup that stands for nothing else goes."""
        gone = set(ids)
        if not gone:
            return []
        effects = _silenced(id_ for id_ in self._forget(gone) if id_ not in gone)
        for key, rings in tuple(self._shown.items()):
            left = [ring for ring in rings if gone.isdisjoint(ring.ids)]
            if left:
                self._shown[key] = left
            else:
                effects.append(self._withdraw(key))
        return effects

    def silence(self) -> tuple[str, ...]:
        """Do not disturb: only the urgent ones still ring. Returns those that do not."""
        rings = (*self._waiting.values(), *self._coming.values())
        return self._forget(set(_ids(ring for ring in rings if ring.priority != "urgent")))

    def _forget(self, gone: set[str]) -> tuple[str, ...]:
        """Ids of all that would have rung as one with these."""
        over = [ring for ring in (*self._waiting.values(), *self._coming.values()) if not gone.isdisjoint(ring.ids)]
        for ring in over:
            self._waiting.pop(ring.rings_as, None)
            self._coming.pop(ring.rings_as, None)
        return _ids(over)

    def closed(self, key: str) -> None:
        """The next one counts anew; until then the desktop's history may bring this one back."""
        self._closed.add(key)

    def withdraw_all(self) -> list[Effect]:
        return [self._withdraw(key) for key in tuple(self._shown)]

    def shown(self, key: str) -> list[Ring]:
        return self._shown.get(key, [])

    def parts(self, message: str) -> tuple[str, ...]:
        """Ids of all that a popup showed as one with it."""
        shown = (ring.ids for rings in self._shown.values() for ring in rings)
        return next((ids for ids in shown if message in ids), (message,))

    def _withdraw(self, key: str) -> Effect:
        del self._shown[key]
        self._closed.discard(key)
        return WithdrawPopup(key)

    @property
    def dues(self) -> list[float]:
        return [due for due in (self._due, self._coming_until) if due is not None]


def _joined(first: Ring, other: Ring) -> Ring:
    return replace(first, also=(*first.also, *other.ids))


def _ids(rings: Iterable[Ring]) -> tuple[str, ...]:
    return tuple(id_ for ring in rings for id_ in ring.ids)


def _silenced(ids: Iterable[str]) -> list[Effect]:
    found = tuple(ids)
    return [SilenceRings(found)] if found else []


def _highest(rings: Iterable[Ring]) -> Priority:
    return max((ring.priority for ring in rings), key=get_args(Priority).index)
