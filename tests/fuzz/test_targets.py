"""The targets with a few hundred inputs each; with millions in `dev.py test --long fuzz`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.targets import TARGETS


def mutated(seeds: tuple[bytes, ...]) -> st.SearchStrategy[bytes]:
    """Noise, and seeds with a stretch of them replaced."""
    cut = st.tuples(st.sampled_from(seeds), st.integers(0, 300), st.integers(0, 20), st.binary(max_size=30))
    return st.binary(max_size=400) | cut.map(lambda what: what[0][: what[1]] + what[3] + what[0][what[1] + what[2] :])


@pytest.mark.parametrize("name", TARGETS)
def test_whatever_comes_is_read_or_refused(name: str) -> None:
    target, seeds = TARGETS[name]
    for seed in seeds:
        target(seed)
    given(mutated(seeds))(target)()
