"""The left side of the window: search, new message, the conversations, and one line about the connection."""

import re
from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QMenu, QStackedLayout, QToolButton, QVBoxLayout, QWidget

from deskbell_desktop.core import text
from deskbell_desktop.core.views import ConversationView, Found, Link, StatusView
from deskbell_desktop.qt import theme, words
from deskbell_desktop.qt.controls import IconButton, Surface, button, hairline, label, soft
from deskbell_desktop.qt.conversation_list import ConversationList
from deskbell_desktop.qt.found_list import FoundList

WIDTH = 288
SEARCH_MS = 150

translate = QCoreApplication.translate


class Dot(QWidget):
    """The connection as a dot; the words beside it say the same."""

    def __init__(self) -> None:
        super().__init__()
        self._link = Link.SIGNED_OUT
        self.setFixedSize(8, 8)

    def show_link(self, link: Link) -> None:
        self._link = link
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        names = {Link.ONLINE: "good", Link.CONNECTING: "accent", Link.OFFLINE: "bad", Link.SIGNED_OUT: "soft"}
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colours().color(names[self._link]))
        painter.drawEllipse(self.rect())


class StatusLine(QWidget):
    """Who is signed in, where the connection stands, in words, and what can be done about it."""

    sign_in_requested = Signal()
    try_requested = Signal()
    unsent_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._dot = Dot()
        self._who = label(px=13, bold=True)
        self._words = soft(wrap=True)
        self._sign_in = button(translate("Side", "Sign in"), link=True)
        self._sign_in.clicked.connect(lambda: self.sign_in_requested.emit())
        self._try = button(translate("Side", "Try now"), link=True)
        self._try.clicked.connect(lambda: self.try_requested.emit())
        self._unsent = button("", link=True)
        self._unsent.setProperty("bad", True)
        self._unsent.setFont(theme.font(self._unsent, 12.5))
        self._unsent.clicked.connect(lambda: self.unsent_requested.emit())
        self._quiet = soft(translate("Side", "Do not disturb is on"), wrap=True)
        lines = QVBoxLayout()
        lines.setSpacing(2)
        lines.addWidget(self._who)
        lines.addWidget(self._words)
        lines.addWidget(self._unsent, 0, Qt.AlignmentFlag.AlignLeft)
        lines.addWidget(self._quiet)
        self._row = row = QHBoxLayout(self)
        row.setContentsMargins(16, 12, 12, 12)
        row.setSpacing(8)
        row.addWidget(self._dot)
        row.addLayout(lines, 1)
        row.addWidget(self._sign_in)
        row.addWidget(self._try)

    def show_status(self, status: StatusView) -> None:
        self._dot.show_link(status.link)
        self._words.setText(_breakable(words.status_line(status)))
        self._words.setToolTip(status.away)
        self._who.setText(text.one_line(status.account, 30))
        self._who.setVisible(bool(status.account))
        self._sign_in.setVisible(status.link is Link.SIGNED_OUT)
        self._try.setVisible(bool(status.away))
        self._fit()
        self._unsent.setText(status.unsent)
        self._unsent.setVisible(bool(status.unsent))
        self._quiet.setVisible(status.quiet)
        spoken = f"{status.account}\n{words.status_line(status)}\n{status.unsent}"
        self.setAccessibleName(spoken.strip())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """A wrapped label in nested layouts is given too little height when its words grow, and keeps it afterwards."""
        self._words.setMinimumHeight(0)
        self._row.activate()
        self._words.setMinimumHeight(self._words.heightForWidth(self._words.width()))


def _breakable(text: str) -> str:
    """`text` with places to break within words too long for the line, such as the name of a file."""
    return re.sub(r"\S{24,}", lambda word: re.sub(r"(?<=\w[-._/])(?=\w)", "\u200b", word[0]), text)


class SearchField(QLineEdit):
    """Escape empties it, Down goes to what was found."""

    left = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.text():
            self.clear()
        elif event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.left.emit()
        else:
            super().keyPressEvent(event)


class Side(Surface):
    search_changed = Signal(str)
    found_chosen = Signal(str, str)
    compose_requested = Signal()
    quiet_toggled = Signal(bool)
    sign_out_requested = Signal()
    quit_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Window", parent)
        self.setFixedWidth(WIDTH)
        self.search = SearchField()
        self.search.setPlaceholderText(translate("Side", "Search messages"))
        self.search.setAccessibleName(translate("Side", "Search messages"))
        self.search.setFont(theme.font(self.search))
        self.search.setMaxLength(200)
        self.compose = IconButton("compose", translate("Side", "New message"))
        self.menu_button = IconButton("more", translate("Side", "More"))
        self.list = ConversationList()
        self.found = FoundList()
        self.status = StatusLine()
        self._nothing = soft("", 13, wrap=True)
        self._nothing.setContentsMargins(24, 8, 24, 0)
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._make_menu()
        self._lay_out()
        self.search.textChanged.connect(self._on_typed)
        self.search.left.connect(self._on_left)
        self.found.chosen.connect(self.found_chosen)
        self.found.left.connect(self._on_found_left)
        self._later.timeout.connect(lambda: self.search_changed.emit(self.search.text().strip()))
        self.compose.clicked.connect(lambda: self.compose_requested.emit())

    def show_conversations(self, rows: Sequence[ConversationView], selected: str | None) -> None:
        self.list.show_rows(rows, selected)
        if not self._searching():
            self._show_list()

    def show_found(self, found: Found) -> None:
        """What the words in the field have found, if they are still there."""
        if self._searching():
            self.found.show_found(found)
            nothing = translate("Side", "Nothing found for “%1”.").replace("%1", self.search.text().strip())
            self._show(self.found, nothing if not found.people and not found.messages else "")

    def _searching(self) -> bool:
        return bool(self.search.text().strip())

    def _show_list(self) -> None:
        rows = self.list.conversations.rows
        self._show(self.list, "" if rows else translate("Side", "No conversations yet."))

    def _show(self, widget: QWidget, nothing: str) -> None:
        """`widget`, or the words that say that there is nothing in it."""
        self._nothing.setText(nothing)
        self._stack.setCurrentWidget(self._nothing if nothing else widget)

    def show_status(self, status: StatusView) -> None:
        self.status.show_status(status)
        self._quiet.setChecked(status.quiet)
        signed_in = status.link is not Link.SIGNED_OUT
        for action in (self._quiet, self._sign_out):
            action.setEnabled(signed_in)
        self.compose.setEnabled(signed_in)

    def _make_menu(self) -> None:
        menu = QMenu(self)
        self._quiet = QAction(translate("Side", "Do not disturb"), menu)
        self._quiet.setCheckable(True)
        self._quiet.triggered.connect(self.quiet_toggled)
        self._sign_out = QAction(translate("Side", "Sign out"), menu)
        self._sign_out.triggered.connect(lambda: self.sign_out_requested.emit())
        leave = QAction(translate("Side", "Quit"), menu)
        leave.setShortcut(QKeySequence("Ctrl+Q"))
        leave.triggered.connect(lambda: self.quit_requested.emit())
        menu.addAction(self._quiet)
        menu.addSeparator()
        menu.addAction(self._sign_out)
        menu.addAction(leave)
        self.addAction(leave)
        self.menu_button.setMenu(menu)
        self.menu_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setContentsMargins(16, 16, 12, 8)
        top.setSpacing(4)
        top.addWidget(self.search, 1)
        top.addWidget(self.compose)
        top.addWidget(self.menu_button)
        self._stack = QStackedLayout()
        self._stack.addWidget(self._nothing)
        self._stack.addWidget(self.list)
        self._stack.addWidget(self.found)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(top)
        column.addLayout(self._stack, 1)
        column.addWidget(hairline())
        column.addWidget(self.status)

    def _on_typed(self) -> None:
        self._later.start(SEARCH_MS if self._searching() else 0)
        if not self._searching():
            self._show_list()

    def _on_left(self) -> None:
        if self._stack.currentWidget() is self.found:
            self.found.setFocus()
            self.found.begin()
        else:
            self.list.setFocus()
            if not self.list.currentIndex().isValid():
                self.list.go(1)

    def _on_found_left(self) -> None:
        self.search.clear()
        self.list.setFocus()
