"""Where an answer is written: grows with its text, sends with Ctrl+Enter, keeps a draft for each conversation."""

from typing import Final

from PySide6.QtCore import QCoreApplication, QMimeData, QRectF, Qt, Signal
from PySide6.QtGui import QFocusEvent, QFontMetricsF, QKeyEvent, QKeySequence, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from deskbell_desktop.core import text
from deskbell_desktop.qt import theme
from deskbell_desktop.qt.controls import button, problem, soft
from deskbell_protocol import limits
from deskbell_protocol.characters import can_be_seen

LINES: Final = 6
PASTE_CHARS: Final = 200_000

translate = QCoreApplication.translate


class Editor(QPlainTextEdit):
    """Plain text that knows its own height; Tab goes on to the next control."""

    submitted = Signal()
    focus_changed = Signal()

    def __init__(self, lines: int = LINES, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lines = lines
        self.setFont(theme.font(self))
        self.setTabChangesFocus(True)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.document().setDocumentMargin(4)
        self.document().documentLayout().documentSizeChanged.connect(self._fit)
        self._fit()

    def text(self) -> str:
        return self.toPlainText()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if enter and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.submitted.emit()
        else:
            super().keyPressEvent(event)

    def insertFromMimeData(self, source: QMimeData) -> None:
        """Only text, without the control characters that no server takes."""
        self.insertPlainText(text.clean(source.text()[:PASTE_CHARS]))

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.focus_changed.emit()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.focus_changed.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self, _size: object = None) -> None:
        line = QFontMetricsF(self.font()).lineSpacing()
        lines = max(1.0, self.document().size().height())
        margins = 2 * self.document().documentMargin() + 2
        many = lines > self._lines
        self.setVerticalScrollBarPolicy(
            Qt.ScrollBarPolicy.ScrollBarAsNeeded if many else Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        )
        self.setFixedHeight(round(min(lines, self._lines) * line + margins))


class ReplyBox(QWidget):
    """`submitted` carries what is to be sent, already checked; `changed` every keystroke's whole text."""

    submitted = Signal(str)
    changed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.editor = Editor()
        self.editor.setAccessibleName(translate("Reply", "Your answer"))
        self._hint = soft(QKeySequence("Ctrl+Return").toString(QKeySequence.SequenceFormat.NativeText), 12)
        self._hint.setText(translate("Reply", "Ctrl+Enter"))
        self._send = button(translate("Reply", "Send"), primary=True)
        self._problem = problem(12.5)
        row = QHBoxLayout()
        row.setContentsMargins(10, 9, 9, 9)
        row.setSpacing(8)
        row.addWidget(self.editor, 1, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self._hint, 0, Qt.AlignmentFlag.AlignBottom)
        row.addWidget(self._send, 0, Qt.AlignmentFlag.AlignBottom)
        self._hint.setFixedHeight(self._send.sizeHint().height())
        column = QVBoxLayout(self)
        column.setContentsMargins(2, 2, 2, 2)
        column.setSpacing(0)
        column.addLayout(row)
        column.addWidget(self._problem)
        self._problem.setContentsMargins(14, 0, 14, 8)
        self.editor.submitted.connect(self._on_submit)
        self._send.clicked.connect(self._on_submit)
        self.editor.textChanged.connect(self._on_changed)
        self.editor.focus_changed.connect(self.update)
        self._on_changed()

    def invite(self, words: str) -> None:
        """What stands in the empty box."""
        self.editor.setPlaceholderText(words)
        self.editor.viewport().update()  # Qt does so only where such words come or go

    def set_text(self, shown: str) -> None:
        if shown != self.editor.text():
            self.editor.setPlainText(shown)
            self.editor.moveCursor(self.editor.textCursor().MoveOperation.End)

    def text(self) -> str:
        return self.editor.text()

    def paintEvent(self, _event: QPaintEvent) -> None:
        colours = theme.colours()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(2.5, 2.5, -2.5, -2.5)
        if self.editor.hasFocus():
            painter.setPen(QPen(colours.color("tint"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box.adjusted(-1.5, -1.5, 1.5, 1.5), 13.5, 13.5)
        painter.setPen(QPen(colours.color("accent" if self.editor.hasFocus() else "line"), 1))
        painter.setBrush(colours.color("surface"))
        painter.drawRoundedRect(box, theme.RADIUS_SURFACE, theme.RADIUS_SURFACE)

    def _on_changed(self) -> None:
        written = self.editor.text()
        size = len(written.encode("utf-8", "replace"))
        too_long = size > limits.BODY_BYTES
        self._send.setEnabled(can_be_seen(written) and not too_long)
        self._problem.setVisible(too_long)
        if too_long:
            shown = translate("Reply", "Too long by %1 bytes. Please send it in parts.")
            self._problem.setText(shown.replace("%1", str(size - limits.BODY_BYTES)))
        self.changed.emit(written)

    def _on_submit(self) -> None:
        if self._send.isEnabled():
            self.submitted.emit(text.clean(self.editor.text()).strip("\n"))
