"""All that may happen in a small world of processes and one person's devices, and what must hold after each step.

The net is a soup: what was ever pushed may come at any time, any number of times, to any device, or never.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from deskbell_desktop.core.log import Log
from tests.model.log import client
from tests.model.log.client import Device
from tests.model.log.database import CHANNELS, GROUP, JOINS, LEAVES, OPEN, OWN, Life, Place, Row, Snapshot
from tests.model.log.server import NO_FRAMES, Answer, Frames, Process, Server


class Left(NamedTuple):
    """How often each thing may still happen."""

    commits: int = 0
    logins: int = 0
    heads: int = 0
    cuts: int = 0
    members: int = 0
    updates: int = 0
    removals: int = 0
    restores: int = 0
    crashes: int = 0
    jumps: int = 0
    replaced: int = 0


@dataclass(frozen=True)
class Bounds:
    """The size of a world."""

    left: Left
    processes: int = 2
    devices: int = 1
    channels: tuple[str, ...] = CHANNELS
    page: int = 2
    window: int = OPEN
    feed_limit: int = OPEN
    slow_logins: bool = False
    """Other things happen between a device's authentication and its connection."""
    new_devices: bool = False
    queue: int = 2


class State(NamedTuple):
    lives: tuple[Life, ...]
    """By epoch; the last one is the database, the others as they were left by a restore."""
    backup: Life | None
    processes: tuple[Process, ...]
    devices: tuple[Device, ...]
    frames: Frames
    late: tuple[tuple[int, Answer], ...]
    left: Left

    @property
    def now(self) -> Snapshot:
        return Snapshot(len(self.lives) - 1, self.lives[-1])


Moves = Iterator[tuple[str, State]]


class BrokenError(Exception):
    """What did not hold: the letter of the invariant comes first."""


class World(Server):
    """The rules with a device's real log. A mutant overrides one of them."""

    log: type[Log] = Log
    forgets = True
    """Frames that every device has passed can change nothing; where that is not so, they are kept."""

    is_prompt = True
    """Who is connected is told at once what comes next."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self.page, self.window, self.feed_limit = bounds.page, bounds.window, bounds.feed_limit

    def first(self) -> State:
        life = Life()
        process = self.start(Snapshot(0, life))
        device = client.NEW if self.bounds.new_devices else Device()
        processes, devices = (process,) * self.bounds.processes, (device,) * self.bounds.devices
        return State((life,), None, processes, devices, NO_FRAMES, (), self.bounds.left)

    # -- what may happen ----------------------------------------------------------------------------------------------

    def moves(self, state: State) -> Moves:
        yield from self.writing(state)
        yield from self.keeping(state)
        for number in range(len(state.processes)):
            yield from self.serving(state, number)
        for number in range(len(state.devices)):
            yield from self.linking(state, number)
            yield from self.syncing(state, number)
            yield from self.delivering(state, number)

    def writing(self, state: State) -> Moves:
        left, now = state.left, state.now
        if left.commits:
            after = spent(state, commits=left.commits - 1)
            for channel in self.bounds.channels:
                yield from self.committing(after, Row(channel, now.epoch))
        if left.updates:
            after = spent(state, updates=left.updates - 1)
            for seq, row in enumerate(now.life.rows, 1):
                if row.channel == GROUP and not row.target:
                    yield from self.committing(after, Row(GROUP, now.epoch, "updates", seq))
        if left.members:
            inside = any(window.to_seq == OPEN for window in now.life.windows)
            after = spent(state, members=left.members - 1)
            yield from self.committing(after, Row(OWN, now.epoch, LEAVES if inside else JOINS))

    def committing(self, state: State, row: Row) -> Moves:
        """Whose process commits makes no difference: what is handed on comes from the feed."""
        yield f"commit {name(state.now.life.head + 1, row)}", with_life(state, state.now.life.append(row))

    def keeping(self, state: State) -> Moves:
        left, life = state.left, state.now.life
        if left.removals:
            for channel in self.bounds.channels:
                for keep in (0, 1):
                    if (after := life.without(channel, keep)) != life:
                        less = spent(state, removals=left.removals - 1)
                        yield f"remove all but {keep} of {channel}", with_life(less, after)
        if left.restores and state.backup is None:
            yield "backup", state._replace(backup=life)
        elif left.restores and state.backup is not None:
            less = spent(state, restores=left.restores - 1)
            yield "restore", less._replace(lives=(*state.lives, state.backup))

    def serving(self, state: State, number: int) -> Moves:
        process, left, now = state.processes[number], state.left, state.now
        room = len(process.queue) < self.bounds.queue
        if room and (looked := self.looked(process, now)) is not None:
            yield f"P{number} reads the feed to {looked.fetched.seq}", with_process(state, number, looked)
        if room and left.jumps and process.fetched != (now.epoch, now.life.head):
            jumped = self.queued(process, self.jump(now), now)
            yield f"P{number} jumps", with_process(spent(state, jumps=left.jumps - 1), number, jumped)
        if process.queue:
            passed, frames = self.passed(process)
            yield f"P{number} passes on to {passed.seen.seq}", pushing(with_process(state, number, passed), frames)
            if (failed := self.failing(process)) is not None:
                yield f"P{number} fails to send", with_process(state, number, failed)
        if left.heads and process.told is not None:
            said, frame = self.say_head(process)
            less = with_process(spent(state, heads=left.heads - 1), number, said)
            yield f"P{number} says head {frame[:3]}", pushing(less, frozenset([frame]))
        if left.crashes:
            yield f"P{number} starts again", self.crashed(spent(state, crashes=left.crashes - 1), number)

    def crashed(self, state: State, number: int) -> State:
        for which, device in enumerate(state.devices):
            if device.process == number:
                state = self.cut(state, which)
        return with_process(state, number, self.start(state.now))

    def linking(self, state: State, which: int) -> Moves:
        device, left = state.devices[which], state.left
        if left.logins:
            for number in range(len(state.processes)):
                after = self.authenticated(spent(state, logins=left.logins - 1), which, number)
                if self.bounds.slow_logins:
                    yield f"D{which} is authenticated by P{number}", after
                else:
                    yield f"D{which} connects to P{number}", self.connected(after, which)
        if device.login is not None:
            yield f"D{which} is connected", self.connected(state, which)
        if left.cuts and device.is_online:
            after = self.cut(spent(state, cuts=left.cuts - 1), which)
            yield f"D{which} is cut", after
            if device.log.cursor != device.kept.cursor:
                yield f"D{which} is killed", with_device(after, which, client.killed(device))
        if left.replaced and device.answer is not None:
            less = spent(state, replaced=left.replaced - 1)
            yield f"D{which} gets another store", with_device(less, which, client.emptied(device))

    def authenticated(self, state: State, which: int, number: int) -> State:
        state = self.cut(state, which)
        at = Place(state.now.epoch, state.now.life.head)
        return with_device(state, which, state.devices[which]._replace(process=number, login=at))

    def connected(self, state: State, which: int) -> State:
        device = state.devices[which]
        assert device.process is not None
        assert device.login is not None
        process = self.joined(state.processes[device.process], device.login)
        state = with_process(state, device.process, process)
        return with_device(state, which, client.connected(self.log, device, device.process))

    def cut(self, state: State, which: int) -> State:
        """An answer that is on its way may still come, once."""
        device = state.devices[which]
        if device.process is None:
            return state
        late = ((which, device.answer),) if device.answer is not None else state.late
        state = with_device(state, which, client.cut(self.log, device))._replace(late=late)
        if device.is_online and not any(d.is_online and d.process == device.process for d in state.devices):
            return with_process(state, device.process, self.left(state.processes[device.process]))
        return state

    def syncing(self, state: State, which: int) -> Moves:
        device = state.devices[which]
        if device.log.asks is not None and device.answer is None:
            answer = self.asked(state, device)
            yield f"sync of D{which} {said(answer)}", with_device(state, which, device._replace(answer=answer))
        if device.answer is not None:
            after = client.answered(self.log, device, device.answer)
            yield f"D{which} gets its answer to {device.answer.upto}", with_device(state, which, after)
        if device.log.waits:
            yield f"D{which} asks again", with_device(state, which, client.ticked(self.log, device))
        for whose, late in state.late:
            if whose == which and device.is_online:
                after = client.answered(self.log, device, late, is_late=True)
                yield f"D{which} gets a late answer to {late.upto}", with_device(state._replace(late=()), which, after)

    def asked(self, state: State, device: Device) -> Answer:
        assert device.log.asks is not None
        epoch, after = device.log.asks
        return self.answer(state.now, None if epoch is None else int(epoch), after)

    def delivering(self, state: State, which: int) -> Moves:
        device = state.devices[which]
        if device.is_online:
            for frame in state.frames:
                if (after := client.pushed(self.log, device, frame)) != device:
                    yield f"D{which} gets {frame[:3]}", with_device(state, which, after)

    def tidy(self, state: State) -> State:
        """Fewer states are different where nothing is kept that can change nothing."""
        if not self.forgets or not state.frames:
            return state
        low = min((int(device.log.epoch or 0), device.log.cursor) for device in state.devices)
        frames = frozenset(frame for frame in state.frames if (frame.epoch, frame.seq) > low)
        return state if len(frames) == len(state.frames) else state._replace(frames=frames)


def with_life(state: State, life: Life) -> State:
    return state._replace(lives=(*state.lives[:-1], life))


def with_process(state: State, number: int, process: Process) -> State:
    return state._replace(processes=(*state.processes[:number], process, *state.processes[number + 1 :]))


def with_device(state: State, which: int, device: Device) -> State:
    return state._replace(devices=(*state.devices[:which], device, *state.devices[which + 1 :]))


def pushing(state: State, frames: Frames) -> State:
    return state._replace(frames=state.frames | frames) if frames else state


def spent(state: State, **left: int) -> State:
    return state._replace(left=state.left._replace(**left))


def name(seq: int, row: Row) -> str:
    return " ".join(filter(None, [str(seq), row.channel, row.means, str(row.target or "")]))


def said(answer: Answer) -> str:
    reset = ", reset" if answer.reset else ""
    return f"is read: {[seq for seq, _ in answer.rows]} of ({answer.after}, {answer.upto}]{reset}"
