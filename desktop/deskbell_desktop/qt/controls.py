"""Small ready-made controls of the family, so that the windows speak of their content only."""

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QCheckBox, QFrame, QLabel, QPushButton, QToolButton, QWidget

from deskbell_desktop.qt import avatars, theme
from deskbell_desktop.qt.icons import icon, pixmap
from deskbell_protocol.wire import Party


def button(text: str, *, primary: bool = False, link: bool = False) -> QPushButton:
    """A verb. `primary` is the one that wants to be pressed, `link` the quiet one inside a text."""
    result = QPushButton(text)
    result.setProperty("primary", primary)
    result.setProperty("link", link)
    result.setFont(theme.font(result, bold=primary))
    result.setAutoDefault(False)
    result.setCursor(Qt.CursorShape.PointingHandCursor)
    return result


def label(text: str = "", px: float = theme.TEXT_PX, *, bold: bool = False, wrap: bool = False) -> QLabel:
    """Plain text, always: a label that guesses would read markup in a name."""
    result = QLabel()
    result.setTextFormat(Qt.TextFormat.PlainText)
    result.setText(text)
    result.setFont(theme.font(result, px, bold=bold))
    result.setWordWrap(wrap)
    return result


def soft(text: str = "", px: float = 12.5, *, wrap: bool = False) -> QLabel:
    """What explains: smaller, in the soft colour of the scheme."""
    result = label(text, px, wrap=wrap)
    result.setForegroundRole(result.palette().ColorRole.PlaceholderText)
    return result


def problem(px: float = 13) -> QLabel:
    """Where something went wrong, in place; hidden until there is something to say."""
    result = label("", px, wrap=True)
    result.setForegroundRole(result.palette().ColorRole.BrightText)
    result.hide()
    return result


def hairline() -> QFrame:
    result = QFrame()
    result.setFixedHeight(1)
    result.setAutoFillBackground(True)
    result.setBackgroundRole(result.palette().ColorRole.Mid)
    return result


class Surface(QWidget):
    """An area filled with one of the palette's colours."""

    def __init__(self, role: str = "Base", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAutoFillBackground(True)
        self.setBackgroundRole(self.palette().ColorRole[role])


class IconButton(QToolButton):
    """A drawing with a name for those who do not see it."""

    def __init__(self, name: str, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name = name
        self.setToolTip(text)
        self.setAccessibleName(text)
        self.setIconSize(QSize(20, 20))
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._draw()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._draw()

    def _draw(self) -> None:
        self.setIcon(icon(self._name, theme.colours().soft))


class CheckBox(QCheckBox):
    """Fusion's box is hardly seen on dark ground."""

    BOX = 18

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setFont(theme.font(self))
        self.setMinimumHeight(24)

    def paintEvent(self, _event: QPaintEvent) -> None:
        colours = theme.colours()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(0.5, (self.height() - self.BOX) / 2 + 0.5, self.BOX - 1, self.BOX - 1)
        marked = self.isChecked()
        painter.setPen(QPen(colours.color("accent" if marked or self.hasFocus() else "soft"), 1))
        painter.setBrush(colours.color("accent" if marked else "surface"))
        painter.drawRoundedRect(box, 4, 4)
        if marked:
            drawn = pixmap("check", self.BOX, colours.accent_ink, ratio=self.devicePixelRatioF())
            painter.drawPixmap(box.topLeft(), drawn)
        painter.setPen(colours.color("text" if self.isEnabled() else "soft"))
        words = self.rect().adjusted(self.BOX + 10, 0, 0, 0)
        painter.drawText(words, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, self.text())


class Avatar(QWidget):
    """Somebody's round or square face."""

    def __init__(self, size: int = 40, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._party: Party | None = None
        self.setFixedSize(size, size)

    def show_party(self, party: Party | None) -> None:
        self._party = party
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self._party is not None:
            avatars.draw(QPainter(self), QRectF(self.rect()), self._party, theme.colours())


class Mark(QWidget):
    """The desk bell, in the accent, for empty pages and the login."""

    def __init__(self, size: int = 48, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedSize(size, size)

    def paintEvent(self, _event: QPaintEvent) -> None:
        size = self.width()
        drawn = pixmap("mark", size, theme.colours().accent, ratio=self.devicePixelRatioF())
        QPainter(self).drawPixmap(0, 0, drawn)
