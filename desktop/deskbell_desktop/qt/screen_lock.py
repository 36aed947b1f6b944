"""Whether the screen is locked: the window behind the lock may still have the keyboard, but nobody sees it."""

from jeepney import HeaderFields, MatchRule, Message
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QApplication

from deskbell_desktop.qt.session_bus import SessionBus


class ScreenLock(QObject):
    """Listens to the screen savers of all desktops, which say it alike; one lives as a child of the application."""

    changed = Signal()

    def __init__(self, bus: SessionBus, parent: QObject) -> None:
        super().__init__(parent)
        self.locked = False
        bus.signal_received.connect(self._on_signal)
        bus.subscribe(MatchRule(type="signal", member="ActiveChanged"))

    def _on_signal(self, message: Message) -> None:
        fields = message.header.fields
        interface = str(fields.get(HeaderFields.interface))
        if fields.get(HeaderFields.member) == "ActiveChanged" and interface.endswith(".ScreenSaver"):
            self.locked = message.body == (True,)
            self.changed.emit()


def screen_lock() -> ScreenLock | None:
    """None where nothing tells of it."""
    app = QApplication.instance()
    return app.findChild(ScreenLock) if app is not None else None
