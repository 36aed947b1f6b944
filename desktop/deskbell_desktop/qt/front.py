"""A window that comes to the person: wherever it was, minimised or on another workspace, it is in front afterwards."""

from typing import Final

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QCursor, QGuiApplication
from PySide6.QtWidgets import QWidget

from deskbell_desktop.qt import x11
from deskbell_desktop.qt.screen_lock import screen_lock

FRAME: Final = QSize(8, 36)
"""What a window manager may take of a screen for title and edges; it tells only once the window stands."""


def on_wayland() -> bool:
    """There a program neither places its windows nor makes them see-through, and the desktop raises them."""
    return QGuiApplication.platformName().startswith("wayland")


def come_forward(window: QWidget) -> None:
    """On Wayland the activation token must be in the environment before."""
    if window.isMinimized():
        window.setWindowState(window.windowState() & ~Qt.WindowState.WindowMinimized)
    window.show()
    window.raise_()
    window.activateWindow()
    x11.come_here(int(window.winId()))


def centre(window: QWidget, *, right: int = 0) -> None:
    """In the middle of the screen that has the pointer; further left where `right` would not be free beside it."""
    screen = QGuiApplication.screenAt(QCursor.pos()) or window.screen()
    free, frame = screen.availableGeometry(), window.rect()
    frame.moveCenter(free.center())
    frame.moveLeft(max(free.left(), min(frame.left(), free.right() + 1 - right - frame.width())))
    window.move(frame.topLeft())


def room(window: QWidget) -> QSize:
    """How large the inside of `window` may be, for all of it to be seen."""
    return window.screen().availableSize() - FRAME


def has_eyes(window: QWidget) -> bool:
    """Whether the person looks at what `window` shows: it has the keyboard, and more of it is seen than its title."""
    lock = screen_lock()
    if lock is not None and lock.locked:
        return False
    here = window.isVisible() and not window.isMinimized() and window.isActiveWindow()
    return here and window.windowHandle().isExposed() and not x11.is_rolled_up(int(window.winId()))
