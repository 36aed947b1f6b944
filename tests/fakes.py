"""Hand-written stand-ins for the pure core's tests: a log like the server's, a store in memory, a clock that is set."""

from dataclasses import dataclass, field, replace
from typing import Any

from deskbell_desktop.core import effects as do
from deskbell_desktop.core import events as on
from deskbell_desktop.core.events import Account, Moment, Outgoing, Ring, Stored, Unread
from deskbell_desktop.core.session import Session
from deskbell_desktop.core.words import Words
from deskbell_protocol import limits, names, wire
from deskbell_protocol.ids import new_id
from deskbell_protocol.wire import Party

ME = Party("00000000-0000-7000-8000-000000000001", "maria", "Maria Garcia")
BOB = Party("00000000-0000-7000-8000-000000000002", "bob", "Bob Stone")
CHEN = Party("00000000-0000-7000-8000-000000000003", "陈晓明", "陈晓明")
OPS = Party("00000000-0000-7000-8000-00000000000a", "@ops", "Operations", "group")
ACCOUNT = Account("https://desk.example.org", ME, "5f0c2b1e9a7d4c3386e1d2f40b7a9c58")
START = Moment(1_800_000_000_000, 1000.0)


@dataclass
class Clock:
    """Both clocks of a computer; `wall` can be set apart from the other."""

    now: Moment = START

    def pass_(self, seconds: float) -> Moment:
        self.now = Moment(self.now.wall + int(seconds * 1000), self.now.mono + seconds)
        return self.now

    def set_wall(self, wall: int) -> Moment:
        self.now = Moment(wall, self.now.mono)
        return self.now


@dataclass
class ServerLog:
    """One person's log at the server: what is in it, and what a sync answers."""

    clock: Clock
    me: Party = ME
    epoch: str = "e1"
    floor: int = 0
    events: list[wire.Event] = field(default_factory=list)
    confirmed: dict[str, tuple[str, int]] = field(default_factory=dict)
    """cid → message id and place in the log."""
    groups: list[str] | None = None

    @property
    def head(self) -> int:
        return self.floor + len(self.events)

    def add(self, kind: str, data: dict[str, Any], id_: str | None = None, at: int | None = None) -> wire.Event:
        at = self.clock.now.wall if at is None else at
        event = wire.Event(self.epoch, self.head, self.head + 1, kind, id_ or new_id(at), at, data)
        self.events.append(event)
        return event

    def message(
        self,
        sender: Party = BOB,
        body: str = "Lunch?",
        to: tuple[Party, ...] = (),
        *,
        at: int | None = None,
        cid: str | None = None,
        **more: Any,
    ) -> wire.Event:
        """`more` are other fields of the content."""
        message = wire.Message(sender=sender, to=list(to or (self.me,)), body=body, cid=cid, **more)
        return self.add(names.KIND_MESSAGE, wire.plain(message), at=at)

    def read(self, *ids: str, up_to: int | None = None) -> wire.Event:
        return self.add(names.KIND_READ, wire.plain(wire.ReadMark(up_to, list(ids) or None)))

    def take(self, effect: do.SendMessage) -> on.SendAnswered:
        """A send: stored once per cid, and an event in the sender's own log."""
        if effect.cid not in self.confirmed:
            to = (BOB,) if effect.to or effect.reply_to else (self.me,)
            event = self.message(self.me, effect.content.body, to, cid=effect.cid)
            self.confirmed[effect.cid] = (event.id, event.seq)
        return on.SendAnswered(effect.cid, *self.confirmed[effect.cid])

    def prune(self, count: int) -> None:
        self.floor += count
        del self.events[:count]

    def restore(self, kept: int) -> None:
        """A backup is put back: the last events never happened, and the epoch says so."""
        del self.events[max(kept - self.floor, 0) :]
        self.epoch = f"e{int(self.epoch[1:]) + 1}"
        self.events = [
            wire.Event(self.epoch, self.floor + n - 1, self.floor + n, old.kind, old.id, old.at, old.data)
            for n, old in enumerate(self.events, 1)
        ]
        ids = {event.id for event in self.events}
        self.confirmed = {cid: (id_, seq) for cid, (id_, seq) in self.confirmed.items() if id_ in ids}

    def sync(self, effect: do.RequestSync, limit: int = limits.SYNC_EVENTS) -> wire.SyncAnswer:
        first = effect.epoch is None
        foreign = (not first and effect.epoch != self.epoch) or effect.after > self.head
        after = self.floor if foreign else effect.after
        found = [event for event in self.events if event.seq > after][:limit]
        return wire.SyncAnswer(
            epoch=self.epoch,
            after=after,
            upto=found[-1].seq if found else self.head,
            head=self.head,
            events=found,
            reset=foreign or (after < self.floor and not first),
            groups=self.groups,
        )


@dataclass
class MemoryStore:
    """What the local store keeps, without SQLite: every effect is one commit."""

    epoch: str | None = None
    cursor: int = 0
    messages: dict[str, do.Arrived] = field(default_factory=dict)
    order: list[int] = field(default_factory=list)
    unread: dict[str, Unread] = field(default_factory=dict)
    rings: dict[str, Ring] = field(default_factory=dict)
    outbox: dict[str, Outgoing] = field(default_factory=dict)
    untold: dict[str, None] = field(default_factory=dict)
    gaps: list[str] = field(default_factory=list)
    groups: tuple[str, ...] | None = None

    def commit(self, effect: do.Effect) -> None:
        match effect:
            case do.ApplyEvents():
                self._apply(effect)
            case do.StartOver(epoch, cursor, note):
                self.epoch, self.cursor = epoch, cursor
                self.gaps.append(note)
                self.unread = {id_: replace(item, seq=0) for id_, item in self.unread.items()}
                self.order.clear()
            case do.SilenceRings(ids):
                self._silence(ids)
            case do.MarkRead(ids):
                self._read(ids)
                self.untold.update(dict.fromkeys(ids))
            case do.ForgetUntold(ids):
                for id_ in ids:
                    self.untold.pop(id_, None)
            case do.ShowPopup(_, covers):
                self._silence(covers)
            case _:
                self._commit_outgoing(effect)

    def _commit_outgoing(self, effect: do.Effect) -> None:
        match effect:
            case do.KeepGroups(groups):
                self.groups = groups
            case do.KeepOutgoing(item):
                self.outbox[item.cid] = item
            case do.DropOutgoing(cid) | do.SettleOutgoing(cid, _):
                self.outbox.pop(cid, None)

    def _apply(self, effect: do.ApplyEvents) -> None:
        assert effect.epoch == self.epoch or self.cursor == 0
        assert effect.cursor > self.cursor or not (effect.messages or effect.read or self.epoch)
        self.epoch, self.cursor = effect.epoch, effect.cursor
        for item in effect.messages:
            self.order.append(item.seq)
            if item.id not in self.messages:
                self.messages[item.id] = item
                if item.ring is not None:
                    self.rings[item.id] = item.ring
            if item.unread:
                self.unread.pop(item.id, None)
                self.unread[item.id] = Unread(item.id, item.seq, item.conversation)
            if item.mine and item.message.cid is not None:
                self.outbox.pop(item.message.cid, None)
        self._read(effect.read)

    def _read(self, ids: tuple[str, ...]) -> None:
        for id_ in ids:
            self.unread.pop(id_, None)
            self.rings.pop(id_, None)

    def _silence(self, ids: tuple[str, ...]) -> None:
        for id_ in ids:
            self.rings.pop(id_, None)

    def known(self, answer: wire.SyncAnswer) -> frozenset[str]:
        return frozenset(event.id for event in answer.events if event.id in self.messages)

    def load(self) -> Stored:
        unread = sorted(self.unread.values(), key=lambda item: item.seq)
        return Stored(
            self.epoch,
            self.cursor,
            tuple(unread),
            tuple(self.rings.values()),
            tuple(self.outbox.values()),
            tuple(self.untold),
            self.groups,
        )


class Bench:
    """A session on the bench: tell it something, look at what it wants done. Commits go to the store at once."""

    def __init__(self, clock: Clock | None = None, store: MemoryStore | None = None, *, quiet: bool = False) -> None:
        self.clock = clock or Clock()
        self.store = store or MemoryStore()
        self.session = Session(Words())
        self.log = ServerLog(self.clock)
        self.done: list[do.Effect] = []
        self.tell(on.Started(ACCOUNT, quiet))

    def tell(self, event: on.Event) -> list[do.Effect]:
        effects = self.session.handle(event, self.clock.now)
        for effect in effects:
            self.store.commit(effect)
        self.done += effects
        return effects

    def sit_down(self) -> list[do.Effect]:
        return self.tell(on.SignedIn(ACCOUNT, self.store.load()))

    def online(self) -> list[do.Effect]:
        """Signed in, connected and caught up."""
        effects = self.sit_down()
        effects += self.tell(on.LinkUp())
        return effects + self.answer(effects)

    def answer(self, effects: list[do.Effect]) -> list[do.Effect]:
        """Answer the sync in `effects`, and those that follow from it."""
        found: list[do.Effect] = []
        asked = [effect for effect in effects if isinstance(effect, do.RequestSync)]
        while asked:
            request = asked.pop()
            answer = self.log.sync(request)
            effects = self.tell(on.SyncAnswered(request, answer, self.store.known(answer)))
            asked = [effect for effect in effects if isinstance(effect, do.RequestSync)]
            found += effects
        return found

    def push(self, *events: wire.Event) -> list[do.Effect]:
        return self.tell(on.FramesPushed(events))

    def wait(self, seconds: float) -> list[do.Effect]:
        """Let time pass, with a tick whenever the session asked for one."""
        end = self.clock.now.mono + seconds
        found: list[do.Effect] = []
        for _ in range(1000):
            due = self.session.due
            if due is None or due > end:
                break
            self.clock.pass_(max(due - self.clock.now.mono, 0))
            found += self.tell(on.Ticked())
        else:
            raise AssertionError("the session asks for ticks without end")
        self.clock.pass_(end - self.clock.now.mono)
        return found

    def popups(self) -> list[do.ShowPopup]:
        return [effect for effect in self.done if isinstance(effect, do.ShowPopup)]


def of(effects: list[do.Effect], type_: type[Any]) -> list[Any]:
    """Those of one type."""
    return [effect for effect in effects if type(effect) is type_]
