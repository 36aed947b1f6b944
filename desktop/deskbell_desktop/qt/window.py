"""The reading window: shows what it is given, tells what the person did, and acts on nothing itself."""

from collections.abc import Sequence

from PySide6.QtCore import QByteArray, QCoreApplication, QEvent, QSize, Qt, Signal
from PySide6.QtGui import QCloseEvent, QHideEvent, QKeyEvent, QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QStackedWidget, QWidget

from deskbell_desktop.core import events as on
from deskbell_desktop.core import text
from deskbell_desktop.core.views import NEW, WHOM, ConversationView, Found, Link, MessageView, StatusView
from deskbell_desktop.qt import icons
from deskbell_desktop.qt.calendar import Calendar
from deskbell_desktop.qt.compose import ComposePage
from deskbell_desktop.qt.front import come_forward, has_eyes, room
from deskbell_desktop.qt.pages import Page
from deskbell_desktop.qt.pane import ConversationPane
from deskbell_desktop.qt.screen_lock import screen_lock
from deskbell_desktop.qt.side import Side
from deskbell_protocol.wire import Party

LEAST = QSize(720, 440)

translate = QCoreApplication.translate


class MainWindow(QWidget):
    """Conversations on the left; on the right one of them, a new message, or a page that says why there is none."""

    conversation_selected = Signal(str)
    reply_requested = Signal(str, str)
    compose_requested = Signal(tuple, str)
    people_search_requested = Signal(str)
    retry_requested = Signal(str)
    discard_requested = Signal(str)
    older_requested = Signal(str)
    search_changed = Signal(str)
    found_chosen = Signal(str, str)
    looked = Signal(on.Looking)
    read_requested = Signal(str)
    put_away = Signal()
    try_requested = Signal()
    unsent_requested = Signal()
    sign_in_requested = Signal()
    draft_changed = Signal(str, str)
    draft_wanted = Signal(str)
    quiet_toggled = Signal(bool)
    sign_out_requested = Signal()
    quit_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.stay_in_taskbar = False
        self._status = StatusView(Link.SIGNED_OUT)
        self._conversations: tuple[ConversationView, ...] | None = None
        self._wanted: str | None = None
        self._welcoming = False
        self._looking = on.Looking(None)
        self.setWindowTitle(translate("Window", "Deskbell"))
        self.setWindowIcon(icons.app_icon())
        self.resize(960, 624)
        self._calendar = Calendar(self)
        self._side = Side()
        self._pane = ConversationPane()
        self._compose = ComposePage()
        self._page = Page()
        self._stack = QStackedWidget()
        for widget in (self._page, self._pane, self._compose):
            self._stack.addWidget(widget)
        self._lay_out()
        self._connect()
        self._make_shortcuts()
        self._show_right()

    # -- what it is given -----------------------------------------------------------------------------------------

    def show_status(self, status: StatusView) -> None:
        self._status = status
        self._side.show_status(status)
        unread = f" ({status.unread})" if status.unread else ""
        self.setWindowTitle(translate("Window", "Deskbell") + unread)
        self._show_right()

    def show_conversations(self, rows: Sequence[ConversationView], selected: str | None) -> None:
        self._conversations = tuple(rows)
        if selected is not None:
            self._wanted = selected
        composing = self._stack.currentWidget() is self._compose
        self._side.show_conversations(rows, None if composing else self._wanted)
        self._show_right()

    def show_found(self, found: Found) -> None:
        self._side.show_found(found)

    def show_messages(
        self,
        conversation: ConversationView,
        messages: Sequence[MessageView],
        *,
        has_older: bool,
        unread: Sequence[str] = (),
        focus: str | None = None,
    ) -> None:
        self._wanted = conversation.id
        self._pane.show_messages(conversation, messages, has_older=has_older, unread=unread, focus=focus)
        self._side.list.open(conversation.id)
        self._stack.setCurrentWidget(self._pane)
        self._tell_looking()

    def show_unread(self, unread: Sequence[str]) -> None:
        """Which messages of the conversation on the right are unread."""
        self._pane.list.show_unread(unread)

    def show_draft(self, conversation: str, draft: str) -> None:
        self._compose.show_draft(conversation, draft)
        if conversation not in (NEW, WHOM):
            self._pane.show_draft(conversation, draft)

    def set_people(self, query: str, people: Sequence[Party], *, asked: bool = True) -> None:
        self._compose.set_people(query, people, asked=asked)

    def compose(self, party: Party | None = None) -> None:
        """The page for a new message."""
        self._stack.setCurrentWidget(self._compose)
        self._side.list.open(None)
        self._compose.begin(party)
        self._tell_looking()

    def welcome(self) -> None:
        """Say, until it is put away, that the person is signed in and where the bell stays."""
        self._welcoming = True
        self._show_right()

    def forget(self) -> None:
        """Nothing of the account stays in sight, nor in the fields."""
        self._wanted, self._conversations = None, None
        self._pane.forget()
        self._compose.forget()
        self._side.search.clear()
        self._side.show_conversations([], None)
        self._stack.setCurrentWidget(self._page)
        self._show_right()

    def open(self, focus_reply: bool = True, activation_token: str = "") -> None:
        """Come to the front. On Wayland the token must be in the environment; elsewhere it is not needed."""
        del activation_token
        if not self.isVisible():
            self.setMinimumSize(LEAST.boundedTo(room(self)))
            self.resize(self.size().boundedTo(room(self)))
        come_forward(self)
        if focus_reply and self._stack.currentWidget() is self._pane:
            self._pane.focus_box()

    def place(self) -> str:
        """Size, place and whether it fills the screen, for `go_back_to`."""
        return self.saveGeometry().toBase64().toStdString()

    def go_back_to(self, place: str) -> None:
        """Qt moves it where it can be seen, if the screen that it was on is gone."""
        self.restoreGeometry(QByteArray.fromBase64(place.encode()))

    def current_conversation(self) -> str | None:
        """The one whose messages are on the right; None while anything else is there."""
        return self._pane.conversation if self._stack.currentWidget() is self._pane else None

    def is_reading(self) -> bool:
        """Whether the person has the messages of the current conversation before their eyes."""
        return self.current_conversation() is not None and has_eyes(self)

    # -- inside ---------------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        line = QFrame()
        line.setFixedWidth(1)
        line.setAutoFillBackground(True)
        line.setBackgroundRole(self.palette().ColorRole.Mid)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self._side)
        row.addWidget(line)
        row.addWidget(self._stack, 1)

    def _connect(self) -> None:
        self._side.list.chosen.connect(self._on_chosen)
        self._side.list.read_requested.connect(self.read_requested)
        self._side.list.typed.connect(self._pane.type)
        self._calendar.turned.connect(self._on_turned)
        self._side.search_changed.connect(self.search_changed)
        self._side.found_chosen.connect(self._on_found_chosen)
        self._side.compose_requested.connect(lambda: self.compose())
        self._side.quiet_toggled.connect(self.quiet_toggled)
        self._side.sign_out_requested.connect(self.sign_out_requested)
        self._side.quit_requested.connect(self.quit_requested)
        self._side.status.sign_in_requested.connect(self.sign_in_requested)
        self._side.status.try_requested.connect(self.try_requested)
        self._side.status.unsent_requested.connect(self.unsent_requested)
        self._pane.submitted.connect(self.reply_requested)
        self._pane.draft_changed.connect(self.draft_changed)
        self._pane.private_requested.connect(self._on_private)
        self._pane.list.retry_requested.connect(self.retry_requested)
        self._pane.list.discard_requested.connect(self.discard_requested)
        self._pane.list.older_requested.connect(self._on_older)
        self._pane.list.view_changed.connect(self._tell_looking)
        if (lock := screen_lock()) is not None:
            lock.changed.connect(self._tell_looking)
        self._compose.people_search_requested.connect(self.people_search_requested)
        self._compose.sent.connect(self._on_composed)
        self._compose.cancelled.connect(self._on_cancelled)
        self._compose.draft_changed.connect(self.draft_changed)
        self._compose.draft_wanted.connect(self.draft_wanted)
        self._page.acted.connect(self._on_page_acted)

    def _make_shortcuts(self) -> None:
        plan = (
            ("Ctrl+N", self._side.compose.click),  # a button's own shortcut waits 100 ms, and takes no key meanwhile
            ("Ctrl+F", lambda: self._side.search.setFocus(Qt.FocusReason.ShortcutFocusReason)),
            ("Ctrl+K", lambda: self._side.search.setFocus(Qt.FocusReason.ShortcutFocusReason)),
            ("Alt+Down", lambda: self._side.list.step(1)),
            ("Alt+Up", lambda: self._side.list.step(-1)),
            ("Ctrl+W", self.close),
        )
        for keys, action in plan:
            QShortcut(QKeySequence(keys), self).activated.connect(action)

    def _show_right(self) -> None:
        """Choose the page where there is no conversation to show."""
        if self._stack.currentWidget() is self._compose:
            return
        if self._pane.conversation is not None and self._status.link is not Link.SIGNED_OUT:
            self._stack.setCurrentWidget(self._pane)
            return
        self._page.say(*self._page_words())
        self._stack.setCurrentWidget(self._page)
        self._tell_looking()

    def _page_words(self) -> tuple[str, str, str]:
        status = self._status
        if status.link is Link.SIGNED_OUT:
            words = status.problem or translate("Window", "Sign in, and messages ring here, at your desk.")
            return translate("Window", "You are signed out"), words, translate("Window", "Sign in")
        if self._welcoming and status.link is not Link.OFFLINE:
            return self._welcome_words()
        if self._conversations:
            if self._wanted is not None:
                return translate("Window", "Loading messages…"), "", ""
            return translate("Window", "Choose a conversation"), translate("Window", "Its messages appear here."), ""
        if status.link is Link.OFFLINE:
            again = translate("Window", "Deskbell tries again by itself. Nothing is lost meanwhile.")
            words = " ".join(part for part in (status.problem or status.away, again) if part)
            return translate("Window", "Waits for the connection"), words, ""
        if self._conversations is None:
            return translate("Window", "Loading messages…"), "", ""
        words = translate("Window", "Messages to you ring at your desk and stay here. Write the first one yourself.")
        return translate("Window", "Nothing here yet"), words, translate("Window", "New message")

    def _welcome_words(self) -> tuple[str, str, str]:
        title = translate("Window", "You are signed in as %1").replace("%1", text.one_line(self._status.account, 60))
        tray = translate("Window", "Messages ring here. Closing this window leaves the bell in the tray.")
        bar = translate("Window", "Messages ring here. Closing this window leaves the bell in the taskbar.")
        return title, bar if self.stay_in_taskbar else tray, translate("Window", "New message")

    def _on_page_acted(self) -> None:
        if self._status.link is Link.SIGNED_OUT:
            self.sign_in_requested.emit()
        else:
            self.compose()

    def _on_chosen(self, conversation: str) -> None:
        self._leave_for(conversation)
        self.conversation_selected.emit(conversation)
        if self.current_conversation() is not None:
            self._pane.focus_box()

    def _on_private(self, party: Party) -> None:
        if any(row.id == party.id for row in self._conversations or ()):
            self._on_chosen(party.id)
        else:
            self.compose(party)

    def _on_found_chosen(self, conversation: str, message: str) -> None:
        self._leave_for(conversation)
        self.found_chosen.emit(conversation, message)

    def _leave_for(self, conversation: str) -> None:
        self._wanted = conversation
        if self._stack.currentWidget() is self._compose:
            self._stack.setCurrentWidget(self._page)

    def _on_turned(self) -> None:
        self._side.update()
        self._pane.list.turn()

    def _on_older(self) -> None:
        here = self.current_conversation()
        if here is not None:
            self.older_requested.emit(here)

    def _on_composed(self, parties: tuple[Party, ...], body: str) -> None:
        self._leave_compose()
        self.compose_requested.emit(parties, body)

    def _on_cancelled(self) -> None:
        self._leave_compose()

    def _leave_compose(self) -> None:
        self._stack.setCurrentWidget(self._page)
        self._side.list.open(self._wanted)
        self._show_right()
        self._tell_looking()

    def _tell_looking(self) -> None:
        messages, reading = self._pane.list, self.is_reading()
        messages.watched = reading
        view = messages.view
        looking = on.Looking(self.current_conversation(), view.at_end, view.seen) if reading else on.Looking(None)
        if looking != self._looking:
            self._looking = looking
            self.looked.emit(looking)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self._stack.currentWidget() is self._pane:
            self._pane.focus_box()
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.ActivationChange, QEvent.Type.WindowStateChange):
            self._tell_looking()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._tell_looking()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._welcoming = False
        self.put_away.emit()
        self._tell_looking()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Closing is not quitting: the bell goes on listening in the tray, or as a minimised window."""
        event.ignore()
        if self.stay_in_taskbar:
            self.showMinimized()
        else:
            self.hide()
