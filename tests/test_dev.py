"""What `dev.py` makes of its arguments: which of them are its own, and what pytest is told."""

import pytest

import dev


def told(*words: str) -> list[str]:
    return dev.chosen(dev.parse(["test", *words]))


def test_without_arguments_everything_runs_side_by_side() -> None:
    assert told() == told("--yes") == list(dev.WORKERS)


@pytest.mark.parametrize(
    "words",
    [
        ["tests/desktop", "-k", "popup"],
        ["-x", "--pdb"],
        ["-n", "3", "--durations=20"],
        ["-q", "tests/web/test_words.py::test_all[quick --long]"],
    ],
)
def test_other_arguments_are_pytests_own_as_they_are(words: list[str]) -> None:
    assert told(*words) == told(*words, "--yes") == words


def test_quick_leaves_out_what_is_real_and_takes_arguments_of_pytest() -> None:
    assert told("--quick", "-x") == [*dev.QUICK, "-x"]


@pytest.mark.parametrize("names", [[], ["model"], ["measure", "model"]])
def test_long_takes_names_of_its_parts(names: list[str]) -> None:
    args = dev.parse(["test", "--yes", "--long", *names])
    assert (args.long, args.rest, args.yes) == (names, [], True)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--long", "modle"], "invalid choice: 'modle'"),
        (["--long", "model", "-x"], "no arguments of pytest: -x"),
        (["tests/web", "--long"], "no arguments of pytest: tests/web"),
        (["--long", "--quick"], "not allowed with"),
    ],
)
def test_what_long_cannot_mean_is_refused(words: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        dev.parse(["test", *words])
    assert says in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--help"], ["--long", "?"]])
def test_the_long_parts_are_listed(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        dev.parse(["test", *words])
    said = "".join("".join(capsys.readouterr()).split())
    assert [name for name in dev.LONG if name not in said] == []


def test_the_demo_takes_what_is_the_tests_as_its_own() -> None:
    assert dev.parse(["demo", "--seconds", "3"]).rest == ["--seconds", "3"]


def test_a_part_that_fails_does_not_keep_the_others_from_running(capsys: pytest.CaptureFixture[str]) -> None:
    """Names that are no modules' fail at once, by the real way."""
    parts = dict(dev.LONG)
    dev.LONG.update(one=("timeit", "-n", "1", "raise"), two=("timeit", "-n", "1", "pass"))
    try:
        assert dev.go_long(["one", "two"]) == 1
        assert dev.go_long(["two"]) == 0
    finally:
        dev.LONG.clear()
        dev.LONG.update(parts)
    assert "failed: one\n" in capsys.readouterr().out
