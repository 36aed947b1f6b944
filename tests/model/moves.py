"""What may happen to the server and on the wire: the model's single moves, of which Hypothesis makes histories."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from deskbell_desktop.core import effects as do
from deskbell_desktop.core import events as on
from deskbell_protocol.errors import Code
from deskbell_protocol.wire import Ack, Event, Head, Publish, Read, Send, Sync, SyncAnswer, saying
from deskbell_server.errors import STORE_AWAY, RefusedError
from deskbell_server.messaging.messages import Stored
from deskbell_server.store import channels
from tests.model.desk import Request, Synced
from tests.model.office import GROUP, PROCESSES, Process
from tests.model.oracle import ADDRESSES, DEVICES, HOMES, PEOPLE, Acked, Backup, Draft, Oracle
from tests.model.played import Fate, Killed

UP = "connected"
WRITTEN_TO = ADDRESSES
"""To whom the desktop writes: without those of several while it does not know that they are several entries."""

devices = st.sampled_from(sorted(DEVICES))
people = st.sampled_from(PEOPLE)
addresses = st.sampled_from(ADDRESSES)
processes = st.integers(0, PROCESSES - 1)
index = st.integers(0, 30)
seldom = st.sampled_from([False, False, True])
fates = st.sampled_from(
    [
        *[Fate()] * 6,
        *[Fate(late=True)] * 2,
        Fate(before_commit=True),
        Fate(after_commit=True),
        Fate(rooms_pushed=0),
        Fate(rooms_pushed=1),
        Fate(push_fails=True),
        Fate(runs_twice=True),
        Fate(commit_fails=True),
        Fate(outcome_unknown=True),
    ]
)


class Moves(Oracle):
    """Each rule is one step of one process, one person or the wire."""

    # -- the server ---------------------------------------------------------------------------------------------------

    def _call(self, at: int, fate: Fate, work: Callable[[Process], Any]) -> Any:
        """What that process answers, or None where it was killed over it or cannot store anything."""
        process = self.office.processes[at]
        process.database.fate = Fate(**vars(fate))
        for line in self.lines.values():
            line.has_lost |= fate.push_fails and line.process == at
        try:
            return work(process)
        except STORE_AWAY:
            return None
        except Killed:
            self._restart(at)
            return None
        finally:
            process.database.fate = Fate()

    def _restart(self, at: int) -> None:
        self.office.kill(at)
        for line in self.lines.values():
            if line.process == at:
                line.cut()
        self.office.start(at)

    @rule(at=processes, sender=people, to=addresses, fate=fates)
    def publish(self, at: int, sender: str, to: tuple[str, ...], fate: Fate) -> None:
        self._publish(at, self._draft(sender, to), fate)

    def _draft(self, sender: str, to: tuple[str, ...]) -> str:
        key = f"key {len(self.drafts)}"
        self.drafts[key] = Draft(sender, Publish(body=f"message {key}", to=list(to)), set(self.members))
        return key

    @precondition(lambda self: self.drafts)
    @rule(at=processes, number=index, fate=fates)
    def publish_again(self, at: int, number: int, fate: Fate) -> None:
        self._publish(at, self._drawn(number), fate)

    def _drawn(self, number: int) -> str:
        return list(self.drafts)[number % len(self.drafts)]

    def _publish(self, at: int, key: str, fate: Fate) -> None:
        draft = self.drafts[key]
        sender = self.office.people[draft.sender]
        try:
            stored = self._call(at, fate, lambda process: process.messages.publish(sender, draft.publish, key))
        except RefusedError as refusal:
            self._refused(key, refusal)
            return
        if stored is not None:
            self._stored(key, stored)

    @rule(at=processes, several=st.lists(st.tuples(people, addresses), min_size=1, max_size=4), again=index, fate=fates)
    def publish_at_once(self, at: int, several: list[tuple[str, tuple[str, ...]]], again: int, fate: Fate) -> None:
        """They wait for the same commit, and one of them may be a repeated one."""
        keys = [self._draft(sender, to) for sender, to in several]
        keys.insert(again % (len(keys) + 1), self._drawn(again))
        restores = self.restores

        def work(process: Process) -> None:
            for key in keys:
                draft = self.drafts[key]
                sender = self.office.people[draft.sender]
                process.messages.publish_soon(sender, draft.publish, key, self._hears_of(key, restores))
            process.database.write_all()

        self._call(at, fate, work)

    def _hears_of(self, key: str, restores: int) -> Callable[[Stored | None, Exception | None], None]:
        """Who asked; after a restore they have been cut off."""

        def done(stored: Stored | None, problem: Exception | None) -> None:
            if stored is not None and restores == self.restores:
                self._stored(key, stored)
            elif isinstance(problem, RefusedError) and not isinstance(problem, STORE_AWAY):
                self._refused(key, problem)

        return done

    def _stored(self, key: str, stored: Stored) -> None:
        before, draft = self.acked.get(key), self.drafts[key]
        assert before is None or before.id == stored.id, f"I4: {key} was acknowledged as another"
        assert stored.duplicate or key not in self.first_answers, f"I4: {key} was stored for the first time twice"
        if not stored.duplicate:
            self.first_answers.add(key)
        if before is None:
            self.acked[key] = Acked(stored.id, tuple(draft.publish.to or ()), draft.sender, frozenset(draft.members))

    def _refused(self, key: str, refusal: RefusedError) -> None:
        """Only who is not in the group may not write to it."""
        assert refusal.code == Code.UNKNOWN_RECIPIENT, refusal
        assert GROUP in (self.drafts[key].publish.to or ()), refusal
        assert key not in self.acked, f"I4: {key} was acknowledged, and then refused"

    @precondition(lambda self: self.acked)
    @rule(at=processes, number=index)
    def publish_something_else_under_the_same_key(self, at: int, number: int) -> None:
        key = list(self.acked)[number % len(self.acked)]
        sender, other = self.office.people[self.acked[key].sender], Publish(body="another", to=["bob"])
        try:
            self.office.processes[at].messages.publish(sender, other, key)
        except RefusedError as refusal:
            if refusal.code == Code.IDEMPOTENCY_CONFLICT:
                return
            raise
        raise AssertionError("I4: one key stands for two messages")

    @rule(at=processes, user=people, share=st.integers(0, 4))
    def read_by_script(self, at: int, user: str, share: int) -> None:
        mark = Read(up_to=self.office.end.seq * share // 4)
        self.office.processes[at].reading.read(self.office.people[user], mark)

    @rule(at=processes, user=people, really=seldom)
    def come_or_leave(self, at: int, user: str, really: bool) -> None:
        if not really:
            return
        groups = self.office.processes[at].groups
        if user in self.members:
            groups.remove(GROUP, [user])
            for draft in self.drafts.values():
                draft.members.discard(user)
        else:
            groups.add(GROUP, [user])
        self.members ^= {user}

    @rule(at=processes)
    def kill_server(self, at: int) -> None:
        self._restart(at)

    @rule(at=processes, fate=st.sampled_from([Fate(), Fate(late=True), Fate(push_fails=True), Fate(rooms_pushed=1)]))
    def look(self, at: int, fate: Fate) -> None:
        """Once a second, or on a hint: what others committed. And what was looked at before reaches the loop."""
        self._call(at, fate, lambda process: process.database.nudge())
        if fate == Fate():
            assert self.office.processes[at].delivery.place == self.office.end, f"process {at} does not look any more"

    @rule(at=processes)
    def tell_heads(self, at: int) -> None:
        self.office.processes[at].tell_heads(person.number for person in self.office.people.values())

    @rule()
    def back_up(self) -> None:
        self.holds()
        path = self.folder / "backup.db"
        path.unlink(missing_ok=True)
        self.office.back_up(path)
        end = self.office.end
        views = {user: dict(view) for user, view in self.views[end.epoch].items()}
        self.backup = Backup(path, dict(self.acked), views, end.seq, frozenset(self.members))

    @precondition(lambda self: self.backup)
    @rule(really=seldom, stopped=st.booleans())
    def restore(self, really: bool, stopped: bool) -> None:
        """Every server is stopped, or goes on as with `--force`."""
        if not really:
            return
        assert self.backup
        self.holds()  # as it was before, to be compared with
        self.restores += 1
        self.office.restore(self.backup.path)
        for at in range(PROCESSES) if stopped else ():
            self._restart(at)
        epoch = self.office.end.epoch
        assert epoch not in self.views, "the log lives on as if nothing had happened"
        self.views[epoch] = {user: dict(view) for user, view in self.backup.views.items()}
        self.heads[epoch] = self.backup.head
        self.acked, self.members = dict(self.backup.acked), set(self.backup.members)
        for draft in self.drafts.values():
            draft.members &= self.members
        self.keys.clear()
        self.first_answers.clear()

    @rule(at=processes, keep=st.integers(0, 6), really=seldom)
    def prune(self, at: int, keep: int, really: bool) -> None:
        """In each channel the newest `keep` stay, and all that only one person's devices are told."""
        if not really:
            return
        self.holds()
        before = self.office.standing()
        self.office.processes[at].prune(keep)
        kept = {
            channel: seqs if channels.person_of(channel) else seqs[-keep:]
            for channel, seqs in before.items()
            if keep or channels.person_of(channel)
        }
        assert self.office.standing() == kept, f"of {before} is kept {self.office.standing()}"

    # -- the wire -----------------------------------------------------------------------------------------------------

    @rule(name=devices, at=processes)
    def connect(self, name: str, at: int) -> None:
        """The server takes it in first: pushes may come before the device knows that it is connected."""
        line, desk = self.lines[name], self.desks[name]
        if desk.off:
            return
        self._cut(name)
        desk.feed(on.LinkDown())
        line.joined, line.has_lost, line.process = True, False, at
        self.office.processes[at].delivery.arrived(self.office.people[DEVICES[name]])
        line.down.append(UP)

    @rule(name=devices, late=st.booleans())
    def connect_and_catch_up(self, name: str, late: bool) -> None:
        self.start_device(name)
        self.connect(name, HOMES[name])
        self.exchange(name, late)

    @rule(name=devices)
    def start_device(self, name: str) -> None:
        if self.desks[name].off:
            self._cut(name)
            self.desks[name].start()

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
        self._cut(name)
        if noticed:
            self.desks[name].feed(on.LinkDown())

    @rule(name=devices, fate=fates)
    def serve(self, name: str, fate: Fate) -> None:
        line = self.lines[name]
        if not line.joined:
            line.up.clear()
        elif line.up:
            request = line.up.pop(0)
            answer = self._call(line.process, fate, lambda process: self._answered(process, DEVICES[name], request))
            if answer is not None:
                line.down.append(answer)

    def _answered(self, process: Process, user: str, request: Request) -> Any:
        person = self.office.people[user]
        match request:
            case do.RequestSync(epoch, after):
                return self._synced(user, request, process.reading.sync(person, Sync(epoch, after, limit=3)))
            case do.SendMessage(cid):
                to = None if request.reply_to else list(request.to)
                send = saying(Send, request.content, cid=cid, to=to, reply_to=request.reply_to)
                try:
                    stored = process.messages.publish(person, send, cid)
                    return on.SendAnswered(cid, stored.id, stored.seq)
                except (RefusedError, *STORE_AWAY) as refusal:
                    return on.SendFailed(cid, getattr(refusal, "code", Code.INTERNAL))
            case do.SendRead(ids):
                try:
                    process.reading.read(person, Read(ids=list(ids)))
                except (RefusedError, *STORE_AWAY) as refusal:
                    return on.ReadFailed(ids, getattr(refusal, "code", Code.INTERNAL))
                return on.ReadAnswered(ids)
            case do.SendAck(epoch, seq):
                if epoch == self.office.end.epoch:  # else it is refused, which the device does not mind
                    process.reading.ack(person, Ack(epoch, seq))
        return None

    def _synced(self, user: str, request: do.RequestSync, answer: SyncAnswer) -> Synced:
        """One snapshot: all of the view in (`after`, `upto`]."""
        view = self.office.view(user)
        due = sorted(seq for seq in view if answer.after < seq <= answer.upto)
        assert [event.seq for event in answer.events] == due, f"{user} is answered {answer}"
        assert [event.prev for event in answer.events] == [answer.after, *due][:-1], f"{user} is answered {answer}"
        assert answer.after < answer.upto <= answer.head or answer.after == answer.upto == answer.head, answer
        gone = frozenset(self.views[answer.epoch][user].keys() - view.keys())
        return Synced(request, answer, gone)

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
        pushes = [item for item in line.down if isinstance(item, Event | Head)]
        line.down[:] = [item for item in line.down if not isinstance(item, Event | Head)]
        if pushes:
            self.desks[name].feed(on.FramesPushed(tuple(pushes)))

    @rule(name=devices, number=index)
    def drop(self, name: str, number: int) -> None:
        self.lines[name].has_lost = True
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
