"""Rules 23 and 24 by themselves: what counts as read in one channel of a person who reads and writes."""

from collections.abc import Iterator
from typing import NamedTuple

MINE, THEIRS, HIDDEN = "mine", "theirs", "hidden"
"""`hidden`: of another channel, which the person does not see."""


class State(NamedTuple):
    rows: tuple[str, ...] = ()
    cursor: int = 0
    """The device has all up to here."""
    mark: int = 0
    read: frozenset[int] = frozenset()
    """By themselves, above the mark."""
    unread: frozenset[int] = frozenset()
    """Marked unread, at or below the mark."""
    left: int = 6

    def is_read(self, seq: int) -> bool:
        return seq in self.read or (seq <= self.mark and seq not in self.unread)


class Marks:
    first = State()
    exceptions = 1

    def raised(self, state: State, seq: int) -> State:
        """A mark only grows; what it covers is no exception any more."""
        mark = max(state.mark, seq)
        unread = state.unread if mark == state.mark else frozenset[int]()
        return state._replace(mark=mark, read=frozenset(one for one in state.read if one > mark), unread=unread)

    def ids(self, state: State, seq: int, *, unread: bool = False) -> State:
        if not self.is_visible(state, seq):
            return state
        if unread:
            below = state.unread | {seq} if seq <= state.mark else state.unread
            return self.bounded(state._replace(read=state.read - {seq}, unread=below))
        above = state.read | {seq} if seq > state.mark else state.read
        return self.bounded(state._replace(read=above, unread=state.unread - {seq}))

    def is_visible(self, state: State, seq: int) -> bool:
        return state.rows[seq - 1] == THEIRS

    def bounded(self, state: State) -> State:
        """The oldest fall to the mark."""
        if len(state.read) > self.exceptions:
            state = self.raised(state, min(state.read))
        if len(state.unread) > self.exceptions:
            state = state._replace(unread=state.unread - {min(state.unread)})
        return state

    def wrote(self, state: State) -> State:
        """The person, by a device or a script of theirs."""
        state = state._replace(rows=(*state.rows, MINE))
        head = len(state.rows)
        between = [seq for seq in range(state.mark + 1, head) if state.rows[seq - 1] == THEIRS]
        return self.raised(state, head) if all(state.is_read(seq) for seq in between) and not state.unread else state

    def steps(self, state: State) -> Iterator[tuple[str, State]]:
        if not state.left:
            return
        state = state._replace(left=state.left - 1)
        yield "theirs", state._replace(rows=(*state.rows, THEIRS))
        yield "hidden", state._replace(rows=(*state.rows, HIDDEN))
        yield "mine", self.wrote(state)
        yield "the device catches up", state._replace(cursor=len(state.rows))
        for seq in range(1, len(state.rows) + 1):
            yield from self.asked(state, seq)

    def asked(self, state: State, seq: int) -> Iterator[tuple[str, State]]:
        """By the device, of what it has. A hidden one it may have heard of elsewhere."""
        if seq <= state.cursor:
            yield f"up to {seq}", self.raised(state, seq)
        if seq <= state.cursor or state.rows[seq - 1] == HIDDEN:
            yield f"read {seq}", self.ids(state, seq)
            yield f"unread {seq}", self.ids(state, seq, unread=True)

    def check(self, before: State, after: State) -> None:
        assert after.mark >= before.mark, f"the mark went back: {after}"
        assert max(len(after.read), len(after.unread)) <= self.exceptions, f"too many exceptions: {after}"
        assert all(seq > after.mark for seq in after.read), f"below the mark: {after}"
        assert all(seq <= after.mark for seq in after.unread), f"above the mark: {after}"
        assert all(after.rows[seq - 1] == THEIRS for seq in after.read | after.unread), f"not visible: {after}"
        unseen = [seq for seq, row in enumerate(after.rows, 1) if row == THEIRS and seq > after.cursor]
        assert not any(after.is_read(seq) for seq in unseen), f"read, and nobody saw it: {after}"


class OwnMessageMovesTheMark(Marks):
    def wrote(self, state: State) -> State:
        state = state._replace(rows=(*state.rows, MINE))
        return self.raised(state, len(state.rows))


class MarkGoesBack(Marks):
    def raised(self, state: State, seq: int) -> State:
        return super().raised(state._replace(mark=min(state.mark, seq)), seq)


class AnyIdIsRead(Marks):
    def is_visible(self, state: State, seq: int) -> bool:
        return True


class ExceptionsWithoutEnd(Marks):
    def bounded(self, state: State) -> State:
        return state


MUTANTS: dict[type[Marks], str] = {
    OwnMessageMovesTheMark: "read, and nobody saw it",
    MarkGoesBack: "the mark went back",
    AnyIdIsRead: "not visible",
    ExceptionsWithoutEnd: "too many exceptions",
}
