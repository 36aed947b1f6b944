"""A small window for an answer, where the desktop's popups have no field for it."""

from PySide6.QtCore import QCoreApplication, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout

from deskbell_desktop.core import text
from deskbell_desktop.core.views import Popup
from deskbell_desktop.qt.controls import Avatar, IconButton, label, soft
from deskbell_desktop.qt.front import centre, come_forward
from deskbell_desktop.qt.popup_frame import PopupFrame
from deskbell_desktop.qt.reply_box import ReplyBox

QUOTE_CHARS = 160
POPUPS_WIDTH = 440
"""The desktop's own stand in a corner, mostly at the right, and above every other window."""

translate = QCoreApplication.translate


class ReplyPopup(PopupFrame):
    """One for the whole program: `ask` shows it for a popup, and what was written for another key is not lost."""

    reply_requested = Signal(str, str, object)
    """Key of the popup, the answer, and the message that was shown."""
    dismissed = Signal(str)
    left = Signal(str, str)
    """An answer that was begun, when the account is left."""

    def __init__(self) -> None:
        super().__init__(takes_focus=True)
        self._key = ""
        self._message: str | None = None
        self._drafts: dict[str, str] = {}
        self._face = Avatar(40)
        self._name = label("", 14, bold=True)
        self._quote = soft("", 13, wrap=True)
        self._box = ReplyBox()
        close = IconButton("close", translate("ReplyPopup", "Close"))
        close.setFixedSize(28, 28)
        close.clicked.connect(self.dismiss)
        names = QVBoxLayout()
        names.setSpacing(2)
        names.addWidget(self._name)
        names.addWidget(self._quote)
        head = QHBoxLayout()
        head.setSpacing(12)
        head.addWidget(self._face, 0, Qt.AlignmentFlag.AlignTop)
        head.addLayout(names, 1)
        head.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 12, 12)
        column.setSpacing(10)
        column.addLayout(head)
        column.addWidget(self._box)
        self._box.submitted.connect(self._on_submitted)
        self._box.editor.document().documentLayout().documentSizeChanged.connect(lambda _size: self.fit())

    @property
    def key(self) -> str:
        """The popup that is being answered; empty when none is."""
        return self._key if self.isVisible() else ""

    def ask(self, popup: Popup) -> None:
        """Come up with the cursor in the field."""
        self._keep()
        self._key, self._message = popup.key, popup.message_key
        self._face.show_party(popup.sender)
        self._face.setVisible(popup.sender is not None)
        self._name.setText(text.one_line(popup.title))
        self._quote.setText(text.popup_body(popup.body, QUOTE_CHARS))
        self.setWindowTitle(translate("ReplyPopup", "Answer to %1").replace("%1", text.one_line(popup.title)))
        self._box.invite(translate("ReplyPopup", "Your answer"))
        self._box.set_text(self._drafts.pop(popup.key, ""))
        self.fit()
        centre(self, right=POPUPS_WIDTH)
        self.appear()
        come_forward(self)
        self._box.editor.setFocus()

    def dismiss(self) -> None:
        self._keep()
        self.hide()
        self.dismissed.emit(self._key)

    def forget(self) -> None:
        """Nothing of the account stays in sight, nor in the field."""
        self._keep()
        self.hide()
        drafts, self._drafts, self._key = self._drafts, {}, ""
        for widget in (self._name, self._quote):
            widget.clear()
        self._box.set_text("")
        self.setWindowTitle("")
        for key, draft in drafts.items():
            self.left.emit(key, draft)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.dismiss()
        else:
            super().keyPressEvent(event)

    def _keep(self) -> None:
        if self._key and self._box.text().strip():
            self._drafts[self._key] = self._box.text()

    def _on_submitted(self, body: str) -> None:
        self._box.set_text("")
        self._drafts.pop(self._key, None)
        self.hide()
        self.reply_requested.emit(self._key, body, self._message)
