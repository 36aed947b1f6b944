"""The reading window as a whole: what it is given appears, what the person does comes out, by keyboard too."""

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QPushButton, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from deskbell_desktop.core import events as on
from deskbell_desktop.core.views import NEW, ConversationView, Delivery, Found, Link, StatusView
from deskbell_desktop.qt import theme
from deskbell_desktop.qt.compose import ComposePage
from deskbell_desktop.qt.conversation_list import ConversationList
from deskbell_desktop.qt.message_list import MessageList
from deskbell_desktop.qt.pages import Page
from deskbell_desktop.qt.reply_box import Editor
from deskbell_desktop.qt.side import SearchField
from deskbell_desktop.qt.window import MainWindow
from deskbell_protocol import limits
from deskbell_protocol.wire import Party
from tests.desktop.qt.conftest import MARIA, ONLINE, OPS, said, talk

CTRL = Qt.KeyboardModifier.ControlModifier
XIAOMING = Party("u2", "陈晓明", "陈晓明")


def editor_of(widget: QWidget) -> Editor:
    (editor,) = [e for e in widget.findChildren(Editor) if e.isVisible()]
    return editor


def words_on(widget: QWidget) -> list[str]:
    return [label.text() for label in widget.findChildren(QLabel) if label.isVisible() and label.text()]


def button(widget: QWidget, text: str) -> QPushButton:
    (found,) = [b for b in widget.findChildren(QPushButton) if b.isVisible() and b.text() == text]
    return found


# -- answering ----------------------------------------------------------------------------------------------------


def test_an_answer_goes_out_by_ctrl_enter_and_the_box_is_empty_again(window: MainWindow, qtbot: QtBot) -> None:
    editor = editor_of(window)
    assert editor.hasFocus()  # open() put the cursor there
    qtbot.keyClicks(editor, "Yes")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    qtbot.keyClicks(editor, "I come")
    with qtbot.waitSignal(window.reply_requested) as sent:
        qtbot.keyClick(editor, Qt.Key.Key_Return, CTRL)
    assert sent.args == ["u1", "Yes\nI come"]
    assert editor.text() == ""


@pytest.mark.parametrize("text", ["", "   ", "\n\n", "\u3164\ufe0f"])
def test_nothing_is_not_sent(text: str, window: MainWindow, qtbot: QtBot) -> None:
    editor = editor_of(window)
    editor.insertPlainText(text)
    with qtbot.assertNotEmitted(window.reply_requested):
        qtbot.keyClick(editor, Qt.Key.Key_Return, CTRL)


def test_too_long_says_so_in_place_and_is_not_sent(window: MainWindow, qtbot: QtBot) -> None:
    editor = editor_of(window)
    editor.insertPlainText("好" * (limits.BODY_BYTES // 3 + 1))  # three bytes each
    assert [w for w in words_on(window) if w.startswith("Too long by 2 bytes")]
    with qtbot.assertNotEmitted(window.reply_requested):
        qtbot.keyClick(editor, Qt.Key.Key_Return, CTRL)
    assert editor.text() != ""


def test_pasted_control_characters_do_not_get_in(window: MainWindow) -> None:
    editor = editor_of(window)
    QApplication.clipboard().setText("a\x07b\u202ec <b>d</b>")
    editor.paste()
    assert editor.text() == "abc <b>d</b>"


def test_the_box_grows_to_six_lines_and_no_further(window: MainWindow) -> None:
    editor = editor_of(window)
    heights = []
    for _line in range(9):
        heights.append(editor.height())
        editor.insertPlainText("x\n")
    assert heights[:6] == sorted(set(heights[:6]))
    assert heights[5:] == [heights[5]] * 4


def test_each_conversation_keeps_its_draft(window: MainWindow, qtbot: QtBot) -> None:
    editor = editor_of(window)
    with qtbot.waitSignal(window.draft_changed) as changed:
        qtbot.keyClicks(editor, "h")
    assert changed.args == ["u1", "h"]
    window.show_messages(talk(OPS), [], has_older=False)
    assert editor.text() == ""
    window.show_draft("u4", "from the last time")
    assert editor.text() == "from the last time"
    window.show_messages(talk(), [], has_older=False)
    assert editor.text() == "h"
    window.show_messages(talk(), [said(1)], has_older=False)
    assert editor.text() == "h"


def test_the_box_is_called_as_the_conversation_is(window: MainWindow) -> None:
    window.show_messages(replace(talk(), title="maria"), [], has_older=False)
    window.show_messages(talk(), [], has_older=False)
    assert editor_of(window).placeholderText() == "Write to Maria Garcia…"


def test_where_one_may_not_write_there_is_no_box_but_a_way_to_answer_alone(window: MainWindow, qtbot: QtBot) -> None:
    closed = replace(talk(OPS), closed="Only members write to Operations.")
    box = editor_of(window)
    window.show_conversations([closed, talk()], None)
    window.show_messages(closed, [said(1, sender=XIAOMING), said(2)], has_older=False)
    assert "Only members write to Operations." in words_on(window)
    assert not box.isVisible()
    window.open(focus_reply=True)
    with qtbot.waitSignal(window.conversation_selected) as chosen:
        qtbot.keyClick(button(window, "Answer Maria Garcia privately"), Qt.Key.Key_Space)
    assert chosen.args == ["u1"]
    window.show_messages(closed, [said(1, sender=XIAOMING)], has_older=False)
    qtbot.mouseClick(button(window, "Answer 陈晓明 privately"), Qt.MouseButton.LeftButton)
    qtbot.keyClicks(QApplication.focusWidget(), "Hi")
    with qtbot.waitSignal(window.compose_requested) as sent:
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Return, CTRL)
    assert sent.args == [(XIAOMING,), "Hi"]
    window.show_messages(talk(OPS), [], has_older=False)
    assert box.isVisible()


# -- conversations ------------------------------------------------------------------------------------------------


def test_choosing_a_conversation_is_told_and_being_shown_one_is_not(window: MainWindow, qtbot: QtBot) -> None:
    rows = window.findChild(ConversationList)
    assert rows is not None
    with qtbot.assertNotEmitted(window.conversation_selected):
        window.show_conversations([talk(OPS), talk()], "u4")
    with qtbot.waitSignal(window.conversation_selected) as chosen:
        qtbot.keyClick(window, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    assert chosen.args == ["u1"]
    point = rows.visualRect(rows.conversations.index(0)).center()
    with qtbot.waitSignal(window.conversation_selected) as chosen:
        qtbot.mouseClick(rows.viewport(), Qt.MouseButton.LeftButton, pos=point)
    assert chosen.args == ["u4"]


def selected(rows: ConversationList) -> str:
    return rows.conversations.rows[rows.currentIndex().row()].id


K = Qt.Key


@pytest.mark.parametrize(
    ("key", "lands"),
    [(K.Key_Down, "x4"), (K.Key_Up, "x2"), (K.Key_End, "x8"), (K.Key_Home, "x0"), (K.Key_PageDown, "")],
)
def test_keys_and_a_right_click_only_move_the_selection_and_enter_opens(
    key: Qt.Key, lands: str, window: MainWindow, qtbot: QtBot
) -> None:
    rows = window.findChild(ConversationList)
    assert rows is not None
    people = [talk(Party(f"x{n}", f"x{n}")) for n in range(9)]
    window.show_conversations(people, "x3")
    window.show_messages(people[3], [said(1)], has_older=False)
    rows.setFocus()
    with qtbot.assertNotEmitted(window.conversation_selected):
        qtbot.keyClick(rows, key)
        now = selected(rows)
        assert now == lands or (not lands and now != "x3")
        window.show_conversations(list(reversed(people)), "x3")  # a message came meanwhile
        assert selected(rows) == now
        point = rows.visualRect(rows.conversations.index(1)).center()
        qtbot.mouseClick(rows.viewport(), Qt.MouseButton.RightButton, pos=point)
        assert selected(rows) == "x7"
    assert window.current_conversation() == "x3"
    with qtbot.waitSignal(window.conversation_selected) as chosen:
        qtbot.keyClick(rows, Qt.Key.Key_Return)
    assert chosen.args == ["x7"]


def test_the_menu_of_a_conversation_opens_it_or_marks_it_read(window: MainWindow, qtbot: QtBot) -> None:
    rows = window.findChild(ConversationList)
    assert rows is not None
    window.show_conversations([talk(unread=2), talk(OPS)], "u4")
    opening, reading = rows._menu(rows.conversations.index(0)).actions()
    with qtbot.waitSignal(window.read_requested) as read:
        reading.trigger()
    with qtbot.waitSignal(window.conversation_selected) as opened:
        opening.trigger()
    assert read.args == opened.args == ["u1"]
    assert not rows._menu(rows.conversations.index(1)).actions()[1].isEnabled()


@pytest.mark.parametrize("kind", [ConversationList, MessageList])
def test_what_is_typed_beside_the_box_goes_into_it(kind: type[QWidget], window: MainWindow, qtbot: QtBot) -> None:
    window.show_messages(talk(), [said(1)], has_older=False)
    (view,) = window.findChildren(kind)
    view.setFocus()
    qtbot.keyClick(view, Qt.Key.Key_A, CTRL)
    qtbot.keyClick(view, Qt.Key.Key_A, Qt.KeyboardModifier.AltModifier)
    qtbot.keyClick(view, Qt.Key.Key_Space)
    assert view.hasFocus()
    qtbot.keyClicks(view, "Y")
    qtbot.keyClicks(QApplication.focusWidget(), "es")
    assert editor_of(window).text() == "Yes"


def test_what_is_typed_into_the_search_stays_there(window: MainWindow, qtbot: QtBot) -> None:
    field = window.findChild(SearchField)
    assert field is not None
    field.setFocus()
    qtbot.keyClicks(field, "Yes")
    assert (field.text(), editor_of(window).text()) == ("Yes", "")


def test_a_message_that_arrives_does_not_scroll_the_list_away(window: MainWindow) -> None:
    rows = window.findChild(ConversationList)
    assert rows is not None
    many = [talk(Party(f"x{n}", f"x{n}")) for n in range(200)]
    window.show_conversations(many, "x0")
    bar = rows.verticalScrollBar()
    bar.setValue(bar.maximum() // 2)
    here = bar.value()
    assert here > 0
    window.show_conversations([many[150], *many[:150], *many[151:]], "x0")
    assert bar.value() == here


def test_reading_means_seeing_a_conversation(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.waitUntil(window.is_reading)
    window.show_messages(talk(), [said(1)], has_older=False, unread=["m1"])
    looks: list[on.Looking] = []
    window.looked.connect(looks.append)
    qtbot.waitUntil(lambda: looks[-1:] == [on.Looking("u1", at_end=True, seen=("m1",))])
    with qtbot.waitSignal(window.looked) as told:
        window.compose()
    assert told.args == [on.Looking(None)]
    assert window.current_conversation() is None
    with qtbot.waitSignal(window.looked) as told:
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Escape)
    assert told.args == [on.Looking("u1")]
    qtbot.waitUntil(lambda: looks[-1].seen == ("m1",))  # painted again
    with qtbot.waitSignal(window.looked) as told:
        window.close()
    assert told.args == [on.Looking(None)]
    assert not window.is_reading()


@pytest.mark.screen
def test_closing_hides_or_minimises_and_opening_brings_back(window: MainWindow, qtbot: QtBot) -> None:
    window.close()
    assert not window.isVisible()
    window.stay_in_taskbar = True
    window.open()
    window.close()
    assert window.isVisible()
    assert window.isMinimized()
    window.open()
    assert not window.isMinimized()


# -- a new message ------------------------------------------------------------------------------------------------


def test_a_new_message_by_keyboard_alone(window: MainWindow, qtbot: QtBot) -> None:
    with qtbot.waitSignal(window.people_search_requested) as asked:
        qtbot.keyClick(window, Qt.Key.Key_N, CTRL)
    assert asked.args == [""]
    with qtbot.waitSignal(window.people_search_requested) as asked:
        qtbot.keyClicks(QApplication.focusWidget(), "m")
    assert asked.args == ["m"]
    window.set_people("m", [XIAOMING, MARIA])
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Down)
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Return)
    window.set_people("", [XIAOMING])  # a late answer does not undo the choice
    qtbot.keyClicks(QApplication.focusWidget(), "Hi")
    with qtbot.waitSignal(window.compose_requested) as sent:
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Return, CTRL)
    assert sent.args == [(MARIA,), "Hi"]
    assert window.current_conversation() == "u1"


def test_who_types_no_name_means_nobody(window: MainWindow, qtbot: QtBot) -> None:
    window.compose()
    to = QApplication.focusWidget()
    window.set_people("", [OPS, MARIA])
    qtbot.keyClick(to, Qt.Key.Key_Return)
    assert isinstance(to, QLineEdit)
    assert (to.hasFocus(), to.text()) == (True, "")
    qtbot.keyClick(to, Qt.Key.Key_Down)
    qtbot.keyClick(to, Qt.Key.Key_Return)
    assert to.text() == OPS.name


def test_enter_takes_nobody_whom_other_letters_have_found(window: MainWindow, qtbot: QtBot) -> None:
    window.compose()
    to = QApplication.focusWidget()
    window.set_people("", [OPS, MARIA])
    qtbot.keyClicks(to, "ma")
    qtbot.keyClick(to, Qt.Key.Key_Return)
    assert isinstance(to, QLineEdit)
    assert to.text() == "ma"
    window.set_people("m", [XIAOMING, MARIA])
    assert to.text() == "ma"
    window.set_people("ma", [MARIA])
    assert to.text() == "maria"


def test_enter_waits_for_those_whom_an_earlier_page_has_found(window: MainWindow, qtbot: QtBot) -> None:
    window.compose()
    qtbot.keyClicks(QApplication.focusWidget(), "ma")
    window.set_people("ma", [MARIA])
    window.compose()
    to = QApplication.focusWidget()
    assert isinstance(to, QLineEdit)
    to.clear()
    qtbot.keyClicks(to, "ma")
    qtbot.keyClick(to, Qt.Key.Key_Return)
    window.set_people("ma", [MARIA])
    assert to.text() == "maria"


def test_a_second_name_is_searched_for_itself(window: MainWindow, qtbot: QtBot) -> None:
    window.compose()
    to = QApplication.focusWidget()
    with qtbot.waitSignal(window.people_search_requested) as asked:
        qtbot.keyClicks(to, "@ops, mar")
    assert asked.args == ["mar"]
    window.set_people("mar", [MARIA])
    qtbot.keyClick(to, Qt.Key.Key_Return)
    qtbot.keyClicks(QApplication.focusWidget(), "Hi")
    with qtbot.waitSignal(window.people_search_requested) as asked:
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Return, CTRL)
    assert asked.args == ["@ops"]
    with qtbot.waitSignal(window.compose_requested) as sent:
        window.set_people("@ops", [OPS])
    assert sent.args == [(OPS, MARIA), "Hi"]


@pytest.mark.parametrize(
    ("found", "asked", "said"),
    [
        ([], True, "Nobody here is called “bbo”."),
        ([Party("u5", "bbob", "")], True, "Nobody here is called “bbo”."),
        ([], False, "“bbo” cannot be checked without a connection. What you wrote stays here."),
    ],
)
def test_a_name_that_nobody_has_is_refused_where_it_is_typed(
    found: list[Party], asked: bool, said: str, window: MainWindow, qtbot: QtBot
) -> None:
    window.compose()
    to = QApplication.focusWidget()
    assert isinstance(to, QLineEdit)
    to.insert("𠮷bbo, maria, bbo")  # QTest types no pairs of surrogates
    editor = editor_of(window)
    qtbot.keyClicks(editor, "Hi")
    window.set_people("", [Party("u6", "𠮷bbo", ""), MARIA])  # only known by that
    with qtbot.assertNotEmitted(window.compose_requested):
        qtbot.keyClick(editor, Qt.Key.Key_Return, CTRL)
        window.set_people("bbo", found, asked=asked)
    assert said in words_on(window)
    assert (to.hasFocus(), to.selectedText(), to.selectionStart()) == (True, "bbo", 14)
    assert editor.text() == "Hi"
    qtbot.keyClicks(to, "maria")
    with qtbot.waitSignal(window.compose_requested) as sent:
        qtbot.keyClick(editor, Qt.Key.Key_Return, CTRL)
    assert [party.name for party in sent.args[0]] == ["𠮷bbo", "maria"]


@pytest.mark.parametrize("leave", [Qt.Key.Key_Escape, Qt.Key.Key_X])
def test_an_answer_that_comes_too_late_sends_nothing(leave: Qt.Key, window: MainWindow, qtbot: QtBot) -> None:
    window.compose()
    to = QApplication.focusWidget()
    qtbot.keyClicks(to, "maria")
    qtbot.keyClicks(editor_of(window), "Hi")
    with qtbot.assertNotEmitted(window.compose_requested):
        qtbot.keyClick(editor_of(window), Qt.Key.Key_Return, CTRL)
        qtbot.keyClick(to, leave)
        window.set_people("maria", [MARIA])


def test_without_a_name_it_asks_for_one_and_keeps_the_text(window: MainWindow, qtbot: QtBot) -> None:
    window.compose()
    page = window.findChild(ComposePage)
    assert page is not None
    editor = editor_of(page)
    qtbot.keyClicks(editor, "Hi")
    with qtbot.assertNotEmitted(window.compose_requested):
        qtbot.keyClick(editor, Qt.Key.Key_Return, CTRL)
    assert "To whom? Type a name first." in words_on(window)
    assert editor.text() == "Hi"


def test_nobody_found_is_said(window: MainWindow, qtbot: QtBot) -> None:
    window.compose()
    qtbot.keyClicks(QApplication.focusWidget(), "zz")
    window.set_people("zz", [])
    assert "Nobody of that name is known here yet." in words_on(window)


# -- states in words ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "rows", "title", "action"),
    [
        (ONLINE, [], "Nothing here yet", "New message"),
        (ONLINE, None, "Loading messages…", ""),
        (StatusView(Link.OFFLINE, "https://desk.example.org", "ana"), [], "Waits for the connection", ""),
        (StatusView(Link.SIGNED_OUT), None, "You are signed out", "Sign in"),
        (ONLINE, [talk()], "Choose a conversation", ""),
    ],
)
def test_where_there_is_nothing_words_say_why(
    status: StatusView, rows: list[object] | None, title: str, action: str, qtbot: QtBot
) -> None:
    window = MainWindow()
    qtbot.addWidget(window)
    window.show_status(status)
    if rows is not None:
        window.show_conversations(rows, None)  # type: ignore[arg-type]
    window.show()
    page = window.findChild(Page)
    assert page is not None
    assert title in words_on(page)
    assert [b.text() for b in page.findChildren(QPushButton) if b.isVisible()] == [action] * bool(action)


@pytest.mark.parametrize(
    ("waiting", "line"),
    [(None, "You: Hello"), (Delivery.SENDING, "Sending: Hello"), (Delivery.FAILED, "Not sent: Hello")],
)
def test_a_row_says_what_became_of_ones_own_last_words(waiting: Delivery | None, line: str, window: MainWindow) -> None:
    row = replace(talk(), last_mine=True, waiting=waiting)
    window.show_conversations([row], None)
    rows = window.findChild(ConversationList)
    assert rows is not None
    spoken = str(rows.conversations.index(0).data(Qt.ItemDataRole.AccessibleTextRole))
    assert line in spoken.split(", ")
    picture = rows.viewport().grab(rows.visualRect(rows.conversations.index(0))).toImage()
    bad = theme.colours().color("bad")
    found = any(picture.pixelColor(x, y) == bad for x in range(picture.width()) for y in range(picture.height()))
    assert found == (waiting is Delivery.FAILED)


def test_what_was_not_sent_stands_beneath_the_conversations(window: MainWindow, qtbot: QtBot) -> None:
    window.show_status(replace(ONLINE, unsent="2 messages were not sent"))
    assert "Connected to desk.example.org" in words_on(window)
    with qtbot.waitSignal(window.unsent_requested):
        qtbot.mouseClick(button(window, "2 messages were not sent"), Qt.MouseButton.LeftButton)
    window.show_status(ONLINE)
    assert not [box for box in window.findChildren(QPushButton) if box.isVisible() and "not sent" in box.text()]


@pytest.mark.parametrize(
    ("status", "line"),
    [
        (ONLINE, "Connected to desk.example.org"),
        (StatusView(Link.CONNECTING, "http://127.0.0.1:8420"), "Connecting to 127.0.0.1:8420…"),
        (StatusView(Link.OFFLINE, "https://desk.example.org"), "Waits for the connection to desk.example.org"),
        (
            StatusView(Link.OFFLINE, "https://x", problem="The certificate is not valid."),
            "The certificate is not valid.",
        ),
        (StatusView(Link.SIGNED_OUT), "Signed out"),
    ],
)
def test_the_status_line_tells_the_connection(status: StatusView, line: str, window: MainWindow) -> None:
    window.show_status(status)
    assert line in words_on(window)


def test_who_is_away_can_try_now_and_finds_the_reason_in_a_tooltip(window: MainWindow, qtbot: QtBot) -> None:
    window.show_conversations([talk()], None)
    window.show_status(replace(ONLINE, link=Link.OFFLINE, away="Nothing listens at desk.example.org."))
    assert "Nothing listens at desk.example.org." not in " ".join(words_on(window))
    assert "Nothing listens at desk.example.org." in [label.toolTip() for label in window.findChildren(QLabel)]
    (button,) = [b for b in window.findChildren(QPushButton) if b.isVisible() and b.text() == "Try now"]
    with qtbot.waitSignal(window.try_requested):
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    window.show_status(ONLINE)
    assert not button.isVisible()


@pytest.mark.parametrize("rows", [(), (talk(),)])
@pytest.mark.parametrize(("in_taskbar", "where"), [(False, "tray"), (True, "taskbar")])
def test_the_first_window_says_who_is_signed_in_and_where_the_bell_stays(
    rows: tuple[ConversationView, ...], in_taskbar: bool, where: str, window: MainWindow
) -> None:
    window.stay_in_taskbar = in_taskbar
    window.forget()
    window.show_status(replace(ONLINE, account="Ana Ruiz"))
    assert "Ana Ruiz" in words_on(window)
    assert "You are signed in as Ana Ruiz" not in words_on(window)
    window.welcome()
    window.show_conversations(rows, None)
    words = f"Messages ring here. Closing this window leaves the bell in the {where}."
    assert {"You are signed in as Ana Ruiz", words} <= set(words_on(window))
    window.hide()
    window.show()
    window.show_conversations(rows, None)
    assert words not in words_on(window)


def test_the_way_back_in_and_the_menu(window: MainWindow, qtbot: QtBot) -> None:
    window.show_status(StatusView(Link.SIGNED_OUT))
    buttons = [b for b in window.findChildren(QPushButton) if b.isVisible() and b.text() == "Sign in"]
    for button in buttons:
        with qtbot.waitSignal(window.sign_in_requested):
            qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert len(buttons) == 2
    window.show_status(ONLINE)
    (menu,) = [b.menu() for b in window.findChildren(QToolButton) if b.menu()]
    signals = (window.quiet_toggled, window.sign_out_requested, window.quit_requested)
    for action, signal in zip([a for a in menu.actions() if a.text()], signals, strict=True):
        with qtbot.waitSignal(signal):
            action.trigger()


def test_a_search_that_finds_nothing_says_so(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.keyClick(window, Qt.Key.Key_F, CTRL)
    with qtbot.waitSignal(window.search_changed):
        qtbot.keyClicks(QApplication.focusWidget(), "disk")
    window.show_found(Found("disk", (), ()))
    assert "Nothing found for “disk”." in words_on(window)


def test_names_are_never_read_as_markup(window: MainWindow) -> None:
    evil = Party("x", "x", "<b>Bob</b>\u202e\nadmin")
    window.show_conversations([talk(evil, last="<i>x</i>\nsecond")], "x")
    window.show_messages(talk(evil), [], has_older=False)
    assert "<b>Bob</b> admin" in words_on(window)
    assert all(label.textFormat() == Qt.TextFormat.PlainText for label in window.findChildren(QLabel))


def test_signing_out_leaves_nothing_in_sight(window: MainWindow, qtbot: QtBot) -> None:
    window.show_messages(talk(), [said(1, "secret")], has_older=False)
    qtbot.keyClicks(editor_of(window), "draft")
    window.forget()
    window.show_status(StatusView(Link.SIGNED_OUT))
    assert window.current_conversation() is None
    window.show_status(ONLINE)
    window.show_messages(talk(), [], has_older=False)
    assert editor_of(window).text() == ""


# -- for those who do not see it, or have no mouse ----------------------------------------------------------------


def test_tab_goes_through_everything_and_comes_back(window: MainWindow, qtbot: QtBot) -> None:
    start = QApplication.focusWidget()
    seen = []
    for _step in range(20):
        seen.append(QApplication.focusWidget())
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        if QApplication.focusWidget() is start:
            break
    kinds = {type(widget).__name__ for widget in seen}
    assert {"SearchField", "IconButton", "ConversationList", "MessageList", "Editor"} <= kinds
    assert QApplication.focusWidget() is start


def test_everything_that_takes_the_keyboard_has_a_name(window: MainWindow) -> None:
    window.compose()
    for widget in window.findChildren(QWidget):
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and not isinstance(widget, QPushButton):
            assert widget.accessibleName(), widget
        if isinstance(widget, QPushButton) and widget.isVisible():
            assert widget.text(), widget


def test_what_was_begun_for_somebody_new_is_a_draft_and_nobody_elses(window: MainWindow, qtbot: QtBot) -> None:
    window.compose()
    page = window.findChild(ComposePage)
    assert page is not None
    editor = editor_of(page)
    with qtbot.waitSignal(window.draft_changed) as kept:
        qtbot.keyClicks(editor, "D")
    assert kept.args == [NEW, "D"]
    with qtbot.assertNotEmitted(window.draft_changed):
        window.forget()
    assert editor.text() == ""
    window.show_draft(NEW, "Dear")
    assert editor.text() == "Dear"
