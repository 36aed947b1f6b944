"""One message on the screen: day, sender, bubble and what became of it, laid out for one width."""

from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QCoreApplication, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QWidget

from deskbell_desktop.core import text
from deskbell_desktop.core.views import Delivery, MessageView
from deskbell_desktop.qt import theme, words
from deskbell_desktop.qt.text_block import Spot, TextBlock
from deskbell_desktop.qt.theme import Colours

SIDE: Final = 24
PAD_X: Final = 14
PAD_Y: Final = 9
WIDEST_SHARE: Final = 0.68
WIDEST: Final = 640
NARROWEST: Final = 160
DAY_HEIGHT: Final = 40
LINE_HEIGHT: Final = 36
META_GAP: Final = 2
BELOW: Final = 12

BRIEF_CHARS: Final = 1500
BRIEF_LINES: Final = 24
WHOLE_CHARS: Final = 20_000
WHOLE_LINES: Final = 1000
"""More than a server lets through; what a broken one sends must not stop the window either."""
NO_BREAK: Final = "\u00a0"
LOOK_AHEAD_CHARS: Final = 100
"""Enough to see that a link goes on behind the cut."""

translate = QCoreApplication.translate


@dataclass(frozen=True)
class Row:
    """A message in its surroundings: the first of its day says the day, the first of its sender in a group the name,
    and the first that was unread stands under a line."""

    message: MessageView
    first_of_day: bool = False
    named: bool = False
    under_line: bool = False


@dataclass(frozen=True)
class Selection:
    """A stretch of one message's text: of the title or the body, in Qt's units, from where it began to the pointer."""

    key: str
    block: int
    anchor: int
    pointer: int

    @property
    def places(self) -> range:
        return range(min(self.anchor, self.pointer), max(self.anchor, self.pointer))


class Bubble:
    """Where everything of `row` is, counted from the row's upper left corner."""

    def __init__(self, row: Row, width: float, host: QWidget, *, now: int, whole: bool) -> None:
        self.row = row
        message = row.message
        colours = theme.colours()
        widest = max(NARROWEST, min(WIDEST, (width - 2 * SIDE) * WIDEST_SHARE))
        inner = widest - 2 * PAD_X
        accent = colours.color("accent")
        self._day = self._block(words.day_label(message.at, now), host, 12, inner) if row.first_of_day else None
        new = translate("Messages", "New")
        self._line = TextBlock(new, theme.font(host, 12, bold=True), inner) if row.under_line else None
        self._name = (
            self._block(text.one_line(message.sender.label), host, 12.5, inner, bold=True) if row.named else None
        )
        title = text.one_line(message.content.title)
        self._title = self._block(title, host, 14, inner, bold=True) if title else None
        shown, found, cut = excerpt("\n".join(filter(None, (message.content.body, message.content.url))), whole=whole)
        links = [Spot(link.start, link.end, "link", link.url) for link in found]
        self._body = TextBlock(shown, theme.font(host), inner, spots=links, spot_colour=accent)
        self._more = self._more_block(cut, whole, inner, host, accent)
        self._meta = self._meta_block(message, host, widest - 8, colours)
        self._place(width, widest)

    @staticmethod
    def _block(shown: str, host: QWidget, px: float, width: float, *, bold: bool = False) -> TextBlock:
        return TextBlock(shown, theme.font(host, px, bold=bold), width)

    @staticmethod
    def _more_block(cut: bool, whole: bool, width: float, host: QWidget, accent: QColor) -> TextBlock | None:
        if not cut:
            return None
        if whole:
            return TextBlock(
                translate("Messages", "The rest is too long to show. Copying takes all of it."),
                theme.font(host, 12.5),
                width,
            )
        shown = translate("Messages", "Show all")
        return TextBlock(shown, theme.font(host, 12.5), width, spots=[Spot(0, len(shown), "more")], spot_colour=accent)

    @staticmethod
    def _meta_block(message: MessageView, host: QWidget, width: float, colours: Colours) -> TextBlock:
        state = text.one_line(words.state(message), 300)
        parts = [words.clock(message.at), words.priority(message), words.whom(message), state]
        shown = " · ".join(part for part in parts if part)
        spots = []
        if message.state is Delivery.FAILED:
            for action, verb in (
                ("retry", translate("Messages", "Try again")),
                ("discard", translate("Messages", "Discard")),
            ):
                shown += "  "
                spots.append(Spot(len(shown), len(shown) + len(verb), action, message.key))
                shown += verb.replace(" ", NO_BREAK)
        align = Qt.AlignmentFlag.AlignRight if message.mine else Qt.AlignmentFlag.AlignLeft
        accent = colours.color("accent")
        return TextBlock(shown, theme.font(host, 12), width, spots=spots, spot_colour=accent, align=align)

    def _place(self, width: float, widest: float) -> None:
        y = float(DAY_HEIGHT) if self._day else 0.0
        self._line_y = y
        y += LINE_HEIGHT if self._line else 0
        self._name_at = QPointF(SIDE + 4, y)
        if self._name:
            y += self._name.height + META_GAP
        inside = [block for block in (self._title, self._body, self._more) if block]
        box_width = max(block.width for block in inside) + 2 * PAD_X
        x = width - SIDE - box_width if self.row.message.mine else SIDE
        top = y
        y += PAD_Y
        self._inside: list[tuple[TextBlock, QPointF]] = []
        for block in inside:
            self._inside.append((block, QPointF(x + PAD_X, y)))
            y += block.height
        self.box = QRectF(x, top, box_width, y + PAD_Y - top)
        y += PAD_Y + META_GAP
        meta_x = width - SIDE - widest + 4 if self.row.message.mine else SIDE + 4
        self._meta_at = QPointF(meta_x, y)
        self._width = width
        self._day_at = QPointF((width - self._day.width) / 2, 8) if self._day else QPointF()
        self.height = round(y + self._meta.height + BELOW)

    def draw(
        self,
        painter: QPainter,
        top: float,
        colours: Colours,
        clip: QRectF,
        *,
        marked: bool,
        selection: Selection | None = None,
    ) -> None:
        offset = QPointF(0, top)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(colours.color("accent"), 1) if marked else Qt.PenStyle.NoPen)
        painter.setBrush(colours.color("tint" if self.row.message.mine else "selection"))
        box = self.box.translated(offset)
        painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), theme.RADIUS_SURFACE, theme.RADIUS_SURFACE)
        text_colour, soft = colours.color("text"), colours.color("soft")
        painter.save()
        painter.setClipRect(box.adjusted(2, 1, -2, -1))  # stacked accents reach far out of their line
        chosen = selection if selection and selection.key == self.row.message.key else None
        for number, (block, at) in enumerate(self._inside):
            places = chosen.places if chosen and chosen.block == number else range(0)
            block.draw(painter, at + offset, soft if block is self._more else text_colour, clip, places)
        painter.restore()
        failed = self.row.message.state is Delivery.FAILED
        self._meta.draw(painter, self._meta_at + offset, colours.color("bad") if failed else soft, clip)
        if self._day:
            self._day.draw(painter, self._day_at + offset, soft, clip)
        if self._name:
            self._name.draw(painter, self._name_at + offset, soft, clip)
        if self._line:
            self._draw_line(painter, self._line, top + self._line_y, colours.color("accent"), clip)

    def _draw_line(self, painter: QPainter, words: TextBlock, top: float, colour: QColor, clip: QRectF) -> None:
        """A hairline from side to side with its word in the middle."""
        left = round((self._width - words.width) / 2)
        words.draw(painter, QPointF(left, top + (LINE_HEIGHT - BELOW - words.height) / 2), colour, clip)
        y = round(top + (LINE_HEIGHT - BELOW) / 2)
        painter.fillRect(QRectF(SIDE, y, left - 12 - SIDE, 1), colour)
        painter.fillRect(QRectF(left + words.width + 12, y, self._width - SIDE - left - words.width - 12, 1), colour)

    def text_at(self, point: QPointF) -> int | None:
        """Number of the text at `point`, counted from the row's upper left corner: the title, or the body."""
        if not self.box.contains(point):
            return None
        texts = [number for number, (block, _at) in enumerate(self._inside) if block is not self._more]
        return next((n for n in texts if point.y() < self._inside[n][1].y() + self._inside[n][0].height), texts[-1])

    def text(self, number: int) -> tuple[TextBlock, QPointF]:
        """One of the texts, and where it stands in the row."""
        return self._inside[number]

    def spot_at(self, point: QPointF) -> Spot | None:
        """What can be clicked at `point`, counted from the row's upper left corner."""
        for block, at in [*self._inside, (self._meta, self._meta_at)]:
            if (spot := block.spot_at(point - at)) is not None:
                return spot
        return None

    def spots(self) -> list[Spot]:
        """Everything that can be clicked, for the keyboard and the menu."""
        return [spot for block in [*(block for block, _at in self._inside), self._meta] for spot in block.spots]


def excerpt(body: str, *, whole: bool) -> tuple[str, list[text.Link], bool]:
    """What of `body` is shown, cleaned, the links that are whole in it, and whether something is left out."""
    chars, lines = (WHOLE_CHARS, WHOLE_LINES) if whole else (BRIEF_CHARS, BRIEF_LINES)
    more = text.clean(body[: chars + LOOK_AHEAD_CHARS]).strip("\n")
    shown = "\n".join(more.split("\n", lines)[:lines])[:chars]
    cut = len(shown) < len(more) or len(body) > chars + LOOK_AHEAD_CHARS
    shown = shown.rstrip() if cut else shown
    links = [link for link in text.links_in(more) if link.end <= len(shown)]
    return shown + "…" if cut else shown, links, cut
