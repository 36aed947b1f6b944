"""The list of conversations: a face, a name, the last words, the time and how much is unread."""

import time
from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import (
    QAbstractListModel,
    QCoreApplication,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPointF,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import (
    QContextMenuEvent,
    QFont,
    QFontMetricsF,
    QKeyEvent,
    QPainter,
    QPen,
    QTextCharFormat,
    QTextLayout,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QMenu,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from deskbell_desktop.core import text
from deskbell_desktop.core.search import hits
from deskbell_desktop.core.views import ConversationView, Delivery
from deskbell_desktop.qt import avatars, theme, words
from deskbell_desktop.qt.theme import Colours
from deskbell_protocol.wire import Party

ROW: Final = 60
FACE: Final = 40
BADGE: Final = 20
NOBODY: Final = Party(id="", name="?")

Index = QModelIndex | QPersistentModelIndex
NOWHERE = QModelIndex()
translate = QCoreApplication.translate


class ConversationModel(QAbstractListModel):
    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows: list[ConversationView] = []

    def show(self, rows: Sequence[ConversationView]) -> None:
        """Become `rows`; where only contents changed, selection and scrolling stay as they are."""
        if [row.id for row in rows] == [row.id for row in self.rows]:
            changed = [n for n, (old, new) in enumerate(zip(self.rows, rows, strict=True)) if old != new]
            self.rows = list(rows)
            if changed:
                self.dataChanged.emit(self.index(changed[0]), self.index(changed[-1]))
            return
        self.beginResetModel()
        self.rows = list(rows)
        self.endResetModel()

    def rowCount(self, parent: Index = NOWHERE) -> int:
        return 0 if parent.isValid() else len(self.rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or index.row() >= len(self.rows):
            return None
        row = self.rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return text.one_line(row.title)  # typing the first letters jumps to the row
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return spoken(row)
        return None


class ConversationDelegate(QStyledItemDelegate):
    def sizeHint(self, option: QStyleOptionViewItem, _index: Index) -> QSize:
        return QSize(option.rect.width(), ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        model = index.model()
        view = option.widget
        if isinstance(view, ConversationList) and isinstance(model, ConversationModel):
            row = model.rows[index.row()]
            draw_row(painter, option, row, opened=row.id == view.opened)


def draw_row(
    painter: QPainter, option: QStyleOptionViewItem, row: ConversationView, *, opened: bool, wanted: str = ""
) -> None:
    """`wanted`, folded as the search compares, is marked in it."""
    colours = theme.colours()
    box = QRectF(option.rect).adjusted(8, 0, -8, 0)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    _draw_ground(painter, box, option.state, colours, opened=opened)
    party = row.parties[0] if row.parties else NOBODY
    avatars.draw(painter, QRectF(box.left() + 16, box.center().y() - FACE / 2, FACE, FACE), party, colours)
    _draw_words(painter, box.adjusted(16 + FACE + 12, 10, -16, -10), row, option.widget, colours, wanted)
    painter.restore()


def _draw_ground(painter: QPainter, box: QRectF, state: QStyle.StateFlag, colours: Colours, *, opened: bool) -> None:
    if opened or state & (QStyle.StateFlag.State_Selected | QStyle.StateFlag.State_MouseOver):
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colours.color("selection"))
        painter.setOpacity(1.0 if opened else 0.55)
        painter.drawRoundedRect(box, theme.RADIUS, theme.RADIUS)
        painter.setOpacity(1.0)
    if state & QStyle.StateFlag.State_HasFocus and state & QStyle.StateFlag.State_KeyboardFocusChange:
        painter.setPen(QPen(colours.color("accent"), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), theme.RADIUS, theme.RADIUS)


def _draw_words(
    painter: QPainter, box: QRectF, row: ConversationView, view: QWidget, colours: Colours, wanted: str
) -> None:
    upper = QRectF(box.left(), box.top(), box.width(), 20)
    lower = QRectF(box.left(), box.top() + 20, box.width(), 20)
    when = words.short_time(row.at, round(time.time() * 1000))
    painter.setFont(theme.font(view, 12))
    painter.setPen(colours.color("soft"))
    taken = QFontMetricsF(painter.font()).horizontalAdvance(when)
    _draw_line(painter, upper.adjusted(box.width() - taken, 0, 0, 0), when)
    painter.setFont(theme.font(view, 14, bold=True))
    painter.setPen(colours.color("text"))
    _draw_line(painter, upper.adjusted(0, 0, -taken - 12, 0), text.one_line(row.title), wanted)
    badge = _draw_badge(painter, lower, row.unread, view, colours) if row.unread else 0.0
    painter.setFont(theme.font(view, 13))
    failed = row.waiting is Delivery.FAILED
    painter.setPen(colours.color("bad" if failed else "text" if row.unread else "soft"))
    _draw_line(painter, lower.adjusted(0, 0, -badge, 0), last_words(row), wanted)


def _draw_line(painter: QPainter, box: QRectF, shown: str, wanted: str = "") -> None:
    """One line on the middle of `box`, by the font's own baseline: a Chinese name stands where a Latin one does."""
    metrics = QFontMetricsF(painter.font())
    baseline = round(box.center().y() + (metrics.capHeight() / 2))
    elided = metrics.elidedText(shown, Qt.TextElideMode.ElideRight, box.width())
    marks = [_mark(elided, *hit) for hit in hits(elided, wanted)] if wanted else []
    if not marks:
        painter.drawText(QPointF(box.left(), baseline), elided)
        return
    layout = QTextLayout(elided, painter.font())
    layout.setFormats(marks)
    layout.beginLayout()
    line = layout.createLine()
    line.setNumColumns(len(elided))
    layout.endLayout()
    layout.draw(painter, QPointF(box.left(), baseline - line.ascent()))


def _mark(shown: str, start: int, end: int) -> QTextLayout.FormatRange:
    """Qt counts in UTF-16."""
    mark = QTextLayout.FormatRange()
    mark.start, mark.length = (len(part.encode("utf-16-le")) // 2 for part in (shown[:start], shown[start:end]))
    format_ = QTextCharFormat()
    format_.setBackground(theme.colours().color("tint"))
    format_.setForeground(theme.colours().color("accent"))
    format_.setFontWeight(QFont.Weight.DemiBold)
    mark.format = format_
    return mark


def _draw_badge(painter: QPainter, box: QRectF, unread: int, view: QWidget, colours: Colours) -> float:
    shown = "99+" if unread > 99 else str(unread)
    painter.setFont(theme.font(view, 12, bold=True))
    metrics = QFontMetricsF(painter.font())
    width = max(BADGE, metrics.horizontalAdvance(shown) + 12)
    pill = QRectF(box.right() - width, box.center().y() - BADGE / 2, width, BADGE)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colours.color("accent"))
    painter.drawRoundedRect(pill, BADGE / 2, BADGE / 2)
    painter.setPen(colours.color("accent_ink"))
    ink = metrics.tightBoundingRect(shown)
    painter.drawText(pill.center() - ink.center(), shown)
    return width + 8


def last_words(row: ConversationView) -> str:
    shown = text.one_line(row.last_text)
    if row.waiting is Delivery.FAILED:
        return translate("Conversations", "Not sent: %1").replace("%1", shown)
    if row.waiting is Delivery.SENDING:
        return translate("Conversations", "Sending: %1").replace("%1", shown)
    return translate("Conversations", "You: %1").replace("%1", shown) if row.last_mine and shown else shown


def spoken(row: ConversationView) -> str:
    """The row as a screen reader says it."""
    parts = [text.one_line(row.title), last_words(row), words.short_time(row.at, round(time.time() * 1000))]
    if row.unread:
        parts.append(translate("Conversations", "unread: %1").replace("%1", str(row.unread)))
    return ", ".join(part for part in parts if part)


class ConversationList(QListView):
    """Arrows and a right click only move the selection; `chosen` comes with a click or Enter. `opened` is shown."""

    chosen = Signal(str)
    read_requested = Signal(str)
    typed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.opened: str | None = None
        self.conversations = ConversationModel(self)
        self.setModel(self.conversations)
        self.setItemDelegate(ConversationDelegate(self))
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setAccessibleName(translate("Conversations", "Conversations"))
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.clicked.connect(self._choose)

    def show_rows(self, rows: Sequence[ConversationView], opened: str | None) -> None:
        """The selection stays where the person left it, until another conversation is opened."""
        selected = self._id_of(self.currentIndex()) or opened if opened == self.opened else opened
        place = self.verticalScrollBar().value() if self.conversations.rows else None
        self.conversations.show(rows)
        self.opened = opened
        self._select(selected)
        if place is not None:
            self.doItemsLayout()
            self.verticalScrollBar().setValue(place)  # a message that arrives does not scroll what one looks at

    def open(self, conversation: str | None) -> None:
        if conversation != self.opened:
            self.opened = conversation
            self._select(conversation)
            self.viewport().update()

    def step(self, by: int) -> None:
        """Open a neighbour of the selected one."""
        self.go(by)
        self._choose(self.currentIndex())

    def go(self, by: int) -> None:
        """Select a neighbour, as the arrow keys do."""
        count = len(self.conversations.rows)
        if count:
            current = self.currentIndex().row() if self.currentIndex().isValid() else -1 if by > 0 else count
            self.setCurrentIndex(self.conversations.index(min(count - 1, max(0, current + by))))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._choose(self.currentIndex())
        else:
            super().keyPressEvent(event)

    def keyboardSearch(self, search: str) -> None:
        """Called by Qt with what is typed here."""
        if self.opened is None:
            super().keyboardSearch(search)
        else:
            self.typed.emit(search)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        index = self.currentIndex()
        if index.isValid():
            mouse = event.reason() == QContextMenuEvent.Reason.Mouse
            centre = self.viewport().mapToGlobal(self.visualRect(index).center())
            self._menu(index).exec(event.globalPos() if mouse else centre)

    def _menu(self, index: Index) -> QMenu:
        row = self.conversations.rows[index.row()]
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(translate("Conversations", "Open")).triggered.connect(lambda: self.chosen.emit(row.id))
        read = menu.addAction(translate("Conversations", "Mark read"))
        read.setEnabled(bool(row.unread))
        read.triggered.connect(lambda: self.read_requested.emit(row.id))
        return menu

    def _id_of(self, index: Index) -> str | None:
        return self.conversations.rows[index.row()].id if index.isValid() else None

    def _select(self, conversation: str | None) -> None:
        number = next((n for n, row in enumerate(self.conversations.rows) if row.id == conversation), None)
        if number is None:
            self.clearSelection()
            self.selectionModel().clearCurrentIndex()
        elif self.currentIndex().row() != number:
            self.setCurrentIndex(self.conversations.index(number))

    def _choose(self, index: QModelIndex) -> None:
        conversation = self._id_of(index)
        if conversation is not None:
            self.chosen.emit(conversation)
