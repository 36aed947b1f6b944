"""LOG.md, run: every interleaving of small worlds breaks nothing, and every broken rule is noticed."""

from random import Random

import pytest

from tests.model.log import keys, marks
from tests.model.log.explorer import Explorer, explore, walk
from tests.model.log.mutants import MUTANTS
from tests.model.log.readings import READINGS, AsWritten
from tests.model.log.world import World
from tests.model.log.worlds import SMALL, any_world

WALKS = 60
LETTER = ("moving", "members", "pages", "late answers", "restores")
"""Worlds for LOG.md to the letter."""


@pytest.mark.parametrize("name", SMALL)
def test_nothing_is_broken_whatever_follows_what(name: str) -> None:
    found = Explorer(World(SMALL[name])).run()
    assert not found.broken, str(found)
    assert found.is_complete


@pytest.mark.parametrize("name", LETTER)
def test_nothing_is_broken_by_the_rules_to_the_letter(name: str) -> None:
    found = Explorer(AsWritten(SMALL[name])).run()
    assert not found.broken, str(found)


@pytest.mark.parametrize("reading", [World, *READINGS], ids=lambda reading: reading.__name__)
def test_nothing_is_broken_on_ways_through_large_worlds(reading: type[World]) -> None:
    for number in range(WALKS):
        chance = Random(number)
        found = walk(reading(any_world(chance)), chance, steps=100)
        assert not found.broken, f"walk {number}: {found}"


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_a_broken_rule_is_noticed(mutant: type[World]) -> None:
    world, invariant = MUTANTS[mutant]
    found = Explorer(mutant(SMALL[world])).run()
    assert found.broken.startswith(invariant), f"{mutant.__name__} was to break {invariant}, seen: {found}"


def test_keys_and_marks_hold() -> None:
    assert explore(keys.Keys()) > 100
    assert explore(marks.Marks()) > 5_000


@pytest.mark.parametrize("mutant", keys.MUTANTS, ids=lambda mutant: mutant.__name__)
def test_a_broken_rule_of_keys_is_noticed(mutant: type[keys.Keys]) -> None:
    with pytest.raises(AssertionError, match=f"^{keys.MUTANTS[mutant]}"):
        explore(mutant())


@pytest.mark.parametrize("mutant", marks.MUTANTS, ids=lambda mutant: mutant.__name__)
def test_a_broken_rule_of_marks_is_noticed(mutant: type[marks.Marks]) -> None:
    with pytest.raises(AssertionError, match=f"^{marks.MUTANTS[mutant]}"):
        explore(mutant())
