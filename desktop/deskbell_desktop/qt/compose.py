"""A new message: to whom, found by typing, and what; all by keyboard."""

import re
from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from deskbell_desktop.core import text
from deskbell_desktop.core.views import NEW, WHOM
from deskbell_desktop.qt import avatars, theme
from deskbell_desktop.qt.controls import Surface, hairline, label, problem, soft
from deskbell_desktop.qt.conversation_list import Index
from deskbell_desktop.qt.reply_box import ReplyBox
from deskbell_desktop.qt.utf16 import Utf16
from deskbell_protocol import limits
from deskbell_protocol.wire import Party

SEARCH_MS = 150
ROW = 48
ROWS = 6
SEPARATORS = " ,;，；、"
PARTY = Qt.ItemDataRole.UserRole

translate = QCoreApplication.translate


class PersonDelegate(QStyledItemDelegate):
    """Face, name, and in soft letters what one types to reach them."""

    def sizeHint(self, option: QStyleOptionViewItem, _index: Index) -> QSize:
        return QSize(option.rect.width(), ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        party, view = index.data(PARTY), option.widget
        if not isinstance(party, Party) or not isinstance(view, QWidget):
            return
        colours = theme.colours()
        box = QRectF(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colours.color("selection"))
            painter.drawRoundedRect(box, theme.RADIUS, theme.RADIUS)
        avatars.draw(painter, QRectF(box.left() + 8, box.center().y() - 16, 32, 32), party, colours)
        painter.setFont(theme.font(view, 14, bold=True))
        painter.setPen(colours.color("text"))
        shown = text.one_line(party.label, 60)
        metrics = painter.fontMetrics()
        baseline = round(box.center().y() + metrics.capHeight() / 2)
        painter.drawText(round(box.left()) + 52, baseline, shown)
        painter.setFont(theme.font(view, 13))
        painter.setPen(colours.color("soft"))
        if party.name != party.label:
            painter.drawText(round(box.left()) + 52 + metrics.horizontalAdvance(shown) + 8, baseline, party.name)
        painter.restore()


class ComposePage(Surface):
    """Asks for people while one types, and for every name before it is taken; `sent` carries parties and the text."""

    people_search_requested = Signal(str)
    sent = Signal(tuple, str)
    cancelled = Signal()
    draft_changed = Signal(str, str)
    draft_wanted = Signal(str)
    """The answer is `show_draft`, before anything else is done."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Base", parent)
        self._chosen: Party | None = None
        self._known: dict[str, Party] = {}
        self._asked = ""
        """The name that a message waits for: whether there is somebody called so."""
        self._body = ""
        self._draft = NEW
        """Whose draft is in the box: of the conversation with the party that the page was begun for, or `NEW`."""
        self._found = ""
        """What the people in the list were looked for by."""
        self._entered = False
        """The person wants the first of those that are still looked for."""
        self._to = QLineEdit()
        self._to.setAccessibleName(translate("Compose", "To"))
        self._to.setPlaceholderText(translate("Compose", "Type a name"))
        self._to.setMaxLength(8 * limits.NAME_CHARS)
        self._to.setMinimumHeight(40)
        self._to.setFont(theme.font(self._to))
        self._people = QListWidget()
        self._people.setItemDelegate(PersonDelegate(self._people))
        self._people.setAccessibleName(translate("Compose", "People found"))
        self._people.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._people.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._nobody = soft(translate("Compose", "Nobody of that name is known here yet."), 13, wrap=True)
        self._problem = problem()
        self._box = ReplyBox()
        self._box.invite(translate("Compose", "Write your message"))
        self._search = QTimer(self)
        self._search.setSingleShot(True)
        self._search.setInterval(SEARCH_MS)
        self._lay_out()
        self._to.installEventFilter(self)
        self._to.textEdited.connect(self._on_typed)
        self._to.textChanged.connect(self._on_whom)
        self._to.returnPressed.connect(self._on_enter)
        self._search.timeout.connect(lambda: self.people_search_requested.emit(self._split()[1]))
        self._people.itemClicked.connect(lambda item: self._choose(item.data(PARTY)))
        self._box.submitted.connect(self._on_submit)
        self._box.changed.connect(lambda written: self.draft_changed.emit(self._draft, written))

    def begin(self, party: Party | None = None) -> None:
        """A page to `party`, or to somebody; what was written so and not sent is there again, with its names."""
        self._empty()
        self._draft = NEW if party is None else party.id
        self.draft_wanted.emit(self._draft)
        if party is not None:
            self._choose(party)
            return
        self.draft_wanted.emit(WHOM)
        self._to.setFocus()
        if self._to.text() and self._box.text():
            self._box.editor.setFocus()
        elif self._to.text():
            self._to.selectAll()
        else:
            self.people_search_requested.emit("")

    def show_draft(self, draft: str, shown: str) -> None:
        """It is not the person who writes that."""
        self.blockSignals(True)
        if draft == WHOM:
            self._to.setText(shown)
        elif draft == self._draft:
            self._box.set_text(shown)
        self.blockSignals(False)

    def forget(self) -> None:
        """Nothing of the account stays in the fields."""
        self._empty()

    def _empty(self) -> None:
        self._draft = NEW
        for draft in (WHOM, NEW):
            self.show_draft(draft, "")
        self._chosen = None
        self._known.clear()
        self._found, self._entered = "", False
        self._wait_for("")
        self._say("")
        self._show_people([])

    def set_people(self, query: str, people: Sequence[Party], *, asked: bool = True) -> None:
        """Who is called like `query`; `asked`: the server says so, and not only this desk."""
        self._known.update({text.folded(party.name): party for party in people})
        if query and query == self._asked:
            self._on_answer(query, asked=asked)
        elif self._chosen is None and query == self._split()[1]:
            self._found = query
            self._show_people(people)
            if self._entered:
                self._on_enter()

    def _show_people(self, people: Sequence[Party]) -> None:
        self._people.clear()
        for party in people[:50]:
            item = QListWidgetItem()
            item.setData(PARTY, party)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{text.one_line(party.label)}, {party.name}")
            self._people.addItem(item)
        if people and self._split()[1]:  # who typed nothing means nobody yet
            self._people.setCurrentRow(0)
        self._people.setFixedHeight(ROW * min(ROWS, len(people)))
        self._people.setVisible(bool(people))
        self._nobody.setVisible(not people and bool(self._split()[1]))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._to and event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            steps = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}
            if event.key() in steps and self._people.count():
                number = self._people.currentRow() + steps[Qt.Key(event.key())]
                self._people.setCurrentRow(min(self._people.count() - 1, max(0, number)))
                return True
        return super().eventFilter(watched, event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self._wait_for("")
            self.cancelled.emit()
        else:
            super().keyPressEvent(event)

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setContentsMargins(24, 0, 24, 0)
        title = label(translate("Compose", "New message"), 16, bold=True)
        title.setFixedHeight(67)
        head.addWidget(title)
        middle = QVBoxLayout()
        middle.setContentsMargins(24, 16, 24, 0)
        middle.setSpacing(0)
        caption = soft(translate("Compose", "To"))
        caption.setBuddy(self._to)
        for widget, below in ((caption, 4), (self._to, 8), (self._people, 0), (self._nobody, 0), (self._problem, 0)):
            middle.addWidget(widget)
            middle.addSpacing(below)
        middle.addStretch()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(hairline())
        column.addLayout(middle, 1)
        foot = QHBoxLayout()
        foot.setContentsMargins(22, 0, 22, 18)
        foot.addWidget(self._box)
        column.addLayout(foot)

    def _leave_party(self) -> None:
        """What is written is no longer for the one that the page was begun for, and no draft of theirs. Where another
        message is begun already it stays theirs: the two have not the same readers.
        """
        begun, written = self._draft, self._box.text()
        if begun == NEW:
            return
        self._draft = NEW
        self.show_draft(NEW, "")
        self.draft_wanted.emit(NEW)
        if self._box.text():
            self._draft = begun
            self.show_draft(begun, written)
            return
        self._box.set_text(written)
        self.draft_changed.emit(NEW, written)
        self.draft_changed.emit(begun, "")
        self._on_whom(self._to.text())

    def _on_whom(self, names: str) -> None:
        if self._draft == NEW:
            self.draft_changed.emit(WHOM, names)

    def _on_typed(self) -> None:
        self._leave_party()
        self._chosen = None
        self._entered = False
        self._wait_for("")
        self._say("")
        self._search.start()

    def _on_enter(self) -> None:
        typed, item = self._split()[1], self._people.currentItem()
        self._entered = self._chosen is None and bool(typed) and typed != self._found
        if self._entered:
            return
        if item is not None and self._chosen is None:
            self._choose(item.data(PARTY))
        elif self._to.text().strip():
            self._box.editor.setFocus()

    def _choose(self, party: Party) -> None:
        self._search.stop()
        self._people.hide()
        self._nobody.hide()
        self._chosen = party
        self._known[text.folded(party.name)] = party
        self._to.setText(self._split()[0] + party.name)
        self._box.editor.setFocus()

    def _split(self) -> tuple[str, str]:
        """The names that stand already, with what separates them, and the one that is being typed."""
        typed = self._to.text()
        cut = 1 + max(typed.rfind(sign) for sign in SEPARATORS)
        return typed[:cut], typed[cut:].strip()

    def _on_submit(self, body: str) -> None:
        names = text.names_in(text.storable(self._to.text()))
        if not names:
            self._say(translate("Compose", "To whom? Type a name first."))
            self._to.setFocus()
            return
        unknown = next((name for name in names if text.folded(name) not in self._known), "")
        self._wait_for(unknown)
        if unknown:
            self._body = body
            self.people_search_requested.emit(unknown)
            return
        self._box.set_text("")
        self._to.clear()
        self.sent.emit(tuple(self._known[text.folded(name)] for name in names), body)

    def _wait_for(self, name: str) -> None:
        self._asked = name
        self._box.setEnabled(not name)

    def _on_answer(self, name: str, *, asked: bool) -> None:
        self._wait_for("")
        if text.folded(name) in self._known:
            self._on_submit(self._body)
            return
        nobody = translate("Compose", "Nobody here is called “%1”.")
        unasked = translate("Compose", "“%1” cannot be checked without a connection. What you wrote stays here.")
        self._say((nobody if asked else unasked).replace("%1", text.one_line(name, 64)))
        self._people.hide()
        self._nobody.hide()
        self._to.setFocus()
        written = re.search(rf"(?<![^{SEPARATORS}]){re.escape(name)}(?![^{SEPARATORS}])", self._to.text())
        if written:
            start, end = map(Utf16(self._to.text()).units, written.span())
            self._to.setSelection(start, end - start)

    def _say(self, words: str) -> None:
        self._problem.setText(words)
        self._problem.setVisible(bool(words))
