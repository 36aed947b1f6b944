"""Colours that can be read, in both schemes, and a desktop whose choice is followed."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from deskbell_desktop.qt import theme
from deskbell_desktop.qt.portal import Portal
from deskbell_desktop.qt.session_bus import SessionBus
from deskbell_desktop.qt.theme import DARK, LIGHT, Colours
from deskbell_desktop.qt.tray_icon import INKS
from tests.desk.bus import Bus
from tests.desk.processes import Child

# (what is written, on what)
WRITTEN = [
    ("text", "background"),
    ("text", "surface"),
    ("text", "raised"),
    ("text", "tint"),
    ("text", "selection"),
    ("soft", "background"),
    ("soft", "surface"),
    ("soft", "raised"),
    ("soft", "selection"),
    ("accent", "background"),
    ("accent", "surface"),
    ("accent", "tint"),
    ("accent", "selection"),
    ("accent_ink", "accent"),
    ("bad", "surface"),
    ("bad", "background"),
    ("good", "background"),
]


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    mixed = QColor(colour)
    channels = [float(mixed.redF()), float(mixed.greenF()), float(mixed.blueF())]
    linear: list[float] = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), WRITTEN)
def test_text_can_be_read(colours: Colours, ink: str, ground: str) -> None:
    if (ink, ground) == ("good", "background"):
        assert contrast(getattr(colours, ink), getattr(colours, ground)) >= 3  # a dot, beside words
    else:
        assert contrast(getattr(colours, ink), getattr(colours, ground)) >= 4.5


@pytest.mark.parametrize("part", ["bell", "soft", "accent"])
def test_the_tray_icon_is_seen_on_any_panel(part: str) -> None:
    assert contrast(getattr(INKS["light"], part), LIGHT.background) >= 3
    assert contrast(getattr(INKS["dark"], part), DARK.background) >= 3
    for ground in (LIGHT.background, "#FFFFFF", DARK.background, "#000000"):
        assert contrast(getattr(INKS["unknown"], part), ground) >= 3


def test_a_scheme_reaches_every_widget_and_can_be_changed(qapp: QApplication) -> None:
    theme.apply(qapp, "dark")
    assert qapp.palette().color(QPalette.ColorRole.Window) == QColor(DARK.background)
    assert theme.colours() is DARK
    assert DARK.accent in qapp.styleSheet()
    theme.apply(qapp, "light")
    assert theme.colours() is LIGHT
    assert LIGHT.accent in qapp.styleSheet()
    assert len(qapp.findChildren(theme.Theme)) == 1


def test_type_follows_the_desktop_but_is_never_small(qapp: QApplication) -> None:
    assert qapp.font().pixelSize() >= theme.TEXT_PX


@pytest.fixture
def portal_service(bus: Bus, folder: Path) -> Iterator[Child]:
    program = Path(__file__).with_name("fake_portal.py")
    with Child([sys.executable, str(program), bus.address], folder / "portal.log") as service:
        service.wait_until(lambda: bus.has_name("org.freedesktop.portal.Desktop"), "the portal")
        yield service


def test_the_portal_is_heard_where_qt_knows_nothing(bus: Bus, portal_service: Child, qtbot: QtBot) -> None:
    session = SessionBus(bus.address)
    portal = Portal(session)
    session.open()
    qtbot.waitUntil(lambda: portal.dark and portal.reduced_motion)
    portal_service.signal(10)  # SIGUSR1: the person chooses light
    qtbot.waitUntil(lambda: not portal.dark)
    session.close()


def test_without_a_portal_it_is_light_and_moving(bus: Bus, qtbot: QtBot) -> None:
    session = SessionBus(bus.address)
    portal = Portal(session)
    with qtbot.waitSignal(session.ready):
        session.open()
    assert not portal.dark
    assert not portal.reduced_motion
    session.close()
