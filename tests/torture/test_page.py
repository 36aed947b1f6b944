"""The page of promises names tests: each of them exists, and no fault or invariant is left out."""

import re
from pathlib import Path

HERE = Path(__file__).parent
TESTS = HERE.parent
PAGE = (TESTS.parent / "docs" / "reliability.md").read_text(encoding="utf-8")


def test_every_test_that_the_page_names_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    known = {name for path in TESTS.rglob("test_*.py") for name in re.findall(r"def (test_\w+)", path.read_text())}
    assert len(named) > 30
    assert not named - known
    files = re.findall(r"`(tests/[\w/]+\.py)`", PAGE)
    assert files
    assert [file for file in files if not (TESTS.parent / file).exists()] == []


def test_every_fault_and_invariant_has_its_row() -> None:
    rows = re.findall(r"^\| ([FI]\d+) \|.*\| (\S.*) \|$", PAGE, re.MULTILINE)
    assert [name for name, _ in rows] == [f"I{n}" for n in range(1, 11)] + [f"F{n}" for n in range(1, 23)]
