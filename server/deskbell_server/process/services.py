"""What `serve` and every other command share: the opened database and the services about people on it."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deskbell_server.clock import Clock
from deskbell_server.errors import SetupError
from deskbell_server.people.accounts import Accounts
from deskbell_server.people.activity import Activity
from deskbell_server.people.devices import Devices
from deskbell_server.people.groups import Groups
from deskbell_server.people.passwords import Passwords
from deskbell_server.people.people import People
from deskbell_server.people.tickets import Tickets, read_key
from deskbell_server.process.config import Storage
from deskbell_server.store import ages
from deskbell_server.store.opening import open_database
from deskbell_server.store.sqlite import FULL, Commits

PRIVATE_UMASK = 0o077
PRIVATE_FOLDER = 0o700
KEY_NAME = "web.key"


@contextmanager
def open_people(
    storage: Storage, commits: Commits = FULL, patience_s: float | None = None, *, make: bool = False
) -> Iterator[People]:
    """Closes everything at the end. Where there are no folder and database yet, `make` makes them; else SetupError."""
    _make_private(storage, make)
    database = open_database(storage.database, storage.postgres, commits, patience_s)
    passwords = Passwords()
    try:
        clock = Clock()
        clock.not_before(database.read(ages.last))
        tickets = Tickets(read_key(storage.data / KEY_NAME), clock.now)
        devices = Devices(database, tickets)
        accounts = Accounts(database, passwords, devices, tickets)
        yield People(database, devices, accounts, Groups(database), tickets, Activity(database), clock)
    finally:
        passwords.close()
        database.close()


def _make_private(storage: Storage, make: bool) -> None:
    """Whatever is made from here on is for this user only; a folder of others' things is left as it is, and refused."""
    os.umask(PRIVATE_UMASK)
    needed = storage.data / KEY_NAME if storage.postgres else storage.database
    try:
        if not make and not needed.exists():
            raise SetupError(
                f"there is no server in {needed.parent}: it has no {needed.name}. Check --data and --database; "
                "`serve`, `user add` or `restore` makes a new one"
            )
        storage.data.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        mode = stat.S_IMODE(storage.data.stat().st_mode)
        if mode & PRIVATE_UMASK and any(storage.data.iterdir()):
            raise SetupError(
                f"{storage.data} is open to others (mode {mode:o}) and not empty: "
                f"name a folder of its own, or close it with `chmod 700 {storage.data}`"
            )
        if mode & PRIVATE_UMASK:
            storage.data.chmod(PRIVATE_FOLDER)
    except OSError as problem:
        raise SetupError(f"cannot use the folder {storage.data}: {problem.strerror}") from problem
    for path in (storage.data / KEY_NAME, *([] if storage.postgres else [storage.database])):
        _refuse_others(path)
    if not storage.postgres and not storage.database.parent.is_dir():
        raise SetupError(f"there is no folder {storage.database.parent} for the database")


def _refuse_others(path: Path) -> None:
    """What somebody else may have written is not what this server wrote."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return
    except OSError as problem:
        raise SetupError(f"cannot use {path}: {problem.strerror}") from problem
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise SetupError(f"others may write to {path}: close it with `chmod 600 {path}`")
    if found.st_uid not in (os.geteuid(), 0):
        raise SetupError(f"{path} is another user's: name a file of your own")
