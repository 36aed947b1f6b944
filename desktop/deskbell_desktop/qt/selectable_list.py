"""The text of a message under the mouse: a drag selects, two clicks a word, three the whole text."""

from dataclasses import replace

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QClipboard, QGuiApplication, QMouseEvent
from PySide6.QtWidgets import QApplication, QWidget

from deskbell_desktop.qt.bubble import Selection
from deskbell_desktop.qt.lazy_list import STEP
from deskbell_desktop.qt.seen_list import SeenList
from deskbell_desktop.qt.text_block import TextBlock


class SelectableList(SeenList):
    """What is selected lies within one message, and on X11 a middle click has it too."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pressed_at = QPoint()
        self._doubled_ms = 0

    def selected_text(self, key: str | None = None) -> str:
        """Empty too where it does not lie in the message `key`."""
        chosen = self._selection
        if chosen is None or key not in {None, chosen.key}:
            return ""
        found = self._text_of(chosen)
        return found[0].part(chosen.places) if found else ""

    def mousePressEvent(self, event: QMouseEvent) -> None:
        super().mousePressEvent(event)
        if event.button() == Qt.MouseButton.LeftButton:
            self._pressed_at = event.position().toPoint()
            third = event.timestamp() - self._doubled_ms < QApplication.doubleClickInterval()
            self._begin(self._pressed_at, how="all" if third and self.selected_text() else "here")

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        super().mouseDoubleClickEvent(event)
        if event.button() == Qt.MouseButton.LeftButton:
            self._doubled_ms = event.timestamp()
            self._begin(event.position().toPoint(), how="word")

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        point = event.position().toPoint()
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._extend(point)
        over = self._text_under(point) is not None
        self.viewport().setCursor(Qt.CursorShape.IBeamCursor if over else Qt.CursorShape.ArrowCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        selected, clipboard = self.selected_text(), QGuiApplication.clipboard()
        if selected and clipboard.supportsSelection():
            clipboard.setText(selected, QClipboard.Mode.Selection)

    def _begin(self, point: QPoint, *, how: str) -> None:
        self._selection = self._text_under(point)
        found = self._text_of(self._selection) if self._selection else None
        if found is not None and self._selection is not None and how != "here":
            block, at = found
            places = block.whole if how == "all" else block.word_at(block.place_at(QPointF(point) - at, on=True))
            self._selection = replace(self._selection, anchor=places.start, pointer=places.stop)
        self.viewport().update()

    def _extend(self, point: QPoint) -> None:
        """Only once the pointer has really moved: a click on a link may tremble."""
        chosen = self._selection
        found = self._text_of(chosen) if chosen else None
        far = (point - self._pressed_at).manhattanLength() >= QApplication.startDragDistance()
        if chosen is None or found is None or not (far or chosen.places):
            return
        block, at = found
        self._selection = replace(chosen, pointer=block.place_at(QPointF(point) - at))
        beyond = (point.y() > self.viewport().height()) - (point.y() < 0)
        self.verticalScrollBar().setValue(self.verticalScrollBar().value() + beyond * STEP)
        self.viewport().update()

    def _text_under(self, point: QPoint) -> Selection | None:
        """Nothing selected yet, at that place."""
        index = self.indexAt(point)
        if not index.isValid():
            return None
        inside = QPointF(point) - QPointF(0, self.visualRect(index).top())
        bubble = self.bubble(index.row())
        number = bubble.text_at(inside)
        if number is None:
            return None
        block, at = bubble.text(number)
        place = block.place_at(inside - at)
        return Selection(bubble.row.message.key, number, place, place)

    def _text_of(self, selection: Selection) -> tuple[TextBlock, QPointF] | None:
        """The text it lies in, and where that stands in the view; None when its message has gone."""
        row = self.messages.row_of(selection.key)
        if row is None:
            return None
        block, at = self.bubble(row).text(selection.block)
        return block, at + QPointF(0, self.visualRect(self.messages.index(row)).top())


def to_clipboard(copied: str) -> None:
    QGuiApplication.clipboard().setText(copied)
