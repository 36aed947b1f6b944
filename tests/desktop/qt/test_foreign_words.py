"""What others say, where Qt or a panel might read markup: labels, tooltips, menus, titles."""

from dataclasses import replace

from PySide6.QtCore import Qt
from PySide6.QtGui import Qt as GuiQt
from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot

from deskbell_desktop.core.views import Link, Popup, StatusView
from deskbell_desktop.qt.login import LoginDialog
from deskbell_desktop.qt.message_list import MessageList
from deskbell_desktop.qt.popup_window import PopupWindow
from deskbell_desktop.qt.reply_popup import ReplyPopup
from deskbell_desktop.qt.tray import tooltip
from deskbell_desktop.qt.window import MainWindow
from deskbell_protocol.wire import Party
from tests.desktop.qt.conftest import said, talk

MARKUP = "<img src=x><b>evil</b> & gnp.exe"
EVIL = f"\u202e{MARKUP}"
PARTY = Party("u9", MARKUP, EVIL)


def assert_plain(widget: QWidget) -> None:
    children = [widget, *widget.findChildren(QWidget)]
    labels = widget.findChildren(QLabel)
    assert {label.textFormat() for label in labels} == {Qt.TextFormat.PlainText}
    assert not any(GuiQt.mightBeRichText(child.toolTip()) for child in children)
    words = [label.text() for label in labels]
    for child in children:
        words += [child.accessibleName(), child.accessibleDescription(), child.windowTitle()]
    assert any("<b>evil</b> & gnp.exe" in word for word in words)
    assert [word for word in words if "\u202e" in word] == []


def test_the_windows_show_it_as_it_is(window: MainWindow) -> None:
    window.show_status(StatusView(Link.OFFLINE, problem=MARKUP))
    conversation = replace(talk(PARTY), title=EVIL, last_text=EVIL)
    window.show_conversations([conversation], "u9")
    window.show_messages(conversation, [said(1, EVIL, sender=PARTY)], has_older=False)
    window.set_people("", [PARTY])
    assert_plain(window)


def test_the_small_windows_do_too(qtbot: QtBot) -> None:
    popup, answer, login = PopupWindow(), ReplyPopup(), LoginDialog()
    for widget in (popup, answer, login):
        qtbot.addWidget(widget)
    popup.show_popup(Popup("c1", EVIL, EVIL, PARTY, "m1"))
    answer.ask(Popup("c1", EVIL, EVIL, PARTY, "m1"))
    login.show_form("https://desk.example.org", "ana", MARKUP)
    for widget in (popup, answer, login):
        assert_plain(widget)


def test_no_panel_reads_markup_in_the_tooltip() -> None:
    shown = tooltip(StatusView(Link.OFFLINE, problem=MARKUP, unread=2))
    assert not GuiQt.mightBeRichText(shown.replace("\n", " "))
    assert "evil" in shown


def test_a_menu_underlines_nothing_of_it(qtbot: QtBot) -> None:
    messages = MessageList()
    qtbot.addWidget(messages)
    messages.show_conversation([said(1, "http://a.test/?a=1&b=2")], named=False, has_older=False)
    opening = messages._menu(0, None).actions()[2].text()
    assert opening == "Open http://a.test/?a=1&&b=2"
