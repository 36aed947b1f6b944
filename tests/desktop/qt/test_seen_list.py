"""What stands in the view, by the pixel: only that is seen, and the view waits for who has not seen the rest."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from jeepney import DBusAddress, new_signal
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from deskbell_desktop.core import events as on
from deskbell_desktop.core.views import MessageView
from deskbell_desktop.qt.message_list import MessageList
from deskbell_desktop.qt.pane import ConversationPane
from deskbell_desktop.qt.screen_lock import ScreenLock
from deskbell_desktop.qt.seen_list import View
from deskbell_desktop.qt.session_bus import SessionBus
from deskbell_desktop.qt.window import MainWindow
from tests.desk.bus import Bus
from tests.desk.processes import Child
from tests.desktop.qt.conftest import ONLINE, OPS, said, talk


@pytest.fixture
def messages(qtbot: QtBot) -> Iterator[MessageList]:
    view = MessageList()
    view.resize(672, 480)
    qtbot.addWidget(view)
    view.show()
    qtbot.waitExposed(view)
    view.watched = True
    yield view
    view.hide()


def many(count: int, lines: int = 1) -> list[MessageView]:
    return [said(number, "\n".join([f"Message {number}"] * lines)) for number in range(count)]


def keys(first: int, end: int) -> tuple[str, ...]:
    return tuple(f"m{number}" for number in range(first, end))


def open_at(messages: MessageList, what: list[MessageView], unread: tuple[str, ...], qtbot: QtBot) -> None:
    messages.show_conversation(what, named=False, has_older=False, unread=unread)
    painted(messages, qtbot)


def show(messages: MessageList, what: list[MessageView], unread: tuple[str, ...], qtbot: QtBot) -> None:
    messages.show_messages(what, named=False, has_older=False, unread=unread)
    painted(messages, qtbot)


def painted(messages: MessageList, qtbot: QtBot) -> None:
    messages.viewport().grab()
    qtbot.waitUntil(lambda: not messages._painted.isActive())


def top_of(messages: MessageList, key: str) -> int:
    """Where its bubble begins, from the top of the view."""
    number = messages.messages.row_of(key)
    assert number is not None
    return messages.visualRect(messages.messages.index(number)).top() + round(messages.bubble(number).box.top())


def lines_above(messages: MessageList) -> list[str]:
    return [row.message.key for row in messages.messages.rows if row.under_line]


def pill(messages: MessageList) -> QPushButton:
    (found,) = messages.findChildren(QPushButton)
    return found


# -- opening ------------------------------------------------------------------------------------------------------


def test_without_unread_messages_a_conversation_opens_at_its_end(messages: MessageList, qtbot: QtBot) -> None:
    open_at(messages, many(60), (), qtbot)
    assert messages.verticalScrollBar().value() == messages.verticalScrollBar().maximum()
    assert messages.view.at_end
    assert lines_above(messages) == []
    assert not pill(messages).isVisible()


def test_it_opens_at_the_first_unread_message_under_a_line(messages: MessageList, qtbot: QtBot) -> None:
    open_at(messages, many(2000), keys(300, 2000), qtbot)
    assert lines_above(messages) == ["m300"]
    assert 0 < top_of(messages, "m300") < 120
    assert not messages.view.at_end
    seen = messages.view.seen
    assert seen == keys(300, 300 + len(seen))
    assert 3 <= len(seen) <= 10
    assert pill(messages).isVisible()
    assert pill(messages).text() == f"↓ {1700 - len(seen)} new"
    assert len(messages._bubbles) < 40  # as lazy as ever


def test_a_few_unread_ones_that_fit_are_shown_with_the_end(messages: MessageList, qtbot: QtBot) -> None:
    open_at(messages, many(60), keys(57, 60), qtbot)
    assert messages.view == View(True, keys(57, 60), ())
    assert lines_above(messages) == ["m57"]


def test_the_line_stays_while_its_messages_are_read_and_goes_with_the_conversation(
    messages: MessageList, qtbot: QtBot
) -> None:
    open_at(messages, many(60), keys(57, 60), qtbot)
    messages.show_unread(())
    show(messages, many(61), (), qtbot)
    assert lines_above(messages) == ["m57"]
    messages.verticalScrollBar().setValue(300)
    show(messages, many(63), keys(61, 63), qtbot)
    assert lines_above(messages) == ["m61"]  # what was new once is so no more
    messages.show_unread(())
    open_at(messages, many(63), (), qtbot)
    assert lines_above(messages) == []


# -- what is seen -------------------------------------------------------------------------------------------------


def test_a_message_counts_as_seen_when_its_whole_bubble_stands_in_the_view(messages: MessageList, qtbot: QtBot) -> None:
    what = [*many(60), said(60, "four\nlines\nof\ntext")]
    open_at(messages, what, (), qtbot)
    messages.show_unread(("m60",))
    bar = messages.verticalScrollBar()
    number = len(what) - 1
    below = messages.bubble(number).height - round(messages.bubble(number).box.bottom()) + 8
    bar.setValue(bar.maximum() - below)  # its lower edge on that of the view
    painted(messages, qtbot)
    assert messages.view == View(False, ("m60",), ())
    bar.setValue(bar.maximum() - below - 4)
    painted(messages, qtbot)
    assert messages.view == View(False, (), (number,))


def test_one_taller_than_the_view_is_seen_by_any_part_that_fills_half_of_it(
    messages: MessageList, qtbot: QtBot
) -> None:
    messages.resize(672, 240)
    open_at(messages, [*many(9), said(9, "a line\n" * 23)], (), qtbot)
    messages.show_unread(("m9",))
    bar = messages.verticalScrollBar()
    seen = {}
    for offset in (-200, -100, 0, 100):
        bar.setValue(bar.value() + top_of(messages, "m9") + offset)
        painted(messages, qtbot)
        seen[offset] = messages.view.seen
    assert seen == {-200: (), -100: ("m9",), 0: ("m9",), 100: ("m9",)}


def test_scrolling_sees_one_after_the_other(messages: MessageList, qtbot: QtBot) -> None:
    open_at(messages, many(200), keys(100, 200), qtbot)
    seen: set[str] = set()
    bar = messages.verticalScrollBar()
    while bar.value() < bar.maximum():
        seen.update(messages.view.seen)
        bar.setValue(bar.value() + 200)
        painted(messages, qtbot)
    assert seen | set(messages.view.seen) == set(keys(100, 200))
    assert not pill(messages).isVisible()


# -- what arrives -------------------------------------------------------------------------------------------------


def test_the_end_is_followed_as_long_as_the_first_new_one_stays_in_sight(messages: MessageList, qtbot: QtBot) -> None:
    open_at(messages, many(60), (), qtbot)
    show(messages, many(61), ("m60",), qtbot)
    assert messages.view == View(True, ("m60",), ())
    assert lines_above(messages) == []  # one is looking at it
    show(messages, many(120), keys(60, 120), qtbot)
    assert 0 < top_of(messages, "m60") < 60
    seen = messages.view.seen
    assert seen == keys(60, 60 + len(seen))
    assert not messages.view.at_end
    assert pill(messages).text() == f"↓ {60 - len(seen)} new"


def test_what_arrives_one_by_one_before_unwatching_eyes_waits_too(messages: MessageList, qtbot: QtBot) -> None:
    messages.watched = False
    open_at(messages, many(60), (), qtbot)
    for count in range(61, 100):
        show(messages, many(count), keys(60, count), qtbot)
    assert 0 < top_of(messages, "m60") < 120
    assert lines_above(messages) == ["m60"]


def test_scrolled_up_nothing_moves_and_a_line_marks_what_came(messages: MessageList, qtbot: QtBot) -> None:
    open_at(messages, many(60), (), qtbot)
    messages.verticalScrollBar().setValue(300)
    painted(messages, qtbot)
    show(messages, many(62), keys(60, 62), qtbot)
    assert messages.verticalScrollBar().value() == 300
    assert messages.view.seen == ()
    assert lines_above(messages) == ["m60"]
    assert pill(messages).text() == "↓ 2 new"
    assert pill(messages).accessibleName() == "New messages below: 2"


def test_older_unread_ones_above_do_not_pull_the_view_up(messages: MessageList, qtbot: QtBot) -> None:
    open_at(messages, many(60), keys(5, 60), qtbot)
    messages.verticalScrollBar().setValue(messages.verticalScrollBar().maximum())
    painted(messages, qtbot)
    messages.show_unread(keys(5, 50))
    show(messages, many(61), (*keys(5, 50), "m60"), qtbot)
    assert messages.view == View(True, ("m60",), ())


@pytest.mark.parametrize("how", ["mouse", "keyboard"])
def test_the_pill_goes_to_the_first_new_one(how: str, messages: MessageList, qtbot: QtBot) -> None:
    open_at(messages, many(60), (), qtbot)
    messages.verticalScrollBar().setValue(0)
    show(messages, many(120), keys(60, 120), qtbot)
    if how == "mouse":
        qtbot.mouseClick(pill(messages), Qt.MouseButton.LeftButton)
    else:
        pill(messages).setFocus()
        qtbot.keyClick(pill(messages), Qt.Key.Key_Space)
    painted(messages, qtbot)
    assert 0 < top_of(messages, "m60") < 120
    assert messages.view.seen[0] == "m60"
    messages.setFocus()
    qtbot.keyClick(messages, Qt.Key.Key_End)
    painted(messages, qtbot)
    assert messages.view.at_end
    assert not pill(messages).isVisible()


# -- the window around it -----------------------------------------------------------------------------------------


@pytest.fixture
def looks(window: MainWindow, qtbot: QtBot) -> list[on.Looking]:
    """What the window told, the last at the end."""
    looks: list[on.Looking] = []
    window.looked.connect(looks.append)
    return looks


def test_the_window_tells_what_it_shows_and_nothing_of_what_it_showed(
    window: MainWindow, looks: list[on.Looking], qtbot: QtBot
) -> None:
    window.show_messages(talk(), many(60), has_older=False, unread=keys(0, 60))
    qtbot.waitUntil(lambda: bool(looks[-1:]) and looks[-1].seen[:1] == ("m0",))
    assert not looks[-1].at_end
    window.show_messages(talk(OPS), many(60), has_older=False, unread=keys(59, 60), focus="m3")
    qtbot.waitUntil(lambda: looks[-1].conversation == "u4" and not looks[-1].at_end)
    qtbot.wait(50)  # nothing may follow: there is no condition for that
    assert {key for look in looks if look.conversation == "u4" for key in look.seen} == set()


def test_an_answer_is_shown_though_one_had_scrolled_up_and_not_read_the_rest(window: MainWindow, qtbot: QtBot) -> None:
    (seen,) = window.findChildren(MessageList)

    def at_end(*more: MessageView) -> bool:
        window.show_messages(talk(), [*many(600), *more], has_older=False, unread=keys(300, 600))
        painted(seen, qtbot)
        return seen.view.at_end

    mine, elsewhere = (replace(said(number, "An answer"), mine=True) for number in (601, 602))
    assert not at_end()
    window.findChildren(ConversationPane)[0].box.submitted.emit("An answer")
    assert not at_end(said(600, "from somebody else"))
    assert at_end(mine)
    seen.verticalScrollBar().setValue(0)
    assert not at_end(mine, elsewhere)


def test_a_window_that_has_not_the_focus_sees_nothing_until_it_has_it_again(
    window: MainWindow, looks: list[on.Looking], qtbot: QtBot
) -> None:
    other = QPushButton("another window")
    qtbot.addWidget(other)
    other.show()
    other.activateWindow()
    qtbot.waitUntil(lambda: not window.isActiveWindow())
    window.show_messages(talk(), many(3), has_older=False, unread=keys(0, 3))
    painted(window.findChildren(MessageList)[0], qtbot)
    assert looks[-1] == on.Looking(None)
    window.activateWindow()
    qtbot.waitUntil(lambda: looks[-1] == on.Looking("u1", at_end=True, seen=keys(0, 3)))


GRABS = """
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QWidget
app = QApplication([])
lock = QWidget(None, Qt.WindowType.BypassWindowManagerHint)
lock.showFullScreen()
lock.grabKeyboard()
app.exec()
"""


@pytest.mark.screen
def test_behind_a_lock_that_takes_the_keyboard_nothing_is_seen(
    window: MainWindow, looks: list[on.Looking], folder: Path, qtbot: QtBot
) -> None:
    with Child([sys.executable, "-c", GRABS], folder / "lock.log"):
        qtbot.waitUntil(lambda: looks[-1:] == [on.Looking(None)], timeout=15_000)


@pytest.mark.parametrize("desktop", ["freedesktop", "gnome", "cinnamon"])
def test_behind_a_lock_that_says_so_nothing_is_seen(desktop: str, bus: Bus, qtbot: QtBot) -> None:
    looks: list[on.Looking] = []

    def say(active: bool) -> None:
        saver = DBusAddress("/ScreenSaver", interface=f"org.{desktop}.ScreenSaver")
        with bus.connect() as connection:
            connection.send(new_signal(saver, "ActiveChanged", "b", (active,)))

    session = SessionBus(bus.address)
    lock = ScreenLock(session, QApplication.instance())  # type: ignore[arg-type]
    try:
        with qtbot.waitSignal(session.ready, timeout=20_000):
            session.open()
        window = MainWindow()
        qtbot.addWidget(window)
        window.looked.connect(looks.append)
        window.show_status(ONLINE)
        window.show_messages(talk(), many(3), has_older=False, unread=keys(0, 3))
        window.open()
        seen = on.Looking("u1", at_end=True, seen=keys(0, 3))
        qtbot.waitUntil(lambda: looks[-1:] == [seen])
        say(True)
        qtbot.waitUntil(lambda: looks[-1] == on.Looking(None))
        say(False)
        qtbot.waitUntil(lambda: looks[-1] == seen)
    finally:
        session.close()
        lock.setParent(None)
