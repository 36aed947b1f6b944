"""Our own popups, the last resort that always works: drawn by Qt in a corner, and never taking the focus."""

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QEnterEvent, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout

from deskbell_desktop.core import text
from deskbell_desktop.core.views import Popup
from deskbell_desktop.notify.notifier import Notifier
from deskbell_desktop.qt.controls import Avatar, IconButton, button, label
from deskbell_desktop.qt.popup_frame import SHADOW, PopupFrame
from deskbell_desktop.qt.reply_box import ReplyBox

SHOWN_MS: Final = 10_000
AT_ONCE: Final = 4
GAP: Final = 8

translate = QCoreApplication.translate


class PopupWindow(PopupFrame):
    """One popup. A click anywhere opens; Reply turns it into a field, and only then does it take the keyboard."""

    opened = Signal()
    read_requested = Signal()
    replied = Signal(str)
    dismissed = Signal()
    resized = Signal()

    def __init__(self) -> None:
        super().__init__(takes_focus=False)
        self._face = Avatar(40)
        self._title = label("", 14, bold=True)
        self._body = label("", 14, wrap=True)
        self._reply = button(translate("Popup", "Reply"), primary=True)
        self._read = button(translate("Popup", "Mark read"))
        self._close = IconButton("close", translate("Popup", "Close"))
        self._box = ReplyBox()
        self._box.hide()
        self._stays = QTimer(self)
        self._stays.setSingleShot(True)
        self._stays.setInterval(SHOWN_MS)
        self._urgent = False
        self._lay_out()
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._reply.clicked.connect(self._on_reply)
        self._read.clicked.connect(lambda: self.read_requested.emit())
        self._close.clicked.connect(lambda: self.dismissed.emit())
        self._box.submitted.connect(self.replied)
        self._box.editor.document().documentLayout().documentSizeChanged.connect(lambda _size: self.resized.emit())
        self._stays.timeout.connect(lambda: self.dismissed.emit())

    def show_popup(self, popup: Popup) -> None:
        self._face.show_party(popup.sender)
        self._face.setVisible(popup.sender is not None)
        self._title.setText(text.one_line(popup.title))
        self._body.setText(text.popup_body(popup.body))
        self._body.setVisible(bool(popup.body))
        self._reply.setVisible(popup.can_reply and self._box.isHidden())
        self._urgent = popup.priority == "urgent"
        self.setWindowTitle(text.one_line(popup.title))
        self.setAccessibleName(text.one_line(popup.title))
        self.setAccessibleDescription(text.popup_body(popup.body))
        self._restart()

    def _lay_out(self) -> None:
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(8)
        self._buttons.setContentsMargins(0, 8, 0, 0)
        self._buttons.addWidget(self._reply)
        self._buttons.addWidget(self._read)
        self._buttons.addStretch()
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self._title)
        words.addWidget(self._body)
        words.addLayout(self._buttons)
        row = QHBoxLayout()
        row.setSpacing(12)
        row.addWidget(self._face, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(words, 1)
        row.addWidget(self._close, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 12, 14)
        column.setSpacing(10)
        column.addLayout(row)
        column.addWidget(self._box)

    def _restart(self) -> None:
        """Begin again to count the time it stays; not while it is being used, and not at all when it is urgent."""
        if self._urgent or self.underMouse() or self._box.isVisible() or self.isActiveWindow():
            self._stays.stop()
        else:
            self._stays.start()

    def _on_reply(self) -> None:
        self._reply.hide()
        self._read.hide()
        self._box.show()
        self._box.invite(translate("Popup", "Your answer"))
        self._stays.stop()
        self.resized.emit()
        self.activateWindow()
        self._box.editor.setFocus()

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self._stays.stop()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._restart()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.ActivationChange:
            self._restart()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self._box.isHidden():
            self.opened.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.dismissed.emit()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._box.isHidden():
            self.opened.emit()
        else:
            super().keyPressEvent(event)


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
        self.closed.emit(key)

    def _place(self) -> None:
        below = 0
        for window in reversed(self._windows.values()):
            window.place(below)
            below += window.height() - 2 * SHADOW + GAP
