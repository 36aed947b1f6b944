"""Our SVG drawings as pixmaps, in the colours of the moment."""

from typing import Final

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from deskbell_desktop.qt.theme import LIGHT
from deskbell_resources.files import read

APP_SIZES: Final = (16, 24, 32, 48, 64, 128, 256)


def pixmap(name: str, size: int, colour: str, *, accent: str = LIGHT.accent, ratio: float = 1.0) -> QPixmap:
    """The drawing `icons/<name>.svg`, `size` points wide, its `currentColor` being `colour`."""
    data = read(f"icons/{name}.svg").replace(b"currentColor", colour.encode())
    renderer = QSvgRenderer(QByteArray(data.replace(LIGHT.accent.encode(), accent.encode())))
    result = QPixmap(QSize(size, size) * ratio)
    result.setDevicePixelRatio(ratio)
    result.fill(Qt.GlobalColor.transparent)
    painter = QPainter(result)
    renderer.render(painter, QRectF(0, 0, size, size))
    painter.end()
    return result


def icon(name: str, colour: str, size: int = 20) -> QIcon:
    """For buttons and menus, sharp at 1x, 2x and 3x."""
    result = QIcon()
    for ratio in (1.0, 2.0, 3.0):
        result.addPixmap(pixmap(name, size, colour, ratio=ratio))
    return result


def app_icon() -> QIcon:
    """The desk bell in its own colours, for windows and task bars."""
    result = QIcon()
    data = QByteArray(read("icons/deskbell.svg"))
    renderer = QSvgRenderer(data)
    for size in APP_SIZES:
        drawn = QPixmap(size, size)
        drawn.fill(Qt.GlobalColor.transparent)
        painter = QPainter(drawn)
        renderer.render(painter, QRectF(0, 0, size, size))
        painter.end()
        result.addPixmap(drawn)
    return result
