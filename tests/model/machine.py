"""Every way in which messages, crashes, restores and pruning can follow one another, and what must hold after each.

The parts are real: `Session`, `Carrier` and `Store` of the desktop, `Messages`, `Reading` and `Delivery` of the server.
Only the wire between them is played: pushes are dropped, doubled, reordered; a cut takes requests and answers with it.
"""

import shutil
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from deskbell_desktop.core import effects as do
from deskbell_desktop.core import events as on
from deskbell_protocol.errors import Code
from deskbell_protocol.wire import Ack, Event, Head, Publish, Read, Send, Sync, saying
from deskbell_server.errors import RefusedError
from tests.model.desk import Request, Synced
from tests.model.office import Fate, Killed
from tests.model.oracle import ADDRESSES, DEVICES, PEOPLE, Acked, Backup, Oracle

UP = "connected"

devices = st.sampled_from(sorted(DEVICES))
index = st.integers(0, 30)
seldom = st.sampled_from([False, False, True])
fates = st.sampled_from(
    [
        *[Fate()] * 6,
        Fate(before_commit=True),
        Fate(after_commit=True),
        Fate(rooms_pushed=0),
        Fate(rooms_pushed=1),
        Fate(push_fails=True),
        Fate(runs_twice=True),
    ]
)


class Machine(Oracle):
    """The rules: what may happen. Hypothesis chooses which, and in what order."""

    def teardown(self) -> None:
        try:
            self._settle()
            self._at_rest()
        finally:
            for desk in self.desks.values():
                desk.close()
            self.office.kill()
            shutil.rmtree(self.folder)

    # -- the server ---------------------------------------------------------------------------------------------------

    def _call(self, fate: Fate, work: Any) -> Any:
        """What the server answers, or None where it was killed over it."""
        self.office.database.fate = fate
        try:
            return work()
        except Killed:
            self._restart()
            return None
        finally:
            self.office.database.fate = Fate()

    def _restart(self) -> None:
        self.office.kill()
        for line in self.lines.values():
            line.cut()
        self.office.start()

    @rule(sender=st.sampled_from(PEOPLE), to=st.sampled_from(ADDRESSES), fate=fates)
    def publish(self, sender: str, to: tuple[str, ...], fate: Fate) -> None:
        key = f"key {len(self.drafts)}"
        self.drafts[key] = (sender, Publish(body=f"message {key}", to=list(to)))
        self._publish(key, fate)

    @precondition(lambda self: self.drafts)
    @rule(number=index, fate=fates)
    def publish_again(self, number: int, fate: Fate) -> None:
        self._publish(list(self.drafts)[number % len(self.drafts)], fate)

    def _publish(self, key: str, fate: Fate) -> None:
        sender, draft = self.drafts[key]
        stored = self._call(fate, lambda: self.office.publish(sender, draft, key))
        if stored is None:
            return
        before = self.acked.get(key)
        assert before is None or (before.id == stored.id and stored.duplicate), f"I4: {key} was acknowledged as another"
        self.acked[key] = Acked(stored.id, tuple(draft.to or ()), sender)

    @precondition(lambda self: self.acked)
    @rule(number=index)
    def publish_something_else_under_the_same_key(self, number: int) -> None:
        key = list(self.acked)[number % len(self.acked)]
        try:
            self.office.publish(self.acked[key].sender, Publish(body="another", to=["bob"]), key)
        except RefusedError as refusal:
            if refusal.code == Code.IDEMPOTENCY_CONFLICT:
                return
            raise
        raise AssertionError("I4: one key stands for two messages")

    @rule(user=st.sampled_from(PEOPLE), share=st.integers(0, 4))
    def read_by_script(self, user: str, share: int) -> None:
        self.office.read(user, Read(up_to=self.office.stream(user).head * share // 4))

    @rule()
    def kill_server(self) -> None:
        self._restart()

    @rule()
    def back_up(self) -> None:
        path = self.folder / "backup.db"
        path.unlink(missing_ok=True)
        self.office.back_up(path)
        self.backup = Backup(path, dict(self.acked))

    @precondition(lambda self: self.backup)
    @rule(really=seldom)
    def restore(self, really: bool) -> None:
        if not really:
            return
        assert self.backup
        self.holds()  # as it was before, to be compared with
        for line in self.lines.values():
            line.cut()
        self.office.restore(self.backup.path)
        self.acked = dict(self.backup.acked)
        self.keys.clear()
        self.restores += 1

    @rule(keep=st.integers(0, 6), really=seldom)
    def prune(self, keep: int, really: bool) -> None:
        if really:
            self.holds()
            self.office.prune(keep)

    # -- the wire -----------------------------------------------------------------------------------------------------

    @rule(name=devices)
    def connect(self, name: str) -> None:
        """The server takes it in first: pushes may come before the device knows that it is connected."""
        line, desk = self.lines[name], self.desks[name]
        if desk.off:
            return
        line.cut()
        desk.feed(on.LinkDown())
        line.joined = True
        line.down.append(UP)

    @rule(name=devices, late=st.booleans())
    def connect_and_catch_up(self, name: str, late: bool) -> None:
        self.start_device(name)
        self.connect(name)
        self.exchange(name, late)

    @rule(name=devices, late=st.booleans())
    def exchange(self, name: str, late: bool) -> None:
        """A while without faults; with `late`, pushes are overtaken by all answers, and stay under way."""
        line = self.lines[name]
        for _ in range(20):
            held = [item for item in line.down if late and isinstance(item, Event | Head)]
            line.down[:] = [item for item in line.down if item not in held]
            idle = not line.up and not line.down
            self.serve(name, Fate())
            self.deliver_all_in_order(name)
            line.down += held
            if idle:
                return

    @rule(name=devices, noticed=st.booleans())
    def cut(self, name: str, noticed: bool) -> None:
        self.lines[name].cut()
        if noticed:
            self.desks[name].feed(on.LinkDown())

    @rule(name=devices, fate=fates)
    def serve(self, name: str, fate: Fate) -> None:
        line = self.lines[name]
        if not line.joined:
            line.up.clear()
        elif line.up:
            request = line.up.pop(0)
            answer = self._call(fate, lambda: self._answered(DEVICES[name], request))
            if answer is not None:
                line.down.append(answer)

    def _answered(self, user: str, request: Request) -> Any:
        match request:
            case do.RequestSync(epoch, after):
                answer = self.office.sync(user, Sync(epoch, after, limit=3))
                return Synced(request, answer, self.office.stream(user).floor)
            case do.SendMessage(cid):
                to = None if request.reply_to else list(request.to)
                send = saying(Send, request.content, cid=cid, to=to, reply_to=request.reply_to)
                try:
                    return on.SendAnswered(cid, self.office.publish(user, send, cid).id)
                except RefusedError as refusal:
                    return on.SendFailed(cid, refusal.code)
            case do.SendRead(ids):
                try:
                    self.office.read(user, Read(ids=list(ids)))
                except RefusedError as refusal:
                    return on.ReadFailed(ids, refusal.code)
                return on.ReadAnswered(ids)
            case do.SendAck(epoch, seq):
                if epoch == self.office.epoch:  # else it is refused, which the device does not mind
                    self.office.ack(user, Ack(epoch, seq))
        return None

    @rule(name=devices, number=index)
    def deliver(self, name: str, number: int) -> None:
        line = self.lines[name]
        if line.down:
            self._deliver(name, line.down.pop(number % len(line.down)))

    @rule(name=devices)
    def deliver_all_in_order(self, name: str) -> None:
        line = self.lines[name]
        for _ in range(len(line.down)):
            if line.down:
                self._deliver(name, line.down.pop(0))

    def _deliver(self, name: str, what: Any) -> None:
        desk = self.desks[name]
        if what is UP:
            desk.feed(on.LinkUp())
        elif isinstance(what, Event | Head):
            desk.feed(on.FramesPushed((what,)))
        elif isinstance(what, Synced):
            desk.synced(what)
        else:
            desk.feed(what)

    @rule(name=devices)
    def deliver_pushes_in_one_go(self, name: str) -> None:
        line = self.lines[name]
        pushes = [item for item in line.down if isinstance(item, Event)]
        line.down[:] = [item for item in line.down if not isinstance(item, Event)]
        if pushes:
            self.desks[name].feed(on.FramesPushed(tuple(pushes)))

    @rule(name=devices, number=index)
    def drop(self, name: str, number: int) -> None:
        self._other_pushes(name, number, lambda pushes, at: pushes.pop(at))

    @rule(name=devices, number=index)
    def double(self, name: str, number: int) -> None:
        self._other_pushes(name, number, lambda pushes, at: pushes.append(pushes[at]))

    def _other_pushes(self, name: str, number: int, change: Any) -> None:
        line = self.lines[name]
        pushes = [item for item in line.down if isinstance(item, Event | Head)]
        if pushes:
            change(pushes, number % len(pushes))
            line.down[:] = [item for item in line.down if not isinstance(item, Event | Head)] + pushes

    @rule()
    def tell_heads(self) -> None:
        self.office.tell_heads()

    # -- what rarely comes about by chance ---------------------------------------------------------------------------

    @rule(name=devices, effects=st.integers(0, 6), count=st.integers(1, 3))
    def killed_over_a_message(self, name: str, effects: int, count: int) -> None:
        self.connect_and_catch_up(name, late=False)
        self.kill_device_soon(name, effects)
        for _ in range(count):
            self.publish("carol", (DEVICES[name],), Fate())
        self.exchange(name, late=False)

    @rule(name=devices, count=st.integers(1, 5), late=st.booleans())
    def restored_behind_its_back(self, name: str, count: int, late: bool) -> None:
        self.connect_and_catch_up(name, late=False)
        self.back_up()
        for _ in range(count):
            self.publish("carol", (DEVICES[name],), Fate())
        self.exchange(name, late)
        self.restore(really=True)
        self.publish("bob", (DEVICES[name],), Fate())
        self.connect_and_catch_up(name, late)

    @rule(user=st.sampled_from(PEOPLE), shares=st.tuples(st.integers(0, 4), st.integers(0, 4)))
    def read_in_two_places(self, user: str, shares: tuple[int, int]) -> None:
        for _ in range(4):  # so that every share is another mark
            self.publish("carol", (user,), Fate())
        for share in shares:
            self.read_by_script(user, share)

    @rule(name=devices, count=st.integers(1, 4), keep=st.integers(0, 4))
    def pruned_behind_its_back(self, name: str, count: int, keep: int) -> None:
        self.connect_and_catch_up(name, late=False)
        self.cut(name, noticed=True)
        for _ in range(count):
            self.publish("carol", (DEVICES[name],), Fate())
        self.prune(keep, really=True)

    @rule(name=devices, count=st.integers(0, 4))
    def store_breaks_while_it_asks(self, name: str, count: int) -> None:
        self.connect_and_catch_up(name, late=False)
        for _ in range(count):
            self.publish("carol", (DEVICES[name],), Fate())
        desk = self.desks[name]
        desk.feed(on.Woke())
        self.came_back[name] |= self.written[name] - {item.cid for item in desk.stored().outbox}
        desk.break_store()
        self.holds()  # it begins anew
        self.exchange(name, late=False)

    # -- the person and the program -----------------------------------------------------------------------------------

    @rule(name=devices, to=st.sampled_from(ADDRESSES))
    def write(self, name: str, to: tuple[str, ...]) -> None:
        desk = self.desks[name]
        cid = f"{name}, {len(self.written[name])}"
        before = desk.crashes
        desk.feed(on.Wrote(cid, f"to {to}", to, f"written {cid}"))
        if not desk.off or (desk.crashes > before and any(item.cid == cid for item in desk.stored().outbox)):
            self.written[name].add(cid)  # it is in the store: from now on it must not get lost

    @rule(name=devices, number=index)
    def answer(self, name: str, number: int) -> None:
        """A reply to something that the device has, perhaps from a log that is no more."""
        desk = self.desks[name]
        got = [id_ for _, id_, mine, _ in desk.messages() if not mine]
        if not got or desk.off:
            return
        cid = f"{name}, {len(self.written[name])}"
        desk.feed(on.Wrote(cid, "to bob", ("bob",), f"answer {cid}", reply_to=got[number % len(got)]))
        if not desk.off:
            self.written[name].add(cid)

    @rule(name=devices, number=index, how=st.sampled_from([on.PopupRead, on.PopupOpened, on.PopupClosed]))
    def touch_popup(self, name: str, number: int, how: Any) -> None:
        desk = self.desks[name]
        if desk.popups:
            desk.feed(how(desk.popup_keys[number % len(desk.popups)]))

    @rule(name=devices, number=index)
    def look_at_conversation(self, name: str, number: int) -> None:
        desk = self.desks[name]
        conversations = [item.conversation for item in desk.stored().unread]
        if conversations:
            conversation = conversations[number % len(conversations)]
            unread = tuple(item.id for item in desk.stored().unread if item.conversation == conversation)
            desk.feed(on.Looking(conversation, at_end=True, seen=unread[-number % len(unread) :]))
            desk.feed(on.Looking(None))

    @rule(name=devices, effects=st.integers(0, 6))
    def kill_device_soon(self, name: str, effects: int) -> None:
        if not self.desks[name].off:
            self.desks[name].burn_down(effects)

    @rule(name=devices)
    def kill_device(self, name: str) -> None:
        if not self.desks[name].off:
            self.desks[name].crash()

    @rule(name=devices)
    def start_device(self, name: str) -> None:
        if self.desks[name].off:
            self.lines[name].cut()
            self.desks[name].start()

    @rule(seconds=st.sampled_from([0.3, 1.0, 2.5, 6.0, 40.0]))
    def time_passes(self, seconds: float) -> None:
        self.mono += seconds
        for desk in self.desks.values():
            if desk.due is not None and desk.due <= self.mono:
                desk.feed(on.Ticked())

    # -- the end ------------------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        """No more faults: everything that can go on goes on, until nothing does."""
        self.holds()
        for name, desk in self.desks.items():
            desk.burn_out()
            self.start_device(name)
            self.connect(name)
        for _ in range(400):
            busy = self._turn()
            self.holds()
            dues = [desk.due for desk in self.desks.values() if desk.due is not None and desk.due < self.mono + 600]
            if not busy and not dues:
                return
            if not busy:
                self.mono = max(self.mono, min(dues))
                self.time_passes(0.0)
        raise AssertionError("it never comes to rest")

    def _turn(self) -> bool:
        busy = False
        for name, line in self.lines.items():
            busy = busy or bool(line.up or line.down)
            while line.up:
                self.serve(name, Fate())
            self.deliver_all_in_order(name)
        return busy
