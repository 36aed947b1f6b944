"""What a program did to the files of one folder, as records of a log that outlives the program."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

Op = Literal["seen", "create", "write", "cut", "sync", "remove", "sync folder"]
_encode = msgspec.msgpack.Encoder().encode


class Record(msgspec.Struct, frozen=True, array_like=True):
    """`start` and `end` by CLOCK_MONOTONIC, in ns: the same in every process of this machine.

    `seen`: a program begins, and finds `data`; `write`: `data` at `offset`; `cut`: `offset` is the new size.
    """

    op: Op
    name: str = ""
    start: int = 0
    end: int = 0
    offset: int = 0
    data: bytes = b""


class Log:
    """Appends, each record at once: what the kernel has survives a kill. Each process has a file of its own."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        path = folder / str(time.monotonic_ns())
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)

    def write(self, record: Record) -> None:
        raw = _encode(record)
        os.write(self._file, len(raw).to_bytes(4, "little") + raw)


def read(folder: Path) -> Iterator[Record]:
    for path in sorted(folder.iterdir()):
        yield from _whole(path)


def _whole(path: Path) -> Iterator[Record]:
    """Those that are whole: a kill may have come while the last one was written."""
    decode = msgspec.msgpack.Decoder(Record).decode
    with path.open("rb") as file:
        while len(size := file.read(4)) == 4:
            raw = file.read(int.from_bytes(size, "little"))
            if len(raw) < int.from_bytes(size, "little"):
                return
            yield decode(raw)
