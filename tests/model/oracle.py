"""What must hold after every step of the model, and at rest: invariants over the parts that `machine` plays with."""

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
from tests.model.office import GROUP, Office

DEVICES = {"alice 1": "alice", "alice 2": "alice", "bob 1": "bob"}
PEOPLE = ("alice", "bob", "carol")
ADDRESSES = (("alice",), ("bob",), ("alice", "bob"), (GROUP,), ("carol",), ("bob", GROUP))


@dataclass
class Line:
    """What is under way between one device and the server. `joined`: the server would push to it."""

    joined: bool = False
    up: list[Request] = field(default_factory=list)
    down: list[Any] = field(default_factory=list)

    def cut(self) -> None:
        """What was pushed before may still come, even after the next connect: the device has queues of its own."""
        self.joined = False
        self.up.clear()
        self.down[:] = [item for item in self.down if isinstance(item, Event | Head)]


@dataclass
class Acked:
    """A publish that was answered 2xx: it has to be there from now on."""

    id: str
    to: tuple[str, ...]
    sender: str


@dataclass
class Backup:
    path: Path
    acked: dict[str, Acked]


class Oracle(RuleBasedStateMachine):
    """`template` is the database that every run begins with; see `office.make_template`."""

    template: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="deskbell-model-", dir=_memory()))
        shutil.copyfile(self.template, self.folder / "server.db")
        self.mono = 1000.0
        self.lines = {name: Line() for name in DEVICES}
        self.office = Office(self.folder / "server.db", self._pushed)
        self.desks = {name: self._desk(name) for name in DEVICES}
        self.drafts: dict[str, tuple[str, Publish]] = {}
        self.acked: dict[str, Acked] = {}
        self.written: dict[str, set[str]] = {name: set() for name in DEVICES}
        self.came_back: dict[str, set[str]] = {name: set() for name in DEVICES}
        """Of what was written, and to a store that is no more."""
        self.backup: Backup | None = None
        self.restores = 0
        self.logs: dict[str, dict[str, dict[int, tuple[str, str]]]] = {}
        self.keys: dict[tuple[str, str], str] = {}
        self.cids: dict[str, str] = {}
        self.floors: dict[str, int] = {}
        self.heads: dict[tuple[str, str], int] = {}
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

    def _pushed(self, user_id: str, push: Event | Head) -> None:
        for name, line in self.lines.items():
            if line.joined and self.office.people[DEVICES[name]].user_id == user_id:
                line.down.append(push)

    # -- what holds after every step ----------------------------------------------------------------------------------

    @invariant()
    def holds(self) -> None:
        self._drop_lines_of_dead()
        self._remember()
        for name, desk in self.desks.items():
            if desk.changes != self.device_changes.get(name):
                self._device_holds(name)
                self.device_changes[name] = desk.changes

    def _drop_lines_of_dead(self) -> None:
        for name, line in self.lines.items():
            if self.desks[name].off:
                line.cut()
                line.down.clear()

    def _remember(self) -> None:
        """The logs as they were: within an epoch they only grow, and lose at most what was pruned."""
        if self.office.changes == self.server_changes:
            return
        self.server_changes = self.office.changes
        known = self.logs.setdefault(self.office.epoch, {user: {} for user in PEOPLE})
        for user in PEOPLE:
            stream, now = self.office.stream(user), self.office.log(user)
            self.floors[user], self.heads[self.office.epoch, user] = stream.floor, stream.head
            assert sorted(now) == list(range(stream.floor + 1, stream.head + 1)), f"the log of {user} has holes"
            for seq, entry in known[user].items():
                assert seq <= stream.floor or now.get(seq) == entry, f"I1: {user}'s event {seq} is gone or another"
            known[user].update(now)
        self._server_holds()

    def _server_holds(self) -> None:
        logs = self.logs[self.office.epoch]
        for key, acked in self.acked.items():
            for user in self._recipients(acked):
                found = [seq for seq, (_, id_) in logs[user].items() if id_ == acked.id]
                assert found or self.floors[user], f"I1: {key} was acknowledged and is not in the log of {user}"
                assert len(found) <= 1, f"I4: {key} stands in the log of {user} twice"
        for id_, sender, key in self.office.written():
            assert self.keys.setdefault((sender, key), id_) == id_, f"I4: {key} was stored twice"
            self.cids[id_] = key

    def _recipients(self, acked: Acked) -> set[str]:
        everyone = set(PEOPLE) if GROUP in acked.to else set()
        return everyone | {name for name in acked.to if name != GROUP} | {acked.sender}

    def _device_holds(self, name: str) -> None:
        desk, user = self.desks[name], DEVICES[name]
        epoch, cursor = desk.position()
        before_epoch, before = self.seen.get(name, (None, 0))
        self.seen[name] = (epoch, cursor)
        numbered = [(seq, id_) for seq, id_, _, _ in desk.messages() if seq]
        if epoch is None:
            assert not numbered
            return
        log = self.logs[epoch][user]
        assert epoch != before_epoch or cursor >= before, f"I5: {name} went back from {before} to {cursor}"
        assert cursor <= self.heads[epoch, user], f"I5: {name} is ahead of the log"
        base = desk.bases.get(epoch, 0)
        due = [(seq, log[seq][1]) for seq in range(base + 1, cursor + 1) if log[seq][0] == names.KIND_MESSAGE]
        assert sorted(numbered) == due, f"I3: {name} has {sorted(numbered)} of {due}"
        if not self.restores:
            assert numbered == sorted(numbered), f"I3: {name} shows {numbered}"
        mine = {id_ for life in self.logs.values() for kind, id_ in life[user].values()}
        assert {id_ for _, id_, _, _ in desk.messages()} <= mine, f"I6: {name} has what is not {user}'s"
        self._outbox_holds(name)

    def _outbox_holds(self, name: str) -> None:
        desk = self.desks[name]
        waiting = {item.cid for item in desk.stored().outbox}
        came_back = {self.cids.get(id_) for _, id_, mine, _ in desk.messages() if mine}
        lost = self.written[name] - waiting - came_back - self.came_back[name]
        assert not lost, f"{name} has forgotten that it should send {lost}"

    # -- what holds at rest -------------------------------------------------------------------------------------------

    def _at_rest(self) -> None:
        for name, desk in self.desks.items():
            user = DEVICES[name]
            stream = self.office.stream(user)
            epoch, cursor = desk.position()
            assert (epoch, cursor) == (self.office.epoch, stream.head) or (epoch, cursor, stream.head) == (
                None,
                0,
                0,
            ), f"I2: {name} rests at {cursor} of {stream.head}"
            stored = desk.stored()
            assert not stored.rings, f"{name} has popups that never came"
            assert not stored.untold, f"{name} keeps its read marks to itself"
            self._rang(name)
            if not self.restores:
                self._reads_converged(name)
            assert all(item.state == "failed" for item in stored.outbox), f"{name} has not sent all"
        for key, acked in self.acked.items():
            self._everywhere(key, acked)

    def _everywhere(self, key: str, acked: Acked) -> None:
        for name, desk in self.desks.items():
            if DEVICES[name] not in self._recipients(acked):
                continue
            found = [seq for seq, id_, _, _ in desk.messages() if id_ == acked.id]
            log = self.logs[self.office.epoch][DEVICES[name]]
            missed = [seq for seq, (_, id_) in log.items() if id_ == acked.id]
            base = desk.bases.get(self.office.epoch, 0)
            assert found or not missed or missed[0] <= base, f"I2: {name} never got {key}"

    def _rang(self, name: str) -> None:
        desk = self.desks[name]
        rang = Counter(id_ for popup in desk.popups for id_ in popup)
        silent = [id_ for _, id_, _, unread in desk.messages() if unread and not rang[id_]]
        assert not silent, f"{name} never rang for {silent}"
        seen: set[str] = set()
        again = 0
        for popup in desk.popups:
            again += not seen.isdisjoint(popup)
            seen.update(popup)
        assert again <= desk.crashes, f"{name} rang {again} times again after {desk.crashes} crashes"

    def _reads_converged(self, name: str) -> None:
        desk, user = self.desks[name], DEVICES[name]
        me = self.office.people[user].user_id
        floor = self.office.stream(user).floor
        candidates = {id_: unread for seq, id_, mine, unread in desk.messages() if seq > floor and (unread or not mine)}
        here = {id_ for id_, unread in candidates.items() if unread}
        there = self.office.unread(user, list(candidates)) if candidates else set()
        assert here == there, f"I7: {name} ({me}) has {here} unread, the server {there}"


def _memory() -> str | None:
    """Commits cost nothing there, and no power fails in this model."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None
