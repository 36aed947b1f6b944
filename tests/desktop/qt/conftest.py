"""People and messages for the widgets' tests."""

from collections.abc import Callable, Iterator
from typing import TypeVar

import pytest
from PySide6.QtCore import QObject, QUrl, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from deskbell_desktop.core.views import ConversationView, Delivery, Link, MessageView, StatusView
from deskbell_desktop.qt import language, theme
from deskbell_desktop.qt.window import MainWindow
from deskbell_protocol.wire import Content, Party

NOON = 1_760_000_000_000
MINUTE = 60_000
ME = Party("u0", "ana", "Ana Ruiz")
MARIA = Party("u1", "maria", "Maria Garcia")
OPS = Party("u4", "@ops", "Operations", "group")
ONLINE = StatusView(Link.ONLINE, "https://desk.example.org", "ana")


def talk(party: Party = MARIA, *, unread: int = 0, last: str = "Hello") -> ConversationView:
    return ConversationView(party.id, (party,), party.label, last, False, NOON, unread)


def said(number: int, body: str = "Hello", *, sender: Party = MARIA, at: int | None = None) -> MessageView:
    moment = NOON + number * MINUTE if at is None else at
    return MessageView(f"m{number}", sender, False, Content(body=body), moment, Delivery.RECEIVED)


def wrote(number: int, body: str, state: Delivery, problem: str = "") -> MessageView:
    return MessageView(f"m{number}", ME, True, Content(body=body), NOON + number * MINUTE, state, problem=problem)


Part = TypeVar("Part", bound=QObject)


def part(window: QWidget, kind: type[Part]) -> Part:
    found = window.findChild(kind)
    assert found is not None
    return found


@pytest.fixture(autouse=True)
def english(qapp: QApplication) -> None:
    language.apply(qapp, "en_GB")
    theme.apply(qapp, "light")


Heard = Callable[[object], list[tuple[object, ...]]]


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[MainWindow]:
    """The window in front, signed in, with Maria's empty conversation."""
    window = MainWindow()
    qtbot.addWidget(window)
    window.show_status(ONLINE)
    window.show_conversations([talk(), talk(OPS)], "u1")
    window.show_messages(talk(), [], has_older=False)
    window.open()
    qtbot.waitUntil(window.isActiveWindow)
    yield window
    window.hide()


class Browser(QObject):
    """What the desktop would have opened."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[str] = []

    @Slot(QUrl)
    def open(self, url: QUrl) -> None:
        self.opened.append(url.toString())


@pytest.fixture
def browser(qapp: object) -> Iterator[Browser]:
    browser = Browser()
    for scheme in ("http", "https", "file", "javascript"):
        QDesktopServices.setUrlHandler(scheme, browser, "open")  # type: ignore[arg-type] # the stub says bytes
    yield browser
    for scheme in ("http", "https", "file", "javascript"):
        QDesktopServices.unsetUrlHandler(scheme)
