"""What the person wrote and the server may not have yet: in order per conversation, retried for three days."""

from collections.abc import Iterable
from dataclasses import replace

from deskbell_desktop.core import refusals
from deskbell_desktop.core.effects import DropOutgoing, Effect, KeepOutgoing, SendMessage, SettleOutgoing
from deskbell_desktop.core.events import Moment, Outgoing, SendAnswered, SendFailed
from deskbell_desktop.core.words import Words
from deskbell_protocol import limits
from deskbell_protocol.characters import can_be_seen
from deskbell_protocol.errors import FATAL, FINAL, Code
from deskbell_protocol.wire import Party

AT_ONCE = 8
"""Conversations that are sent for at the same time."""
RETRY_FIRST_S = 2.0
RETRY_MAX_S = 60.0
LIFE_MS = int(limits.OUTBOX_LIFE_S * 1000)
COUNT_S = 600.0
"""How long it has waited is noted so often: no more of it depends on the wall clock after a crash."""
CHANCE_MS = 60_000
"""So long at least it is tried, from the first connection on, however long the program was off."""
SURE_MS = int(limits.IDEMPOTENCY_LIFE_S * 1000) - 86_400_000
"""Older than that it is not tried by itself: the server may have stored it and not know its cid any more."""
BORN_MS = 1_672_531_200_000
"""2023. Nothing was written before: what a clock said then, as one without a battery does, says nothing."""


class Outbox:
    def __init__(self, items: Iterable[Outgoing], words: Words, now: Moment) -> None:
        self._words = words
        self._items = {item.cid: _after_restart(item, now) for item in items}
        self._untried = {cid for cid, item in self._items.items() if item.waited_ms == LIFE_MS - CHANCE_MS}
        """Those that had waited long enough before this start, which was not connected yet."""
        self._online = False
        self._asking: dict[str, str] = {}  # conversation -> cid
        self._wait_until: dict[str, float] = {}  # conversation -> when it may be tried again
        self._failures: dict[str, int] = {}
        self._expires_at: float | None = None

    @property
    def waiting(self) -> int:
        """So many go out by themselves."""
        return sum(item.state == "queued" for item in self._items.values())

    @property
    def unsent(self) -> tuple[Outgoing, ...]:
        return tuple(item for item in self._items.values() if item.state == "failed")

    def told(self, item: Outgoing) -> Effect:
        return self._keep(replace(item, told=True))

    def get(self, cid: str) -> Outgoing | None:
        return self._items.get(cid)

    # -- the link ---------------------------------------------------------------------------------------------

    def up(self, now: Moment) -> list[Effect]:
        self._online = True
        self._failures.clear()
        for cid in self._untried & self._items.keys():
            self._items[cid] = _aged(self._items[cid], now, LIFE_MS - CHANCE_MS)
        self._untried.clear()
        return self.send(now)

    def down(self) -> None:
        self._online = False
        self._asking.clear()
        self._wait_until.clear()

    def send(self, now: Moment) -> list[Effect]:
        """The oldest of each conversation that nothing holds back."""
        effects = self._expire(now)
        self._wait_until = {name: until for name, until in self._wait_until.items() if until > now.mono}
        seen: set[str] = set()
        for item in tuple(self._items.values()):
            if item.state != "queued" or item.conversation in seen:
                continue
            seen.add(item.conversation)
            if self._may_try(item.conversation):
                self._asking[item.conversation] = item.cid
                effects.append(_message(item))
        return effects

    def _may_try(self, conversation: str) -> bool:
        return (
            self._online
            and len(self._asking) < AT_ONCE
            and conversation not in self._asking
            and conversation not in self._wait_until
        )

    # -- the answers ------------------------------------------------------------------------------------------

    def answered(self, event: SendAnswered, now: Moment) -> list[Effect]:
        """The server has it. It stays here until its echo arrives."""
        item = self._done(event.cid)
        if item is None:
            return []
        self._failures.pop(item.conversation, None)
        sent = replace(item, state="sent", problem="", message_id=event.id, seq=event.seq)
        return [self._keep(sent), *self.send(now)]

    def settle(self, cursor: int, me: Party) -> list[Effect]:
        """What should have been echoed up to here, or has no place in the log: that was pruned before we read it."""
        sent = [item for item in self._items.values() if item.state == "sent"]
        late = [item for item in sent if item.seq is None or item.seq <= cursor]
        for item in late:
            del self._items[item.cid]
        return [SettleOutgoing(item.cid, me) for item in late]

    def start_over(self) -> list[Effect]:
        """The server was restored and may have lost what it confirmed: say it again, under the same cid."""
        sent = [item for item in self._items.values() if item.state == "sent"]
        return [self._keep(replace(item, state="queued", message_id=None, seq=None)) for item in sent]

    def echoed(self, cid: str, now: Moment) -> list[Effect]:
        """It stands in our own log; the store has dropped it in that commit."""
        if self._done(cid) is None:
            return []
        del self._items[cid]
        return self.send(now)

    def failed(self, event: SendFailed, now: Moment) -> list[Effect]:
        item = self._done(event.cid)
        if item is None or item.state != "queued":
            return []
        if event.code == Code.NOT_FOUND and item.reply_to is not None and item.to:
            # the server was restored and has lost what this answers to: the people are still there
            return [self._keep(replace(item, reply_to=None)), *self.send(now)]
        if event.code in FINAL:
            size = len(item.content.body.encode())
            why = refusals.sentence(self._words, event.code, event.names or item.to, size=size)
            return [self._keep(_failed(item, why)), *self.send(now)]
        if event.code not in FATAL:
            self._put_off(item.conversation, event.retry_after_s, now)
        return self.send(now)

    def _put_off(self, conversation: str, retry_after_s: float | None, now: Moment) -> None:
        failures = self._failures.get(conversation, 0)
        self._failures[conversation] = min(failures + 1, 10)
        wait = min(RETRY_FIRST_S * 2**failures, RETRY_MAX_S) if retry_after_s is None else retry_after_s
        self._wait_until[conversation] = now.mono + wait

    def _done(self, cid: str) -> Outgoing | None:
        item = self._items.get(cid)
        if item is not None and self._asking.get(item.conversation) == cid:
            del self._asking[item.conversation]
        return item

    # -- the person -------------------------------------------------------------------------------------------

    def write(self, item: Outgoing, now: Moment) -> list[Effect]:
        size = len(item.content.body.encode())
        item = replace(item, waited_ms=0, counted=now)
        if not can_be_seen(item.content.body):
            item = _failed(item, self._words.empty())
        elif size > limits.BODY_BYTES:
            item = _failed(item, self._words.too_long(size))
        return [self._keep(item), *self.send(now)]

    def retry(self, cid: str, now: Moment) -> list[Effect]:
        item = self._items.get(cid)
        if item is None or item.state != "failed":
            return []
        del self._items[cid]
        before = min(_aged(item, now, 0).before_ms, SURE_MS - CHANCE_MS)
        item = replace(item, state="queued", problem="", told=False, created_at=now.wall, before_ms=before)
        return self.write(item, now)

    def discard(self, cid: str) -> list[Effect]:
        """Only what failed: anything else may be at the server already."""
        item = self._items.get(cid)
        if item is None or item.state != "failed":
            return []
        del self._items[cid]
        return [DropOutgoing(cid)]

    # -- the clock --------------------------------------------------------------------------------------------

    def tick(self, now: Moment) -> list[Effect]:
        return self.send(now)

    def _expire(self, now: Moment) -> list[Effect]:
        effects: list[Effect] = []
        dues = []
        for item in tuple(self._items.values()):
            if item.state != "queued" or self._asking.get(item.conversation) == item.cid:
                continue
            since = now.mono - item.counted.mono
            age = item.waited_ms + int(since * 1000)
            life = SURE_MS if item.cid in self._untried else LIFE_MS
            left = min(life, SURE_MS - item.before_ms) - age
            if left <= 0:
                effects.append(self._keep(_failed(item, self._words.expired())))
                continue
            if since >= COUNT_S:
                effects.append(self._keep(replace(item, waited_ms=age, counted=now)))
                since = 0.0
            dues.append(now.mono + min(left / 1000, COUNT_S - since))
        self._expires_at = min(dues, default=None)
        return effects

    @property
    def dues(self) -> list[float]:
        waits = list(self._wait_until.values()) if self._online else []
        return waits if self._expires_at is None else [*waits, self._expires_at]

    def _keep(self, item: Outgoing) -> Effect:
        self._items[item.cid] = item
        return KeepOutgoing(item)


def _failed(item: Outgoing, why: str) -> Outgoing:
    return replace(item, state="failed", problem=why)


def _after_restart(item: Outgoing, now: Moment) -> Outgoing:
    """Only the wall clock knows how long the program was off, unless it was set meanwhile."""
    away = max(0, now.wall - item.counted.wall) if item.counted.wall >= BORN_MS else 0
    return _aged(replace(item, counted=Moment(0, now.mono - away / 1000)), now, LIFE_MS - CHANCE_MS)


def _aged(item: Outgoing, now: Moment, most: int) -> Outgoing:
    """Its time counted up to `now`, of which `most` (milliseconds) is waiting that may end in giving up."""
    whole = item.waited_ms + round((now.mono - item.counted.mono) * 1000)
    waited = min(whole, most)
    return replace(item, waited_ms=waited, before_ms=item.before_ms + whole - waited, counted=now)


def _message(item: Outgoing) -> SendMessage:
    to = () if item.reply_to else item.to
    return SendMessage(item.cid, to, item.reply_to, item.content)
