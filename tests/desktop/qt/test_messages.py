"""The message list: hostile texts, ten thousand messages, a place that stays still, and everything by keyboard."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QAccessible, QGuiApplication, QImage
from pytestqt.qtbot import QtBot

from deskbell_desktop.core.views import Delivery, MessageView
from deskbell_desktop.qt.bubble import BRIEF_CHARS, Bubble
from deskbell_desktop.qt.message_list import MessageList
from deskbell_desktop.qt.text_block import Spot
from tests.desktop.qt.conftest import MINUTE, NOON, Browser, said, wrote
from tests.texts import LINKS

BLOCK_S = 0.050

HOSTILE = {
    "bold": "<b>bold</b> <script>alert(1)</script>",
    "local image": '<img src="file:///etc/passwd">',
    "nested tables": "<table><tr><td>" * 4000,
    "override": "invoice \u202efdp.exe\u202c end",
    "emoji": "👩‍👩‍👧‍👦🏳️‍🌈🛎️" * 400,
    "chinese": "好的，我下午看一下。" * 1600,
    "one long line": "x" * 200_000,
    "spaces": " " * 200_000 + "x",
    "lines": "\n" * 16_000 + "x",
    "stacked accents": ("e" + "\u0301" * 40) * 380,
    "arabic": "السلام عليكم ورحمة الله " * 700,
    "markdown": "[a](http://a) " * 1200,
    "links": "https://example.org/ " * 780,
    "brackets": "https://example.org/" + "(" * 16_000,
    "controls": "a\x00b\x07c\x1b[31md\ud800e",
    "tabs": "\t" * 16_000,
}


@pytest.fixture
def messages(qtbot: QtBot) -> Iterator[MessageList]:
    view = MessageList()
    view.resize(672, 480)
    qtbot.addWidget(view)
    view.show()
    qtbot.waitExposed(view)
    yield view
    view.hide()


def show(view: MessageList, what: list[MessageView], *, has_older: bool = False) -> None:
    view.show_conversation(what, named=False, has_older=has_older)


def picture(view: MessageList) -> QImage:
    return view.viewport().grab().toImage()


def seconds(work: Callable[[], object]) -> float:
    """The best of three, in a processor's time: this machine is shared, and the best is what the work costs."""
    best = 1e9
    for _attempt in range(3):
        began = time.process_time()
        work()
        best = min(best, time.process_time() - began)
    return best


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_text_is_only_text_and_quick(name: str, messages: MessageList, qtbot: QtBot) -> None:
    show(messages, [said(1, HOSTILE[name])])
    picture(messages)  # fonts are loaded once

    def afresh() -> None:
        show(messages, [said(1, HOSTILE[name])])
        picture(messages)

    assert seconds(afresh) < BLOCK_S

    def whole() -> None:
        show(messages, [said(1, HOSTILE[name])])
        messages.show_whole(0)
        picture(messages)

    assert seconds(whole) < 4 * BLOCK_S  # asked for by a click, and more than any server lets through
    assert messages.bubble(0).box.width() <= 672


def test_markup_is_not_read(messages: MessageList) -> None:
    show(messages, [said(1, "<b>x</b>")])
    shown = [block.text for block, _at in messages.bubble(0)._inside]
    assert shown == ["<b>x</b>"]


def test_an_override_does_not_turn_what_follows(messages: MessageList) -> None:
    show(messages, [said(1, HOSTILE["override"])])
    (body,) = [block.text for block, _at in messages.bubble(0)._inside]
    assert body == "invoice fdp.exe end"


# -- many ---------------------------------------------------------------------------------------------------------


def many(count: int) -> list[MessageView]:
    return [said(number, f"Message {number} " + "with some more words " * (number % 7)) for number in range(count)]


def test_ten_thousand_messages_are_shown_at_once(messages: MessageList) -> None:
    what = many(10_000)
    assert seconds(lambda: show(messages, what)) < 3 * BLOCK_S  # ten thousand rows are made, once
    assert seconds(lambda: picture(messages)) < BLOCK_S
    assert len(messages._bubbles) < 40
    assert messages.verticalScrollBar().value() == messages.verticalScrollBar().maximum()


def test_scrolling_through_ten_thousand_is_fluid(messages: MessageList) -> None:
    show(messages, many(10_000))
    bar = messages.verticalScrollBar()
    took = []
    for step in range(60):
        began = time.process_time()
        bar.setValue(bar.maximum() - step * 6000)
        picture(messages)
        took.append(time.process_time() - began)
    assert sorted(took)[-6] < 2 * BLOCK_S, "but for a few steps in which the machine did something else"
    assert len(messages._bubbles) <= 200


def test_a_thousand_arrivals_never_stop_the_window(messages: MessageList) -> None:
    what = many(10_000)
    show(messages, what[:9000])
    costs = []
    for number in range(9000, 10_000, 4):
        began = time.process_time()
        messages.show_messages(what[: number + 4], named=False, has_older=False)
        costs.append(time.process_time() - began)
    picture(messages)
    assert sorted(costs)[len(costs) // 2] < BLOCK_S
    assert messages.verticalScrollBar().value() == messages.verticalScrollBar().maximum()  # the end is followed


# -- the place being read -----------------------------------------------------------------------------------------


def test_the_place_stays_when_messages_arrive_below_and_above(messages: MessageList) -> None:
    what = many(600)
    show(messages, what[200:400])
    bar = messages.verticalScrollBar()
    bar.setValue(bar.maximum() // 2)
    picture(messages)
    top = messages.indexAt(QPoint(5, 5))
    key, offset = messages.messages.rows[top.row()].message.key, messages.visualRect(top).top()
    messages.show_messages(what[200:500], named=False, has_older=False)
    messages.show_messages(what[:500], named=False, has_older=False)
    row = messages.messages.row_of(key)
    assert row is not None
    assert messages.visualRect(messages.messages.index(row)).top() == offset


def test_every_row_is_where_it_is_said_to_be_after_any_scrolling(messages: MessageList) -> None:
    show(messages, many(300))
    bar = messages.verticalScrollBar()
    for value in (0, bar.maximum() // 3, bar.maximum(), 0, bar.maximum() // 2):
        bar.setValue(value)
        picture(messages)
        y = 2
        while y < messages.viewport().height():
            index = messages.indexAt(QPoint(3, y))
            if not index.isValid():
                break
            rect = messages.visualRect(index)
            assert rect.top() <= y <= rect.bottom()
            assert rect.height() == messages.bubble(index.row()).height
            y = rect.bottom() + 1


def test_older_ones_are_asked_for_once_when_the_top_is_near(messages: MessageList) -> None:
    asked: list[int] = []
    messages.older_requested.connect(lambda: asked.append(1))
    what = many(400)
    show(messages, what[200:], has_older=True)
    assert asked == []
    messages.verticalScrollBar().setValue(0)
    messages.verticalScrollBar().setValue(10)
    assert asked == [1]
    messages.show_messages(what, named=False, has_older=True)
    messages.verticalScrollBar().setValue(0)
    assert asked == [1, 1]
    messages.show_messages(what, named=False, has_older=False)
    assert asked == [1, 1]


def test_a_message_is_found_and_brought_into_sight(messages: MessageList) -> None:
    show(messages, many(1000))
    messages.focus_message("m17")
    rect = messages.visualRect(messages.currentIndex())
    assert messages.currentIndex().row() == 17
    assert rect.top() >= 0
    assert rect.bottom() <= messages.viewport().height()
    messages.focus_message("unknown")
    assert messages.currentIndex().row() == 17


def test_a_narrower_window_breaks_lines_anew(messages: MessageList, qtbot: QtBot) -> None:
    show(messages, [said(1, "many words " * 40)])
    wide = messages.bubble(0).height
    messages.resize(360, 480)
    assert messages.bubble(0).height > wide


# -- days, names, states ------------------------------------------------------------------------------------------


def test_each_day_is_named_once_and_senders_in_a_group(messages: MessageList) -> None:
    day = 24 * 60 * MINUTE
    what = [said(1), said(2), said(3, at=NOON + 2 * day)]
    messages.show_conversation(what, named=True, has_older=False)
    assert [row.first_of_day for row in messages.messages.rows] == [True, False, True]
    assert [row.named for row in messages.messages.rows] == [True, False, True]


@pytest.mark.parametrize(
    ("state", "problem", "words"),
    [
        (Delivery.SENT, "", "Sent"),
        (Delivery.SENDING, "", "Sending…"),
        (Delivery.FAILED, "", "Not sent.  Try\u00a0again  Discard"),
        (
            Delivery.FAILED,
            "Not sent: nobody is called bob.",
            "Not sent: nobody is called bob.  Try\u00a0again  Discard",
        ),
    ],
)
def test_the_state_stands_in_words(state: Delivery, problem: str, words: str, messages: MessageList) -> None:
    show(messages, [wrote(1, "Yes", state, problem)])
    assert messages.bubble(0)._meta.text.endswith(words)


def test_what_goes_to_several_says_to_whom(messages: MessageList) -> None:
    show(messages, [replace(wrote(1, "Yes", Delivery.SENDING), to=("bob", "陈晓明"))])
    assert messages.bubble(0)._meta.text.endswith(" · To bob, 陈晓明 · Sending…")
    spoken = messages.messages.data(messages.messages.index(0), Qt.ItemDataRole.AccessibleTextRole)
    assert ", To bob, 陈晓明, Sending…: Yes" in str(spoken)


def test_what_became_of_it_stands_under_its_bubble_in_each_line(messages: MessageList) -> None:
    show(messages, [wrote(1, "Yes", Delivery.FAILED, "Not sent. " + "The server is busy. " * 9)])
    bubble = messages.bubble(0)
    layout = bubble._meta._layout
    lines = [layout.lineAt(number).naturalTextRect() for number in range(layout.lineCount())]
    assert len(lines) > 1
    assert all(abs(line.right() + bubble._meta_at.x() + 4 - bubble.box.right()) < 2 for line in lines)


def test_what_was_not_sent_is_retried_or_discarded(messages: MessageList, qtbot: QtBot) -> None:
    show(messages, [wrote(1, "Yes", Delivery.FAILED)])
    retry, discard = messages.bubble(0).spots()
    with qtbot.waitSignal(messages.retry_requested) as tried:
        click(messages, retry, qtbot)
    with qtbot.waitSignal(messages.discard_requested) as dropped:
        click(messages, discard, qtbot)
    assert (tried.args, dropped.args) == (["m1"], ["m1"])
    messages.setCurrentIndex(messages.messages.index(0))
    with qtbot.waitSignal(messages.retry_requested):
        qtbot.keyClick(messages, Qt.Key.Key_Return)
    with qtbot.waitSignal(messages.discard_requested):
        qtbot.keyClick(messages, Qt.Key.Key_Delete)


# -- links --------------------------------------------------------------------------------------------------------


def click(view: MessageList, spot: Spot, qtbot: QtBot) -> None:
    """Click in the middle of a stretch of text, wherever its bubble put it."""
    point = place_of(view.bubble(0), spot)
    top = view.visualRect(view.messages.index(0)).top()
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(round(point.x()), round(point.y()) + top))


def place_of(bubble: Bubble, spot: Spot) -> QPointF:
    for y in range(0, bubble.height, 3):
        for x in range(0, 672, 3):
            if bubble.spot_at(QPointF(x, y)) == spot:
                return QPointF(x + 1, y + 1)
    raise AssertionError(f"{spot} is nowhere")


def test_only_web_links_open_and_where_they_say(messages: MessageList, browser: Browser, qtbot: QtBot) -> None:
    body = "see https://example.org/menu, file:///etc/passwd javascript:alert(1) https://a@evil.test/ HTTP://x.test"
    show(messages, [said(1, body)])
    spots = messages.bubble(0).spots()
    assert [body[spot.start : spot.end] for spot in spots] == ["https://example.org/menu", "HTTP://x.test"]
    click(messages, spots[0], qtbot)
    assert browser.opened == ["https://example.org/menu"]


@pytest.mark.parametrize("before", ["", "🛎️ ", "🏴󠁧󠁢󠁥󠁮󠁧󠁿👩‍👩‍👧‍👦𠮷🛎️🛎️🛎️🛎️ ", "好🛎️\n"])
def test_a_link_is_clicked_where_it_is_drawn(before: str, messages: MessageList) -> None:
    body = f"{before}http://one.test/ http://two.test/"
    show(messages, [said(1, body)])
    bubble = messages.bubble(0)
    ((block, at),) = bubble._inside
    line = block._layout.lineAt(block._layout.lineCount() - 1)
    qt_text = block._layout.text().encode("utf-16-le")
    for mark, url in zip(block._layout.formats(), ("http://one.test/", "http://two.test/"), strict=True):
        assert qt_text[2 * mark.start : 2 * (mark.start + mark.length)].decode("utf-16-le") == url
        edges = [line.cursorToX(edge)[0] for edge in (mark.start, mark.start + mark.length)]  # type: ignore[index]
        for x in (edges[0] + 1, edges[1] - 1):
            spot = bubble.spot_at(at + QPointF(x, line.y() + 5))
            assert (spot and spot.value) == url


@pytest.mark.parametrize("name", LINKS)
def test_what_is_drawn_as_a_link_opens(name: str, messages: MessageList, browser: Browser) -> None:
    raw, links = LINKS[name]
    show(messages, [said(1, raw)])
    spots = messages.bubble(0).spots()
    assert [spot.value for spot in spots] == [url for _, url, _ in links]
    for spot in spots:
        messages._act(spot, 0)
    assert browser.opened == [QUrl(url).toString() for _, url, _ in links]


@pytest.mark.parametrize("left", [0, 5, 18, 19, 20])
def test_a_link_that_the_fold_cuts_is_none_until_it_is_unfolded(left: int, messages: MessageList) -> None:
    url = "https://one.test/a.b"
    show(messages, [said(1, f"{'x' * (BRIEF_CHARS - left - 1)} {url} more")])
    whole = [url] if left == len(url) else []
    assert [spot.value for spot in messages.bubble(0).spots() if spot.action == "link"] == whole
    messages.show_whole(0)
    assert [spot.value for spot in messages.bubble(0).spots()] == [url]


def test_links_are_reached_by_keyboard_and_copied(messages: MessageList, browser: Browser, qtbot: QtBot) -> None:
    show(messages, [said(1, "https://example.org/menu")])
    messages.setCurrentIndex(messages.messages.index(0))
    qtbot.keyClick(messages, Qt.Key.Key_Return)
    assert browser.opened == ["https://example.org/menu"]
    menu = messages._menu(0, None)
    words = [action.text() for action in menu.actions() if action.text()]
    assert words == ["Copy", "Open https://example.org/menu", "Copy the address"]
    menu.actions()[-1].trigger()
    assert QGuiApplication.clipboard().text() == "https://example.org/menu"


def test_copying_takes_all_of_a_long_message(messages: MessageList, qtbot: QtBot) -> None:
    body = "0123456789" * 1600
    show(messages, [said(1, body)])
    messages.setCurrentIndex(messages.messages.index(0))
    qtbot.keyClick(messages, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == body


def test_a_long_message_is_unfolded_by_a_click(messages: MessageList, qtbot: QtBot) -> None:
    show(messages, [said(1, "line\n" * 100)])
    folded = messages.bubble(0).height
    (more,) = messages.bubble(0).spots()
    messages.verticalScrollBar().setValue(messages.verticalScrollBar().maximum())
    click(messages, more, qtbot)
    assert messages.bubble(0).height > 3 * folded


# -- keyboard and screen readers ----------------------------------------------------------------------------------


def test_arrows_walk_through_the_messages(messages: MessageList, qtbot: QtBot) -> None:
    show(messages, many(50))
    messages.setFocus()
    keys = [(Qt.Key.Key_Up, 49), (Qt.Key.Key_Up, 48), (Qt.Key.Key_Home, 0), (Qt.Key.Key_Down, 1), (Qt.Key.Key_End, 49)]
    for key, row in keys:
        qtbot.keyClick(messages, key)
        assert messages.currentIndex().row() == row
        rect = messages.visualRect(messages.currentIndex())
        assert rect.top() >= 0
        assert rect.bottom() <= messages.viewport().height()


def test_a_screen_reader_is_told_who_said_what(messages: MessageList) -> None:
    show(messages, [said(1, "Lunch?"), wrote(2, "Yes", Delivery.SENT)])
    interface = QAccessible.queryAccessibleInterface(messages)
    assert interface is not None
    assert interface.childCount() >= 2
    spoken = [
        messages.messages.data(messages.messages.index(row), Qt.ItemDataRole.AccessibleTextRole) for row in (0, 1)
    ]
    assert str(spoken[0]).startswith("Maria Garcia, ")
    assert str(spoken[0]).endswith(": Lunch?")
    assert ", Sent: Yes" in str(spoken[1])
    assert str(spoken[1]).startswith("You, ")


def test_a_changed_state_is_drawn(messages: MessageList) -> None:
    sending = wrote(1, "Yes", Delivery.SENDING)
    show(messages, [sending])
    before = picture(messages)
    messages.show_messages([replace(sending, key="id", state=Delivery.SENT)], named=False, has_older=False)
    assert picture(messages) != before
    assert messages.bubble(0)._meta.text.endswith("Sent")
