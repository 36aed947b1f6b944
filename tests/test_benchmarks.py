"""The measuring's own pure parts: what another checkout printed, and how it is set beside this one's."""

import pytest

from benchmarks.speed.baseline import figures_in
from benchmarks.speed.load import LoadFailed
from benchmarks.speed.report import ratios_table


def test_the_figures_of_another_checkout_are_those_it_printed_last() -> None:
    assert figures_in('fetching the peer …\nfigures {"http": 9}\nfigures {"http": 12.5}\n', "") == {"http": 12.5}
    with pytest.raises(LoadFailed, match="no module of that name"):
        figures_in("fetching the peer …", "Traceback\nImportError: no module of that name")


def test_a_ratio_stands_beside_how_far_the_rounds_lie_apart() -> None:
    results = {"http": {"deskbell": [90.0, 100.0, 110.0], "baseline": [200.0, 200.0, 200.0]}, "acked": {"node": [1.0]}}
    assert ratios_table(results).splitlines()[2:] == ["| HTTP publishes/s | 0.50 | 20% |"]
