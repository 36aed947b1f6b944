"""What the widgets and popups are given to show: frozen values made by the core, so that nothing below Qt knows Qt."""

from dataclasses import dataclass
from enum import StrEnum

from deskbell_protocol.wire import Content, Party, Priority


class Link(StrEnum):
    """The connection, as the tray and the status line show it."""

    SIGNED_OUT = "signed_out"
    OFFLINE = "offline"
    CONNECTING = "connecting"
    ONLINE = "online"


NEW = "new"
"""Key of the draft that has no conversation yet."""
WHOM = "new to"
"""Key of the names that it is meant for."""


class Delivery(StrEnum):
    """Where one message stands."""

    RECEIVED = "received"
    SENDING = "sending"  # in the outbox, tried as soon as there is a connection
    SENT = "sent"  # the server has it on disk
    FAILED = "failed"  # refused, or older than the outbox keeps it; the person may try again


@dataclass(frozen=True)
class StatusView:
    """One line of state. `problem` is a whole sentence for the person, empty when all is well."""

    link: Link
    server: str = ""
    account: str = ""
    unread: int = 0
    quiet: bool = False
    problem: str = ""
    unsent: str = ""
    """How many messages have failed, as a sentence; empty when none."""
    away: str = ""
    """Why there is no connection, where the next attempt is waited for."""


@dataclass(frozen=True)
class ConversationView:
    """A row of the conversation list, newest first. `at` is 0 where nothing was written yet."""

    id: str
    parties: tuple[Party, ...]
    title: str
    last_text: str
    last_mine: bool
    at: int
    unread: int
    waiting: Delivery | None = None
    """SENDING or FAILED where something of mine has not gone out: then `last_text` is that."""
    closed: str = ""
    """Why the person may not write there, a whole sentence; empty where they may."""


@dataclass(frozen=True)
class Hit:
    """A message that a search has found, as a row: its conversation's, with its own line and time."""

    key: str
    row: ConversationView


@dataclass(frozen=True)
class Found:
    """What has `wanted` in it, folded as the search compares: people and groups by name; messages, newest first."""

    wanted: str
    people: tuple[ConversationView, ...]
    messages: tuple[Hit, ...]
    more: bool = False
    """There are older messages that have it too."""


@dataclass(frozen=True)
class MessageView:
    """One bubble. `key` is the message id, or the `cid` while the server has not named it."""

    key: str
    sender: Party
    mine: bool
    content: Content
    at: int
    state: Delivery
    problem: str = ""
    to: tuple[str, ...] = ()
    """Names of all that it goes to, where the conversation is only with the first of them."""


@dataclass(frozen=True)
class Popup:
    """One notification. `key` is the conversation: a later popup with the same key replaces it.

    `message_key` is what a click opens; a summary of many has none and opens the window. Text is plain and already
    cleaned of control and bidi characters; the notifier escapes it where the desktop reads markup.
    """

    key: str
    title: str
    body: str
    sender: Party | None = None
    message_key: str | None = None
    priority: Priority = "normal"
    can_reply: bool = True
    can_mark_read: bool = True
