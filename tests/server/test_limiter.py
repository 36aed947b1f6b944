"""Token buckets: bursts, refilling, and memory that strangers cannot grow."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskbell_server.limiter import Limiter, Rate


def test_a_burst_passes_and_then_the_rate_rules() -> None:
    limiter = Limiter(Rate(per_s=2, burst=3))
    assert [limiter.take("a", 0.0) for _ in range(3)] == [0.0, 0.0, 0.0]
    assert limiter.take("a", 0.0) == pytest.approx(0.5)
    assert limiter.take("a", 0.4) == pytest.approx(0.1)
    assert limiter.take("a", 0.5) == 0.0


def test_one_key_does_not_use_up_another_ones() -> None:
    limiter = Limiter(Rate(per_s=1, burst=1))
    assert limiter.take("a", 0.0) == 0.0
    assert limiter.take("b", 0.0) == 0.0
    assert limiter.take("a", 0.0) > 0.0


def test_asking_takes_nothing_and_remembers_nobody() -> None:
    limiter = Limiter(Rate(per_s=1, burst=1))
    assert limiter.wait("a", 0.0) == 0.0
    assert len(limiter) == 0
    limiter.take("a", 0.0)
    assert [limiter.wait("a", 0.25) for _ in range(3)] == pytest.approx([0.75] * 3)


def test_no_rate_is_no_limit() -> None:
    limiter = Limiter(Rate(per_s=0, burst=1))
    assert not any(limiter.take("a", 0.0) for _ in range(1000))


def test_time_that_goes_back_gives_nothing() -> None:
    limiter = Limiter(Rate(per_s=1, burst=1))
    limiter.take("a", 100.0)
    assert limiter.take("a", 50.0) == pytest.approx(1.0)


def test_a_flood_of_keys_does_not_grow_memory_and_spares_the_latest() -> None:
    limiter = Limiter(Rate(per_s=0.001, burst=1), keys_max=100)
    for number in range(1000):
        limiter.take(str(number), number / 1000)
        assert len(limiter) <= 100
    assert limiter.take("999", 1.0) > 0.0


@given(st.lists(st.floats(0, 5), max_size=60), st.integers(1, 20), st.integers(1, 10))
def test_never_more_than_burst_and_rate_allow(pauses: list[float], per_s: int, burst: int) -> None:
    limiter, now, passed = Limiter(Rate(per_s, burst)), 0.0, 0
    for pause in pauses:
        now += pause
        passed += limiter.take("a", now) == 0.0
    assert passed <= burst + per_s * now + 1e-6
