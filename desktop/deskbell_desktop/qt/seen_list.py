"""What of the message list stands in the view: the line above what was unread, and the way down to what is new."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from PySide6.QtCore import QCoreApplication, Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QWidget

from deskbell_desktop.core.views import MessageView
from deskbell_desktop.qt.controls import button
from deskbell_desktop.qt.lazy_list import CONTEXT, LazyList

PILL: Final = 32
PILL_MARGIN: Final = 12

translate = QCoreApplication.translate


class View(NamedTuple):
    """`seen` are keys of unread messages; `below` rows of those that come after the view."""

    at_end: bool = False
    seen: tuple[str, ...] = ()
    below: tuple[int, ...] = ()


class SeenList(LazyList):
    """`view_changed` comes after what is in the view was painted. `watched`: the person looks at it."""

    view_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view = View()
        self.watched = False
        self._line: str | None = None
        self._pill = button("", primary=True)
        self._pill.setParent(self)
        self._pill.setProperty("pill", True)
        self._pill.setFixedHeight(PILL)
        self._pill.hide()
        self._pill.clicked.connect(self._on_pill)
        self._painted = QTimer(self, singleShot=True, interval=0)
        self._painted.timeout.connect(self._look)

    def show_conversation(
        self, messages: Sequence[MessageView], *, named: bool, has_older: bool, unread: Sequence[str] = ()
    ) -> None:
        self.view = View()
        new = frozenset(unread)
        self._line = next((message.key for message in messages if message.key in new), None)
        self._reset(messages, new, named=named, line=self._line, older=has_older)

    def show_messages(
        self, messages: Sequence[MessageView], *, named: bool, has_older: bool, unread: Sequence[str] = ()
    ) -> None:
        """The line moves only when all was read before, and not over the end that the person has in sight."""
        if unread and not self._unread and not (self.watched and self._at_end):
            self._line = unread[0]
        self._show(messages, frozenset(unread), named=named, line=self._line, older=has_older)

    def show_unread(self, unread: Sequence[str]) -> None:
        self._unread = frozenset(unread)
        self.viewport().update()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        self._painted.start()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.view = View()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_pill()

    def _look(self) -> None:
        view = self._view()
        if view == self.view:
            return
        self.view = view
        self._show_pill(len(view.below))
        self.view_changed.emit()

    def _view(self) -> View:
        """Seen is a message when all of its bubble stands in the view, or as much of it as fills half of the view."""
        offset, room = self.verticalOffset(), self.viewport().height()
        seen, below = [], []
        for number in range(self._number_at(offset), len(self._heights)) if self._unread else ():
            key = self.messages.rows[number].message.key
            if key not in self._unread:
                continue
            if self._tops[number] - offset >= room:
                below.append(number)
                continue
            box = self.bubble(number).box.translated(0, self._tops[number] - offset)
            inside = min(box.bottom(), room) - max(box.top(), 0)
            if inside + 1 >= min(box.height(), room / 2):
                seen.append(key)
            elif box.bottom() > room:
                below.append(number)
        return View(self._at_end, tuple(seen), tuple(below))

    # -- the way down ---------------------------------------------------------------------------------------------

    def _show_pill(self, count: int) -> None:
        had_keyboard = self._pill.hasFocus()
        self._pill.setVisible(bool(count))
        if had_keyboard and not count:
            self.setFocus()
        self._pill.setText(translate("Messages", "↓ %1 new").replace("%1", str(count)))
        self._pill.setAccessibleName(translate("Messages", "New messages below: %1").replace("%1", str(count)))
        self._place_pill()

    def _place_pill(self) -> None:
        self._pill.adjustSize()
        left = (self.viewport().width() - self._pill.width()) // 2
        self._pill.move(left, self.height() - self._pill.height() - PILL_MARGIN)

    def _on_pill(self) -> None:
        if self.view.below:
            self.setFocus(Qt.FocusReason.OtherFocusReason)
            self._go_to(self.view.below[0], -CONTEXT)
