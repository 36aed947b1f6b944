"""The sign-in window: what it tells, what it refuses, and a password that is in no text."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QCheckBox, QLabel, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from deskbell_desktop.qt.login import LoginDialog, LoginForm, is_plain_http
from deskbell_protocol import limits


@pytest.fixture
def login(qtbot: QtBot) -> LoginDialog:
    login = LoginDialog()
    qtbot.addWidget(login)
    login.show_form("https://desk.example.org", "ana")
    qtbot.waitUntil(login.isActiveWindow)
    return login


def fields(login: LoginDialog) -> list[QLineEdit]:
    return login.findChildren(QLineEdit)


def submit(login: LoginDialog) -> QPushButton:
    return next(button for button in login.findChildren(QPushButton) if button.text().startswith("Sign"))


def cancel(login: LoginDialog) -> QPushButton:
    return next(button for button in login.findChildren(QPushButton) if button.text() == "Cancel")


def make_busy(login: LoginDialog, qtbot: QtBot) -> None:
    qtbot.keyClicks(fields(login)[-1], "s3cret pass")
    qtbot.keyClick(fields(login)[-1], Qt.Key.Key_Return)
    assert cancel(login).isVisible()


def test_the_cursor_is_where_the_person_goes_on(login: LoginDialog, qtbot: QtBot) -> None:
    server, name, password = fields(login)
    qtbot.waitUntil(lambda: QApplication.focusWidget() is password)
    login.show_form("", "")
    assert server.hasFocus()
    login.show_form("https://x", "")
    assert name.hasFocus()


def test_the_form_comes_out_once_and_is_busy_then(login: LoginDialog, qtbot: QtBot) -> None:
    *_rest, password = fields(login)
    assert not submit(login).isEnabled()
    qtbot.keyClicks(password, "s3cret pass")
    with qtbot.waitSignal(login.sign_in_requested) as asked:
        qtbot.keyClick(password, Qt.Key.Key_Return)
    assert asked.args == [LoginForm("https://desk.example.org", "ana", "s3cret pass", False)]
    assert "s3cret" not in repr(asked.args)
    assert submit(login).text() == "Signing in…"
    assert not submit(login).isEnabled()
    with qtbot.assertNotEmitted(login.sign_in_requested):
        qtbot.mouseClick(submit(login), Qt.MouseButton.LeftButton)


@pytest.mark.parametrize("how", ["button", "escape", "close"])
def test_who_does_not_want_to_wait_takes_it_back(login: LoginDialog, qtbot: QtBot, how: str) -> None:
    assert not cancel(login).isVisible()
    make_busy(login, qtbot)
    with qtbot.waitSignal(login.cancelled):
        if how == "button":
            qtbot.mouseClick(cancel(login), Qt.MouseButton.LeftButton)
        elif how == "escape":
            qtbot.keyClick(login, Qt.Key.Key_Escape)
        else:
            login.close()
    assert submit(login).isEnabled()
    assert not cancel(login).isVisible()
    assert fields(login)[-1].isEnabled()


def test_nothing_is_taken_back_when_nothing_was_asked(login: LoginDialog, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(login.cancelled):
        qtbot.keyClick(login, Qt.Key.Key_Escape)
        login.close()


def test_it_comes_up_in_the_middle_and_stays_where_it_was_put(qtbot: QtBot) -> None:
    login = LoginDialog()
    qtbot.addWidget(login)
    login.show_form("https://desk.example.org", "ana", "You were signed out on this computer.")
    off = login.geometry().center() - login.screen().availableGeometry().center()
    assert abs(off.x()) <= 20
    assert abs(off.y()) <= 40
    login.move(30, 40)
    login.show_form("https://desk.example.org", "ana")
    assert (login.x(), login.y()) == (30, 40)


def test_a_problem_stands_in_place_until_something_is_changed(login: LoginDialog, qtbot: QtBot) -> None:
    *_rest, password = fields(login)
    qtbot.keyClicks(password, "wrong")
    qtbot.keyClick(password, Qt.Key.Key_Return)
    login.show_problem("That name and password do not match.")
    (problem,) = [w for w in login.findChildren(QLabel) if w.text().startswith("That name")]
    assert problem.isVisible()
    assert problem.textFormat() == Qt.TextFormat.PlainText
    assert password.selectedText() != ""
    assert submit(login).isEnabled()
    qtbot.keyClicks(password, "x")
    assert not problem.isVisible()


@pytest.mark.parametrize(("at_server", "number"), [(True, 0), (False, 2)])
def test_the_cursor_and_the_problem_are_where_the_mistake_is(
    login: LoginDialog, qtbot: QtBot, at_server: bool, number: int
) -> None:
    make_busy(login, qtbot)
    login.show_problem("There is no server named dsk.example.org.", at_server=at_server)
    field = fields(login)[number]
    qtbot.waitUntil(field.hasFocus)
    assert field.selectedText() == ("" if at_server else field.text())
    (problem,) = [w for w in login.findChildren(QLabel) if w.text().startswith("There is")]
    qtbot.waitUntil(lambda: 0 <= problem.y() - field.geometry().bottom() <= 8)
    before = field.text()
    qtbot.keyClick(field, "x")
    assert field.text() == (f"{before}x" if at_server else "x")


def test_plain_http_to_another_machine_must_be_chosen(login: LoginDialog, qtbot: QtBot) -> None:
    server, _name, password = fields(login)
    (choice,) = login.findChildren(QCheckBox)
    assert not choice.isVisible()
    server.clear()
    qtbot.keyClicks(server, "http://desk.example.org")
    qtbot.keyClicks(password, "pass")
    assert choice.isVisible()
    assert not submit(login).isEnabled()
    qtbot.keyClick(choice, Qt.Key.Key_Space)
    with qtbot.waitSignal(login.sign_in_requested) as asked:
        qtbot.mouseClick(submit(login), Qt.MouseButton.LeftButton)
    (form,) = asked.args
    assert form.allow_plain_http


def test_a_name_and_a_password_of_wide_characters_are_not_cut(login: LoginDialog, qtbot: QtBot) -> None:
    _server, name, password = fields(login)
    for field, text in ((name, "𠮷" * limits.NAME_CHARS), (password, "🛎️" * (limits.PASSWORD_CHARS_MAX // 2))):
        field.setText(text)
        assert field.text() == text


@pytest.mark.parametrize(
    ("server", "plain"),
    [
        ("https://desk.example.org", False),
        ("http://desk.example.org", True),
        ("HTTP://desk.example.org:8420/x", True),
        ("http://localhost:8420", False),
        ("http://127.0.0.1", False),
        ("http://[::1]:8420", False),
        ("http://192.168.1.5", True),
        ("http://127.0.0.1.evil.test", True),
        ("http://[::1", False),
        ("desk.example.org", False),
        ("", False),
    ],
)
def test_what_plain_http_is(server: str, plain: bool) -> None:
    assert is_plain_http(server) is plain
