"""All windows on a screen that is small for them; prints the screen, then each window: left, top, right, bottom."""

import sys
from dataclasses import replace

from PySide6.QtCore import QRect, QTimer
from PySide6.QtWidgets import QApplication, QWidget

from deskbell_desktop.core.views import Popup
from deskbell_desktop.notify.popup import PopupNotifier
from deskbell_desktop.qt import theme
from deskbell_desktop.qt.login import LoginDialog
from deskbell_desktop.qt.popup_frame import SHADOW
from deskbell_desktop.qt.reply_popup import ReplyPopup
from deskbell_desktop.qt.window import MainWindow
from tests.desktop.qt.conftest import MARIA, ONLINE, talk

LONG = "The usual place is closed today, so we would have to walk a bit. " * 6
HELLO = Popup("u1", "Maria Garcia", LONG, MARIA, "m1")


def say(area: QRect) -> None:
    sys.stdout.write(f"{area.left()} {area.top()} {area.right()} {area.bottom()}\n")


def seen(window: QWidget) -> QRect:
    """Without the shadow, which may end at the screen's edge."""
    edge = SHADOW if window.contentsMargins().left() else 0
    return window.geometry().adjusted(edge, edge, -edge, -edge)


application = QApplication(["deskbell"])
theme.apply(application, "light")
window, dialog, answer, popups = MainWindow(), LoginDialog(), ReplyPopup(), PopupNotifier()
window.show_status(ONLINE)
window.show_conversations([talk()], "u1")
window.open()
dialog.show_form("http://desk.example.org", "ana", LONG)
answer.ask(HELLO)
answer._box.set_text("line\n" * 30)
for number in range(4):
    popups.show(replace(HELLO, key=f"u{number}"))


def report() -> None:
    say(application.primaryScreen().availableGeometry())
    for each in application.topLevelWidgets():
        if each.isVisible():
            say(seen(each))
    application.exit(0)


QTimer.singleShot(0, report)
sys.exit(application.exec())
