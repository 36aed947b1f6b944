"""What must hold after every step of the model, and at rest: invariants over the parts that `machine` plays with.

A to D are those of LOG.md ("one log"), I1 to I7 those of docs/reliability.md.
"""

import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis.stateful import RuleBasedStateMachine, invariant

from deskbell_desktop.core.events import Moment
from deskbell_protocol import names
from deskbell_protocol.ids import now_ms
from deskbell_protocol.wire import Event, Head, Publish
from tests.model.desk import Device, Request
from tests.model.office import GROUP, Office, Seen

DEVICES = {"alice 1": "alice", "alice 2": "alice", "bob 1": "bob"}
HOMES = {"alice 1": 0, "alice 2": 1, "bob 1": 1}
"""The process to which a device connects when nothing else is said."""
PEOPLE = ("alice", "bob", "carol")
ADDRESSES = (("alice",), ("bob",), ("alice", "bob"), (GROUP,), ("carol",), ("bob", GROUP), (names.EVERYONE,))

View = dict[int, Seen]


@dataclass
class Line:
    """What is under way between one device and a process. `joined`: the process would push to it."""

    process: int
    joined: bool = False
    has_lost: bool = False
    """Something that was pushed since it joined."""
    up: list[Request] = field(default_factory=list)
    down: list[Any] = field(default_factory=list)

    def cut(self) -> None:
        """What was pushed before may still come, even after the next connect: the device has queues of its own."""
        self.joined = False
        self.up.clear()
        self.down[:] = [item for item in self.down if isinstance(item, Event | Head)]


@dataclass
class Draft:
    """A publish under a key. `members`: who has been in the group ever since it was first tried."""

    sender: str
    publish: Publish
    members: set[str]


@dataclass(frozen=True)
class Acked:
    """A publish that was answered 2xx: it has to be there from now on."""

    id: str
    to: tuple[str, ...]
    sender: str
    members: frozenset[str]

    def parts(self, user: str) -> tuple[int, int]:
        """How many of its entries that person sees, at least and at most."""
        if user == self.sender:
            return len(set(self.to)), len(set(self.to))
        alone = int(user in self.to) + (names.EVERYONE in self.to)
        return alone + (GROUP in self.to and user in self.members), alone + (GROUP in self.to)


@dataclass(frozen=True)
class Backup:
    """And what is known of it, but for the name of its epoch."""

    path: Path
    acked: dict[str, Acked]
    views: dict[str, View]
    head: int
    members: frozenset[str]


class Oracle(RuleBasedStateMachine):
    """`template` is the database that every run begins with; see `office.make_template`."""

    template: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="deskbell-model-", dir=_memory()))
        shutil.copyfile(self.template, self.folder / "server.db")
        self.mono = 1000.0
        self.lines = {name: Line(HOMES[name]) for name in DEVICES}
        self.office = Office(self.folder / "server.db", self._pushed)
        self.desks = {name: self._desk(name) for name in DEVICES}
        self.drafts: dict[str, Draft] = {}
        self.acked: dict[str, Acked] = {}
        self.first_answers: set[str] = set()
        """Keys of which somebody heard that they are no repetition; the answer to one may come before."""
        self.members = set(PEOPLE)
        self.written: dict[str, set[str]] = {name: set() for name in DEVICES}
        self.came_back: dict[str, set[str]] = {name: set() for name in DEVICES}
        """Of what was written, and to a store that is no more."""
        self.backup: Backup | None = None
        self.restores = 0
        self.views: dict[str, dict[str, View]] = {}
        """By epoch and person: all that they ever saw in it, pruned or not."""
        self.heads: dict[str, int] = {}
        self.floors: dict[int, int] = {}
        self.gone: dict[str, frozenset[int]] = {}
        self.keys: dict[tuple[int, str], str] = {}
        self.cids: dict[str, str] = {}
        self.pushes: list[tuple[str, Event | Head]] = []
        self.server_changes: object = None
        self.device_changes: dict[str, object] = {}
        self.seen: dict[str, tuple[str | None, int]] = {}
        self._remember()

    def _desk(self, name: str) -> Device:
        user = self.office.people[DEVICES[name]].party
        desk = Device(self.folder / f"{name}.db", user, self._now, self.lines[name].up.append)
        desk.start()
        return desk

    def _now(self) -> Moment:
        return Moment(now_ms() + int((self.mono - 1000) * 1000), self.mono)

    def _pushed(self, process: int, number: int, push: Event | Head) -> None:
        for name, line in self.lines.items():
            user = DEVICES[name]
            if line.joined and line.process == process and self.office.people[user].number == number:
                line.down.append(push)
                self.pushes.append((user, push))

    def _cut(self, name: str) -> None:
        """The process notices that a socket is gone."""
        line, principal = self.lines[name], self.office.people[DEVICES[name]]
        was_joined = line.joined
        line.cut()
        others = [other for other, it in self.lines.items() if it.joined and it.process == line.process]
        if was_joined and not any(DEVICES[other] == DEVICES[name] for other in others):
            self.office.processes[line.process].delivery.left(principal)

    # -- what holds after every step ----------------------------------------------------------------------------------

    @invariant()
    def holds(self) -> None:
        self._drop_lines_of_dead()
        self._remember()
        self._pushes_hold()
        for name, desk in self.desks.items():
            if desk.changes != self.device_changes.get(name):
                self._device_holds(name)
                self.device_changes[name] = desk.changes

    def _drop_lines_of_dead(self) -> None:
        for name, line in self.lines.items():
            if self.desks[name].off:
                self._cut(name)
                line.down.clear()

    def _remember(self) -> None:
        """The views as they were: within an epoch they only grow, at the end, and lose at most what was pruned."""
        if self.office.changes == self.server_changes:
            return
        self.server_changes = self.office.changes
        end = self.office.end
        before = self.heads.get(end.epoch, 0)
        assert before <= end.seq, f"I1: the log went back from {before} to {end.seq}"
        assert self.office.places() == list(range(1, end.seq + 1)), "the log has holes"
        self.heads[end.epoch], self.floors = end.seq, self.office.floors()
        known = self.views.setdefault(end.epoch, {user: {} for user in PEOPLE})
        for user in PEOPLE:
            now = self.office.view(user)
            self._view_grew(user, known[user], now, before)
            known[user].update(now)
            self.gone[user] = frozenset(known[user].keys() - now.keys())
        self._server_holds()

    def _view_grew(self, user: str, known: View, now: View, before: int) -> None:
        for seq, entry in known.items():
            pruned = seq not in now and seq <= self.floors.get(entry.channel, 0)
            assert pruned or now.get(seq) == entry, f"I1: {user}'s entry {seq} is gone or another"
        late = [seq for seq in now if seq <= before and seq not in known]
        assert not late, f"{user} sees {late} of what was there before"

    def _server_holds(self) -> None:
        views = self.views[self.office.end.epoch]
        parts = {user: Counter(entry.publish for entry in views[user].values()) for user in PEOPLE}
        for key, acked in self.acked.items():
            for user in PEOPLE:
                found, (least, most) = parts[user][acked.id], acked.parts(user)
                assert found >= least, f"I1: {key} was acknowledged and is not in the view of {user}"
                assert found <= most, f"I4: {key} stands in the view of {user} more than once"
        for stored in self.office.keyed():
            first = self.keys.setdefault((stored.sender, stored.cid), stored.id)
            assert first == stored.id, f"I4: {stored.cid} was stored twice"
            self.cids[stored.id] = stored.cid

    def _pushes_hold(self) -> None:
        """A and D: every pushed entry is in the person's view, and none that is lies between it and the one before."""
        pushes, self.pushes = self.pushes, []
        for user, push in pushes:
            view = self.views[push.epoch][user]
            assert isinstance(push, Head) or (push.seq in view and view[push.seq].id == push.id), f"D: {user}: {push}"
            last = push.seq + isinstance(push, Head)
            hidden = [seq for seq in view if push.prev < seq < last]
            assert not hidden, f"A: {user} was not told of {hidden}, but of {push}"

    def _device_holds(self, name: str) -> None:
        desk, user = self.desks[name], DEVICES[name]
        epoch, cursor = desk.position()
        before_epoch, before = self.seen.get(name, (None, 0))
        self.seen[name] = (epoch, cursor)
        numbered = [(seq, id_) for seq, id_, _, _ in desk.messages() if seq]
        if epoch is None:
            assert not numbered
            return
        assert epoch != before_epoch or cursor >= before, f"C: {name} went back from {before} to {cursor}"
        assert cursor <= self.heads[epoch], f"C: {name} is ahead of the log"
        view, base, excused = self.views[epoch][user], desk.bases.get(epoch, 0), desk.excused.get(epoch, set())
        may = {(seq, view[seq].id) for seq in view if base < seq <= cursor and view[seq].kind == names.KIND_MESSAGE}
        must = {(seq, id_) for seq, id_ in may if seq not in excused}
        assert must <= set(numbered) <= may, f"B: {name} has {sorted(numbered)} of {sorted(must)}"
        assert len(set(numbered)) == len(numbered), f"I3: {name} has {numbered}"
        if not self.restores:
            assert numbered == sorted(numbered), f"I3: {name} shows {numbered}"
        theirs = {entry.id for life in self.views.values() for entry in life[user].values()}
        assert {id_ for _, id_, _, _ in desk.messages()} <= theirs, f"I6: {name} has what is not {user}'s"
        self._outbox_holds(name)

    def _outbox_holds(self, name: str) -> None:
        desk = self.desks[name]
        waiting = {item.cid for item in desk.stored().outbox}
        came_back = {self.cids.get(id_) for _, id_, mine, _ in desk.messages() if mine}
        lost = self.written[name] - waiting - came_back - self.came_back[name]
        assert not lost, f"{name} has forgotten that it should send {lost}"

    # -- what holds at rest -------------------------------------------------------------------------------------------

    def _knows_all(self, name: str) -> None:
        epoch, cursor = self.desks[name].position()
        missed = [seq for seq in self.office.view(DEVICES[name]) if seq > cursor]
        assert epoch == self.office.end.epoch, f"I2: {name} rests in a log that is no more"
        assert not missed, f"I2: {name} rests at {cursor} and does not know {missed}"

    def _at_rest(self) -> None:
        for name, desk in self.desks.items():
            self._knows_all(name)
            stored = desk.stored()
            assert not stored.rings, f"{name} has popups that never came"
            assert not stored.untold, f"{name} keeps its read marks to itself"
            self._rang(name)
            if not self.restores:
                self._reads_converged(name)
            assert all(item.state == "failed" for item in stored.outbox), f"{name} has not sent all"

    def _rang(self, name: str) -> None:
        """Each publish that is unread, whichever of its parts it was that rang."""
        desk, user = self.desks[name], DEVICES[name]
        publishes = {entry.id: entry.publish for life in self.views.values() for entry in life[user].values()}
        rang = Counter(publishes[id_] for popup in desk.popups for id_ in popup)
        silent = [id_ for _, id_, _, unread in desk.messages() if unread and not rang[publishes[id_]]]
        assert not silent, f"{name} never rang for {silent}"
        seen: set[str] = set()
        again = 0
        for popup in desk.popups:
            again += not seen.isdisjoint(popup)
            seen.update(popup)
        assert again <= desk.crashes, f"{name} rang {again} times again after {desk.crashes} crashes"

    def _reads_converged(self, name: str) -> None:
        """Of what others wrote: the server never counts one's own, and the desktop does where it went to oneself. Of
        what has a place: after a reset a device does not know which of the others a mark covers.
        """
        desk, user = self.desks[name], DEVICES[name]
        shown = {seq: unread for seq, _, mine, unread in desk.messages() if seq and not mine}
        view, there = self.office.view(user), self.office.unread(user)
        here = {view[seq].id for seq, unread in shown.items() if unread and seq in view}
        there &= {view[seq].id for seq in shown if seq in view}
        assert here == there, f"I7: {name} has {here} unread, the server {there}"


def _memory() -> str | None:
    """Commits cost nothing there, and no power fails in this model."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None
