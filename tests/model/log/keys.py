"""Rule 7 by itself: keys, parts and what they share, whatever follows what. One sender, one key, its seven days."""

from collections.abc import Iterator
from typing import NamedTuple

Asked = tuple[tuple[str, ...], bool]
"""To whom, and whether for later; the content is always the same."""
ASKED: tuple[Asked, ...] = ((("bob",), False), (("bob", "carol"), False), (("bob",), True))


class Part(NamedTuple):
    """A row. What the parts of a publish share stands in part 0 as long as one of them is there."""

    seq: int
    publish: int
    channel: str
    asked: Asked
    removed: bool = False
    emptied: bool = False


class State(NamedTuple):
    parts: tuple[Part, ...] = ()
    head: int = 0
    contents: frozenset[int] = frozenset()
    """Places of part 0 that still hold content."""
    scheduled: tuple[Asked, ...] = ()
    cancelled: tuple[Asked, ...] = ()
    accepted: tuple[Asked, ...] = ()
    """All that was ever answered as new."""
    old: bool = False
    """The seven days are over: rows may be removed, and the key is nobody's concern."""
    left: int = 5


Steps = Iterator[tuple[str, State]]


class Keys:
    first = State()

    def known(self, state: State) -> Asked | None:
        """What stands under the key: in the log, scheduled, or cancelled."""
        for stands in ([part.asked for part in state.parts], state.scheduled, state.cancelled):
            if stands:
                return stands[0]
        return None

    def publish(self, state: State, asked: Asked) -> tuple[str, State]:
        known = self.known(state)
        if known is not None:
            return ("duplicate" if known == asked else "conflict"), self.repeated(state)
        state = state._replace(accepted=(*state.accepted, asked))
        if asked[1]:
            return "new", state._replace(scheduled=(*state.scheduled, asked))
        return "new", self.append(state, asked)

    def repeated(self, state: State) -> State:
        """A refused or repeated request takes no place (rule 1)."""
        return state

    def append(self, state: State, asked: Asked) -> State:
        first = state.head + 1
        parts = tuple(Part(first + number, first, channel, asked) for number, channel in enumerate(asked[0]))
        head = state.head + len(parts)
        return state._replace(parts=(*state.parts, *parts), head=head, contents=state.contents | {first})

    def emptied(self, state: State, channel: str) -> State:
        """Retention before the seven days are over, or a retract."""
        parts = tuple(part._replace(emptied=True) if part.channel == channel else part for part in state.parts)
        return self.swept(state._replace(parts=parts))

    def removed(self, state: State, channel: str) -> State:
        parts = tuple(part._replace(removed=True) if part.channel == channel else part for part in state.parts)
        return self.swept(state._replace(parts=parts))

    def swept(self, state: State) -> State:
        """Content goes with the last part that shows it."""
        shown = {part.publish for part in state.parts if not (part.removed or part.emptied)}
        return state._replace(contents=state.contents & shown)

    def steps(self, state: State) -> Steps:
        if not state.left:
            return
        state = state._replace(left=state.left - 1)
        for asked in () if state.old else ASKED:
            answer, after = self.publish(state, asked)
            self.check_answer(state, asked, answer)
            yield f"publish {asked}: {answer}", after
        if state.scheduled:
            due, *rest = state.scheduled
            yield "its time comes", self.append(state._replace(scheduled=tuple(rest)), due)
            cancelled = (*state.cancelled, due)
            yield "it is cancelled", state._replace(scheduled=tuple(rest), cancelled=cancelled)
        for channel in ("bob", "carol"):
            if any(part.channel == channel for part in state.parts):
                yield f"{channel}'s is emptied", self.emptied(state, channel)
                if state.old:
                    yield f"{channel}'s is removed", self.removed(state, channel)
        if not state.old:
            yield "seven days", state._replace(old=True)

    def check_answer(self, state: State, asked: Asked, answer: str) -> None:
        if state.accepted:
            expected = "duplicate" if state.accepted[0] == asked else "conflict"
            assert answer == expected, f"one key: {asked} was answered {answer}, after {state.accepted}"

    def check(self, _before: State, state: State) -> None:
        assert len(state.accepted) <= 1, f"one key: {state.accepted} were all stored"
        assert [part.seq for part in state.parts] == list(range(1, state.head + 1)), f"dense: {state}"
        for part in state.parts:
            lost = part.publish not in state.contents and not (part.removed or part.emptied)
            assert not lost, f"content: that of {part} is gone"


class PhantomOfARepeatedKey(Keys):
    def repeated(self, state: State) -> State:
        return state._replace(head=state.head + 1)


class ScheduledWithoutKey(Keys):
    def known(self, state: State) -> Asked | None:
        return super().known(state._replace(scheduled=()))


class ContentGoesWithPartZero(Keys):
    def swept(self, state: State) -> State:
        shown = {part.seq for part in state.parts if not (part.removed or part.emptied)}
        return state._replace(contents=state.contents & shown)


class HashOfTheContentAlone(Keys):
    """Two requests that differ in their addressees are the same."""

    def publish(self, state: State, asked: Asked) -> tuple[str, State]:
        answer, after = super().publish(state, asked)
        return ("duplicate" if answer == "conflict" else answer), after


MUTANTS: dict[type[Keys], str] = {
    PhantomOfARepeatedKey: "dense",
    ScheduledWithoutKey: "one key",
    ContentGoesWithPartZero: "content",
    HashOfTheContentAlone: "one key",
}
