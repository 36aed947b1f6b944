"""A minute of torture for every change, and the proof that it would notice; longer with `python -m tests.torture`."""

import pytest

from tests.torture.run import Options, torture

pytestmark = pytest.mark.real
SEED = 20


@pytest.mark.timeout(400)
def test_nothing_is_lost_doubled_or_swapped_in_a_minute_of_trouble() -> None:
    result = torture(Options(seconds=60, seed=SEED, pace_s=1.2))
    assert result.is_clean, [result.line, *result.verdict.words, *result.verdict.problems, *result.faults]
    assert result.kills >= 5
    assert result.verdict.acked >= 200


@pytest.mark.timeout(200)
def test_the_same_trouble_is_seen_to_lose_messages_without_the_protocol() -> None:
    result = torture(Options(seconds=15, seed=SEED, emit_only=True, pace_s=1.2))
    assert result.verdict.lost > 0, "a checker that finds nothing here would find nothing anywhere"
