"""What a search has found: people, then messages, the words marked in each. Enter or a click goes there."""

from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QAbstractListModel, QCoreApplication, QObject, QPointF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QKeyEvent, QPainter
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from deskbell_desktop.core import text
from deskbell_desktop.core.views import ConversationView, Found
from deskbell_desktop.qt import theme
from deskbell_desktop.qt.conversation_list import NOWHERE, ROW, Index, draw_row, spoken

HEADING: Final = 34
translate = QCoreApplication.translate


@dataclass(frozen=True)
class Line:
    """A heading; or a conversation, and the message in it that is meant."""

    heading: str = ""
    row: ConversationView | None = None
    key: str = ""

    @property
    def place(self) -> tuple[str, str]:
        return (self.row.id if self.row else "", self.key)


class FoundModel(QAbstractListModel):
    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.wanted = ""
        self.lines: list[Line] = []

    def show(self, found: Found) -> None:
        self.beginResetModel()
        self.wanted = found.wanted
        self.lines = _lines_of(found)
        self.endResetModel()

    def rowCount(self, parent: Index = NOWHERE) -> int:
        return 0 if parent.isValid() else len(self.lines)

    def flags(self, index: Index) -> Qt.ItemFlag:
        heading = index.isValid() and self.lines[index.row()].row is None
        return Qt.ItemFlag.NoItemFlags if heading else super().flags(index)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or role not in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return None
        line = self.lines[index.row()]
        if line.row is None:
            return line.heading
        return spoken(line.row) if role == Qt.ItemDataRole.AccessibleTextRole else text.one_line(line.row.title)


def _lines_of(found: Found) -> list[Line]:
    people = [Line(row=row) for row in found.people]
    messages = [Line(row=hit.row, key=hit.key) for hit in found.messages]
    count = translate("Found", "Messages, the newest %1").replace("%1", str(len(messages)))
    return [
        *([Line(translate("Found", "People")), *people] if people else []),
        *([Line(count if found.more else translate("Found", "Messages")), *messages] if messages else []),
    ]


class FoundDelegate(QStyledItemDelegate):
    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        model = index.model()
        heading = isinstance(model, FoundModel) and model.lines[index.row()].row is None
        return QSize(option.rect.width(), HEADING if heading else ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        model = index.model()
        if not isinstance(model, FoundModel):
            return
        line = model.lines[index.row()]
        if line.row is None:
            _draw_heading(painter, option, line.heading)
        else:
            selected = bool(option.state & QStyle.StateFlag.State_Selected)
            draw_row(painter, option, line.row, opened=selected, wanted=model.wanted)


def _draw_heading(painter: QPainter, option: QStyleOptionViewItem, heading: str) -> None:
    painter.setFont(theme.font(option.widget, 12, bold=True))
    painter.setPen(theme.colours().color("soft"))
    descent = QFontMetricsF(painter.font()).descent()
    painter.drawText(QPointF(option.rect.left() + 24, option.rect.bottom() - descent - 6), heading)


class FoundList(QListView):
    """`chosen` names a conversation, and the message in it where one was found; `left` says that one goes back."""

    chosen = Signal(str, str)
    left = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.found = FoundModel(self)
        self.setModel(self.found)
        self.setItemDelegate(FoundDelegate(self))
        self.setMouseTracking(True)
        self.setAccessibleName(translate("Found", "Found"))
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.clicked.connect(self._choose)

    def show_found(self, found: Found) -> None:
        """What was current stays so, where it is found again."""
        current = self.currentIndex()
        here = self.found.lines[current.row()].place if current.isValid() else None
        self.found.show(found)
        places = [line.place for line in self.found.lines]
        if here in places:
            self.setCurrentIndex(self.found.index(places.index(here)))

    def begin(self) -> None:
        """At the first one, where none is current."""
        if not self.currentIndex().isValid():
            self.setCurrentIndex(self.found.index(1))  # under the first heading

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._choose(self.currentIndex())
        elif event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)

    def _choose(self, index: Index) -> None:
        if index.isValid():
            self.chosen.emit(*self.found.lines[index.row()].place)
