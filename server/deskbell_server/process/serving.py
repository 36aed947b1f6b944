"""Whether a server runs on a database: each holds a shared lock, which the system takes back however it ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deskbell_server.process.config import Place

NAME = ".serving"


def _file(place: Place) -> Path:
    return place.database.with_name(place.database.name + NAME)


@contextmanager
def serving(place: Place) -> Iterator[None]:
    """While the block lasts, this process serves."""
    with _opened(_file(place)) as number:
        fcntl.flock(number, fcntl.LOCK_SH)
        yield


def is_served(place: Place) -> bool:
    """By a server that shares the data folder; one on another host is not seen."""
    with _opened(_file(place)) as number:
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
