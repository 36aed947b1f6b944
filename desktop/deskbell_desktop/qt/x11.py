"""What X11 can do and Qt does not offer: a window that stands in no list of windows, one that comes to the person."""

import ctypes
import logging
import socket
from collections.abc import Sequence
from typing import Any, Final

from PySide6.QtGui import QGuiApplication, QNativeInterface

log = logging.getLogger(__name__)

REPLACE: Final = 0
ATOM: Final = 4
CARDINAL: Final = 6
CLIENT_MESSAGE: Final = 33
TO_WINDOW_MANAGER: Final = 0x180000
"""Substructure redirect and notify: who watches the root window for these is the window manager."""
REMOVE: Final = 0
PERSON: Final = 2
"""Source of a request that the person made, and not the program by itself."""
EVERY_WORKSPACE: Final = 0xFFFFFFFF
VALUES_MAX: Final = 64
SHADED: Final = "_NET_WM_STATE_SHADED"
SKIPS: Final = ("_NET_WM_STATE_SKIP_TASKBAR", "_NET_WM_STATE_SKIP_PAGER")


class _Cookie(ctypes.Structure):
    _fields_ = (("sequence", ctypes.c_uint),)


class _Atom(ctypes.Structure):
    _fields_ = (("head", ctypes.c_uint64), ("atom", ctypes.c_uint32))


class _Property(ctypes.Structure):
    _fields_ = (("head", ctypes.c_uint32 * 4), ("length", ctypes.c_uint32), ("pad", ctypes.c_uint32 * 3))


class _Screens(ctypes.Structure):
    """An xcb iterator; the first number of a screen is its root window."""

    _fields_ = (("data", ctypes.POINTER(ctypes.c_uint32)), ("rem", ctypes.c_int), ("index", ctypes.c_int))


class _Message(ctypes.Structure):
    _fields_ = (
        ("response_type", ctypes.c_uint8),
        ("format", ctypes.c_uint8),
        ("sequence", ctypes.c_uint16),
        ("window", ctypes.c_uint32),
        ("type", ctypes.c_uint32),
        ("data", ctypes.c_uint32 * 5),
    )


def missing_screen(screens: Sequence[str]) -> str:
    """Why there can be no window, as a sentence, where Qt would end the program with a core; empty where there can."""
    if not screens:
        return "there is no screen here: neither DISPLAY nor WAYLAND_DISPLAY is set"
    if ":" not in screens[0]:
        if _answers(screens[0]):
            return ""
        lost = f"the screen {screens[0]} (WAYLAND_DISPLAY) cannot be reached"
        return missing_screen(screens[1:]) if screens[1:] else lost  # Qt goes on to X11
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError:
        return ""  # Qt names what it misses
    xcb.xcb_connect.restype = ctypes.c_void_p
    connection = ctypes.c_void_p(xcb.xcb_connect(None, None))
    problem = xcb.xcb_connection_has_error(connection)
    xcb.xcb_disconnect(connection)
    return f"the screen {screens[0]} (DISPLAY) cannot be reached" if problem else ""


def _answers(compositor: str) -> bool:
    """Whether anybody listens there."""
    with socket.socket(socket.AF_UNIX) as there:
        try:
            there.connect(compositor)
        except OSError:
            return False
        return True


def float_freely(window: int) -> None:
    """In no list of windows and on every workspace: for the native `window`, each time before it is shown.

    Qt keeps what it finds. Elsewhere than on X11 nothing happens.
    """
    server = _connect()
    if server is not None:
        server.set(window, "_NET_WM_STATE", ATOM, *map(server.atom, SKIPS))
        server.set(window, "_NET_WM_DESKTOP", CARDINAL, EVERY_WORKSPACE)


def come_here(window: int) -> None:
    """Ask for the native `window` on the workspace that is seen, unrolled and with the keyboard.

    Qt asks in the program's own name, which window managers answer with a flash in the taskbar of another workspace.
    """
    server = _connect()
    if server is None:
        return
    here = server.get(server.root, "_NET_CURRENT_DESKTOP", CARDINAL)
    if here and server.get(window, "_NET_WM_DESKTOP", CARDINAL) not in (here, [EVERY_WORKSPACE]):
        server.ask(window, "_NET_WM_DESKTOP", *here, PERSON)
    server.ask(window, "_NET_WM_STATE", REMOVE, server.atom(SHADED), 0, PERSON)
    server.ask(window, "_NET_ACTIVE_WINDOW", PERSON)


def is_rolled_up(window: int) -> bool:
    """Whether only the title of the native `window` is seen, which may have the keyboard all the same."""
    server = _connect()
    return server is not None and server.atom(SHADED) in server.get(window, "_NET_WM_STATE", ATOM)


class _Server:
    """Qt's own connection to the X server, in the words of the Extended Window Manager Hints."""

    def __init__(self, xcb: Any, connection: int) -> None:
        self._xcb = xcb
        self._connection = ctypes.c_void_p(connection)
        xcb.xcb_get_setup.restype = ctypes.c_void_p
        xcb.xcb_setup_roots_iterator.restype = _Screens
        xcb.xcb_intern_atom.restype = xcb.xcb_get_property.restype = _Cookie
        xcb.xcb_intern_atom_reply.restype = ctypes.POINTER(_Atom)
        xcb.xcb_get_property_reply.restype = ctypes.POINTER(_Property)
        xcb.xcb_get_property_value.restype = ctypes.POINTER(ctypes.c_uint32)

    @property
    def root(self) -> int:
        setup = ctypes.c_void_p(self._xcb.xcb_get_setup(self._connection))
        return int(self._xcb.xcb_setup_roots_iterator(setup).data[0])

    def atom(self, name: str) -> int:
        raw = name.encode()
        cookie = self._xcb.xcb_intern_atom(self._connection, ctypes.c_uint8(0), ctypes.c_uint16(len(raw)), raw)
        reply = self._xcb.xcb_intern_atom_reply(self._connection, cookie, None)
        if not reply:
            return 0
        found = int(reply.contents.atom)
        ctypes.CDLL(None).free(reply)
        return found

    def get(self, window: int, name: str, kind: int) -> list[int]:
        """A property's numbers; none where the window has no such property."""
        words = (ctypes.c_uint32(word) for word in (window, self.atom(name), kind, 0, VALUES_MAX))
        cookie = self._xcb.xcb_get_property(self._connection, ctypes.c_uint8(0), *words)
        reply = self._xcb.xcb_get_property_reply(self._connection, cookie, None)
        if not reply:
            return []
        found = list(self._xcb.xcb_get_property_value(reply)[: reply.contents.length])
        ctypes.CDLL(None).free(reply)
        return found

    def set(self, window: int, name: str, kind: int, *values: int) -> None:
        data = (ctypes.c_uint32 * len(values))(*values)
        words = (ctypes.c_uint32(word) for word in (window, self.atom(name), kind))
        self._xcb.xcb_change_property(
            self._connection, ctypes.c_uint8(REPLACE), *words, ctypes.c_uint8(32), len(values), data
        )

    def ask(self, window: int, what: str, *numbers: int) -> None:
        """A request to the window manager."""
        data = (ctypes.c_uint32 * 5)(*numbers)
        message = _Message(CLIENT_MESSAGE, 32, 0, window, self.atom(what), data)
        root, mask = ctypes.c_uint32(self.root), ctypes.c_uint32(TO_WINDOW_MANAGER)
        self._xcb.xcb_send_event(self._connection, ctypes.c_uint8(0), root, mask, ctypes.byref(message))
        self._xcb.xcb_flush(self._connection)


def _connect() -> _Server | None:
    application = QGuiApplication.instance()
    native = application.nativeInterface() if isinstance(application, QGuiApplication) else None
    # The platform without a screen has one too, which leads nowhere.
    if not isinstance(native, QNativeInterface.QX11Application) or not (connection := native.connection()):
        return None
    try:
        return _Server(ctypes.CDLL("libxcb.so.1"), connection)
    except OSError as error:
        log.info("the window manager hears nothing from us: %s", error)
        return None
