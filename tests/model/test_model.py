"""The model, run: nothing lost, nothing twice, in order, whatever happens. The long form is `python -m tests.model`."""

import logging
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.model.machine import Machine
from tests.model.mutants import MUTANTS, Mutant
from tests.model.office import make_small, make_template

QUICK = settings(
    max_examples=100,
    stateful_step_count=50,
    deadline=None,
    database=None,
    derandomize=True,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
FINDING = settings(QUICK, max_examples=500, phases=[Phase.generate], report_multiple_bugs=False)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "template.db"
    make_template(path)
    return path


@pytest.fixture
def machine(template: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> type[Machine]:
    caplog.set_level(logging.CRITICAL)  # failed pushes are played by the thousand
    monkeypatch.setattr(Machine, "template", template, raising=False)
    make_small(monkeypatch)
    return Machine


@pytest.mark.timeout(900)
def test_nothing_is_lost_doubled_or_swapped(machine: type[Machine]) -> None:
    run_state_machine_as_test(machine, settings=QUICK)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_a_broken_rule_is_noticed(machine: type[Machine], mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    mutant(monkeypatch)
    with pytest.raises(AssertionError):  # whichever invariant breaks first
        run_state_machine_as_test(machine, settings=FINDING)
