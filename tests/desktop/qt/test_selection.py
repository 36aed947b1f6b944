"""Text in a bubble under the mouse: selected by dragging, by two clicks and three, copied, and drawn as selected."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QClipboard, QGuiApplication, QImage, QMouseEvent, QPalette
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from deskbell_desktop.qt.message_list import MessageList
from tests.desktop.qt.conftest import Browser, said

TEXT = "Lunch 🛎️ at 12:30?\nThe menu is at https://example.org/menu today"
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def messages(qtbot: QtBot) -> Iterator[MessageList]:
    view = MessageList()
    view.resize(672, 480)
    qtbot.addWidget(view)
    view.show()
    qtbot.waitExposed(view)
    view.show_conversation([said(1, TEXT), said(2, "Another one")], named=False, has_older=False)
    yield view
    view.hide()


def spot(messages: MessageList, word: str, row: int = 0) -> QPoint:
    """In the view, on the first character of `word`."""
    bubble = messages.bubble(row)
    block, at = bubble.text(0)
    top = messages.visualRect(messages.messages.index(row)).top()
    place = block._positions.units(block.text.index(word))
    for y in range(0, round(block.height), 4):
        for x in range(round(block.width)):
            if block.place_at(QPointF(x, y)) == place and block.place_at(QPointF(x, y), on=True) == place:
                return (at + QPointF(x, y + top)).toPoint() + QPoint(0, 4)
    raise AssertionError(f"{word} is nowhere")


def drag(messages: MessageList, start: QPoint, end: QPoint, qtbot: QtBot) -> None:
    qtbot.mousePress(messages.viewport(), LEFT, pos=start)
    move(messages, end)
    qtbot.mouseRelease(messages.viewport(), LEFT, pos=end)


def move(messages: MessageList, point: QPoint) -> None:
    """With the button down, which the test's own mouse forgets to say."""
    place = messages.viewport().mapToGlobal(QPointF(point))
    event = QMouseEvent(QEvent.Type.MouseMove, QPointF(point), place, LEFT, LEFT, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(messages.viewport(), event)


def copied(messages: MessageList, qtbot: QtBot) -> str:
    qtbot.keyClick(messages, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    return QGuiApplication.clipboard().text()


@pytest.mark.parametrize("backwards", [False, True])
def test_a_drag_selects_also_over_emoji_and_lines_and_is_copied(
    backwards: bool, messages: MessageList, qtbot: QtBot
) -> None:
    ends = [spot(messages, "Lunch"), spot(messages, "menu")]
    drag(messages, *reversed(ends) if backwards else ends, qtbot=qtbot)  # type: ignore[misc]
    assert messages.selected_text() == "Lunch 🛎️ at 12:30?\nThe "
    assert copied(messages, qtbot) == "Lunch 🛎️ at 12:30?\nThe "
    if QGuiApplication.clipboard().supportsSelection():
        assert QGuiApplication.clipboard().text(QClipboard.Mode.Selection) == "Lunch 🛎️ at 12:30?\nThe "


def test_it_stays_within_its_message(messages: MessageList, qtbot: QtBot) -> None:
    drag(messages, spot(messages, "today"), spot(messages, "one", 1), qtbot)
    assert messages.selected_text() == "today"
    assert messages.selected_text("m1") == "today"
    assert messages.selected_text("m2") == ""


def test_two_clicks_take_a_word_and_three_the_whole_text(messages: MessageList, qtbot: QtBot) -> None:
    point = spot(messages, "enu")
    qtbot.mouseDClick(messages.viewport(), LEFT, pos=point)
    assert messages.selected_text() == "menu"
    qtbot.mouseClick(messages.viewport(), LEFT, pos=point)
    assert messages.selected_text() == TEXT


def test_a_click_takes_the_selection_away_and_then_all_is_copied(messages: MessageList, qtbot: QtBot) -> None:
    drag(messages, spot(messages, "Lunch"), spot(messages, "at"), qtbot)
    assert messages.selected_text() == "Lunch 🛎️ "
    messages._menu(0, None).actions()[0].trigger()
    assert QGuiApplication.clipboard().text() == "Lunch 🛎️ "
    qtbot.mouseClick(messages.viewport(), LEFT, pos=spot(messages, "Another", 1))
    assert messages.selected_text() == ""
    assert copied(messages, qtbot) == "Another one"


def test_a_link_opens_by_a_click_and_not_by_a_drag(messages: MessageList, browser: Browser, qtbot: QtBot) -> None:
    link = spot(messages, "https")
    drag(messages, link, link + QPoint(60, 0), qtbot)
    assert browser.opened == []
    assert messages.selected_text().startswith("https://")
    qtbot.mouseClick(messages.viewport(), LEFT, pos=link)
    assert browser.opened == ["https://example.org/menu"]


def test_it_is_drawn_in_the_palettes_colours_and_gone_with_its_conversation(
    messages: MessageList, qtbot: QtBot
) -> None:
    def coloured() -> int:
        picture = messages.viewport().grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
        wanted = QApplication.palette().color(QPalette.ColorRole.Highlight).rgb()
        return sum(picture.pixel(x, y) == wanted for x in range(0, 672, 2) for y in range(0, 480, 2))

    before = coloured()
    drag(messages, spot(messages, "Lunch"), spot(messages, "menu"), qtbot)
    assert coloured() > before + 200
    messages.show_messages([said(1, TEXT), said(2), said(3)], named=False, has_older=False)
    assert messages.selected_text("m1")
    messages.show_conversation([said(1, TEXT)], named=False, has_older=False)
    assert messages.selected_text() == ""
