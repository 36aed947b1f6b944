"""Power cuts, played back for a few seconds of work; longer with `python -m tests.torture.power`."""

import pytest

from tests.torture.power.__main__ import SUBJECTS, cut

SEED = 20


@pytest.mark.real
@pytest.mark.timeout(200)
@pytest.mark.parametrize("name", SUBJECTS)
def test_a_power_cut_takes_nothing_that_was_acknowledged(name: str) -> None:
    outcome = cut(name, seconds=1.0, kills=1, count=40, seed=SEED)
    assert not outcome.bad, outcome
    assert outcome.promised > 20


@pytest.mark.real
@pytest.mark.timeout(200)
@pytest.mark.parametrize("name", SUBJECTS)
def test_the_same_cuts_are_seen_to_take_what_does_not_wait_for_the_disk(name: str) -> None:
    assert cut(name, seconds=0.6, kills=0, count=20, seed=SEED, relaxed=True).bad
