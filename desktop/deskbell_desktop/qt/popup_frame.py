"""The small surface that our own popup and the reply window share: round corners, a hairline, a soft shadow."""

from typing import Final

from PySide6.QtCore import QPropertyAnimation, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QGuiApplication, QPainter, QPainterPath, QPaintEvent, QPen, QRegion, QResizeEvent
from PySide6.QtWidgets import QWidget

from deskbell_desktop.qt import theme
from deskbell_desktop.qt.front import on_wayland
from deskbell_desktop.qt.x11 import float_freely

SHADOW: Final = 12
RADIUS: Final = 14
WIDTH: Final = 400
EDGE: Final = 8


class PopupFrame(QWidget):
    """Frameless and on top; `SHADOW` around the surface belongs to the window but is see-through."""

    def __init__(self, *, takes_focus: bool) -> None:
        super().__init__(
            None, Qt.WindowType.Tool | Qt.WindowType.FramelessWindowHint | Qt.WindowType.WindowStaysOnTopHint
        )
        # Without a compositor, and X11 does not tell whether there is one, what is see-through would be black.
        self._shaped = QGuiApplication.platformName() == "xcb"
        self.setAttribute(Qt.WidgetAttribute.WA_TranslucentBackground, not self._shaped)
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating, not takes_focus)
        self.setFixedWidth(WIDTH + 2 * SHADOW)
        self.setContentsMargins(SHADOW, SHADOW, SHADOW, SHADOW)
        self._fade = QPropertyAnimation(self, b"windowOpacity", self)
        self._fade.setDuration(theme.FADE_MS)

    def appear(self) -> None:
        # On Wayland a window has no opacity, and Qt says so at every step of a fade.
        if theme.reduced_motion() or on_wayland():
            self.show()
            return
        self.setWindowOpacity(0.0)
        self.show()
        self._fade.setStartValue(0.0)
        self._fade.setEndValue(1.0)
        self._fade.start()

    def setVisible(self, visible: bool) -> None:
        """A tool window stands in the lists of some panels and stays on its workspace: both is not for a popup."""
        if visible and self._shaped and not self.isVisible():
            float_freely(int(self.winId()))
        super().setVisible(visible)

    def place(self, below: int = 0) -> None:
        """In the upper right corner of the screen, `below` pixels under its edge."""
        self.fit()
        free: QRect = self.screen().availableGeometry()
        self.move(free.right() + 1 - self.width() - EDGE + SHADOW, free.top() + EDGE - SHADOW + below)

    def fit(self) -> None:
        """As high as what is shown: `adjustSize` would go by the words that were there before."""
        layout = self.layout()
        if layout is not None:
            for inner in filter(None, (widget.layout() for widget in self.findChildren(QWidget))):
                inner.activate()
            layout.invalidate()
            layout.activate()
            self.setFixedHeight(layout.totalHeightForWidth(self.width()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._shaped:
            path = QPainterPath()
            path.addRoundedRect(QRectF(self.rect()).adjusted(SHADOW, SHADOW, -SHADOW, -SHADOW), RADIUS, RADIUS)
            self.setMask(QRegion(path.toFillPolygon().toPolygon()))

    def paintEvent(self, _event: QPaintEvent) -> None:
        colours = theme.colours()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(SHADOW, SHADOW, -SHADOW, -SHADOW)
        painter.setPen(Qt.PenStyle.NoPen)
        if self._shaped:
            painter.fillRect(self.rect(), colours.color("line"))
        for step in range(SHADOW, 0, -2):
            shade = QColor(0, 0, 0) if colours.dark else QColor(40, 30, 10)
            shade.setAlpha(14 if colours.dark else 5)
            painter.setBrush(shade)
            painter.drawRoundedRect(box.adjusted(-step, -step + 2, step, step), RADIUS + step, RADIUS + step)
        painter.setPen(QPen(colours.color("line"), 1))
        painter.setBrush(colours.color("raised"))
        painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), RADIUS, RADIUS)
