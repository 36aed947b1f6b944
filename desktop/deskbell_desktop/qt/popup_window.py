"""One of our own popups: a face, a title, a few lines and what can be done about it; takes no focus by itself."""

from typing import Final

from PySide6.QtCore import QCoreApplication, QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QEnterEvent, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout

from deskbell_desktop.core import text
from deskbell_desktop.core.views import Popup
from deskbell_desktop.qt.controls import Avatar, IconButton, button, label
from deskbell_desktop.qt.popup_frame import PopupFrame
from deskbell_desktop.qt.reply_box import ReplyBox

SHOWN_MS: Final = 10_000

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
        self._close.setFixedSize(28, 28)
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
        self._box.submitted.connect(self._on_submitted)
        self._box.editor.document().documentLayout().documentSizeChanged.connect(lambda _size: self.resized.emit())
        self._stays.timeout.connect(lambda: self.dismissed.emit())

    @property
    def written(self) -> str:
        """An answer that was begun and not sent."""
        return self._box.text().strip()

    def show_popup(self, popup: Popup) -> None:
        self._face.show_party(popup.sender)
        self._face.setVisible(popup.sender is not None)
        self._title.setText(text.one_line(popup.title))
        self._body.setText(text.popup_body(popup.body))
        self._body.setVisible(bool(popup.body))
        self._reply.setVisible(popup.can_reply and self._box.isHidden())
        self._read.setVisible(popup.can_mark_read and self._box.isHidden())
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

    def _on_submitted(self, body: str) -> None:
        self._box.set_text("")
        self.replied.emit(body)

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
