"""The messages of one conversation as rows of a Qt model, changed by what really differs."""

from collections.abc import Sequence

from PySide6.QtCore import QAbstractListModel, QCoreApplication, QModelIndex, QObject, QPersistentModelIndex, Qt

from deskbell_desktop.core import text
from deskbell_desktop.core.views import MessageView
from deskbell_desktop.qt import words
from deskbell_desktop.qt.bubble import Row

Index = QModelIndex | QPersistentModelIndex
NOWHERE = QModelIndex()

translate = QCoreApplication.translate


class MessageModel(QAbstractListModel):
    """`rows` is what the list draws; the roles are for screen readers and for finding a message by its key."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows: list[Row] = []
        self._named = False

    def show(self, messages: Sequence[MessageView], *, named: bool, line: str | None = None) -> None:
        """Become `messages`: what is the same at both ends stays, what is between is taken out and put in."""
        self._named = named
        old = self.rows
        head = 0
        for row, message in zip(old, messages, strict=False):
            if (row.message is not message and row.message != message) or row.under_line != (message.key == line):
                break
            head += 1
        # A row depends on its message and the one before it, so that what is the same before is not made anew.
        rows = old[:head] + rows_of(messages[head:], named=named, line=line, after=messages[head - 1] if head else None)
        tail = 0
        while tail < min(len(old), len(rows)) - head and old[-1 - tail] == rows[-1 - tail]:
            tail += 1
        gone, new = len(old) - head - tail, len(rows) - head - tail
        same = min(gone, new)
        if gone > same:
            self.beginRemoveRows(QModelIndex(), head + same, head + gone - 1)
            del self.rows[head + same : head + gone]
            self.endRemoveRows()
        if same:
            self.rows[head : head + same] = rows[head : head + same]
            self.dataChanged.emit(self.index(head), self.index(head + same - 1))
        if new > same:
            self.beginInsertRows(QModelIndex(), head + same, head + new - 1)
            self.rows[head + same : head + same] = rows[head + same : head + new]
            self.endInsertRows()

    def reset(self, messages: Sequence[MessageView], *, named: bool, line: str | None = None) -> None:
        """Become another conversation."""
        self._named = named
        self.beginResetModel()
        self.rows = rows_of(messages, named=named, line=line)
        self.endResetModel()

    def turn(self) -> None:
        """The days begin elsewhere."""
        line = next((row.message.key for row in self.rows if row.under_line), None)
        self.rows = rows_of([row.message for row in self.rows], named=self._named, line=line)

    def row_of(self, key: str) -> int | None:
        return next((number for number, row in enumerate(self.rows) if row.message.key == key), None)

    def rowCount(self, parent: Index = NOWHERE) -> int:
        return 0 if parent.isValid() else len(self.rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or index.row() >= len(self.rows):
            return None
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return spoken(self.rows[index.row()].message)
        return None


def rows_of(
    messages: Sequence[MessageView], *, named: bool, line: str | None = None, after: MessageView | None = None
) -> list[Row]:
    """`messages` in their surroundings; `after` is what stands before the first of them, `line` what is under it."""
    rows = []
    day, sender = (words.day(after.at), after.sender.id) if after else (None, None)
    for message in messages:
        today = words.day(message.at)
        first = today != day
        speaker = named and not message.mine and (first or message.sender.id != sender)
        rows.append(Row(message, first, speaker, message.key == line))
        day, sender = today, message.sender.id
    return rows


def spoken(message: MessageView) -> str:
    """The message as a screen reader says it."""
    who = translate("Messages", "You") if message.mine else text.one_line(message.sender.label)
    state, title = words.state(message), text.one_line(message.content.title)
    parts = [who, words.clock(message.at), words.priority(message), words.whom(message), state, title]
    return ", ".join(part for part in parts if part) + ": " + text.clean(message.content.body[:1000])
