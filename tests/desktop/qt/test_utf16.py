"""Positions as Python and as Qt count them."""

from hypothesis import example, given
from hypothesis import strategies as st
from PySide6.QtGui import QTextCursor, QTextDocument

from deskbell_desktop.qt.utf16 import Utf16


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=40))
@example("🛎️ 🏴󠁧󠁢󠁥󠁮󠁧󠁿 a𠮷b")
def test_positions_lead_to_the_same_place_and_back(text: str) -> None:
    positions = Utf16(text)
    for at in range(len(text) + 1):
        units = positions.units(at)
        assert units == len(text[:at].encode("utf-16-le")) // 2
        assert positions.index(units) == at


def test_the_middle_of_a_character_is_its_beginning() -> None:
    assert [Utf16("a🛎b").index(units) for units in range(5)] == [0, 1, 1, 2, 3]


def test_qt_counts_like_this() -> None:
    text = "𠮷a🛎b"
    document = QTextDocument(text)
    cursor = QTextCursor(document)
    cursor.setPosition(Utf16(text).units(1))
    cursor.setPosition(Utf16(text).units(3), QTextCursor.MoveMode.KeepAnchor)
    assert cursor.selectedText() == text[1:3]
