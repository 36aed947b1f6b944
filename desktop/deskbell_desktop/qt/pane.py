"""The right side of the window: one conversation with its header, its messages and the box to answer in."""

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication, Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from deskbell_desktop.core import text
from deskbell_desktop.core.views import ConversationView, Delivery, MessageView
from deskbell_desktop.qt.controls import Avatar, Surface, button, hairline, label, soft
from deskbell_desktop.qt.message_list import MessageList
from deskbell_desktop.qt.reply_box import ReplyBox
from deskbell_protocol.wire import Party

HEADER = 67
translate = QCoreApplication.translate


class Header(QWidget):
    """Who this is with."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(HEADER)
        self._face = Avatar(40)
        self._name = label("", 16, bold=True)
        self._about = soft()
        names = QVBoxLayout()
        names.setSpacing(1)
        names.addStretch()
        for widget in (self._name, self._about):
            widget.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
            names.addWidget(widget)
        names.addStretch()
        row = QHBoxLayout(self)
        row.setContentsMargins(24, 0, 24, 0)
        row.setSpacing(12)
        row.addWidget(self._face)
        row.addLayout(names, 1)

    def show_conversation(self, conversation: ConversationView) -> None:
        self._face.show_party(conversation.parties[0] if conversation.parties else None)
        self._name.setText(text.one_line(conversation.title))
        about = about_of(conversation)
        self._about.setText(about)
        self._about.setVisible(bool(about))
        self.setAccessibleName(text.one_line(conversation.title))


class ClosedBox(QWidget):
    """Where the answer would be written: who may, and a way to answer whoever wrote last."""

    private_requested = Signal(Party)

    def __init__(self) -> None:
        super().__init__()
        self._writer: Party | None = None
        self._why = soft("", 13, wrap=True)
        self.button = button("")
        self.button.clicked.connect(lambda: self.private_requested.emit(self._writer))
        row = QHBoxLayout(self)
        row.setContentsMargins(2, 8, 2, 8)
        row.setSpacing(12)
        row.addWidget(self._why, 1)
        row.addWidget(self.button)

    def show_closed(self, why: str, messages: Sequence[MessageView]) -> None:
        received = [message.sender for message in messages if message.state is Delivery.RECEIVED and message.sender.id]
        self._writer = received[-1] if received and received[-1].kind == "person" else None
        self._why.setText(why)
        if self._writer is not None:
            name = text.one_line(self._writer.label, 40).replace("&", "&&")
            self.button.setText(translate("Pane", "Answer %1 privately").replace("%1", name))
        self.button.setVisible(self._writer is not None)


class ConversationPane(Surface):
    """`submitted` and `draft_changed` name the conversation they belong to."""

    submitted = Signal(str, str)
    draft_changed = Signal(str, str)
    private_requested = Signal(Party)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Base", parent)
        self._conversation: ConversationView | None = None
        self._drafts: dict[str, str] = {}
        self._header = Header()
        self.list = MessageList()
        self.box = ReplyBox()
        self._closed = ClosedBox()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._header)
        column.addWidget(hairline())
        column.addWidget(self.list, 1)
        foot = QHBoxLayout()
        foot.setContentsMargins(22, 0, 22, 18)
        foot.addWidget(self.box)
        foot.addWidget(self._closed)
        column.addLayout(foot)
        self.box.submitted.connect(self._on_submitted)
        self.box.changed.connect(self._on_changed)
        self.list.typed.connect(self.type)
        self._closed.private_requested.connect(self.private_requested)

    @property
    def conversation(self) -> str | None:
        return self._conversation.id if self._conversation else None

    def show_messages(
        self,
        conversation: ConversationView,
        messages: Sequence[MessageView],
        *,
        has_older: bool,
        unread: Sequence[str],
        focus: str | None,
    ) -> None:
        another = self.conversation != conversation.id
        if conversation != self._conversation:
            self._conversation = conversation
            self._header.show_conversation(conversation)
            first = text.one_line(conversation.title, 40)
            self.box.invite(translate("Pane", "Write to %1…").replace("%1", first))
        named = len(conversation.parties) != 1 or conversation.parties[0].kind == "group"
        if another:
            self.list.show_conversation(messages, named=named, has_older=has_older, unread=unread)
            self.box.set_text(self._drafts.get(conversation.id, ""))
        else:
            self.list.show_messages(messages, named=named, has_older=has_older, unread=unread)
        self._closed.show_closed(conversation.closed, messages)
        self._closed.setVisible(bool(conversation.closed))
        self.box.setVisible(not conversation.closed)
        if focus is not None:
            self.list.focus_message(focus)

    def focus_box(self) -> None:
        """The cursor goes where an answer is begun."""
        (self.box.editor if self._closed.isHidden() else self._closed.button).setFocus()

    def show_draft(self, conversation: str, draft: str) -> None:
        self._drafts[conversation] = draft
        if conversation == self.conversation:
            self.box.set_text(draft)

    def type(self, written: str) -> None:
        """Go on in the box with what was typed elsewhere; a space alone means something else there."""
        if written.strip() and self.box.isVisible():
            self.box.editor.setFocus()
            self.box.editor.insertPlainText(written)

    def forget(self) -> None:
        """Nothing of this conversation, nor of any draft, stays in sight."""
        self._conversation = None
        self._drafts.clear()
        self.box.set_text("")
        self.list.show_conversation([], named=False, has_older=False)

    def _on_changed(self, written: str) -> None:
        here = self.conversation
        if here is not None and self._drafts.get(here, "") != written:
            self._drafts[here] = written
            self.draft_changed.emit(here, written)

    def _on_submitted(self, body: str) -> None:
        here = self.conversation
        if here is not None:
            self.box.set_text("")
            self.list.answered()
            self.submitted.emit(here, body)


def about_of(conversation: ConversationView) -> str:
    """The small line under the name: how to reach them, or what they are."""
    if len(conversation.parties) != 1:
        return ", ".join(text.one_line(party.name, 40) for party in conversation.parties[:20])
    party = conversation.parties[0]
    if party.kind == "app":
        return translate("Pane", "Program")
    if party.kind == "group":
        return translate("Pane", "Group %1").replace("%1", text.one_line(party.name))
    return text.one_line(party.name) if party.name != party.label else ""
