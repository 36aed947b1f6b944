"""What stands on the screen is what the window would draw now: nothing is left of what it showed before."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from deskbell_desktop.core.views import Link, StatusView
from deskbell_desktop.qt import theme
from deskbell_desktop.qt.conversation_list import ConversationList
from deskbell_desktop.qt.window import MainWindow
from tests.desktop.qt.conftest import OPS, said, talk

pytestmark = pytest.mark.screen


def on_screen(widget: QWidget) -> QImage:
    place = QRect(widget.mapToGlobal(QPoint()), widget.size())
    return plain(widget.screen().grabWindow(0, place.x(), place.y(), place.width(), place.height()).toImage())


def drawn_anew(widget: QWidget) -> QImage:
    return plain(widget.grab().toImage())


def plain(picture: QImage) -> QImage:
    return picture.convertToFormat(QImage.Format.Format_RGB32)


CHANGES: dict[str, Callable[[MainWindow], object]] = {
    "another conversation": lambda window: window.show_messages(talk(OPS), [said(1)], has_older=False),
    "a draft": lambda window: window.show_draft("u1", "unfinished"),
    "new below": lambda window: window.show_messages(
        talk(), [said(n, f"{n}\n" * 9) for n in range(9)], has_older=False, unread=[f"m{n}" for n in range(9)]
    ),
    "counts": lambda window: window.show_conversations([talk(unread=3), talk(OPS, unread=120)], "u1"),
    "no connection": lambda window: window.show_status(StatusView(Link.OFFLINE, "https://desk.example.org", "ana")),
    "do not disturb": lambda window: window.show_status(StatusView(Link.ONLINE, "https://x", "ana", quiet=True)),
    "dark": lambda _window: theme.apply(QApplication.instance(), "dark"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_changes_is_painted(change: str, window: MainWindow, qtbot: QtBot) -> None:
    rows = window.findChild(ConversationList)
    assert rows is not None
    rows.setFocus()  # where no cursor blinks
    qtbot.waitUntil(lambda: on_screen(window) == drawn_anew(window))
    before = on_screen(window)
    CHANGES[change](window)
    assert drawn_anew(window) != before
    qtbot.waitUntil(lambda: on_screen(window) == drawn_anew(window))
