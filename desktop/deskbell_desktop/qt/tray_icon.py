"""The desk bell in the tray: idle, unread (number), unsent (!), offline (struck out), quiet (moon), at every size."""

from dataclasses import dataclass
from typing import Final, Literal

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QGuiApplication, QIcon, QPainter, QPainterPath, QPixmap

from deskbell_desktop.core.views import Link, StatusView
from deskbell_desktop.qt.icons import pixmap
from deskbell_desktop.qt.theme import DARK, LIGHT

State = Literal["idle", "unread", "unsent", "offline", "quiet"]
Panel = Literal["light", "dark", "unknown"]

SIZES: Final = (16, 22, 24, 32, 48)


@dataclass(frozen=True)
class Ink:
    """What the bell is drawn with: at its desk, away from it (`soft`), what asks for an answer, and what failed."""

    bell: str
    soft: str
    accent: str
    bad: str


INKS: Final[dict[Panel, Ink]] = {
    "light": Ink(LIGHT.text, LIGHT.soft, LIGHT.accent, LIGHT.bad),
    "dark": Ink(DARK.text, DARK.soft, DARK.accent, DARK.bad),
    # A light desktop may well have a dark panel: these are seen on both.
    "unknown": Ink("#857B6A", "#857B6A", "#B2761A", "#CC5A45"),
}

# Three by five dots: letters drawn by a font are mud below 32 px.
_DOTS: Final = {
    "1": ("010", "110", "010", "010", "111"),
    "2": ("111", "001", "111", "100", "111"),
    "3": ("111", "001", "111", "001", "111"),
    "4": ("101", "101", "111", "001", "001"),
    "5": ("111", "100", "111", "001", "111"),
    "6": ("111", "100", "111", "101", "111"),
    "7": ("111", "001", "010", "010", "010"),
    "8": ("111", "101", "111", "101", "111"),
    "9": ("111", "101", "111", "001", "111"),
    "!": ("010", "010", "010", "000", "010"),
    "+": ("000", "010", "111", "010", "000"),
}
_DOTTED_BELOW: Final = 32
_NOTCH: Final = {16: 1.0, 22: 1.5, 24: 1.5, 32: 2.0, 48: 3.0}


def state_of(status: StatusView) -> State:
    """Being off line hides the number: it may be wrong. Being quiet hides it because the person asked for quiet."""
    if status.link is not Link.ONLINE:
        return "offline"
    if status.quiet:
        return "quiet"
    if status.unsent:
        return "unsent"
    return "unread" if status.unread else "idle"


def badge_text(unread: int) -> str:
    return "9+" if unread > 9 else str(unread)


def tray_icon(state: State, unread: int, panel: Panel) -> QIcon:
    result = QIcon()
    for size in SIZES:
        result.addPixmap(tray_pixmap(state, unread, panel, size))
    return result


def tray_pixmap(state: State, unread: int, panel: Panel, size: int) -> QPixmap:
    """One drawing of `size` pixels; `size` is one of SIZES."""
    ink = INKS[panel]
    drawing = "idle" if state in ("unread", "unsent") else state
    colour = ink.soft if state in ("offline", "quiet") else ink.bell
    result = pixmap(f"tray/{drawing}-{size}", size, colour, accent=ink.accent)
    if drawing != state:
        painter = QPainter(result)
        mark = ("!", ink.bad) if state == "unsent" else (badge_text(unread), ink.accent)
        _draw_badge(painter, mark[0], size, QColor(mark[1]))
        painter.end()
    return result


def _draw_badge(painter: QPainter, text: str, size: int, colour: QColor) -> None:
    """A pill in the upper right corner with the number cut out of it, so that it reads on any panel."""
    glyphs = _dots(text) if size < _DOTTED_BELOW else _letters(text, size)
    box = glyphs.boundingRect()
    height = round(box.height()) + (4 if size >= _DOTTED_BELOW else 2) + (2 if size == 48 else 0)
    width = max(height, round(box.width()) + (height - round(box.height())) + (2 if size >= _DOTTED_BELOW else 0))
    pill = QRectF(size - width, 0, width, height)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    notch, radius = _NOTCH[size], height / 2 if size >= _DOTTED_BELOW else min(height / 2, 3)
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Clear)
    painter.setBrush(Qt.GlobalColor.black)
    around = pill.adjusted(-notch, -notch, notch, notch)
    painter.drawRoundedRect(around, radius + notch, radius + notch)
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceOver)
    painter.setBrush(colour)
    painter.drawRoundedRect(pill, radius, radius)
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Clear)
    offset = pill.center() - box.center()
    if size < _DOTTED_BELOW:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        offset = QPointF(round(offset.x()), round(offset.y()))
    glyphs.translate(offset)
    painter.fillPath(glyphs, Qt.GlobalColor.black)


def _dots(text: str) -> QPainterPath:
    path = QPainterPath()
    for index, char in enumerate(text):
        for y, row in enumerate(_DOTS[char]):
            for x, dot in enumerate(row):
                if dot == "1":
                    path.addRect(index * 4 + x, y, 1, 1)
    return path


def _letters(text: str, size: int) -> QPainterPath:
    font = QFont(QGuiApplication.font())
    font.setPixelSize(round(size * 0.34))
    font.setWeight(QFont.Weight.Bold)
    path = QPainterPath()
    path.addText(0, QFontMetricsF(font).ascent(), font, text)
    return path
