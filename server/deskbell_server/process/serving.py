"""Whether a server runs on a database: each holds a shared lock, which the system takes back however it ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deskbell_server.process.config import Storage

NAME = ".serving"


def _file(storage: Storage) -> Path:
    return storage.database.with_name(storage.database.name + NAME)


@contextmanager
def serving(storage: Storage) -> Iterator[None]:
    """While the block lasts, this process serves."""
    with _opened(_file(storage)) as number:
        fcntl.flock(number, fcntl.LOCK_SH)
        yield


def is_served(storage: Storage) -> bool:
    """By a server that shares the data folder; one on another host is not seen."""
    with _opened(_file(storage)) as number:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    number = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield number
    finally:
        os.close(number)
