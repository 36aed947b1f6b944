"""The drawn half of the message list: rows where they are seen only, so that ten thousand cost no more than ten.

Heights are guessed until a row comes into sight, and the place being read stays still when a guess proves wrong. It is
a QListView because screen readers know that kind; its layout is wholly our own.
"""

import time
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Final

from PySide6.QtCore import (
    QCoreApplication,
    QEvent,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPoint,
    QRect,
    QRectF,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QPainter, QPaintEvent, QRegion, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QListView, QWidget

from deskbell_desktop.core.views import MessageView
from deskbell_desktop.qt import theme
from deskbell_desktop.qt.bubble import Bubble, Row, Selection
from deskbell_desktop.qt.message_model import Index, MessageModel

GUESS_BASE: Final = 60
GUESS_LINE: Final = 20
GUESS_CHARS: Final = 56
KEPT_BUBBLES: Final = 200
TOP: Final = 8
BOTTOM: Final = 8
STEP: Final = 40
CONTEXT: Final = 32
"""So much of what stands before the first unread message stays in sight."""

translate = QCoreApplication.translate


class LazyList(QListView):
    """`older_requested` comes once when the top is near; it may come again after the next `show_messages`."""

    older_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._heights: list[int] = []
        self._known: list[bool] = []
        self._tops: list[int] = [TOP]
        self._bubbles: OrderedDict[Row, Bubble] = OrderedDict()
        self._whole: set[str] = set()
        self._unread: frozenset[str] = frozenset()
        self._selection: Selection | None = None
        self._pointed_at: str | None = None
        self._at_end = True
        self._answering = False
        self._anchor = (0, 0)
        self._settling = False
        self._may_ask_older = False
        self.messages = MessageModel(self)
        self.setModel(self.messages)
        self.setAccessibleName(translate("Messages", "Messages"))
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setMouseTracking(True)
        self.viewport().setMouseTracking(True)
        self.verticalScrollBar().setSingleStep(STEP)
        self.verticalScrollBar().valueChanged.connect(self._on_scrolled)

    # -- what is shown --------------------------------------------------------------------------------------------

    def _reset(
        self, messages: Sequence[MessageView], unread: frozenset[str], *, named: bool, line: str | None, older: bool
    ) -> None:
        """Another conversation: from its first unread message, or else from its end."""
        self._at_end, self._anchor, self._unread, self._pointed_at = True, (0, 0), unread, None
        self._answering = False
        self._whole.clear()
        self._selection = None
        self.messages.reset(messages, named=named, line=line)
        self._allow_older(older)

    def _show(
        self, messages: Sequence[MessageView], unread: frozenset[str], *, named: bool, line: str | None, older: bool
    ) -> None:
        """The same conversation, changed: the place being read stays, the end is followed if it was in sight."""
        self._unread = unread
        last = messages[-1] if messages else None
        if self._answering and last is not None and last.mine and self.messages.row_of(last.key) is None:
            self._answering, self._at_end, self._anchor = False, True, (len(messages), 0)
        self.messages.show(messages, named=named, line=line)
        self._allow_older(older)

    def _allow_older(self, has_older: bool) -> None:
        self._may_ask_older = has_older
        if has_older:
            QTimer.singleShot(0, self, self._note_place)  # the top may be in sight already

    def answered(self) -> None:
        """Something was written here: go to the end when it comes, also over what was not read yet."""
        self._answering = True

    def focus_message(self, key: str) -> None:
        """Bring that message into sight, mark it and make it the current one."""
        row = self.messages.row_of(key)
        if row is not None:
            self._pointed_at = key
            index = self.messages.index(row)
            self.setCurrentIndex(index)
            self.scrollTo(index, QAbstractItemView.ScrollHint.PositionAtCenter)

    def show_whole(self, number: int) -> None:
        """All of a long message instead of its beginning."""
        row = self.messages.rows[number]
        self._whole.add(row.message.key)
        self._bubbles.pop(row, None)
        self._known[number] = False
        self._at_end = False
        self._settle()

    def turn(self) -> None:
        """The days begin elsewhere, or are called otherwise."""
        self.messages.turn()
        self._forget()
        self._settle()

    # -- heights --------------------------------------------------------------------------------------------------

    def _guess(self, row: Row) -> int:
        body = row.message.content.body
        lines = min(24, 1 + len(body) // GUESS_CHARS + body.count("\n", 0, 2000))
        return GUESS_BASE + GUESS_LINE * lines + (40 if row.first_of_day else 0) + (36 if row.under_line else 0)

    def _forget(self) -> None:
        rows = self.messages.rows
        self._bubbles.clear()
        self._heights = [self._guess(row) for row in rows]
        self._known = [False] * len(rows)

    def bubble(self, number: int) -> Bubble:
        row = self.messages.rows[number]
        bubble = self._bubbles.get(row)
        if bubble is None:
            whole = row.message.key in self._whole
            bubble = Bubble(row, self.viewport().width(), self, now=round(time.time() * 1000), whole=whole)
            self._bubbles[row] = bubble
            if len(self._bubbles) > KEPT_BUBBLES:
                self._bubbles.popitem(last=False)
        else:
            self._bubbles.move_to_end(row)
        return bubble

    def _measure(self, numbers: Iterable[int], room: int) -> bool:
        """Learn the true heights of `numbers` until they fill `room`; says whether a guess was wrong."""
        wrong = False
        for number in numbers:
            if not self._known[number]:
                height = self.bubble(number).height
                wrong = wrong or height != self._heights[number]
                self._heights[number], self._known[number] = height, True
            room -= self._heights[number]
            if room < 0:
                break
        return wrong

    def _settle(self) -> None:
        """Measure what is in sight, and put the scroll bar so that what is being read does not move."""
        if self._settling:
            return
        self._settling = True
        room = self.viewport().height()
        count = len(self._heights)
        if self._at_end and self._unread:
            self._hold(room)
        if self._at_end:
            self._measure(range(count - 1, -1, -1), room)
        else:
            number, offset = min(self._anchor[0], max(0, count - 1)), self._anchor[1]
            self._measure(range(number, count), room + offset)
        self._tops = list(accumulate(self._heights, initial=TOP))
        bar = self.verticalScrollBar()
        most = max(0, self._tops[-1] + BOTTOM - room)
        bar.setRange(0, most)
        bar.setPageStep(room)
        if self._at_end:
            bar.setValue(most)
        elif count:
            bar.setValue(self._tops[min(self._anchor[0], count - 1)] + self._anchor[1])
        self._settling = False
        self._note_place()
        if self._at_end and self._measure(range(count - 1, -1, -1), room):
            self._settle()  # the end came into sight with rows that were only guessed
        self.viewport().update()

    def _hold(self, room: int) -> None:
        """Do not follow the end any further than the first unread message in sight, or after it, stays in sight."""
        number, offset = self._anchor
        rows = range(number + (offset > 0), len(self._heights))
        first = next((n for n in rows if self.messages.rows[n].message.key in self._unread), None)
        if first is None:
            return
        self._measure(range(first, len(self._heights)), room)
        if sum(self._heights[first:]) + BOTTOM > room:
            self._at_end, self._anchor = False, (first, -CONTEXT)
            self._measure(range(first - 1, -1, -1), CONTEXT)

    def _note_place(self) -> None:
        bar = self.verticalScrollBar()
        self._at_end = bar.value() >= bar.maximum() - BOTTOM
        number = self._number_at(bar.value())
        self._anchor = (number, bar.value() - self._tops[number])
        if self._may_ask_older and bar.value() < self.viewport().height() and self.messages.rows:
            self._may_ask_older = False
            self.older_requested.emit()

    def _number_at(self, y: int) -> int:
        return min(max(0, bisect_right(self._tops, y) - 1), max(0, len(self._heights) - 1))

    def _on_scrolled(self, _value: int) -> None:
        if not self._settling:
            self._note_place()
            self._settle()

    # -- the model changes ----------------------------------------------------------------------------------------

    def reset(self) -> None:
        super().reset()
        self._forget()
        self._settle()

    def rowsInserted(self, parent: Index, start: int, end: int) -> None:
        QAbstractItemView.rowsInserted(self, parent, start, end)
        new = self.messages.rows[start : end + 1]
        self._heights[start:start] = [self._guess(row) for row in new]
        self._known[start:start] = [False] * len(new)
        if start <= self._anchor[0] and not self._at_end:
            self._anchor = (self._anchor[0] + len(new), self._anchor[1])
        self._settle()

    def rowsAboutToBeRemoved(self, parent: Index, start: int, end: int) -> None:
        QAbstractItemView.rowsAboutToBeRemoved(self, parent, start, end)
        del self._heights[start : end + 1]
        del self._known[start : end + 1]
        if end < self._anchor[0]:
            self._anchor = (self._anchor[0] - (end - start + 1), self._anchor[1])

    def dataChanged(self, top_left: Index, bottom_right: Index, _roles: Sequence[int] = ()) -> None:
        for number in range(top_left.row(), bottom_right.row() + 1):
            self._known[number] = False
        self._settle()

    def doItemsLayout(self) -> None:
        self._settle()

    def updateGeometries(self) -> None:
        self._settle()

    def resizeEvent(self, event: QResizeEvent) -> None:
        if event.size().width() != event.oldSize().width():
            self._forget()
        self._settle()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._forget()
            self._settle()

    # -- where things are -----------------------------------------------------------------------------------------

    def visualRect(self, index: Index) -> QRect:
        number = index.row()
        if not index.isValid() or number >= len(self._heights) or number + 1 >= len(self._tops):
            return QRect()
        return QRect(0, self._tops[number] - self.verticalOffset(), self.viewport().width(), self._heights[number])

    def indexAt(self, point: QPoint) -> QModelIndex:
        y = point.y() + self.verticalOffset()
        if not self._heights or not TOP <= y < self._tops[-1]:
            return QModelIndex()
        return self.messages.index(self._number_at(y))

    def scrollTo(
        self, index: Index, hint: QAbstractItemView.ScrollHint = QAbstractItemView.ScrollHint.EnsureVisible
    ) -> None:
        if not index.isValid() or index.row() >= len(self._heights):
            return
        room = self.viewport().height()
        height = self.bubble(index.row()).height
        rect = self.visualRect(index)
        if hint == QAbstractItemView.ScrollHint.PositionAtCenter:
            self._go_to(index.row(), -max(0, (room - height) // 2))
        elif rect.top() < 0 or height > room:
            self._go_to(index.row(), 0)
        elif rect.top() + height > room:
            self._go_to(index.row(), height - room)

    def _go_to(self, number: int, offset: int) -> None:
        """Put row `number` `offset` pixels above the top of the window."""
        self._at_end, self._anchor = False, (number, offset)
        self._measure(range(number - 1, -1, -1), max(0, -offset))
        self._settle()

    def moveCursor(self, action: QAbstractItemView.CursorAction, _modifiers: Qt.KeyboardModifier) -> QModelIndex:
        count = len(self._heights)
        if not count:
            return QModelIndex()
        current = self.currentIndex().row() if self.currentIndex().isValid() else count
        last = self._number_at(self.verticalOffset() + self.viewport().height())
        page = max(1, last - self._number_at(self.verticalOffset()))
        moves = QAbstractItemView.CursorAction
        steps = {
            moves.MoveUp: -1,
            moves.MovePrevious: -1,
            moves.MoveDown: 1,
            moves.MoveNext: 1,
            moves.MovePageUp: -page,
            moves.MovePageDown: page,
            moves.MoveHome: -count,
            moves.MoveEnd: count,
        }
        return self.messages.index(min(count - 1, max(0, current + steps.get(action, 0))))

    def horizontalOffset(self) -> int:
        return 0

    def verticalOffset(self) -> int:
        return self.verticalScrollBar().value()

    def isIndexHidden(self, _index: Index) -> bool:
        return False

    def setSelection(self, rect: QRect, command: QItemSelectionModel.SelectionFlag) -> None:
        self.selectionModel().select(self.indexAt(rect.topLeft()), command)

    def visualRegionForSelection(self, selection: QItemSelection) -> QRegion:
        region = QRegion()
        for index in selection.indexes():
            region += self.visualRect(index)
        return region

    def scrollContentsBy(self, _dx: int, _dy: int) -> None:
        self.viewport().update()

    # -- drawing --------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        colours = theme.colours()
        offset, count = self.verticalOffset(), len(self._heights)
        number = self._number_at(offset + event.rect().top())
        current = self.currentIndex().row() if self.hasFocus() else -1
        clip = QRectF(event.rect())
        while number < count and self._tops[number] - offset <= event.rect().bottom():
            bubble = self.bubble(number)
            top = self._tops[number] - offset
            marked = number == current or bubble.row.message.key == self._pointed_at
            bubble.draw(painter, top, colours, clip, marked=marked, selection=self._selection)
            number += 1
