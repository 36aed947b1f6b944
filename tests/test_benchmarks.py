"""The measuring's own pure parts: what another checkout printed, how it is set beside this one's, where time goes."""

import hashlib

import pytest

from benchmarks.profile import Window, kinds, roles, scaled, shown, together
from benchmarks.speed.baseline import figures_in
from benchmarks.speed.load import LoadFailed
from benchmarks.speed.report import MEASURES, ratios_table
from benchmarks.speed.scenarios import FULL, QUICK, SCENARIOS, percent
from benchmarks.speed.servers import VARIANTS
from benchmarks.speed.stages import LOOP, OTHERS, STAGES, WRITER, Clock, place, timed


def test_the_figures_of_another_checkout_are_those_it_printed_last() -> None:
    assert figures_in('fetching the peer …\nfigures {"http": 9}\nfigures {"http": 12.5}\n', "") == {"http": 12.5}
    with pytest.raises(LoadFailed, match="no module of that name"):
        figures_in("fetching the peer …", "Traceback\nImportError: no module of that name")


def test_a_ratio_stands_beside_how_far_the_rounds_lie_apart() -> None:
    results = {"http": {"deskbell": [90.0, 100.0, 110.0], "baseline": [200.0, 200.0, 200.0]}, "acked": {"node": [1.0]}}
    assert ratios_table(results).splitlines()[2:] == ["| HTTP publishes/s | 0.50 | 20% |"]


def test_only_everything_is_a_hundred_percent() -> None:
    assert [percent(share) for share in (1.0, 0.999999, 0.872)] == [100.0, 99.9, 87.2]


def test_where_clients_come_back_a_quick_look_has_fewer() -> None:
    clients = {scenario.name: (scenario.clients(QUICK), scenario.clients(FULL)) for scenario in SCENARIOS}
    assert clients["jitter"] == (1_000, 10_000)
    assert clients["avalanche"] == (1_000, 5_000)
    assert clients["many"] == (10_000, 10_000)


def test_each_scenario_names_servers_that_there_are() -> None:
    assert {key for scenario in SCENARIOS for key in scenario.variants} <= VARIANTS.keys()
    assert {"jitter_share", "avalanche_kill_share", "avalanche_retries"} <= MEASURES.keys()


@pytest.mark.parametrize("target", [t for row in STAGES.values() for targets in row.values() for t in targets])
def test_each_stage_begins_with_a_function_that_there_is(target: str) -> None:
    owner, name = place(target)
    assert callable(getattr(owner, name))


def test_clocks_divide_a_threads_time_and_lose_none_of_it() -> None:
    clock = Clock()

    def work() -> str:
        return hashlib.sha256(bytes(1 << 20)).hexdigest()

    inner = timed(work, "inner", clock)

    def both() -> None:
        work()
        inner()
        raise LookupError

    with pytest.raises(LookupError):
        timed(both, "outer", clock)()
    assert clock.stage == ""
    assert clock.spent["inner"] > 0
    assert clock.spent["outer"] > 0
    assert sum(clock.spent.values()) == clock.since


def test_a_sample_is_known_by_the_object_in_which_it_was() -> None:
    printed = """
     7  ffffffff8176d046 ([kernel.kallsyms])
     7      7fd50f4b5612 (/usr/lib/x86_64-linux-gnu/libc.so.6)
     9      7fd50f7b2b7f (/usr/lib/x86_64-linux-gnu/libsqlite3.so.0.8.6)
     9      7fd50f701b13 (/opt/lib/libpython3.11.so.1.0)
     9      7fd50f701b14 (/opt/msgspec/_core.cpython-311-x86_64-linux-gnu.so)
    """
    assert kinds(printed) == {7: {"kernel": 1, "libc": 1}, 9: {"SQLite": 1, "Python & C modules": 2}}


def test_what_is_shown_of_a_message_adds_up_to_what_was_measured() -> None:
    role_of = roles(5, {5: 3.0, 6: 0.1, 7: 2.0, 8: 0.1})
    assert role_of == {5: LOOP, 6: OTHERS, 7: WRITER, 8: OTHERS}
    seen = together({5: {"flush": 30.0, "": 10.0}, 7: {"keys": 5.0}, 6: {}}, role_of)
    used = {LOOP: 80.0, WRITER: 60.0, OTHERS: 2.0}
    assert scaled(seen, used) == {LOOP: {"flush": 60.0, "": 20.0}, WRITER: {"keys": 60.0}, OTHERS: {"": 2.0}}
    text = shown("a load", Window(1000.0, used, together({}, {})), Window(900.0, used, seen))
    assert "| loop | flush | 60.0 | 42% |" in text
    assert "| loop | epoll, callbacks, the rest | 20.0 | 14% |" in text
    assert "| **all** |  | 142.0 | 100% |" in text
    assert "perf is not here" in text


def test_where_perf_is_each_kind_has_its_share() -> None:
    used = {LOOP: 80.0, WRITER: 60.0, OTHERS: 0.0}
    seen = together({5: {"kernel": 3, "libc": 1}, 7: {"SQLite": 1}}, {5: LOOP, 7: WRITER})
    rows = shown("a load", Window(1000.0, used, seen), Window(900.0, used, together({}, {}))).splitlines()
    assert "| loop | 60.0 | 0.0 | 20.0 | 0.0 |" in rows
    assert "| **all** | 60.0 | 60.0 | 20.0 | 0.0 |" in rows
