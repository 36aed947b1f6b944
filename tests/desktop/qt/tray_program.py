"""A program that only stands in the tray, for a panel that starts after it."""

import sys

from PySide6.QtWidgets import QApplication

from deskbell_desktop.core.views import Link, StatusView
from deskbell_desktop.qt import theme
from deskbell_desktop.qt.tray import Tray

application = QApplication(["deskbell"])
application.setQuitOnLastWindowClosed(False)
theme.apply(application, "light")
tray = Tray()
tray.show_status(StatusView(Link.ONLINE, "https://desk.example.org", "ana", unread=3))
tray.availability_changed.connect(lambda there: sys.stdout.write(f"tray {there}\n") and sys.stdout.flush())
sys.stdout.write(f"tray {tray.available}\n")
sys.stdout.flush()
sys.exit(application.exec())
