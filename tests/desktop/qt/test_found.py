"""Searching in the window: what is found stands in two groups, the keyboard goes there, and nothing else is read."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from deskbell_desktop.core import effects as do
from deskbell_desktop.core import events as on
from deskbell_desktop.core.views import Found, Hit
from deskbell_desktop.core.words import Words
from deskbell_desktop.io.pages import Pages
from deskbell_desktop.io.store import Store
from deskbell_desktop.presenter import Presenter
from deskbell_desktop.qt import theme
from deskbell_desktop.qt.conversation_list import ConversationList
from deskbell_desktop.qt.found_list import FoundList
from deskbell_desktop.qt.message_list import MessageList
from deskbell_desktop.qt.side import SearchField
from deskbell_desktop.qt.window import MainWindow
from deskbell_protocol.wire import Message
from tests.desktop.qt.conftest import MARIA, ME, NOON, ONLINE, OPS, part, talk

FOUND = Found("disk", (talk(OPS),), (Hit("m7", talk(last="the disk")), Hit("m3", talk(OPS, last="a disk"))))


@pytest.fixture
def found(window: MainWindow, qtbot: QtBot) -> FoundList:
    """Two groups under the words "disk"; the cursor is in the field."""
    qtbot.keyClick(window, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    with qtbot.waitSignal(window.search_changed) as searched:
        qtbot.keyClicks(QApplication.focusWidget(), "disk")
    assert searched.args == ["disk"]
    window.show_found(FOUND)
    return part(window, FoundList)


def shown(found: FoundList) -> list[object]:
    return [found.found.data(found.found.index(number)) for number in range(found.found.rowCount())]


def test_arrows_move_and_enter_or_a_click_goes_there(window: MainWindow, found: FoundList, qtbot: QtBot) -> None:
    assert shown(found) == ["People", "Operations", "Messages", "Maria Garcia", "Operations"]
    with qtbot.assertNotEmitted(window.found_chosen):
        qtbot.keyClick(part(window, SearchField), Qt.Key.Key_Down)
        qtbot.keyClick(found, Qt.Key.Key_Down)
    assert found.hasFocus()
    with qtbot.waitSignal(window.found_chosen) as chosen:
        qtbot.keyClick(found, Qt.Key.Key_Return)
    assert chosen.args == ["u1", "m7"], "a heading is passed over"
    point = found.visualRect(found.found.index(1)).center()
    with qtbot.assertNotEmitted(window.found_chosen):
        qtbot.mouseClick(found.viewport(), Qt.MouseButton.RightButton, pos=point)
    with qtbot.waitSignal(window.found_chosen) as chosen:
        qtbot.mouseClick(found.viewport(), Qt.MouseButton.LeftButton, pos=point)
    assert chosen.args == ["u4", ""]


@pytest.mark.parametrize("where", [SearchField, FoundList])
def test_escape_brings_the_conversations_back_with_the_open_one(
    window: MainWindow, found: FoundList, qtbot: QtBot, where: type[QWidget]
) -> None:
    rows = part(window, ConversationList)
    assert not rows.isVisible()
    with qtbot.waitSignal(window.search_changed) as searched:
        qtbot.keyClick(part(window, where), Qt.Key.Key_Escape)
    assert searched.args == [""]
    assert part(window, SearchField).text() == ""
    assert rows.isVisible()
    assert rows.conversations.rows[rows.currentIndex().row()].id == "u1"
    window.show_found(FOUND)
    assert rows.isVisible(), "what was found too late does not come back"


def test_a_message_that_arrives_leaves_the_place_in_what_was_found(
    window: MainWindow, found: FoundList, qtbot: QtBot
) -> None:
    qtbot.keyClick(part(window, SearchField), Qt.Key.Key_Return)
    qtbot.keyClick(found, Qt.Key.Key_End)
    window.show_found(Found("disk", (), (Hit("m9", talk(last="disk!")), *FOUND.messages), more=True))
    assert found.found.lines[found.currentIndex().row()].place == ("u4", "m3")
    assert shown(found)[0] == "Messages, the newest 3"


def test_the_words_are_marked_in_each_row(window: MainWindow, found: FoundList) -> None:
    picture = found.grab().toImage()
    mark = theme.colours().color("accent").rgb()

    def marked(number: int) -> bool:
        row = found.visualRect(found.found.index(number)).adjusted(76, 0, -60, 0)
        return any(
            picture.pixel(x, y) == mark for x in range(row.left(), row.right()) for y in range(row.top(), row.bottom())
        )

    assert [marked(number) for number in range(1, 5)] == [False, False, True, True]


# -- with a store behind it ---------------------------------------------------------------------------------------


@pytest.fixture
def told() -> list[on.Event]:
    return []


@pytest.fixture
def desk(tmp_path: Path, told: list[on.Event], qtbot: QtBot) -> Iterator[MainWindow]:
    """The window on a store with 6,000 messages of Maria; all unread, the 31st says "needle"."""
    store = Store(tmp_path / "account.db", ME.id, Words())
    bodies = [f"message {n}" + (" with a Ｎeedle" if n == 30 else "") for n in range(6000)]
    arrived = tuple(
        do.Arrived(f"m{n}", n + 1, NOON, MARIA.id, Message(sender=MARIA, to=[ME], body=body), mine=False, unread=True)
        for n, body in enumerate(bodies)
    )
    store.apply(do.ApplyEvents("e1", len(arrived), arrived, ()))
    window = MainWindow()
    qtbot.addWidget(window)
    presenter = Presenter(
        lambda: window,
        told.append,
        lambda ms, call: QTimer.singleShot(ms, window, call),
        lambda error: pytest.fail(str(error)),
    )
    presenter.bind(store, Pages(store, ME, Words()))
    presenter.show_status(ONLINE)
    presenter.open()
    qtbot.waitUntil(window.isActiveWindow)
    yield window
    presenter.close()
    store.close()


def test_going_to_a_message_shows_it_and_reads_nothing_else(
    desk: MainWindow, told: list[on.Event], qtbot: QtBot
) -> None:
    qtbot.keyClick(desk, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    field = part(desk, SearchField)
    qtbot.keyClicks(field, "nEEDLE")
    found = part(desk, FoundList)
    qtbot.waitUntil(lambda: shown(found) == ["Messages", "Maria Garcia"], timeout=20_000)
    qtbot.keyClick(field, Qt.Key.Key_Down)
    qtbot.keyClick(found, Qt.Key.Key_Return)
    messages = part(desk, MessageList)

    def seen() -> set[str]:
        return {key for event in told if isinstance(event, on.Looking) for key in event.seen}

    qtbot.waitUntil(lambda: "m30" in seen())
    there = messages.visualRect(messages.messages.index(messages.messages.row_of("m30") or 0))
    assert messages.viewport().rect().contains(there)
    assert seen() <= {f"m{n}" for n in range(20, 41)}
    assert found.isVisible(), "the next hit is one key away"
    accent = theme.colours().color("accent").rgb()
    picture = messages.viewport().grab(there).toImage()
    assert any(picture.pixel(x, there.height() // 4) == accent for x in range(picture.width())), "it is marked"
