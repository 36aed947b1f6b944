"""The line about the connection: a long sentence is shown whole, with a file's name broken where it must be."""

import pytest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from deskbell_desktop.core.views import Link, StatusView
from deskbell_desktop.qt.window import MainWindow

LONG = "They were put aside as account-1e84a5c2d3f40911.db.damaged-20261123-203344-with-a-very-long-name-behind. " * 2


@pytest.mark.parametrize("problem", [LONG, "这台电脑上的消息读不出来。" * 8])
def test_a_long_problem_is_shown_whole(qtbot: QtBot, problem: str) -> None:
    window = MainWindow()
    qtbot.addWidget(window)
    window.show_status(StatusView(Link.ONLINE, "desk.example.org", "ana"))
    window.show()
    qtbot.waitExposed(window)
    window.show_status(StatusView(Link.ONLINE, "desk.example.org", "ana", problem=problem))
    (shown,) = [label for label in window.findChildren(QLabel) if label.text().replace("\u200b", "") == problem]
    qtbot.waitUntil(lambda: shown.height() >= shown.heightForWidth(shown.width()))
    words = shown.fontMetrics().boundingRect(shown.rect(), 0x1000, shown.text())
    assert words.width() <= shown.width()


def test_after_a_long_line_the_short_one_is_low_again(qtbot: QtBot) -> None:
    window = MainWindow()
    qtbot.addWidget(window)
    online = StatusView(Link.ONLINE, "desk.example.org", "ana")
    window.show_status(online)
    window.show()
    qtbot.waitExposed(window)
    (shown,) = [label for label in window.findChildren(QLabel) if label.text() == "Connected to desk.example.org"]
    low = shown.height()
    window.show_status(StatusView(Link.ONLINE, "desk.example.org", "ana", problem=LONG))
    qtbot.waitUntil(lambda: shown.height() > low)
    window.show_status(online)
    qtbot.waitUntil(lambda: shown.height() == low)
