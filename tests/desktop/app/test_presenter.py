"""The window on a real store: where it opens, how deep it reads, and what is there again after a restart."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtWidgets import QApplication, QLineEdit, QListWidget
from pytestqt.qtbot import QtBot

from deskbell_desktop.core import effects as do
from deskbell_desktop.core import events as on
from deskbell_desktop.core.views import Link, StatusView
from deskbell_desktop.core.words import Words
from deskbell_desktop.io.pages import Pages
from deskbell_desktop.io.store import Store
from deskbell_desktop.io.store_file import StoreError
from deskbell_desktop.presenter import PAGE, UNREAD_DEPTH, Presenter
from deskbell_desktop.qt import language, theme
from deskbell_desktop.qt.compose import PARTY, ComposePage
from deskbell_desktop.qt.conversation_list import ConversationList
from deskbell_desktop.qt.message_list import MessageList
from deskbell_desktop.qt.reply_box import Editor
from deskbell_desktop.qt.window import MainWindow
from deskbell_protocol.wire import Message, Party
from tests.fakes import BOB, CHEN, ME

AT = 1_760_000_000_000


class Life:
    """The program's window from a start to an end. What it tells the session is in `told`."""

    def __init__(self, path: Path) -> None:
        self.told: list[on.Event] = []
        self.windows: list[MainWindow] = []
        self.store = Store(path, ME.id, Words())
        self.presenter = Presenter(self._make, self.told.append, self._later, self._on_error)
        self.presenter.bind(self.store, Pages(self.store, ME, Words()))
        self.presenter.show_status(StatusView(Link.ONLINE, "https://desk.example.org", "maria"))

    def _make(self) -> MainWindow:
        self.windows.append(MainWindow())
        return self.windows[-1]

    def _later(self, milliseconds: int, call: Callable[[], None]) -> None:
        QTimer.singleShot(milliseconds, call)

    def _on_error(self, error: StoreError) -> None:
        raise error

    def open(self) -> MainWindow:
        self.presenter.open()
        return self.windows[-1]

    @property
    def seen(self) -> list[str]:
        return [id_ for event in self.told if isinstance(event, on.Looking) for id_ in event.seen]

    def end(self) -> None:
        self.presenter.unbind()
        self.presenter.close()
        self.store.close()


@pytest.fixture
def live(tmp_path: Path, qapp: QApplication) -> Iterator[Callable[[], Life]]:
    """Starts the program, again and again on the same store."""
    language.apply(qapp, "en_GB")
    theme.apply(qapp, "light")
    lives: list[Life] = []

    def start() -> Life:
        if lives:
            lives[-1].end()
        lives.append(Life(tmp_path / "profile" / "account.db"))
        return lives[-1]

    yield start
    lives[-1].end()


def fill(store: Store, count: int, unread: int, sender: Party = BOB) -> None:
    """`count` messages, the last `unread` of them not seen yet."""
    messages = tuple(
        do.Arrived(
            f"{sender.name}{n}",
            n,
            AT + n,
            sender.id,
            Message(sender=sender, to=[ME], body=f"{n}"),
            False,
            n > count - unread,
        )
        for n in range(1, count + 1)
    )
    store.apply(do.ApplyEvents("e1", count, messages))


@pytest.mark.screen
def test_size_place_and_conversation_are_there_again_and_nothing_is_read_by_that(
    live: Callable[[], Life], qtbot: QtBot
) -> None:
    first = live()
    fill(first.store, 200, 0)
    fill(first.store, 3, 0, CHEN)
    window = first.open()
    qtbot.waitExposed(window)
    window.resize(801, 555)
    window.move(77, 66)
    window.conversation_selected.emit(BOB.id)
    qtbot.waitUntil(lambda: window.pos() == QPoint(77, 66))
    second = live()
    fill(second.store, 260, 60)
    again = second.open()
    qtbot.waitExposed(again)
    assert (again.width(), again.height(), again.pos()) == (801, 555, QPoint(77, 66))
    assert again.current_conversation() == BOB.id
    qtbot.waitUntil(lambda: bool(second.seen))
    assert second.seen[0] == "bob201"
    assert "bob260" not in second.seen


def test_a_place_that_is_on_no_screen_is_not_used(live: Callable[[], Life], qtbot: QtBot) -> None:
    window = live().open()
    qtbot.waitExposed(window)
    window.move(20_000, 20_000)
    qtbot.waitUntil(lambda: window.x() > 10_000)
    again = live().open()
    qtbot.waitExposed(again)
    assert again.screen().availableGeometry().contains(again.geometry())


def test_a_window_that_was_never_opened_forgets_nothing(live: Callable[[], Life], qtbot: QtBot) -> None:
    first = live()
    fill(first.store, 3, 0)
    first.open().conversation_selected.emit(BOB.id)
    live()
    assert live().open().current_conversation() == BOB.id


def page_of(window: MainWindow) -> tuple[QLineEdit, Editor]:
    page = window.findChild(ComposePage)
    assert page is not None
    (to,), (editor,) = page.findChildren(QLineEdit), page.findChildren(Editor)
    return to, editor


def test_what_was_begun_for_somebody_comes_back_with_the_name_and_is_nobody_elses(
    live: Callable[[], Life], qtbot: QtBot
) -> None:
    first = live()
    first.presenter.compose()
    to, editor = page_of(first.windows[-1])
    qtbot.keyClicks(to, "chen")
    qtbot.keyClicks(editor, "For you alone")
    second = live()
    second.presenter.compose()
    window = second.windows[-1]
    to, editor = page_of(window)
    assert (to.text(), editor.text()) == ("chen", "For you alone")
    second.presenter.compose()  # Ctrl+N once more
    assert (to.text(), editor.text()) == ("chen", "For you alone")
    assert window.focusWidget() is editor
    window.compose(BOB)
    assert (to.text(), editor.text()) == ("bob", "")
    qtbot.keyClicks(editor, "Hi")
    window.compose()
    assert (to.text(), editor.text()) == ("chen", "For you alone")
    window.compose(BOB)
    assert (to.text(), editor.text()) == ("bob", "Hi")


def test_a_message_that_gets_another_name_leaves_nothing_with_the_first(live: Callable[[], Life], qtbot: QtBot) -> None:
    life = live()
    life.presenter.compose()
    window = life.windows[-1]
    to, editor = page_of(window)
    window.compose(BOB)
    qtbot.keyClicks(editor, "Hi")
    to.selectAll()
    qtbot.keyClicks(to, "chen")
    assert (to.text(), editor.text()) == ("chen", "Hi")
    qtbot.keyClicks(editor, "!")
    window.compose(BOB)
    assert (to.text(), editor.text()) == ("bob", "")
    again = live()
    again.presenter.compose()
    to, editor = page_of(again.windows[-1])
    assert (to.text(), editor.text()) == ("chen", "Hi!")


def test_a_message_that_gets_another_name_takes_no_other_along(live: Callable[[], Life], qtbot: QtBot) -> None:
    life = live()
    life.presenter.compose()
    window = life.windows[-1]
    to, editor = page_of(window)
    qtbot.keyClicks(to, "chen")
    qtbot.keyClicks(editor, "For you alone")
    window.compose(BOB)
    qtbot.keyClicks(editor, "Hi")
    qtbot.keyClicks(to, ",")
    assert editor.text() == "Hi"
    window.compose()
    assert (to.text(), editor.text()) == ("chen", "For you alone")
    window.compose(BOB)
    assert editor.text() == "Hi"


def test_what_came_while_something_else_was_on_the_right_is_there_afterwards(
    live: Callable[[], Life], qtbot: QtBot
) -> None:
    life = live()
    fill(life.store, 1, 0)
    window = life.open()
    window.conversation_selected.emit(BOB.id)
    messages = window.findChildren(MessageList)[0]
    life.presenter.compose()
    fill(life.store, 2, 1)
    with qtbot.waitSignal(window.findChildren(ConversationList)[0].model().dataChanged):
        life.presenter.changed(frozenset({BOB.id}))
    page_of(window)[0].setFocus()
    qtbot.keyClick(page_of(window)[0], Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: [row.message.key for row in messages.messages.rows] == ["bob1", "bob2"])


@pytest.mark.parametrize(("unread", "shown"), [(0, 50), (10, 50), (300, 305), (2600, UNREAD_DEPTH)])
def test_a_conversation_is_loaded_back_to_its_first_unread_message(
    unread: int, shown: int, live: Callable[[], Life], qtbot: QtBot
) -> None:
    life = live()
    fill(life.store, 3000, unread)
    window = life.open()
    window.conversation_selected.emit(BOB.id)
    messages = window.findChildren(MessageList)[0]
    assert shown <= len(messages.messages.rows) <= shown + 2 * PAGE  # more are asked for where the top is near
    below = [row.message.key for row in messages.messages.rows if row.under_line]
    assert below == ([f"bob{3000 - min(unread, shown) + 1}"] if unread else [])


def test_an_answer_on_a_popup_is_to_what_the_popup_showed(live: Callable[[], Life]) -> None:
    life = live()
    fill(life.store, 3, 3)
    life.presenter.reply(BOB.id, "Yes", "bob2")
    life.presenter.reply(BOB.id, "No")
    wrote = [event for event in life.told if isinstance(event, on.Wrote)]
    assert [(event.reply_to, event.on_popup) for event in wrote] == [("bob2", True), ("bob3", False)]


def test_what_is_read_is_counted_anew_without_touching_the_bubbles(live: Callable[[], Life], qtbot: QtBot) -> None:
    life = live()
    fill(life.store, 200, 100)
    window = life.open()
    window.conversation_selected.emit(BOB.id)
    messages = window.findChildren(MessageList)[0]
    rows = list(messages.messages.rows)
    qtbot.waitUntil(lambda: bool(life.seen))
    life.store.mark_read(life.seen)
    life.presenter.unread_changed()
    qtbot.waitUntil(lambda: messages.view.seen == ())
    assert all(one is other for one, other in zip(rows, messages.messages.rows, strict=True))


def test_the_first_window_of_an_account_comes_by_itself_and_only_once(live: Callable[[], Life]) -> None:
    first = live()
    first.presenter.welcome()
    (window,) = first.windows
    assert window.isVisible()
    first.end()
    again = live()
    again.presenter.welcome()
    assert again.windows == []


@pytest.mark.parametrize(("query", "found"), [("", [BOB]), (ME.name.upper(), [ME, BOB]), ("ｍａｒｉａ", [ME, BOB])])
def test_nobody_is_proposed_to_write_to_themselves(live: Callable[[], Life], query: str, found: list[Party]) -> None:
    """Whoever types the whole name of their own may."""
    life = live()
    life.presenter.compose()
    page_of(life.windows[0])[0].insert(query)  # QTest types no wide letters
    life.presenter.show_people(query, (ME, BOB), on.Account("https://desk.example.org", ME, ""))
    people = life.windows[0].findChild(QListWidget)
    assert people is not None
    assert [people.item(row).data(PARTY) for row in range(people.count())] == found


def test_what_is_composed_for_several_waits_with_the_first_of_them(live: Callable[[], Life]) -> None:
    life = live()
    fill(life.store, 3, 0)
    window = life.open()
    window.compose_requested.emit((BOB, CHEN), "Fire drill")
    (wrote,) = (event for event in life.told if isinstance(event, on.Wrote))
    assert (wrote.conversation, wrote.to, wrote.reply_to) == (BOB.id, ("bob", "陈晓明"), None)
    assert window.current_conversation() == BOB.id
