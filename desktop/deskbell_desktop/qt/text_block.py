"""A paragraph of plain text laid out once and drawn often: nothing in it is ever read as markup."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QPointF, QRectF, Qt, QTextBoundaryFinder
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QTextCharFormat, QTextLayout, QTextLine, QTextOption
from PySide6.QtWidgets import QApplication

from deskbell_desktop.qt import theme
from deskbell_desktop.qt.utf16 import Utf16

LINE_BREAK: Final = "\u2028"
"""How QTextLayout wants a line break; as long as the `\\n` it stands for, so that positions stay."""


@dataclass(frozen=True)
class Spot:
    """A stretch that can be clicked: `action` says what it does ("link", "retry", …), `value` with what."""

    start: int
    end: int
    action: str
    value: str = ""


class TextBlock:
    """`text` broken into lines no wider than `width`. `size` is what it takes up."""

    def __init__(
        self,
        text: str,
        font: QFont,
        width: float,
        *,
        spots: Sequence[Spot] = (),
        spot_colour: QColor | None = None,
        align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft,
    ) -> None:
        self.text = text
        self.spots = tuple(spots)
        self._positions = units = Utf16(text)
        self._reach = [(units.units(spot.start), units.units(spot.end), spot) for spot in self.spots]
        self._layout = QTextLayout(text.replace("\n", LINE_BREAK), font)
        option = QTextOption(align)
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        option.setTextDirection(Qt.LayoutDirection.LayoutDirectionAuto)
        option.setTabStopDistance(QFontMetricsF(font).horizontalAdvance(" ") * 4)
        self._layout.setTextOption(option)
        self._layout.setCacheEnabled(True)
        if spot_colour is not None:
            self._layout.setFormats([_marked(*reach, spot_colour) for reach in self._reach])
        self.width, self.height = self._break(font, width)

    def _break(self, font: QFont, width: float) -> tuple[float, float]:
        step = theme.line_px(font)
        widest = y = 0.0
        self._layout.beginLayout()
        while (line := self._layout.createLine()).isValid():
            line.setLineWidth(width)
            used = line.height()
            height = max(step, used)
            line.setPosition(QPointF(0, y + (height - used) / 2))
            widest = max(widest, line.naturalTextWidth())
            y += height
        self._layout.endLayout()
        return min(width, widest), y

    def draw(
        self, painter: QPainter, origin: QPointF, colour: QColor, clip: QRectF, selected: range = range(0)
    ) -> None:
        painter.setPen(colour)
        self._layout.draw(painter, origin, [_selected(selected)] if selected else [], clip)

    def place_at(self, point: QPointF, *, on: bool = False) -> int:
        """The place between two characters that is next to `point`, in Qt's units; or that of the one it is `on`."""
        if not 0 <= point.y() < self.height:
            return 0 if point.y() < 0 else self.whole.stop
        lines = [self._layout.lineAt(number) for number in range(self._layout.lineCount())]
        line = next((line for line in lines if point.y() < line.y() + line.height()), lines[-1])
        how = QTextLine.CursorPosition
        return line.xToCursor(point.x(), how.CursorOnCharacter if on else how.CursorBetweenCharacters)

    def word_at(self, place: int) -> range:
        finder = QTextBoundaryFinder(QTextBoundaryFinder.BoundaryType.Word, self._layout.text())
        finder.setPosition(place)
        start = place if finder.isAtBoundary() else finder.toPreviousBoundary()
        return range(start, max(start, finder.toNextBoundary()))

    @property
    def whole(self) -> range:
        return range(self._positions.units(len(self.text)))

    def part(self, places: range) -> str:
        return self.text[self._positions.index(places.start) : self._positions.index(places.stop)]

    def spot_at(self, point: QPointF) -> Spot | None:
        """What is under `point`, counted from the block's upper left corner."""
        if not self.spots:
            return None
        for number in range(self._layout.lineCount()):
            line = self._layout.lineAt(number)
            if line.naturalTextRect().adjusted(0, -2, 0, 2).contains(point):
                return self._spot_of(line.xToCursor(point.x(), line.CursorPosition.CursorOnCharacter))
        return None

    def _spot_of(self, position: int) -> Spot | None:
        return next((spot for start, end, spot in self._reach if start <= position < end), None)


def _selected(places: range) -> QTextLayout.FormatRange:
    result = QTextLayout.FormatRange()
    result.start, result.length = places.start, len(places)
    format_ = QTextCharFormat()
    format_.setBackground(QApplication.palette().highlight())
    format_.setForeground(QApplication.palette().highlightedText())
    result.format = format_
    return result


def _marked(start: int, end: int, spot: Spot, colour: QColor) -> QTextLayout.FormatRange:
    result = QTextLayout.FormatRange()
    result.start, result.length = start, end - start
    format_ = QTextCharFormat()
    format_.setForeground(colour)
    format_.setFontUnderline(spot.action == "link")
    result.format = format_
    return result
