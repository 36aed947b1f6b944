"""What day it is, and in which time zone: a program that runs for weeks lives through both changing."""

import time
from datetime import date

from PySide6.QtCore import QObject, QTimer, Signal

LOOK_MS = 10_000


class Calendar(QObject):
    """`turned` says that the words for times are others now: after midnight, or where the time zone is another."""

    turned = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._here = _here()
        timer = QTimer(self, interval=LOOK_MS)
        timer.timeout.connect(self.look)
        timer.start()

    def look(self) -> None:
        here = _here()
        if here != self._here:
            self._here = here
            self.turned.emit()


def _here() -> tuple[object, ...]:
    if hasattr(time, "tzset"):
        time.tzset()  # glibc reads /etc/localtime once, and then only when told to
    return date.today(), time.tzname, time.timezone, time.localtime().tm_gmtoff
