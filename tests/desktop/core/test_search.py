"""What a search compares, and where in a line it marks."""

import pytest

from deskbell_desktop.core.search import BEFORE, around, folded, hits


@pytest.mark.parametrize(
    ("text", "wanted", "found"),
    [
        ("a disk, the DISK", "disk", ["disk", "DISK"]),
        ("下午看一下文档", "文档", ["文档"]),
        ("ＤＩＳＫ ５", "disk 5", ["ＤＩＳＫ ５"]),
        ("Straße", "ss", ["ß"]),
        ("🛎️ a disk", "disk", ["disk"]),
        ("aaaa", "aa", ["aa", "aa"]),
        ("nothing", "disk", []),
        ("nothing", "", []),
    ],
)
def test_hits_are_where_they_stand_in_the_text(text: str, wanted: str, found: list[str]) -> None:
    assert [text[start:end] for start, end in hits(text, wanted)] == found
    assert not found or wanted in folded(text)


@pytest.mark.parametrize("filler", ["x", "文", "ß"])
def test_a_line_begins_so_that_the_hit_can_be_seen(filler: str) -> None:
    assert around(filler * 10 + "disk", "disk") == filler * 10 + "disk"
    assert around(filler * 99 + "disk" + filler * 99, "disk") == "…" + filler * BEFORE + "disk" + filler * 99
    assert around(filler * 20 + "disk", "disk", used=len("Maria Garcia")) == "…" + filler * 2 + "disk"


def test_a_line_begins_with_a_whole_word() -> None:
    assert around("I have looked at each of the graphs.", "graphs") == "…each of the graphs."
    assert around("I have looked at each of thegraphs.", "graphs") == "…each of thegraphs."
