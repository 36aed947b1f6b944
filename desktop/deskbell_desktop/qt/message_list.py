"""The messages of a conversation under the person's hands: links, copying, trying again, by mouse and by keyboard."""

from PySide6.QtCore import QCoreApplication, QPoint, QPointF, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QKeyEvent, QKeySequence, QMouseEvent
from PySide6.QtWidgets import QMenu, QWidget

from deskbell_desktop.core import text
from deskbell_desktop.core.views import Delivery, MessageView
from deskbell_desktop.qt.links import open_link
from deskbell_desktop.qt.message_model import Index
from deskbell_desktop.qt.selectable_list import SelectableList, to_clipboard
from deskbell_desktop.qt.text_block import Spot

translate = QCoreApplication.translate


class MessageList(SelectableList):
    """Enter does what a message offers, Delete discards one that was not sent, Ctrl+C copies, the menu has it all."""

    retry_requested = Signal(str)
    discard_requested = Signal(str)
    typed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pressed: Spot | None = None

    def _spot_at(self, point: QPoint) -> Spot | None:
        index = self.indexAt(point)
        if not index.isValid():
            return None
        top = self.visualRect(index).top()
        return self.bubble(index.row()).spot_at(QPointF(point.x(), point.y() - top))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        super().mousePressEvent(event)
        left = event.button() == Qt.MouseButton.LeftButton
        self._pressed = self._spot_at(event.position().toPoint()) if left else None

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        pressed, self._pressed = self._pressed, None
        point = event.position().toPoint()
        if pressed is not None and not self.selected_text() and self._spot_at(point) == pressed:
            self._act(pressed, self.indexAt(point).row())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        if self._spot_at(event.position().toPoint()) is not None:
            self.viewport().setCursor(Qt.CursorShape.PointingHandCursor)
        self.viewport().setToolTip("")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        index = self.currentIndex()
        if index.isValid() and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            spots = self.bubble(index.row()).spots()
            if len(spots) == 1 or (spots and spots[0].action in ("more", "retry")):
                self._act(spots[0], index.row())
            elif spots:
                self._menu(index.row(), None).exec(self._menu_place(index))
            return
        if index.isValid() and event.key() == Qt.Key.Key_Delete:
            self._discard(self.messages.rows[index.row()].message)
            return
        if event.matches(QKeySequence.StandardKey.Copy) and (index.isValid() or self.selected_text()):
            to_clipboard(self.selected_text() or text.clean(self.messages.rows[index.row()].message.content.body))
            return
        super().keyPressEvent(event)
        if event.key() in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self.scrollTo(self.currentIndex())  # Qt goes nowhere when it was that row before, wherever the view is

    def keyboardSearch(self, search: str) -> None:
        """Called by Qt with what is typed here."""
        self.typed.emit(search)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if event.reason() == QContextMenuEvent.Reason.Mouse:
            index, place, spot = self.indexAt(event.pos()), event.globalPos(), self._spot_at(event.pos())
        else:
            index, spot = self.currentIndex(), None
            place = self._menu_place(index)
        if index.isValid():
            self._menu(index.row(), spot).exec(place)

    def _menu_place(self, index: Index) -> QPoint:
        return self.viewport().mapToGlobal(self.visualRect(index).center())

    def _menu(self, number: int, under: Spot | None) -> QMenu:
        """Everything that can be done with one message; `under` is the link under the pointer, which comes first."""
        message = self.messages.rows[number].message
        copied = self.selected_text(message.key) or text.clean(message.content.body)
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(translate("Messages", "Copy")).triggered.connect(lambda: to_clipboard(copied))
        links = [spot for spot in self.bubble(number).spots() if spot.action == "link"]
        for spot in [under] if under and under.action == "link" else links[:5]:
            shown = spot.value if len(spot.value) <= 60 else spot.value[:59] + "…"
            menu.addSeparator()
            opening = translate("Messages", "Open %1").replace("%1", shown.replace("&", "&&"))
            menu.addAction(opening).triggered.connect(lambda _=False, url=spot.value: open_link(url))
            copying = translate("Messages", "Copy the address")
            menu.addAction(copying).triggered.connect(lambda _=False, url=spot.value: to_clipboard(url))
        if message.state is Delivery.FAILED:
            menu.addSeparator()
            retry = menu.addAction(translate("Messages", "Try again"))
            retry.triggered.connect(lambda: self.retry_requested.emit(message.key))
            menu.addAction(translate("Messages", "Discard")).triggered.connect(lambda: self._discard(message))
        return menu

    def _act(self, spot: Spot, number: int) -> None:
        if spot.action == "link":
            open_link(spot.value)
        elif spot.action == "retry":
            self.retry_requested.emit(spot.value)
        elif spot.action == "discard":
            self.discard_requested.emit(spot.value)
        elif spot.action == "more":
            self.show_whole(number)

    def _discard(self, message: MessageView) -> None:
        if message.state is Delivery.FAILED:
            self.discard_requested.emit(message.key)
