"""The rules of LOG.md, each broken once, and the world of the default run that must show it."""

from collections.abc import Iterable

from msgspec.structs import replace

from deskbell_desktop.core.log import Log
from deskbell_protocol import wire
from tests.model.log.client import Device
from tests.model.log.database import JOINS, OPEN, OWN, RESERVED, Life, Place, Row, Snapshot, Window
from tests.model.log.readings import OwnFromMemory, ToldOfAnyEpoch, WindowsInMemory
from tests.model.log.server import Item, Process, Shown
from tests.model.log.world import Moves, State, World, spent, with_device, with_life, with_process

Pushed = Iterable[wire.Event | wire.Head]
Fit = list[wire.Event]

# -- the server -------------------------------------------------------------------------------------------------------


class ToldFromZero(World):
    def first_told(self, process: Process, at: Place) -> int:
        return 0


class ToldOfAnotherEpoch(ToldOfAnyEpoch):
    is_prompt = True


class ToldKept(World):
    """After the last socket."""

    def left(self, process: Process) -> Process:
        return process._replace(told=None, kept=process.told)

    def first_told(self, process: Process, at: Place) -> int:
        return super().first_told(process, at) if process.kept is None else process.kept


class ToldAfterSending(World):
    def failing(self, process: Process) -> Process | None:
        return self.passed(process)[0]._replace(told=process.told)


class OwnBeforeForeign(OwnFromMemory):
    def committing(self, state: State, row: Row) -> Moves:
        after = with_life(state, state.now.life.append(row))
        for number, process in enumerate(state.processes):
            own = self.own(process, after.now)._replace(fetched=process.fetched)
            yield f"P{number} commits {row.channel}", with_process(after, number, self.filled(own, after.now))


class UnknownCommitCounted(OwnFromMemory):
    def committing(self, state: State, row: Row) -> Moves:
        yield from super().committing(state, row)
        imagined = Snapshot(state.now.epoch, state.now.life.append(row))
        for number, process in enumerate(state.processes):
            counted = self.own(self.filled(process, state.now), imagined)
            yield f"P{number} counts a COMMIT that failed", with_process(state, number, counted)


class NumbersFromASequence(World):
    def committing(self, state: State, row: Row) -> Moves:
        yield from super().committing(state, row)
        yield "reserve", with_life(state, state.now.life.append(row._replace(means=RESERVED)))

    def writing(self, state: State) -> Moves:
        yield from super().writing(state)
        life = state.now.life
        for seq, row in enumerate(life.rows, 1):
            if row.means == RESERVED:
                rows = (*life.rows[: seq - 1], row._replace(means=""), *life.rows[seq:])
                yield f"commit the reserved {seq}", with_life(state, life._replace(rows=rows))


class LimitCountedAsHead(World):
    def read(self, process: Process, now: Snapshot) -> Item:
        item = super().read(process, now)
        return item._replace(place=Place(now.epoch, now.life.head))


class EpochReadApart(World):
    def looked(self, process: Process, now: Snapshot) -> Process | None:
        return super().looked(process, now._replace(epoch=process.fetched.epoch))


class HeadReadAfterRows(World):
    def syncing(self, state: State, which: int) -> Moves:
        yield from super().syncing(state, which)
        device, life = state.devices[which], state.now.life
        if state.left.commits and device.log.asks is not None and device.answer is None:
            answer = self.asked(state, device)
            upto = life.head + 1 if answer.upto == life.head else answer.upto
            answer = answer._replace(upto=upto, head=life.head + 1)
            after = spent(with_life(state, life.append(Row(OWN, state.now.epoch))), commits=state.left.commits - 1)
            yield "a commit between rows and head", with_device(after, which, device._replace(answer=answer))


class FloorOfTheOldest(World):
    """One floor for all: the oldest row that is left."""

    def is_hidden(self, life: Life, after: int) -> bool:
        return after < min((seq for seq in range(1, life.head + 1) if life.there(seq)), default=life.head + 1) - 1


class FloorOfTheHighest(World):
    """One floor for all: the highest place that was removed."""

    def is_hidden(self, life: Life, after: int) -> bool:
        return after < max(life.removed, default=0)


class RemovedRowPassed(World):
    def is_dense(self, life: Life, after: int, upto: int) -> bool:
        return after < upto


class CurrentMembers(World):
    def shown(self, process: Process, now: Snapshot, after: int, upto: int) -> Shown:
        inside = any(window.to_seq == OPEN for window in now.life.windows)
        life = now.life._replace(windows=(Window(0),) if inside else ())
        return super().shown(process, now._replace(life=life), after, upto)


class StaleMembers(WindowsInMemory):
    def queued(self, process: Process, item: Item, now: Snapshot) -> Process:
        return super().queued(process, item, now)._replace(windows=process.windows)


class BackdatedWindow(World):
    def committing(self, state: State, row: Row) -> Moves:
        life = state.now.life.append(row)
        if row.means == JOINS:
            life = life._replace(windows=(*life.windows[:-1], Window(0)))
        yield f"commit {row.channel} {row.means}", with_life(state, life)


class SendMovesTheCursor(World):
    """The answer to what a device sends brings a `seq`, which is a place and no promise about those before it."""

    def committing(self, state: State, row: Row) -> Moves:
        yield from super().committing(state, row)
        after = with_life(state, state.now.life.append(row))
        for which, device in enumerate(state.devices):
            if row.channel == OWN and device.is_online and device.log.epoch == str(row.epoch):
                yield f"D{which} sends", with_device(after, which, self.sent(device, after.now.life.head, row))

    def sent(self, device: Device, seq: int, row: Row) -> Device:
        kept = device.kept._replace(cursor=seq, rows=(*device.kept.rows, (seq, row)))
        return device._replace(log=device.log._replace(cursor=seq), kept=kept)


# -- the device -------------------------------------------------------------------------------------------------------


class HeadWithoutPrev(World):
    class log(Log):  # noqa: N801
        def _fits(self, frame: wire.Event | wire.Head, fit: Fit) -> bool:
            return super()._fits(replace(frame, prev=0) if isinstance(frame, wire.Head) else frame, fit)


class NoPrev(World):
    class log(Log):  # noqa: N801
        def _fits(self, frame: wire.Event | wire.Head, fit: Fit) -> bool:
            return super()._fits(replace(frame, prev=0) if isinstance(frame, wire.Event) else frame, fit)


class NoMaximum(World):
    class log(Log):  # noqa: N801
        def answered(self, answer: wire.SyncAnswer) -> tuple[bool, Fit]:
            found = super().answered(answer)
            self.cursor = answer.upto if answer.epoch == self.epoch else self.cursor
            return found


class RepeatsApplied(World):
    forgets = False

    class log(Log):  # noqa: N801
        def pushed(self, frames: Pushed) -> tuple[Fit, bool]:
            frames = list(frames)
            again = [f for f in frames if isinstance(f, wire.Event) and f.epoch == self.epoch and f.seq <= self.cursor]
            fit, missing = super().pushed(frames)
            return [*again, *fit], missing


class AfterUnchecked(World):
    class log(Log):  # noqa: N801
        def answered(self, answer: wire.SyncAnswer) -> tuple[bool, Fit]:
            return super().answered(replace(answer, after=min(answer.after, self.cursor)))


class LateAnswerTaken(World):
    class log(Log):  # noqa: N801
        def ended(self, request: object) -> bool:
            return super().ended(self._request)


class ForeignForgotten(World):
    class log(Log):  # noqa: N801
        def pushed(self, frames: Pushed) -> tuple[Fit, bool]:
            found = super().pushed(frames)
            self._foreign = False
            return found


class LastEventForUpto(World):
    class log(Log):  # noqa: N801
        def answered(self, answer: wire.SyncAnswer) -> tuple[bool, Fit]:
            last = answer.events[-1].seq if answer.events else answer.after
            return super().answered(replace(answer, upto=last) if answer.upto < answer.head else answer)


class AnyEpochApplies(World):
    forgets = False

    class log(Log):  # noqa: N801
        def pushed(self, frames: Pushed) -> tuple[Fit, bool]:
            return super().pushed([replace(frame, epoch=self.epoch or "") for frame in frames])


MUTANTS: dict[type[World], tuple[str, str]] = {
    HeadWithoutPrev: ("two processes", "B"),
    ToldFromZero: ("moving", "A"),
    ToldOfAnotherEpoch: ("restores", "F"),
    ToldKept: ("moving", "A"),
    ToldAfterSending: ("two processes", "A"),
    OwnBeforeForeign: ("two processes", "A"),
    UnknownCommitCounted: ("two processes", "D"),
    NumbersFromASequence: ("two processes", "B"),
    LimitCountedAsHead: ("pages", "A"),
    EpochReadApart: ("restores", "C"),
    HeadReadAfterRows: ("two processes", "B"),
    NoMaximum: ("two processes", "C"),
    NoPrev: ("two processes", "B"),
    RepeatsApplied: ("two processes", "B"),
    AfterUnchecked: ("another store", "B"),
    LateAnswerTaken: ("late answers", "B"),
    ForeignForgotten: ("restores", "E"),
    LastEventForUpto: ("pages", "E"),
    FloorOfTheOldest: ("removals", "B"),
    FloorOfTheHighest: ("removals", "B"),
    RemovedRowPassed: ("removals", "A"),
    CurrentMembers: ("members", "D"),
    StaleMembers: ("members", "A"),
    BackdatedWindow: ("members", "B"),
    SendMovesTheCursor: ("two processes", "B"),
    AnyEpochApplies: ("restores", "C"),
}
