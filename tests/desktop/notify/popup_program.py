"""Somebody types in a window while our own popup comes up; what happens stands on the output."""

import sys

from PySide6.QtWidgets import QApplication, QLineEdit

from deskbell_desktop.core.views import Popup
from deskbell_desktop.notify.popup import PopupNotifier
from deskbell_desktop.qt import theme
from deskbell_protocol.wire import Party


def say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


application = QApplication(["typing"])
theme.apply(application, "light")
field = QLineEdit()
field.setWindowTitle("somebody types here")
field.resize(300, 40)
field.textChanged.connect(lambda text: say(f"typed {text}"))
field.show()
popups = PopupNotifier()
popups.opened.connect(lambda key: say(f"opened {key}"))
popups.replied.connect(lambda key, text: say(f"replied {key} {text}"))
popups.show(Popup("c1", "Maria Garcia", "Lunch?", Party("u1", "maria", "Maria Garcia"), "m1", "urgent"))
say("shown")
sys.exit(application.exec())
