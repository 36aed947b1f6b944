"""What the right side shows when there is no conversation to show: words that say what is the case and what to do."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from deskbell_desktop.qt import theme
from deskbell_desktop.qt.controls import Mark, Surface, button, label

WIDTH = 360


class Page(Surface):
    """The bell, a title, a sentence, and at most one thing to do about it."""

    acted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Base", parent)
        self._mark = Mark(48)
        self._title = label("", 16, bold=True, wrap=True)
        self._words = label("", theme.TEXT_PX, wrap=True)
        self._words.setForegroundRole(self.palette().ColorRole.PlaceholderText)
        self._action = button("", primary=True)
        self._action.clicked.connect(lambda: self.acted.emit())
        for text in (self._title, self._words):
            text.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            text.setFixedWidth(WIDTH)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 24)
        column.setSpacing(0)
        column.addStretch(4)
        for widget, below in ((self._mark, 16), (self._title, 8), (self._words, 24), (self._action, 0)):
            column.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter)
            column.addSpacing(below)
        column.addStretch(5)

    def say(self, title: str, words: str, action: str = "") -> None:
        self._title.setText(title)
        self._words.setText(words)
        self._action.setText(action)
        self._action.setVisible(bool(action))
        self.setAccessibleName(title)
        self.setAccessibleDescription(words)
