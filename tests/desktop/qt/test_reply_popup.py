"""The small window for an answer: one thing, quickly, and nothing written is lost."""

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from deskbell_desktop.core.views import Popup
from deskbell_desktop.qt.reply_box import Editor
from deskbell_desktop.qt.reply_popup import ReplyPopup
from tests.desktop.qt.conftest import MARIA

HELLO = Popup("c1", "Maria Garcia", "Lunch?", MARIA, "m1")


@pytest.fixture
def answer(qtbot: QtBot) -> ReplyPopup:
    answer = ReplyPopup()
    qtbot.addWidget(answer)
    answer.ask(HELLO)
    qtbot.waitUntil(answer.isActiveWindow)
    return answer


def editor_of(answer: ReplyPopup) -> Editor:
    editor = answer.findChild(Editor)
    assert editor is not None
    return editor


def test_the_answer_goes_to_its_popup(answer: ReplyPopup, qtbot: QtBot) -> None:
    assert answer.key == "c1"
    qtbot.keyClicks(editor_of(answer), "Yes")
    with qtbot.waitSignal(answer.reply_requested) as sent:
        qtbot.keyClick(editor_of(answer), Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert sent.args == ["c1", "Yes", "m1"]
    assert not answer.isVisible()
    assert answer.key == ""


def test_nothing_of_an_account_that_is_left_stays_and_what_was_begun_is_handed_on(
    answer: ReplyPopup, qtbot: QtBot
) -> None:
    qtbot.keyClicks(editor_of(answer), "begun")
    with qtbot.waitSignal(answer.left) as left:
        answer.forget()
    assert left.args == ["c1", "begun"]
    assert not answer.isVisible()
    assert (answer.windowTitle(), answer.key, editor_of(answer).text()) == ("", "", "")
    assert [label.text() for label in answer.findChildren(QLabel) if HELLO.body in label.text()] == []


def test_what_was_begun_for_one_is_there_when_coming_back(answer: ReplyPopup, qtbot: QtBot) -> None:
    qtbot.keyClicks(editor_of(answer), "half a sen")
    answer.ask(replace(HELLO, key="c2", title="Ops", sender=None))
    assert editor_of(answer).text() == ""
    with qtbot.waitSignal(answer.dismissed) as gone:
        qtbot.keyClick(editor_of(answer), Qt.Key.Key_Escape)
    assert gone.args == ["c2"]
    answer.ask(HELLO)
    assert editor_of(answer).text() == "half a sen"


def test_the_window_grows_with_what_is_written(answer: ReplyPopup, qtbot: QtBot) -> None:
    editor = editor_of(answer)
    editor.setPlainText("one\ntwo\nthree\nfour")
    qtbot.waitUntil(lambda: answer._box.rect().contains(editor.geometry()))
    assert answer.rect().contains(answer._box.geometry())
