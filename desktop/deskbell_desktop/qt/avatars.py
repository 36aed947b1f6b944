"""Faces without pictures: people and groups round, machines square, two Latin initials or one Chinese character."""

import unicodedata
from typing import Final

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QGuiApplication, QImage, QPainter

from deskbell_desktop.qt.theme import Colours
from deskbell_protocol.wire import Party

SQUARENESS: Final = 0.25
TEXT_SHARE: Final = 0.36


def initials(label: str) -> str:
    """`Maria Garcia` → `MG`, `grafana` → `GR`, `陈晓明` → `陈`; `?` where there is no letter at all."""
    words = ["".join(c for c in word if c.isalnum()) for word in unicodedata.normalize("NFC", label[:200]).split()]
    words = [word for word in words if word]
    if not words:
        return "?"
    if _is_wide(words[0][0]):
        return words[0][0]
    if len(words) > 1:
        return (words[0][0] + words[-1][0]).upper()[:2]
    return words[0][:2].upper()[:2]


def _is_wide(char: str) -> bool:
    return unicodedata.east_asian_width(char) in "WF"


def draw(painter: QPainter, rect: QRectF, party: Party, colours: Colours) -> None:
    """Fill `rect`, a square, with the avatar of `party`."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colours.color("tint"))
    radius = rect.width() * (SQUARENESS if party.kind == "app" else 0.5)
    painter.drawRoundedRect(rect, radius, radius)
    letters = initials(party.label.lstrip("@"))
    font = QFont(QGuiApplication.font())
    font.setPixelSize(max(6, round(rect.width() * TEXT_SHARE)))
    font.setWeight(QFont.Weight.DemiBold)
    painter.setFont(font)
    painter.setPen(colours.color("accent"))
    ink = QFontMetricsF(font).tightBoundingRect(letters)
    painter.drawText(rect.center() - ink.center(), letters)
    painter.restore()


def image(party: Party, colours: Colours, size: int) -> QImage:
    """The avatar as RGBA pixels, for a notification daemon."""
    result = QImage(size, size, QImage.Format.Format_RGBA8888)
    result.fill(Qt.GlobalColor.transparent)
    painter = QPainter(result)
    draw(painter, QRectF(0, 0, size, size), party, colours)
    painter.end()
    return result
