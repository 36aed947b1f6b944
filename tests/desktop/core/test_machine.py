"""The session against a hostile world: pushes lost, doubled and swapped, answers lost, crashes between any two effects.

After every step: contiguous, nothing twice, at most one more popup per crash. At the end, when the world is kind again:
nothing missing on either side.
"""

from collections import Counter

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from deskbell_desktop.core import effects as do
from deskbell_desktop.core import events as on
from deskbell_desktop.core.events import Moment
from deskbell_desktop.core.session import Session
from deskbell_desktop.core.words import Words
from deskbell_protocol import names, wire
from tests.fakes import ACCOUNT, BOB, CHEN, ME, OPS, Clock, MemoryStore, ServerLog

SENDERS = (BOB, CHEN, ME)


class CrashError(Exception):
    """The program was killed here."""


class World(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.clock = Clock()
        self.log = ServerLog(self.clock)
        self.store = MemoryStore()
        self.requests: list[do.Effect] = []
        self.air: list[wire.Event] = []
        self.rung: Counter[str] = Counter()
        self.repeated = 0
        self.crashes = 0
        self.steps_left: int | None = None
        self.written = 0
        self.restored = False
        self.up = False
        self.start()
        self.settle()

    # -- the program ------------------------------------------------------------------------------------------

    def start(self) -> None:
        self.session = Session(Words())
        self.requests.clear()
        self.up = False
        self.clock.now = Moment(self.clock.now.wall, self.clock.now.mono + 1)
        self.tell(on.Started(ACCOUNT))
        self.tell(on.SignedIn(ACCOUNT, self.store.load()))

    def tell(self, event: on.Event) -> None:
        try:
            for effect in self.session.handle(event, self.clock.now):
                self.step()
                self.carry_out(effect)
        except CrashError:
            self.crashes += 1
            self.steps_left = None
            self.start()

    def step(self) -> None:
        if self.steps_left is not None:
            self.steps_left -= 1
            if self.steps_left < 0:
                raise CrashError

    def carry_out(self, effect: do.Effect) -> None:
        if isinstance(effect, do.ShowPopup):
            if any(self.rung[id_] for id_ in effect.covers):
                self.repeated += 1
            self.rung.update(effect.covers)
            self.step()  # shown, but not noted
        elif isinstance(effect, do.RequestSync | do.SendMessage | do.SendRead):
            self.requests.append(effect)
        self.store.commit(effect)

    # -- the world --------------------------------------------------------------------------------------------

    @rule(sender=st.sampled_from(SENDERS), group=st.booleans(), urgent=st.booleans())
    def publish(self, sender: wire.Party, group: bool, urgent: bool) -> None:
        to = (OPS,) if group else (ME,) if sender != ME else (BOB,)
        self.air.append(self.log.message(sender, to=to, priority="urgent" if urgent else "normal"))

    @rule(data=st.data())
    def read_elsewhere(self, data: st.DataObject) -> None:
        if self.log.events:
            event = data.draw(st.sampled_from(self.log.events))
            self.air.append(self.log.read(event.id) if event.seq % 2 else self.log.read(up_to=event.seq))

    @rule(data=st.data(), keep=st.booleans())
    def push(self, data: st.DataObject, keep: bool) -> None:
        """Any of what is in the air, in any order, perhaps again later."""
        if self.up and self.air:
            some = data.draw(st.lists(st.sampled_from(self.air), min_size=1, max_size=6))
            if not keep:
                self.air = [event for event in self.air if event not in some]
            self.tell(on.FramesPushed(tuple(some)))

    @rule()
    def settle(self) -> None:
        """A good stretch: connected, everything answered, everything delivered in order."""
        self.link_up()
        for _ in range(60):
            if not self.up or not self.requests:
                break
            self.tell(self.serve(self.requests.pop(0), 200))
        air, self.air = self.air, []
        if self.up and air:
            self.tell(on.FramesPushed(tuple(air)))

    @rule(lose=st.booleans())
    def head(self, lose: bool) -> None:
        if lose:
            self.air.clear()
        if self.up:
            self.tell(on.FramesPushed((wire.Head(self.log.epoch, self.log.head, self.log.head),)))

    def link_up(self) -> None:
        if not self.up:
            self.up = True
            self.tell(on.LinkUp())

    @rule(again=st.booleans())
    def cut(self, again: bool) -> None:
        self.link_down()
        if again:
            self.link_up()

    def link_down(self) -> None:
        if self.up:
            self.up = False
            self.requests.clear()
            self.tell(on.LinkDown())

    @rule(limit=st.integers(1, 5), reached=st.booleans(), refuse=st.booleans())
    def answer(self, limit: int, reached: bool, refuse: bool) -> None:
        """The next request: done and answered; done, but the answer is lost with the link; or refused."""
        if not self.requests or not self.up:
            return
        request = self.requests.pop(0)
        if refuse:
            self.refuse(request)
            return
        answer = self.serve(request, limit)
        if reached:
            self.tell(answer)
        else:
            self.link_down()

    def serve(self, request: do.Effect, limit: int) -> on.Event:
        if isinstance(request, do.RequestSync):
            answer = self.log.sync(request, limit)
            return on.SyncAnswered(request, answer, self.store.known(answer))
        if isinstance(request, do.SendMessage):
            before = self.log.head
            answered = self.log.take(request)
            self.air += self.log.events[before - self.log.floor :]
            return answered
        assert isinstance(request, do.SendRead)
        self.air.append(self.log.read(*request.ids))
        return on.ReadAnswered(request.ids)

    def refuse(self, request: do.Effect) -> None:
        if isinstance(request, do.RequestSync):
            self.tell(on.SyncFailed(request))
        elif isinstance(request, do.SendMessage):
            self.tell(on.SendFailed(request.cid, "unavailable", (), 1.0))
        elif isinstance(request, do.SendRead):
            self.tell(on.ReadFailed(request.ids, "unavailable"))

    @rule(lost=st.integers(-4, 6))
    def change_history(self, lost: int) -> None:
        """A backup is put back, which lacks the last events; or the first ones are pruned."""
        if lost < 0:
            self.log.prune(min(-lost, len(self.log.events)))
            return
        self.link_down()
        self.air.clear()
        self.restored = True
        self.log.restore(max(self.log.head - lost, 0))

    # -- the person -------------------------------------------------------------------------------------------

    @rule(to=st.sampled_from([BOB, CHEN]))
    def write(self, to: wire.Party) -> None:
        self.written += 1
        self.tell(on.Wrote(f"c{self.written}", to.id, (to.name,), "Yes"))

    @rule(which=st.sampled_from([None, BOB.id, CHEN.id, OPS.id]), at_end=st.booleans(), share=st.integers(0, 3))
    def look_at(self, which: str | None, at_end: bool, share: int) -> None:
        unread = [item.id for item in self.store.unread.values() if item.conversation == which]
        self.tell(on.Looking(which, at_end and which is not None, tuple(unread[:share])))

    @rule(
        key=st.sampled_from([BOB.id, CHEN.id, OPS.id, "summary"]), what=st.sampled_from([on.PopupOpened, on.PopupRead])
    )
    def use_popup(self, key: str, what: type[on.PopupOpened] | type[on.PopupRead]) -> None:
        self.tell(what(key))

    @rule(quiet=st.booleans())
    def quiet(self, quiet: bool) -> None:
        self.tell(on.QuietToggled(quiet))

    # -- time and death ---------------------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([0.1, 1.0, 3.0, 30.0]))
    def wait(self, seconds: float) -> None:
        end = self.clock.now.mono + seconds
        for _ in range(200):
            due = self.session.due
            if due is None or due > end:
                break
            self.clock.pass_(max(due - self.clock.now.mono, 0))
            self.tell(on.Ticked())
        else:
            raise AssertionError("the session asks for ticks without end")
        self.clock.pass_(max(end - self.clock.now.mono, 0))

    @rule(steps=st.integers(0, 6))
    def will_crash(self, steps: int) -> None:
        self.steps_left = steps

    @rule()
    def begin_a_new_store(self) -> None:
        """The old one was damaged, and only the outbox could be saved; what was asked for it is still on its way."""
        self.store = MemoryStore(outbox=self.store.outbox)
        self.rung.clear()
        self.tell(on.StoreReplaced(self.store.load(), "Put aside."))

    # -- what must always be true -------------------------------------------------------------------------------

    @invariant()
    def nothing_twice_and_in_order(self) -> None:
        assert self.store.order == sorted(set(self.store.order))

    @invariant()
    def no_hole(self) -> None:
        if self.store.epoch != self.log.epoch:
            return
        assert self.store.cursor <= self.log.head
        passed = [e for e in self.log.events if e.seq <= self.store.cursor and e.kind == names.KIND_MESSAGE]
        assert {event.id for event in passed} <= set(self.store.messages)

    @invariant()
    def at_most_one_more_popup_per_crash(self) -> None:
        assert self.repeated <= self.crashes

    @invariant()
    def only_unread_messages_ring(self) -> None:
        assert set(self.store.rings) <= set(self.store.unread)

    def teardown(self) -> None:
        """The world becomes kind: both sides must come to agree."""
        self.steps_left = None
        self.tell(on.QuietToggled(quiet=False))
        self.tell(on.Looking(None))
        for _ in range(400):
            self.link_up()
            if self.requests:
                self.tell(self.serve(self.requests.pop(0), 200))
                continue
            self.tell(on.FramesPushed((wire.Head(self.log.epoch, self.log.head, self.log.head),)))
            before = self.session.due
            if before is None and not self.requests:
                break
            self.wait(5.0)
        assert self.session.due is None
        assert (self.store.epoch, self.store.cursor) == (self.log.epoch, self.log.head) or not self.log.head
        assert self.store.rings == {}
        assert self.store.untold == {}
        assert self.store.outbox == {}
        here = {event.id for event in self.log.events}
        if not self.restored and not self.log.floor:  # then both know of every read
            assert set(self.store.unread) & here == self.unread_at_the_server()
        cids = [e.data["cid"] for e in self.log.events if e.kind == names.KIND_MESSAGE and e.data.get("cid")]
        assert len(cids) == len(set(cids))
        self.no_hole()

    def unread_at_the_server(self) -> set[str]:
        """As a device would have it that reads the log for the first time."""
        fresh = MemoryStore()
        session = Session(Words())
        session.handle(on.SignedIn(ACCOUNT, fresh.load()), self.clock.now)
        effects = session.handle(on.LinkUp(), self.clock.now)
        while asked := [effect for effect in effects if isinstance(effect, do.RequestSync)]:
            effects = session.handle(on.SyncAnswered(asked[0], self.log.sync(asked[0])), self.clock.now)
            for effect in effects:
                fresh.commit(effect)
        return set(fresh.unread)


World.TestCase.settings = settings(max_examples=300, stateful_step_count=50, deadline=None)
TestWorld = World.TestCase
