"""Our own popups on a screen: stacked, answered, dismissed, and never in the way."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from deskbell_desktop.core.views import Popup
from deskbell_desktop.notify.popup import AT_ONCE, PopupNotifier
from deskbell_desktop.qt.popup_window import PopupWindow
from deskbell_desktop.qt.reply_box import Editor
from tests.desk.desktop import Desk, Parts
from tests.desktop.notify.conftest import MARIA, Heard

HELLO = Popup("c1", "Maria Garcia", "Lunch?", MARIA, "m1")


@pytest.fixture
def popups(qtbot: QtBot) -> Iterator[PopupNotifier]:
    popups = PopupNotifier()
    yield popups
    popups.close()


def windows() -> list[PopupWindow]:
    return [w for w in QApplication.topLevelWidgets() if isinstance(w, PopupWindow) and w.isVisible()]


def press(window: PopupWindow, words: str, qtbot: QtBot) -> None:
    (found,) = [b for b in window.findChildren(QPushButton) if b.text() == words and b.isVisible()]
    qtbot.mouseClick(found, Qt.MouseButton.LeftButton)


def test_a_click_opens_and_the_buttons_do_what_they_say(popups: PopupNotifier, qtbot: QtBot) -> None:
    heard = Heard(popups)
    popups.show(HELLO)
    (window,) = windows()
    qtbot.mouseClick(window, Qt.MouseButton.LeftButton)
    popups.show(HELLO)
    press(windows()[0], "Mark read", qtbot)
    assert heard.events == [("opened", "c1", ""), ("closed", "c1"), ("read_requested", "c1"), ("closed", "c1")]
    assert windows() == []


def test_an_answer_is_typed_in_the_popup(popups: PopupNotifier, qtbot: QtBot) -> None:
    heard = Heard(popups)
    popups.show(HELLO)
    (window,) = windows()
    press(window, "Reply", qtbot)
    editor = window.findChild(Editor)
    assert editor is not None
    assert editor.isVisible()
    qtbot.keyClicks(editor, "Yes")
    popups.show(replace(HELLO, body="And?"))  # a later message does not take the field away
    assert editor.text() == "Yes"
    qtbot.keyClick(editor, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert heard.events == [("replied", "c1", "Yes"), ("closed", "c1")]


def test_an_answer_that_was_begun_is_left_to_the_desk_when_its_popup_goes(popups: PopupNotifier, qtbot: QtBot) -> None:
    heard = Heard(popups)
    popups.show(HELLO)
    (window,) = windows()
    press(window, "Reply", qtbot)
    qtbot.keyClicks(window.findChild(Editor), "not yet sent")
    popups.withdraw("c1")
    assert heard.events == [("left", "c1", "not yet sent"), ("closed", "c1")]


def test_programs_cannot_be_answered(popups: PopupNotifier) -> None:
    popups.show(replace(HELLO, can_reply=False))
    (window,) = windows()
    assert [b.text() for b in window.findChildren(QPushButton) if b.isVisible()] == ["Mark read"]


def test_the_newest_is_on_top_and_few_stand_at_once(popups: PopupNotifier) -> None:
    heard = Heard(popups)
    for number in range(AT_ONCE + 2):
        popups.show(replace(HELLO, key=f"c{number}", title=f"n{number}"))
    stack = sorted(windows(), key=lambda w: w.y())
    assert [w.windowTitle() for w in stack] == ["n5", "n4", "n3", "n2"]
    for upper, lower in pairwise(stack):
        assert upper.geometry().bottom() - 24 < lower.y()  # the shadows may overlap, the surfaces not
    assert heard.events == [("closed", "c0"), ("closed", "c1")]
    popups.withdraw("c4")
    assert len(windows()) == AT_ONCE - 1
    popups.close()
    assert windows() == []


def test_the_same_key_replaces(popups: PopupNotifier) -> None:
    popups.show(HELLO)
    popups.show(replace(HELLO, title="Maria again"))
    assert [w.windowTitle() for w in windows()] == ["Maria again"]


def test_markup_is_shown_as_it_is_written(popups: PopupNotifier) -> None:
    evil = '<img src="file:///etc/passwd"><b>x</b>'
    popups.show(replace(HELLO, title=evil, body=evil))
    (window,) = windows()
    assert window._title.text() == evil
    assert window._title.textFormat() == window._body.textFormat() == Qt.TextFormat.PlainText


def test_it_does_not_take_the_keyboard_but_can_be_reached_with_it(popups: PopupNotifier, qtbot: QtBot) -> None:
    typing = QLineEdit()
    qtbot.addWidget(typing)
    typing.show()
    typing.activateWindow()
    typing.setFocus()
    popups.show(HELLO)
    (window,) = windows()
    assert window.testAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
    assert QApplication.focusWidget() in (typing, None)
    for button in window.findChildren(QPushButton):
        assert button.focusPolicy() & Qt.FocusPolicy.TabFocus
    heard = Heard(popups)
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert heard.events == [("closed", "c1")]


def test_it_leaves_by_itself_unless_urgent_or_in_use(popups: PopupNotifier, qtbot: QtBot) -> None:
    popups.show(HELLO)
    popups.show(replace(HELLO, key="u", priority="urgent"))
    calm, urgent = popups._windows["c1"], popups._windows["u"]
    assert calm._stays.isActive()
    assert not urgent._stays.isActive()
    calm._stays.setInterval(20)
    calm._stays.start()
    qtbot.waitUntil(lambda: "c1" not in popups._windows)
    assert "u" in popups._windows
    popups.close()


@pytest.mark.screen
@pytest.mark.parametrize("desk", [Parts(panel=False, notifications=False, keyring=False)], indirect=True)
def test_under_a_window_manager_the_keyboard_stays_where_it_was(desk: Desk) -> None:
    program = desk.start(sys.executable, str(Path(__file__).with_name("popup_program.py")))
    popup = desk.hand.find("--name", "Maria Garcia", what="our popup")
    typing = desk.hand.find("--name", "somebody types here", what="the window")
    program.wait_until(lambda: desk.hand.focused() == typing.id, "the keyboard in the window")
    desk.hand.type("abc")
    program.wait_until(lambda: "typed abc" in program.log.read_text(), "the letters in the window")
    assert popup.x + popup.width > 1270  # in the right upper corner
    assert popup.y < 40
    desk.hand.click_in(popup, 120, -38)  # Reply
    desk.hand.type("yes")
    desk.hand.press("ctrl+Return")
    program.wait_until(lambda: "replied c1 yes" in program.log.read_text(), "the answer")
