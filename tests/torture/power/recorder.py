"""Records what SQLite writes and syncs in this process: a VFS around its own, as SQLite's crash tests have one.

The product knows nothing of it. `begin` is called before the program opens its first database.
"""

import ctypes
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.torture.power.records import Log, Op, Record

PASSED = ("-shm",)
"""Memory that processes share: a crash loses it, and SQLite makes it anew."""
CREATED = 0x4
ONE_OF_A_JOURNAL = 0x4000 | 0x800 | 0x80000
"""Super-journal, journal and WAL: SQLite syncs the folder of such a one with its first sync."""

Pointer = ctypes.c_void_p
Int, Long = ctypes.c_int, ctypes.c_longlong
Open = ctypes.CFUNCTYPE(Int, Pointer, Pointer, Pointer, Int, ctypes.POINTER(Int))
Delete = ctypes.CFUNCTYPE(Int, Pointer, ctypes.c_char_p, Int)
Close = ctypes.CFUNCTYPE(Int, Pointer)
Write = ctypes.CFUNCTYPE(Int, Pointer, Pointer, Int, Long)
Truncate = ctypes.CFUNCTYPE(Int, Pointer, Long)
Sync = ctypes.CFUNCTYPE(Int, Pointer, Int)


class Methods(ctypes.Structure):
    """sqlite3_io_methods, version 3."""

    _fields_ = (
        ("version", Int),
        ("close", Pointer),
        ("read", Pointer),
        ("write", Pointer),
        ("truncate", Pointer),
        ("sync", Pointer),
        ("others", Pointer * 13),
    )


class File(ctypes.Structure):
    _fields_ = (("methods", ctypes.POINTER(Methods)),)


class Vfs(ctypes.Structure):
    """sqlite3_vfs, version 3."""

    _fields_ = (
        ("version", Int),
        ("file_size", Int),
        ("path_max", Int),
        ("next", Pointer),
        ("name", ctypes.c_char_p),
        ("app_data", Pointer),
        ("open", Pointer),
        ("delete", Pointer),
        ("others", Pointer * 14),
    )


class Opened:
    """A file that is recorded, and how SQLite's own VFS handles it."""

    def __init__(self, name: str, methods: Methods, *, syncs_folder: bool) -> None:
        self.name = name
        self.syncs_folder = syncs_folder
        self.close = Close(methods.close)
        self.write = Write(methods.write)
        self.truncate = Truncate(methods.truncate)
        self.sync = Sync(methods.sync)


class Recorder:
    """Lives as long as the process: SQLite keeps pointers into it."""

    def __init__(self, folder: Path, log: Path) -> None:
        self._folder = folder
        self._log = Log(log)
        self._files: dict[int, Opened] = {}
        self._sqlite = ctypes.CDLL("libsqlite3.so.0")
        self._sqlite.sqlite3_vfs_find.restype = ctypes.POINTER(Vfs)
        self._before = self._sqlite.sqlite3_vfs_find(None)
        self._open = Open(self._before.contents.open)
        self._delete = Delete(self._before.contents.delete)
        self._ours = (
            Open(self.on_open),
            Delete(self.on_delete),
            Close(self.on_close),
            Write(self.on_write),
            Truncate(self.on_truncate),
            Sync(self.on_sync),
        )
        self._methods: dict[int, Methods] = {}
        self._vfs = Vfs.from_buffer_copy(self._before.contents)
        self._vfs.name = b"recorded"
        self._vfs.open, self._vfs.delete = (ctypes.cast(own, Pointer).value for own in self._ours[:2])

    def begin(self) -> None:
        for path in sorted(self._folder.iterdir()):
            if path.is_file() and (name := self._name(str(path).encode())):
                self._note("seen", name, time.monotonic_ns(), data=path.read_bytes())
        assert self._sqlite.sqlite3_vfs_register(ctypes.byref(self._vfs), 1) == 0

    def _name(self, path: bytes) -> str:
        """Empty for what is not recorded."""
        file = Path(path.decode())
        return (
            file.name if file.parent == self._folder and ".db" in file.name and not file.name.endswith(PASSED) else ""
        )

    def _note(self, op: Op, name: str, start: int, offset: int = 0, data: bytes = b"") -> None:
        self._log.write(Record(op, name, start, time.monotonic_ns(), offset, data))

    def on_open(self, _vfs: int, address: int | None, file: int, flags: int, out: Any) -> int:
        """`address`: of the path, which SQLite's own VFS goes on using."""
        path = ctypes.string_at(address) if address else b""
        name, start = self._name(path), time.monotonic_ns()
        is_new = bool(name and flags & CREATED and not Path(path.decode()).exists())
        done = int(self._open(ctypes.cast(self._before, Pointer), address, file, flags, out))
        methods = ctypes.cast(file, ctypes.POINTER(File)).contents.methods
        if done or not name or not methods:
            return done
        if is_new:
            self._note("create", name, start)
        self._files[file] = Opened(
            name, methods.contents, syncs_folder=bool(flags & CREATED and flags & ONE_OF_A_JOURNAL)
        )
        ctypes.cast(file, ctypes.POINTER(File)).contents.methods = ctypes.pointer(self._recorded(methods))
        return done

    def _recorded(self, methods: Any) -> Methods:
        """SQLite's own, with ours in their place. There are a few kinds of files, and one of these for each."""
        address = ctypes.addressof(methods.contents)
        if address not in self._methods:
            ours = Methods.from_buffer_copy(methods.contents)
            places = zip(("close", "write", "truncate", "sync"), self._ours[2:], strict=True)
            for name, function in places:
                setattr(ours, name, ctypes.cast(function, Pointer).value)
            self._methods[address] = ours
        return self._methods[address]

    def on_delete(self, _vfs: int, path: bytes, syncs_folder: int) -> int:
        name, start = self._name(path), time.monotonic_ns()
        done = int(self._delete(ctypes.cast(self._before, Pointer), path, syncs_folder))
        if name and not done:
            self._note("remove", name, start)
            if syncs_folder:
                self._note("sync folder", "", start)
        return done

    def on_close(self, file: int) -> int:
        return int(self._files.pop(file).close(file))

    def on_write(self, file: int, data: int, size: int, offset: int) -> int:
        return self._done("write", file, lambda own: own.write(file, data, size, offset), offset, data, size)

    def on_truncate(self, file: int, size: int) -> int:
        return self._done("cut", file, lambda own: own.truncate(file, size), size)

    def on_sync(self, file: int, flags: int) -> int:
        own, start = self._files[file], time.monotonic_ns()
        done = self._done("sync", file, lambda own: own.sync(file, flags))
        if not done and own.syncs_folder:
            own.syncs_folder = False
            self._note("sync folder", "", start)
        return done

    def _done(
        self, op: Op, file: int, act: "Callable[[Opened], int]", offset: int = 0, data: int = 0, size: int = 0
    ) -> int:
        own, start = self._files[file], time.monotonic_ns()
        done = int(act(own))
        if not done:
            self._note(op, own.name, start, offset, ctypes.string_at(data, size) if size else b"")
        return done


RECORDERS: list[Recorder] = []


def begin(folder: Path, log: Path) -> None:
    """Everything that this process does to databases in `folder` from now on."""
    sqlite3.connect(":memory:").close()  # the library is initialised
    RECORDERS.append(Recorder(folder, log))
    RECORDERS[-1].begin()
