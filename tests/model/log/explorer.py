"""Every interleaving of a small world, breadth first, so that what is found has the shortest way; or one at random."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Protocol, TypeVar

from tests.model.log.invariants import check, settle
from tests.model.log.world import BrokenError, State, World

T = TypeVar("T")


@dataclass(frozen=True)
class Found:
    """`broken` is empty where all is well; `is_complete`: nothing was left out."""

    states: int
    moves: int
    broken: str = ""
    trace: tuple[str, ...] = ()
    is_complete: bool = False

    def __str__(self) -> str:
        lines = [self.broken, *(f"  {number}. {move}" for number, move in enumerate(self.trace, 1))]
        return "\n".join(lines)


class Explorer:
    """States are known by their hash; so is what E depends on."""

    def __init__(self, world: World, most: int = 1 << 62) -> None:
        self._world = world
        self._most = most
        self._came: dict[int, tuple[int, str]] = {}
        self._settled: set[int] = set()
        self._moves = 0

    def run(self) -> Found:
        first = self._world.first()
        self._came[hash(first)] = (0, "")
        level = [first]
        while level and len(self._came) < self._most:
            following: list[State] = []
            for state in level:
                if (found := self._expand(state, following)) is not None:
                    return found
            level = following
        return Found(len(self._came), self._moves, is_complete=not level)

    def _expand(self, state: State, following: list[State]) -> Found | None:
        origin = hash(state)
        for move, after in self._world.moves(state):
            self._moves += 1
            try:
                check(state, after)
                after = self._world.tidy(after)
                key = hash(after)
                if key in self._came:
                    continue
                self._came[key] = (origin, move)
                self._settle(after)
            except BrokenError as broken:
                return Found(len(self._came), self._moves, str(broken), (*self._trace(origin), move))
            following.append(after)
        return None

    def _settle(self, state: State) -> None:
        key = hash((state.lives, state.processes, state.devices))
        if key not in self._settled:
            self._settled.add(key)
            settle(self._world, state)

    def _trace(self, key: int) -> tuple[str, ...]:
        moves: list[str] = []
        while (move := self._came[key])[1]:
            key = move[0]
            moves.append(move[1])
        return tuple(reversed(moves))


def walk(world: World, chance: Random, steps: int) -> Found:
    """One way through a world that is too large for all of them."""
    state, trace = world.first(), list[str]()
    for _ in range(steps):
        moves = list(world.moves(state))
        if not moves:
            break
        move, after = chance.choice(moves)
        trace.append(move)
        try:
            check(state, after)
            state = world.tidy(after)
            if chance.random() < 0.2:
                settle(world, state)
        except BrokenError as broken:
            return Found(len(trace), len(trace), str(broken), tuple(trace))
    return Found(len(trace), len(trace))


class Part(Protocol[T]):
    """A few rules by themselves: `steps` and `check` raise AssertionError."""

    first: T

    def steps(self, state: T) -> Iterator[tuple[str, T]]: ...

    def check(self, before: T, after: T) -> None: ...


def explore(part: Part[T]) -> int:
    """How many states there are."""
    level, known = [part.first], {part.first}
    for state in level:
        for move, after in part.steps(state):
            try:
                part.check(state, after)
            except AssertionError as problem:
                raise AssertionError(f"{problem} by: {move}") from None
            if after not in known:
                known.add(after)
                level.append(after)
    return len(known)
