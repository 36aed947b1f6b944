"""Other readings of the rules that are safe, too: LOG.md to the letter, where the server goes another way."""

from tests.model.log.database import Place, Row, Snapshot, changed, visible
from tests.model.log.server import Item, Process, Shown
from tests.model.log.world import Moves, State, World, name, with_life, with_process


class OwnFromMemory(World):
    """Rule 8: what a process commits itself is handed on from memory, behind all that lies before it."""

    def committing(self, state: State, row: Row) -> Moves:
        label = name(state.now.life.head + 1, row)
        after = with_life(state, state.now.life.append(row))
        for number, process in enumerate(state.processes):
            filled = self.filled(process, state.now)
            yield f"P{number} commits {label}", with_process(after, number, self.own(filled, after.now))
            yield f"P{number} knows nothing of its COMMIT of {label}", with_process(after, number, filled)
            yield f"P{number}'s COMMIT of {label} fails", with_process(state, number, filled)

    def filled(self, process: Process, base: Snapshot) -> Process:
        while (looked := self.looked(process, base)) is not None:
            process = looked
        return process

    def own(self, process: Process, now: Snapshot) -> Process:
        place = Place(now.epoch, now.life.head)
        return self.queued(process, Item(place, self.shown(process, now, place.seq - 1, place.seq)), now)


class WindowsInMemory(World):
    """Rule 12: windows of the snapshot at the start, changed by `member` rows as they are passed."""

    def start(self, now: Snapshot) -> Process:
        return super().start(now)._replace(windows=now.life.windows)

    def queued(self, process: Process, item: Item, now: Snapshot) -> Process:
        windows = process.windows
        for seq in range(process.fetched.seq + 1, item.place.seq + 1):
            windows = changed(windows, seq, now.life.rows[seq - 1])
        windows = now.life.windows if item.is_jump else windows
        return super().queued(process, item, now)._replace(windows=windows)

    def shown(self, process: Process, now: Snapshot, after: int, upto: int) -> Shown:
        windows, found = process.windows, list[tuple[int, Row]]()
        for seq in range(after + 1, upto + 1):
            row = now.life.rows[seq - 1]
            windows = changed(windows, seq, row)
            if now.life.there(seq) and visible(windows, seq, row):
                found.append((seq, row))
        return tuple(found)


class ToldFromSeen(World):
    """Rule 13."""

    def first_told(self, process: Process, at: Place) -> int:
        return process.seen.seq


class AsWritten(OwnFromMemory, WindowsInMemory, ToldFromSeen):
    """All three."""


class ToldOfAnyEpoch(World):
    """The head of a login counts even where it was read before a restore: nothing is lost, but all up to it is late."""

    is_prompt = False

    def first_told(self, process: Process, at: Place) -> int:
        return max(process.seen.seq, at.seq)


READINGS: tuple[type[World], ...] = (OwnFromMemory, WindowsInMemory, ToldFromSeen, AsWritten, ToldOfAnyEpoch)
