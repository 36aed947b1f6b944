"""The tray icon and its menu: where the connection stands, what is unread; made again for a late panel."""

import logging
from typing import Final

from PySide6.QtCore import SLOT, QCoreApplication, QObject, Qt, QTimer, Signal, Slot
from PySide6.QtDBus import QDBusConnection, QDBusServiceWatcher
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QMenu, QSystemTrayIcon

from deskbell_desktop.core.views import Link, StatusView
from deskbell_desktop.qt import words
from deskbell_desktop.qt.front import on_wayland
from deskbell_desktop.qt.tray_icon import Panel, State, state_of, tray_icon

log = logging.getLogger(__name__)

WATCHER: Final = "org.kde.StatusNotifierWatcher"
HOST: Final = (WATCHER, "/StatusNotifierWatcher", WATCHER, "StatusNotifierHostRegistered")
SETTLED_MS: Final = 50
"""A panel that starts tells twice that it is there: one new icon is enough for both."""

translate = QCoreApplication.translate


class Tray(QObject):
    """`available` says whether there is a panel to be seen in; it may become true later (`availability_changed`)."""

    open_requested = Signal()
    compose_requested = Signal()
    quiet_toggled = Signal(bool)
    sign_out_requested = Signal()
    quit_requested = Signal()
    availability_changed = Signal(bool)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._status = StatusView(Link.SIGNED_OUT)
        self._drawn: tuple[State, int, Panel] | None = None
        self._menu = QMenu()
        self._make_menu()
        # Qt chooses between the two tray protocols when an icon is made, and never again: a panel that starts after us
        # would not see an old one. It has its name before it has a place for icons, and at login we may come between.
        self._settled = QTimer(self, singleShot=True, interval=SETTLED_MS)
        self._settled.timeout.connect(self._on_panel)
        bus = QDBusConnection.sessionBus()
        self._watcher = QDBusServiceWatcher(WATCHER, bus, QDBusServiceWatcher.WatchModeFlag.WatchForRegistration, self)
        self._watcher.serviceRegistered.connect(lambda _name: self._settled.start())
        # the stub asks for bytes, the function for SLOT's str
        bus.connect(*HOST, self, SLOT("on_host()"))  # type: ignore[call-overload]
        self._icon = self._make_icon()
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._draw)

    @property
    def available(self) -> bool:
        return QSystemTrayIcon.isSystemTrayAvailable()

    def show_status(self, status: StatusView) -> None:
        self._status = status
        signed_in = status.link is not Link.SIGNED_OUT
        self._quiet.setChecked(status.quiet)
        for action in (self._compose, self._quiet, self._sign_out):
            action.setEnabled(signed_in)
        self._icon.setToolTip(tooltip(status))
        self._draw()

    def close(self) -> None:
        self._icon.hide()

    def _draw(self) -> None:
        state = state_of(self._status)
        drawn = (state, min(self._status.unread, 10) if state == "unread" else 0, panel())
        if drawn != self._drawn:
            self._drawn = drawn
            self._icon.setIcon(tray_icon(*drawn))

    def _make_icon(self) -> QSystemTrayIcon:
        icon = QSystemTrayIcon(self)
        self._drawn = (state_of(self._status), self._status.unread, panel())
        icon.setIcon(tray_icon(*self._drawn))
        icon.setToolTip(tooltip(self._status))
        icon.setContextMenu(self._menu)
        icon.activated.connect(self._on_activated)
        # Wayland has one tray protocol only, and Qt complains where nobody speaks it; who comes later gets a new icon.
        icon.setVisible(self.available or not on_wayland())
        return icon

    def _make_menu(self) -> None:
        self._open = self._add(translate("Tray", "Open"))
        self._compose = self._add(translate("Tray", "New message"))
        self._menu.addSeparator()
        self._quiet = self._add(translate("Tray", "Do not disturb"))
        self._quiet.setCheckable(True)
        self._menu.addSeparator()
        self._sign_out = self._add(translate("Tray", "Sign out"))
        self._quit = self._add(translate("Tray", "Quit"))
        self._open.triggered.connect(lambda: self.open_requested.emit())
        self._compose.triggered.connect(lambda: self.compose_requested.emit())
        self._quiet.triggered.connect(self.quiet_toggled)
        self._sign_out.triggered.connect(lambda: self.sign_out_requested.emit())
        self._quit.triggered.connect(lambda: self.quit_requested.emit())

    def _add(self, text: str) -> QAction:
        action = QAction(text, self._menu)
        self._menu.addAction(action)
        return action

    def _on_activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason in (QSystemTrayIcon.ActivationReason.Trigger, QSystemTrayIcon.ActivationReason.DoubleClick):
            self.open_requested.emit()

    @Slot()
    def on_host(self) -> None:
        self._settled.start()

    def _on_panel(self) -> None:
        log.info("a panel appeared: the tray icon is made again")
        old = self._icon
        old.hide()
        old.deleteLater()
        self._icon = self._make_icon()
        self.availability_changed.emit(self.available)


def panel() -> Panel:
    """The panel that the icon stands on, as far as the desktop tells: dark desktops have dark panels."""
    return "dark" if QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark else "unknown"


def tooltip(status: StatusView) -> str:
    """The name, what is unread, what was not sent, where the connection stands. Panels may read markup: none is."""
    lines = [translate("Tray", "Deskbell")]
    if status.unread:
        lines[0] = translate("Tray", "Deskbell, unread: %1").replace("%1", str(status.unread))
    return "\n".join(filter(None, (*lines, status.unsent, words.status_line(status)))).replace("<", "‹")
