"""Rules 8 to 17 of the server: a process's writer reads the feed, its loop passes it on, a sync is one snapshot.

Windows are asked in the snapshot of the rows; own rows come from the feed; `told` begins at the head that the
connecting device was authenticated at. How LOG.md says it stands in `readings`.
"""

from typing import NamedTuple

from tests.model.log.database import OPEN, Life, Place, Row, Snapshot, Windows, may_miss, view, visible

Shown = tuple[tuple[int, Row], ...]


class Frame(NamedTuple):
    """`row` is None in a `head`."""

    epoch: int
    prev: int
    seq: int
    row: Row | None


Frames = frozenset[Frame]
NO_FRAMES: Frames = frozenset()


class Item(NamedTuple):
    """One piece of the feed, read in one snapshot: what the person sees of it. A jump has no rows."""

    place: Place
    shown: Shown = ()
    is_jump: bool = False


class Process(NamedTuple):
    fetched: Place
    """The writer's: so far it has read."""
    seen: Place
    """The loop's: so far it has passed on."""
    queue: tuple[Item, ...] = ()
    told: int | None = None
    """None: the person has no socket here."""
    kept: int | None = None
    """`told` as the last socket left it: for the mutant that does not forget."""
    windows: Windows = ()
    """For the reading that holds them in memory."""


class Answer(NamedTuple):
    epoch: int
    after: int
    upto: int
    head: int
    rows: Shown
    reset: bool
    named: frozenset[int]
    """What is excused: removed, and the reset says so. Not on the wire."""


class Server:
    page = 2
    """Rows in an answer."""
    window = OPEN
    """Places that one answer looks through."""
    feed_limit = OPEN

    # -- a process ----------------------------------------------------------------------------------------------------

    def start(self, now: Snapshot) -> Process:
        place = Place(now.epoch, now.life.head)
        return Process(place, place)

    def looked(self, process: Process, now: Snapshot) -> Process | None:
        """The writer reads on, in one snapshot (rules 8, 10 and 11)."""
        if process.fetched == (now.epoch, now.life.head):
            return None
        return self.queued(process, self.read(process, now), now)

    def queued(self, process: Process, item: Item, now: Snapshot) -> Process:
        return process._replace(fetched=item.place, queue=(*process.queue, item))

    def read(self, process: Process, now: Snapshot) -> Item:
        after, head = process.fetched.seq, now.life.head
        upto = min(head, after + self.feed_limit)
        if now.epoch != process.fetched.epoch or not self.is_dense(now.life, after, upto):
            return self.jump(now)
        shown = self.shown(process, now, after, upto)
        return Item(Place(now.epoch, upto), shown)

    def jump(self, now: Snapshot) -> Item:
        return Item(Place(now.epoch, now.life.head), is_jump=True)

    def is_dense(self, life: Life, after: int, upto: int) -> bool:
        return after < upto and all(life.there(seq) for seq in range(after + 1, upto + 1))

    def shown(self, process: Process, now: Snapshot, after: int, upto: int) -> Shown:
        rows = [(seq, now.life.rows[seq - 1]) for seq in range(after + 1, upto + 1) if now.life.there(seq)]
        return tuple((seq, row) for seq, row in rows if visible(now.life.windows, seq, row))

    def passed(self, process: Process) -> tuple[Process, Frames]:
        """The loop takes the oldest piece (rules 10, 11, 14)."""
        item, *rest = process.queue
        process = process._replace(queue=tuple(rest))
        if item.is_jump or item.place.epoch != process.seen.epoch:
            return self.jumped(process, item.place)
        frames, told = set(), process.told
        for seq, row in item.shown:
            if told is not None and seq > told:
                frames.add(Frame(item.place.epoch, told, seq, row))
                told = seq
        return process._replace(seen=max(process.seen, item.place), told=told), frozenset(frames)

    def jumped(self, process: Process, place: Place) -> tuple[Process, Frames]:
        """All start again from here, and are told so."""
        told = process.told
        if told is not None:
            told = max(told, place.seq) if place.epoch == process.seen.epoch else place.seq
        frames = NO_FRAMES if told is None else frozenset([Frame(place.epoch, place.seq, place.seq, None)])
        return process._replace(seen=place, told=told), frames

    def failing(self, process: Process) -> Process | None:
        """What else a pass may lead to where sending fails: nothing, since told is set before."""

    # -- a person's sockets -------------------------------------------------------------------------------------------

    def joined(self, process: Process, at: Place) -> Process:
        """A socket opens whose device was authenticated in a snapshot that ended `at` (rule 13)."""
        return process if process.told is not None else process._replace(told=self.first_told(process, at))

    def first_told(self, process: Process, at: Place) -> int:
        return max(process.seen.seq, at.seq) if at.epoch == process.seen.epoch else process.seen.seq

    def left(self, process: Process) -> Process:
        """The last socket closed."""
        return process._replace(told=None)

    def say_head(self, process: Process) -> tuple[Process, Frame]:
        assert process.told is not None
        frame = Frame(process.seen.epoch, process.told, process.seen.seq, None)
        return process._replace(told=max(process.told, process.seen.seq)), frame

    # -- sync ---------------------------------------------------------------------------------------------------------

    def answer(self, now: Snapshot, epoch: int | None, after: int) -> Answer:
        """Rules 16 and 17."""
        life, is_first = now.life, epoch is None
        is_other = not is_first and (epoch != now.epoch or after > life.head)
        after = 0 if is_other else after
        reset = not is_first and (is_other or self.is_hidden(life, after))
        upto = min(life.head, after + self.window)
        rows = self.shown_after(life, after, upto)
        if len(rows) > self.page:
            rows = rows[: self.page]
            upto = rows[-1][0]
        excused = frozenset(seq for seq in view(life.rows) if after < seq <= upto and seq in life.removed)
        named = excused if reset or is_first else frozenset[int]()
        return Answer(now.epoch, after, upto, life.head, rows, reset, named)

    def shown_after(self, life: Life, after: int, upto: int) -> Shown:
        rows = [(seq, life.rows[seq - 1]) for seq in range(after + 1, upto + 1) if life.there(seq)]
        return tuple((seq, row) for seq, row in rows if visible(life.windows, seq, row))

    def is_hidden(self, life: Life, after: int) -> bool:
        return may_miss(life, after)
