"""Which ways of showing a popup this desktop has, best first; put together for the composition root."""

import sys

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication

from deskbell_desktop.notify.notifier import Notifier, NullNotifier, make_notifier
from deskbell_desktop.notify.popup import PopupNotifier
from deskbell_desktop.qt import theme
from deskbell_desktop.qt.session_bus import SessionBus


def make_popups(application: QApplication, scheme: theme.Scheme, parent: QObject) -> Notifier:
    """The desktop's own popups where it has some, ours where it has none."""
    bus = SessionBus() if sys.platform == "linux" else None
    theme.apply(application, scheme, bus)
    candidates: list[Notifier] = [PopupNotifier(), NullNotifier()]
    if bus is not None:
        from deskbell_desktop.notify.freedesktop import FreedesktopNotifier
        from deskbell_desktop.qt.screen_lock import ScreenLock

        ScreenLock(bus, application)
        candidates.insert(0, FreedesktopNotifier(bus))
    popups = make_notifier(candidates, parent)
    if bus is not None:
        bus.setParent(parent)
        bus.open()
    return popups
