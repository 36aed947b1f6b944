"""Colours, type and shape of every window: Fusion with our own palettes, following the desktop's choice."""

from dataclasses import dataclass, fields
from typing import Final, Literal

import msgspec
from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontInfo, QFontMetricsF, QPalette
from PySide6.QtWidgets import QApplication, QWidget

from deskbell_desktop.qt.portal import Portal
from deskbell_desktop.qt.session_bus import SessionBus
from deskbell_desktop.qt.sheet import style_sheet
from deskbell_resources.files import read

Scheme = Literal["system", "light", "dark"]

TEXT_PX: Final = 14
LINE_HEIGHT: Final = 1.45
FADE_MS: Final = 120
RADIUS: Final = 8
LATIN: Final = ("Inter", "Noto Sans", "Cantarell", "Ubuntu Sans", "Ubuntu", "Open Sans")
CHINESE: Final = ("Noto Sans CJK SC", "Source Han Sans SC", "PingFang SC", "Microsoft YaHei")
RADIUS_SURFACE: Final = 12


@dataclass(frozen=True)
class Colours:
    """Warm paper and brass. `accent` is for what wants an answer, `accent_ink` is written on it."""

    background: str
    surface: str
    raised: str
    line: str
    edge: str
    handle: str
    text: str
    soft: str
    accent: str
    accent_hover: str
    accent_ink: str
    tint: str
    selection: str
    good: str
    bad: str
    dark: bool = False

    def color(self, name: str) -> QColor:
        return QColor(getattr(self, name))


def _read(scheme: str) -> Colours:
    """As the pages have it too."""
    found = msgspec.json.decode(read("palette.json"), type=dict[str, dict[str, str]])
    return Colours(**found[scheme], dark=scheme == "dark")


LIGHT: Final = _read("light")
DARK: Final = _read("dark")
COLOUR_NAMES: Final = tuple(field.name for field in fields(Colours) if field.name != "dark")


def colours() -> Colours:
    """The colours of the moment, as the application's palette has them (a widget's own is changed by style sheets)."""
    return DARK if QApplication.palette().color(QPalette.ColorRole.Window).lightness() < 128 else LIGHT


def font(widget: QWidget, px: float = TEXT_PX, *, bold: bool = False) -> QFont:
    """The widget's font at `px` of the design's scale, where ordinary text is 14; larger if the desktop says so."""
    result = QFont(QApplication.font(widget))
    result.setPixelSize(round(QFontInfo(QApplication.font()).pixelSize() * px / TEXT_PX))
    result.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
    return result


def line_px(font_: QFont) -> float:
    """From one baseline to the next."""
    return max(QFontMetricsF(font_).height(), round(font_.pixelSize() * LINE_HEIGHT))


def palette(scheme: Colours) -> QPalette:
    """A whole palette for Fusion, disabled texts included."""
    role = QPalette.ColorRole
    result = QPalette(QColor(scheme.surface), QColor(scheme.background))
    plan = {
        role.Window: scheme.background,
        role.WindowText: scheme.text,
        role.Base: scheme.surface,
        role.AlternateBase: scheme.selection,
        role.ToolTipBase: scheme.raised,
        role.ToolTipText: scheme.text,
        role.PlaceholderText: scheme.soft,
        role.Text: scheme.text,
        role.Button: scheme.surface,
        role.ButtonText: scheme.text,
        role.BrightText: scheme.bad,
        role.Link: scheme.accent,
        role.LinkVisited: scheme.accent,
        role.Highlight: scheme.accent,
        role.HighlightedText: scheme.accent_ink,
        role.Accent: scheme.accent,
        role.Mid: scheme.line,
        role.Light: scheme.surface,
        role.Midlight: scheme.selection,
        role.Dark: scheme.line,
    }
    for which, colour in plan.items():
        result.setColor(which, QColor(colour))
    for which in (role.WindowText, role.Text, role.ButtonText):
        result.setColor(QPalette.ColorGroup.Disabled, which, QColor(scheme.soft))
    return result


class Theme(QObject):
    """Keeps the application in its scheme; one lives as a child of the application."""

    changed = Signal()

    def __init__(self, app: QApplication, bus: SessionBus | None) -> None:
        super().__init__(app)
        self._app = app
        self._scheme: Scheme = "system"
        self._portal = Portal(bus, self) if bus is not None else None
        if self._portal is not None:
            self._portal.changed.connect(self._refresh)
        app.styleHints().colorSchemeChanged.connect(self._refresh)
        app.setStyle("Fusion")
        _prepare_font(app)

    @property
    def reduced_motion(self) -> bool:
        return self._portal is not None and self._portal.reduced_motion

    def choose(self, scheme: Scheme) -> None:
        self._scheme = scheme
        self._refresh()

    def _refresh(self) -> None:
        wanted = DARK if self._is_dark() else LIGHT
        if self._app.property("deskbell_scheme") == wanted.background:
            return
        self._app.setProperty("deskbell_scheme", wanted.background)
        self._app.setPalette(palette(wanted))
        self._app.setStyleSheet(style_sheet({name: getattr(wanted, name) for name in COLOUR_NAMES}))
        self.changed.emit()

    def _is_dark(self) -> bool:
        if self._scheme != "system":
            return self._scheme == "dark"
        known = self._app.styleHints().colorScheme()
        if known == Qt.ColorScheme.Unknown:
            return self._portal is not None and self._portal.dark
        return known == Qt.ColorScheme.Dark


def apply(app: QApplication, scheme: Scheme = "system", bus: SessionBus | None = None) -> Theme:
    """Put the application into `scheme` and keep it there. `bus` lets `system` ask the desktop's settings portal."""
    theme = app.findChild(Theme) or Theme(app, bus)
    theme.choose(scheme)
    return theme


def reduced_motion() -> bool:
    """True where the desktop, or no theme at all, wants things to appear without a fade."""
    app = QApplication.instance()
    theme = app.findChild(Theme) if app is not None else None
    return theme is None or theme.reduced_motion


def _prepare_font(app: QApplication) -> None:
    """The desktop's own font, not smaller than the design's, then those that set Chinese as it is written in China."""
    base = app.font()
    size = QFontInfo(base).pixelSize()
    known = set(QFontDatabase.families())
    own = [family for family in base.families() if family in known]  # "Sans Serif" is nobody's choice
    base.setFamilies([*(own or (name for name in LATIN if name in known)), *CHINESE, QFontInfo(base).family()])
    base.setPixelSize(max(TEXT_PX, size))
    app.setFont(base)
