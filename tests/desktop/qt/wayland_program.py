"""All that the desktop program opens, on whatever screen this is: it says nothing of its own."""

import sys
from dataclasses import replace

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from deskbell_desktop.core.views import Popup
from deskbell_desktop.notify.popup import PopupNotifier
from deskbell_desktop.qt import theme
from deskbell_desktop.qt.login import LoginDialog
from deskbell_desktop.qt.reply_popup import ReplyPopup
from deskbell_desktop.qt.tray import Tray
from deskbell_desktop.qt.window import MainWindow
from tests.desktop.qt.conftest import MARIA, ONLINE, talk

HELLO = Popup("u1", "Maria Garcia", "Lunch?", MARIA, "m1")

application = QApplication(["deskbell"])
application.setQuitOnLastWindowClosed(False)
theme.apply(application, "light")
tray, popups, answer, dialog, window = Tray(), PopupNotifier(), ReplyPopup(), LoginDialog(), MainWindow()
tray.show_status(ONLINE)
window.show_status(ONLINE)
window.show_conversations([talk()], "u1")
steps = [
    lambda: popups.show(HELLO),
    lambda: popups.show(replace(HELLO, key="u2")),
    lambda: popups.show(replace(HELLO, body="13:00 then")),
    lambda: popups.withdraw("u2"),
    lambda: answer.ask(HELLO),
    lambda: dialog.show_form("https://desk.example.org", "ana"),
    window.open,
    window.showMinimized,
    window.open,
    lambda: application.exit(0),  # `quit` asks the windows first, and ours refuse to close
]
for number, step in enumerate(steps):
    QTimer.singleShot(150 * number, step)
sys.exit(application.exec())
