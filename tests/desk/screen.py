"""A screen that exists only in memory: Xvfb, its pictures read straight from its frame buffer."""

import contextlib
import ctypes
import mmap
import os
import struct
import time
import zlib
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.desk.processes import Child, wait_for

WIDTH, HEIGHT = 1280, 800


@dataclass(frozen=True)
class Area:
    """A rectangle of the screen, in pixels."""

    x: int
    y: int
    width: int
    height: int


class Screen:
    """One Xvfb. `display` is its `:number`."""

    def __init__(self, folder: Path, *, dpi: int = 96) -> None:
        self._frame = folder / "Xvfb_screen0"
        read, write = os.pipe()
        command = ["Xvfb", "-displayfd", str(write), "-screen", "0", f"{WIDTH}x{HEIGHT}x24", "-dpi", str(dpi)]
        options = ["-nolisten", "tcp", "-noreset", "-fbdir", str(folder)]
        try:
            self._server = Child([*command, *options], folder / "xvfb.log", pass_fds=[write])
        finally:
            os.close(write)
        with os.fdopen(read) as pipe:  # to the newline: closing before it would kill Xvfb by SIGPIPE
            number = pipe.readline().strip()
        if not number:
            self._server.stop()
            raise RuntimeError(f"Xvfb did not start: {(folder / 'xvfb.log').read_text()}")
        self.display = f":{number}"

    def paint(self, colour: int) -> None:
        """Give the empty desktop a colour, 0xRRGGBB."""
        x11 = ctypes.CDLL("libX11.so.6")
        x11.XOpenDisplay.restype = ctypes.c_void_p
        x11.XDefaultRootWindow.restype = ctypes.c_ulong
        display = ctypes.c_void_p(x11.XOpenDisplay(self.display.encode()))
        root = ctypes.c_ulong(x11.XDefaultRootWindow(display))
        x11.XSetWindowBackground(display, root, ctypes.c_ulong(colour))
        x11.XClearWindow(display, root)
        x11.XCloseDisplay(display)

    def save(self, picture: Path) -> Path:
        """What the screen shows now, as a PNG."""
        picture.parent.mkdir(parents=True, exist_ok=True)
        picture.write_bytes(_png(self._frame.read_bytes()))
        return picture

    def save_when_still(self, picture: Path) -> Path:
        """The same, once nothing has moved for a moment (a blinking cursor is slower)."""
        last = [b""]

        def still() -> bool:
            before, last[0] = last[0], self._frame.read_bytes()
            return before == last[0]

        wait_for(still, "the screen to be still", every=0.2)
        return self.save(picture)

    def is_plain(self, area: Area) -> bool:
        """Whether the area shows nothing but one colour."""
        with self.watch(area) as now:
            return now.is_plain

    def watch(self, area: Area) -> "PixelWatch":
        """Look at a part of the screen from now on."""
        return PixelWatch(self._frame, area)

    def stop(self) -> None:
        self._server.stop()
        with contextlib.suppress(FileNotFoundError):
            self._frame.unlink()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class PixelWatch:
    """Tells to the millisecond when something appears in an area, or goes."""

    def __init__(self, frame: Path, area: Area) -> None:
        with frame.open("rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        header = struct.unpack(">25I", self._map[:100])
        start, line = header[0] + 12 * header[19], header[12]
        offsets = [start + line * y + 4 * area.x for y in range(area.y, area.y + area.height)]
        self._rows = [slice(offset, offset + 4 * area.width) for offset in offsets]
        self._before = self._now()

    def _now(self) -> bytes:
        return b"".join(self._map[row] for row in self._rows)

    @property
    def is_plain(self) -> bool:
        shown = self._now()
        return shown == shown[:4] * (len(shown) // 4)

    def wait_until_changed(self, what: str) -> float:
        """The moment, by the monotonic clock."""
        wait_for(lambda: self._now() != self._before, f"{what} on the screen", every=0.001)
        return time.monotonic()

    def wait_until_as_before(self, what: str) -> None:
        wait_for(lambda: self._now() == self._before, what, every=0.005)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._map.close()


def _png(dump: bytes) -> bytes:
    """An XWD version 7 dump of 32 bits a pixel, blue first, as a PNG. (Layout: X11/XWDFile.h; PNG: RFC 2083.)"""
    header = struct.unpack(">25I", dump[:100])
    header_size, width, height, line, colours = header[0], header[4], header[5], header[12], header[19]
    pixels = memoryview(dump)[header_size + 12 * colours :]
    rows = bytearray()
    row = bytearray(1 + 3 * width)  # a filter byte (0, none), then red, green, blue
    for y in range(height):
        source = pixels[y * line : y * line + 4 * width]
        row[1::3], row[2::3], row[3::3] = source[2::4], source[1::4], source[0::4]
        rows += row
    size = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = _chunk(b"IHDR", size) + _chunk(b"IDAT", zlib.compress(rows, 6)) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
