"""A real window manager with four workspaces: each of our windows comes to where the person is, and knows it."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from deskbell_desktop.core.views import Popup
from deskbell_desktop.qt import x11
from deskbell_desktop.qt.front import has_eyes
from deskbell_desktop.qt.login import LoginDialog
from deskbell_desktop.qt.popup_window import PopupWindow
from deskbell_desktop.qt.reply_popup import ReplyPopup
from deskbell_desktop.qt.window import MainWindow
from tests.conftest import require
from tests.desk.hand import Hand
from tests.desk.processes import Child, wait_for
from tests.desktop.qt.conftest import MARIA, ONLINE, talk

HELLO = Popup("u1", "Maria Garcia", "Lunch?", MARIA, "m1")
ADD = 1

pytestmark = pytest.mark.screen


@pytest.fixture(scope="module")
def manager(qapp: QApplication, default_screen: object, session_folder: Path) -> Iterator[Hand]:
    require("openbox", "xdotool")
    hand = Hand(os.environ)
    with Child(["openbox", "--sm-disable"], session_folder / "openbox.log", env=os.environ) as manager:
        manager.wait_until(lambda: hand.workspace() == 0, "the window manager")
        manager.wait_until(gets_the_keyboard, "it to look after windows, which it does a little later")
        yield hand


def gets_the_keyboard() -> bool:
    """Whether a new window does, soon."""
    window = QWidget()
    window.show()
    return bool(QTest.qWaitForWindowActive(window, 1_000))


@pytest.fixture
def hand(manager: Hand) -> Iterator[Hand]:
    yield manager
    manager.go_to_workspace(0)


@pytest.fixture
def window(qtbot: QtBot) -> MainWindow:
    window = MainWindow()
    qtbot.addWidget(window)
    window.show_status(ONLINE)
    window.show_conversations([talk()], "u1")
    window.show_messages(talk(), [], has_older=False)
    return window


def main_window(window: MainWindow) -> tuple[QWidget, Callable[[], None]]:
    return window, window.open


def sign_in(_window: MainWindow) -> tuple[QWidget, Callable[[], None]]:
    dialog = LoginDialog()
    return dialog, lambda: dialog.show_form("https://desk.example.org", "ana")


def reply(_window: MainWindow) -> tuple[QWidget, Callable[[], None]]:
    answer = ReplyPopup()
    return answer, lambda: answer.ask(HELLO)


def elsewhere(hand: Hand, _widget: QWidget) -> None:
    hand.go_to_workspace(2)


def minimised(hand: Hand, widget: QWidget) -> None:
    hand.minimise(str(int(widget.winId())))


def rolled_up(_hand: Hand, widget: QWidget) -> None:
    """Qt takes it for minimised only here, where it was before the window manager."""
    window, server = int(widget.winId()), x11._connect()
    assert server is not None
    server.ask(window, "_NET_WM_STATE", ADD, server.atom(x11.SHADED), 0, x11.PERSON)
    wait_for(lambda: x11.is_rolled_up(window), "the window manager to roll it up")


@pytest.mark.parametrize(
    ("make", "put_away"),
    [(make, away) for make in (main_window, sign_in) for away in (elsewhere, minimised, rolled_up)]
    + [(reply, minimised)],
)
def test_a_window_comes_to_the_person_and_is_not_read_before(
    make: Callable[[MainWindow], tuple[QWidget, Callable[[], None]]],
    put_away: Callable[[Hand, QWidget], None],
    window: MainWindow,
    hand: Hand,
    qtbot: QtBot,
) -> None:
    widget, bring = make(window)
    qtbot.addWidget(widget)
    bring()
    qtbot.waitUntil(lambda: has_eyes(widget))
    put_away(hand, widget)
    qtbot.waitUntil(lambda: not has_eyes(widget))
    here = hand.workspace()
    QApplication.processEvents()
    assert not has_eyes(widget)  # nor a moment later
    assert not window.is_reading()
    bring()
    qtbot.waitUntil(lambda: has_eyes(widget))
    assert hand.workspace() == here
    assert window.is_reading() is (widget is window)


def test_what_the_person_looks_at_follows_the_workspaces(window: MainWindow, hand: Hand, qtbot: QtBot) -> None:
    looked: list[str | None] = []
    window.looked.connect(lambda looking: looked.append(looking.conversation))
    window.open()
    for workspace, conversation in ((0, "u1"), (2, None), (0, "u1"), (1, None), (0, "u1")):
        hand.go_to_workspace(workspace)
        qtbot.waitUntil(lambda wanted=conversation: looked[-1:] == [wanted])  # type: ignore[misc]


@pytest.mark.parametrize("make", [PopupWindow, ReplyPopup])
def test_a_popup_stands_on_every_workspace(make: Callable[[], QWidget], hand: Hand, qtbot: QtBot) -> None:
    popup = make()
    qtbot.addWidget(popup)
    popup.setWindowTitle("popup")
    popup.show()
    popup.raise_()
    qtbot.waitUntil(lambda: bool(hand.windows("--name", "^popup$")))
    hand.go_to_workspace(3)
    assert hand.windows("--name", "^popup$")


def test_every_window_fits_a_small_screen_that_is_scaled(default_screen: object, tmp_path: Path) -> None:
    env = os.environ | {"QT_SCALE_FACTOR": "2"}  # 640 by 400 of what is 1280 by 800
    with Child([sys.executable, "-m", "tests.desktop.qt.small_screen_program"], tmp_path / "out.log", env=env) as run:
        assert run.wait() == 0
    screen, *windows = [[int(edge) for edge in line.split()] for line in run.log.read_text().splitlines()]
    assert len(windows) == 4  # of four popups one has room
    for window in windows:
        assert all(edge >= least for edge, least in zip(window[:2], screen[:2], strict=True)), (window, screen)
        assert all(edge <= most for edge, most in zip(window[2:], screen[2:], strict=True)), (window, screen)
