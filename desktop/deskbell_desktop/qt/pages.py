"""What the right side shows when there is no conversation to show: words that say what is the case and what to do."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

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
            text.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout()
        column.setSpacing(0)
        column.addStretch(4)
        column.addWidget(self._mark, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addSpacing(16)
        column.addWidget(self._title)
        column.addSpacing(8)
        column.addWidget(self._words)
        column.addSpacing(24)
        column.addWidget(self._action, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(5)
        middle = QWidget()
        middle.setLayout(column)
        middle.setMaximumWidth(WIDTH)
        row = QHBoxLayout(self)
        row.addStretch(1)
        row.addWidget(middle, 100)
        row.addStretch(1)

    def say(self, title: str, words: str, action: str = "") -> None:
        self._title.setText(title)
        self._words.setText(words)
        self._action.setText(action)
        self._action.setVisible(bool(action))
        self.setAccessibleName(title)
        self.setAccessibleDescription(words)
