"""The wheel against a plain list of deadlines."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from deskbell_server.transport.wheel import Wheel


@dataclass(eq=False)
class Item:
    due: float = 0.0
    slot: int = -1


steps = st.lists(
    st.tuples(st.sampled_from(["set", "remove", "turn"]), st.integers(0, 5), st.floats(0, 30)), max_size=60
)


@given(steps)
def test_every_deadline_is_reported_once_in_time(moves: list[tuple[str, int, float]]) -> None:
    wheel: Wheel[Item] = Wheel(0.25, 100.0, slots=16)
    items = [Item() for _ in range(6)]
    expected: dict[int, float] = {}
    now = 100.0
    for move, number, amount in moves:
        if move == "set":
            wheel.set(items[number], now + amount)
            expected[number] = now + amount
        elif move == "remove":
            wheel.remove(items[number])
            expected.pop(number, None)
        else:
            now += amount
            for item in wheel.turn(now):
                assert expected.pop(items.index(item)) <= now
            assert all(due > now - wheel.tick_s for due in expected.values())
        assert len(wheel) == len(expected)


def test_thousands_cost_nothing_while_they_wait() -> None:
    wheel: Wheel[Item] = Wheel(0.25, 0.0)
    items = [Item() for _ in range(10_000)]
    for number, item in enumerate(items):
        wheel.set(item, 25 + number / 1000)
    assert wheel.turn(24.9) == []
    assert len(wheel.turn(36.0)) == 10_000
