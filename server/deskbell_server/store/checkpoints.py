"""Writes SQLite's log back into the database beside the commits, so that none of them waits for it."""

import logging
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing

log = logging.getLogger(__name__)

ROWS = 20_000
"""Changed since the last time: enough that a page which many messages touch is written back once for all of them."""
END_S = 3.0
"""A disk that hangs is not waited for; the log is written back by the next who opens the database."""


class Checkpoints(threading.Thread):
    """A native thread that sleeps until the writer has changed enough. `connect` opens a connection for each time."""

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        super().__init__(name="deskbell-checkpoints", daemon=True)
        self._connect = connect
        self._rows = 0
        self._due = threading.Event()
        self._ending = False

    def changed(self, rows: int) -> None:
        """Called by the writer after each commit."""
        self._rows += rows
        if self._rows >= ROWS:
            self._rows = 0
            self._due.set()

    def end(self) -> None:
        self._ending = True
        self._due.set()
        self.join(END_S)

    def run(self) -> None:
        while self._due.wait() and not self._ending:
            self._due.clear()
            self._write_back()

    def _write_back(self) -> None:
        try:
            with closing(self._connect()) as connection:
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        except sqlite3.Error as problem:  # the writer says it when the database is away, and tries by itself
            log.debug("the log cannot be written back: %s", problem)
