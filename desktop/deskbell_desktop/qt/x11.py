"""What X11 can do and Qt does not offer: a window that stands in no list of windows."""

import ctypes
import logging
from typing import Any

from PySide6.QtGui import QGuiApplication, QNativeInterface

log = logging.getLogger(__name__)

REPLACE = 0
ATOM = 4
STATES = ("_NET_WM_STATE_SKIP_TASKBAR", "_NET_WM_STATE_SKIP_PAGER")


class _Cookie(ctypes.Structure):
    _fields_ = (("sequence", ctypes.c_uint),)


class _Atom(ctypes.Structure):
    _fields_ = (("head", ctypes.c_uint64), ("atom", ctypes.c_uint32))


def leave_lists(window: int) -> None:
    """For the native `window`, each time before it is shown; Qt keeps what it finds. Elsewhere nothing happens."""
    application = QGuiApplication.instance()
    native = application.nativeInterface() if isinstance(application, QGuiApplication) else None
    if not isinstance(native, QNativeInterface.QX11Application):
        return
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError as error:
        log.info("popups may stand in the list of windows: %s", error)
        return
    connection = ctypes.c_void_p(native.connection())
    xcb.xcb_intern_atom.restype = _Cookie
    xcb.xcb_intern_atom_reply.restype = ctypes.POINTER(_Atom)
    states = (ctypes.c_uint32 * len(STATES))(*(_atom(xcb, connection, name) for name in STATES))
    property_ = ctypes.c_uint32(_atom(xcb, connection, "_NET_WM_STATE"))
    target, kind = ctypes.c_uint32(window), ctypes.c_uint32(ATOM)
    xcb.xcb_change_property(
        connection, ctypes.c_uint8(REPLACE), target, property_, kind, ctypes.c_uint8(32), len(STATES), states
    )


def _atom(xcb: Any, connection: ctypes.c_void_p, name: str) -> int:
    raw = name.encode()
    cookie = xcb.xcb_intern_atom(connection, ctypes.c_uint8(0), ctypes.c_uint16(len(raw)), raw)
    reply = xcb.xcb_intern_atom_reply(connection, cookie, None)
    if not reply:
        return 0
    found = int(reply.contents.atom)
    ctypes.CDLL(None).free(reply)
    return found
