"""The tray icon: its drawings at every size, its menu, and a panel that comes later."""

import sys
from pathlib import Path

import pytest
from jeepney import DBusAddress
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from deskbell_desktop.core.views import Link, StatusView
from deskbell_desktop.qt.tray import Tray, tooltip
from deskbell_desktop.qt.tray_icon import INKS, SIZES, Panel, State, badge_text, state_of, tray_icon, tray_pixmap
from tests.desk.desktop import TRAY_NAME, Desk, Parts

ONLINE = StatusView(Link.ONLINE, "https://desk.example.org", "ana")
WATCHER = DBusAddress("/StatusNotifierWatcher", TRAY_NAME, "org.freedesktop.DBus.Properties")
STATES: list[State] = ["idle", "unread", "unsent", "offline", "quiet"]


def drawn(state: State, unread: int = 3, panel: Panel = "light", size: int = 22) -> QImage:
    return tray_pixmap(state, unread, panel, size).toImage()


def opaque(image: QImage) -> int:
    return sum(
        QColor(image.pixelColor(x, y)).alpha() > 127 for x in range(image.width()) for y in range(image.height())
    )


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("state", STATES)
def test_every_state_has_its_own_drawing_at_its_own_size(state: State, size: int, qapp: object) -> None:
    image = drawn(state, size=size)
    assert (image.width(), image.height()) == (size, size)
    assert size * size * 0.2 < opaque(image) < size * size * 0.8
    others = [drawn(other, size=size) for other in STATES if other != state]
    assert all(image != other for other in others)


@pytest.mark.parametrize("size", SIZES)
def test_the_number_can_be_told_apart(size: int, qapp: object) -> None:
    pictures = [drawn("unread", unread, size=size) for unread in range(1, 11)]
    assert all(one != other for number, one in enumerate(pictures) for other in pictures[:number])
    assert drawn("unread", 10, size=size) == drawn("unread", 5000, size=size)


@pytest.mark.parametrize("size", [16, 22, 24])
def test_small_numbers_are_drawn_in_whole_dots(size: int, qapp: object) -> None:
    """Within the badge no pixel is half of the number: every one is the badge's colour or see-through."""
    image = drawn("unread", 8, size=size)
    accent = QColor(INKS["light"].accent)
    inner = [image.pixelColor(size - 4 + dx, 3 + dy) for dx in (-1, 0, 1) for dy in (-2, -1, 0, 1, 2)]
    assert all(pixel.alpha() == 0 or pixel == accent for pixel in inner)
    assert any(pixel.alpha() == 0 for pixel in inner)
    assert any(pixel == accent for pixel in inner)


def test_light_and_dark_panels_get_other_inks(qapp: object) -> None:
    panels: list[Panel] = ["light", "dark", "unknown"]
    pictures = [drawn("unread", 3, panel) for panel in panels]
    assert pictures[0] != pictures[1] != pictures[2]
    assert sorted(s.width() for s in tray_icon("idle", 0, "dark").availableSizes()) == list(SIZES)


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (ONLINE, "idle"),
        (StatusView(Link.ONLINE, unread=1), "unread"),
        (StatusView(Link.ONLINE, unread=1, unsent="1 message was not sent"), "unsent"),
        (StatusView(Link.OFFLINE, unsent="1 message was not sent"), "offline"),
        (StatusView(Link.ONLINE, unread=1, quiet=True), "quiet"),
        (StatusView(Link.OFFLINE, unread=1), "offline"),
        (StatusView(Link.CONNECTING), "offline"),
        (StatusView(Link.SIGNED_OUT, quiet=True), "offline"),
    ],
)
def test_which_state_is_shown(status: StatusView, state: State) -> None:
    assert state_of(status) == state


def test_the_number_ends_at_nine() -> None:
    assert [badge_text(n) for n in (1, 9, 10, 5000)] == ["1", "9", "9+", "9+"]


def test_the_menu_says_and_does(qtbot: QtBot) -> None:
    tray = Tray()
    menu: QMenu = tray._menu
    assert [a.text() for a in menu.actions() if a.text()] == [
        "Open",
        "New message",
        "Do not disturb",
        "Sign out",
        "Quit",
    ]
    tray.show_status(ONLINE)
    signals = [
        tray.open_requested,
        tray.compose_requested,
        tray.quiet_toggled,
        tray.sign_out_requested,
        tray.quit_requested,
    ]
    for action, signal in zip([a for a in menu.actions() if a.text()], signals, strict=True):
        with qtbot.waitSignal(signal):
            action.trigger()
    tray.show_status(StatusView(Link.SIGNED_OUT))
    assert [a.isEnabled() for a in menu.actions() if a.text()] == [True, False, False, False, True]
    tray.show_status(StatusView(Link.ONLINE, quiet=True))
    assert tray._quiet.isChecked()
    tray.close()


def test_the_tooltip_tells_what_is_unread_and_where(qapp: object) -> None:
    status = StatusView(Link.ONLINE, "https://desk.example.org", "ana", unread=12)
    assert tooltip(status) == "Deskbell, unread: 12\nConnected to desk.example.org"
    assert tooltip(StatusView(Link.SIGNED_OUT)) == "Deskbell\nSigned out"


@pytest.mark.screen
@pytest.mark.parametrize("desk", [Parts(panel=False, notifications=False, keyring=False)], indirect=True)
def test_a_panel_that_starts_later_gets_the_icon(desk: Desk) -> None:
    program = desk.start(sys.executable, str(Path(__file__).with_name("tray_program.py")))
    program.wait_until(lambda: "tray False" in program.log.read_text(), "the program without a tray")
    desk.start_panel()
    program.wait_until(lambda: items(desk), "the icon in the panel's list")
    desk.end("xfce4-panel")
    desk.start_panel()
    program.wait_until(lambda: items(desk), "the icon in the list of the panel that came back")
    assert program.exit_code is None


@pytest.mark.screen
@pytest.mark.parametrize("desk", [Parts(panel=False, notifications=False, keyring=False)], indirect=True)
def test_a_place_for_icons_that_comes_after_its_name_gets_the_icon(desk: Desk) -> None:
    """As at login: a panel, or a service before it, has the name already when the program starts."""
    sign = desk.folder / "run/host"
    here = Path(__file__)
    watcher = desk.start(sys.executable, str(here.with_name("late_host.py")), str(sign))
    desk.bus.wait_for_name(TRAY_NAME)
    program = desk.start(sys.executable, str(here.with_name("tray_program.py")))
    program.wait_until(lambda: "tray " in program.log.read_text(), "the program in the tray")
    sign.touch()
    watcher.wait_until(lambda: "registered True" in watcher.log.read_text(), "the icon in the place that came")


def items(desk: Desk) -> list[str]:
    answer = desk.bus.call(WATCHER, "Get", "ss", (TRAY_NAME, "RegisteredStatusNotifierItems"))
    variant = answer[0]  # its signature and its value
    if not isinstance(variant, tuple):  # the panel has its name, and nothing else yet
        return []
    assert isinstance(variant[1], list)
    return variant[1]
