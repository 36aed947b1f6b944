"""Our own popups, the last resort that always works: a stack in the corner of the screen, drawn by Qt."""

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QObject

from deskbell_desktop.core.views import Popup
from deskbell_desktop.notify.notifier import Notifier
from deskbell_desktop.qt.popup_frame import SHADOW
from deskbell_desktop.qt.popup_window import PopupWindow

AT_ONCE: Final = 4
GAP: Final = 8


class PopupNotifier(Notifier):
    """A stack of popups, newest on top; older ones leave when there are too many."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._windows: dict[str, PopupWindow] = {}

    def show(self, popup: Popup) -> None:
        window = self._windows.get(popup.key)
        if window is None:
            while len(self._windows) >= AT_ONCE:
                self._remove(next(iter(self._windows)))
            window = self._windows[popup.key] = self._make(popup.key)
        window.show_popup(popup)
        self._place()
        if not window.isVisible():
            window.appear()

    def withdraw(self, key: str) -> None:
        if key in self._windows:
            self._remove(key)

    def close(self) -> None:
        for key in list(self._windows):
            self._remove(key)

    def _make(self, key: str) -> PopupWindow:
        window = PopupWindow()
        window.opened.connect(lambda: self._done(key, lambda: self.opened.emit(key)))
        window.read_requested.connect(lambda: self._done(key, lambda: self.read_requested.emit(key)))
        window.replied.connect(lambda body: self._done(key, lambda: self.replied.emit(key, body)))
        window.dismissed.connect(lambda: self._remove(key))
        window.resized.connect(self._place)
        return window

    def _done(self, key: str, tell: Callable[[], None]) -> None:
        tell()
        self.withdraw(key)

    def _remove(self, key: str) -> None:
        window = self._windows.pop(key)
        window.hide()
        window.deleteLater()
        self._place()
        if window.written:
            self.left.emit(key, window.written)
        self.closed.emit(key)

    def _place(self) -> None:
        """The newest on top; older ones that would stand below the screen's edge leave."""
        below = 0
        for key, window in reversed(tuple(self._windows.items())):
            window.place(below)
            below += window.height() - 2 * SHADOW + GAP
            if below > window.screen().availableSize().height() and key != next(reversed(self._windows)):
                self.withdraw(key)
