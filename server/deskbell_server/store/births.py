"""Ids of messages: the epoch in which it was born, a dot, its place in the log. Source: LOG.md 6.

After a restore places are given out again; the list of epochs, each with its first place, keeps the ids apart.
"""

import secrets
from bisect import bisect_right

from deskbell_server.store import log, meta
from deskbell_server.store.database import Connection


class Births:
    """The epochs of one database in their order, each with its first place."""

    def __init__(self, epochs: list[tuple[int, str]]) -> None:
        self._firsts = [first for first, _ in epochs]
        self._epochs = [epoch for _, epoch in epochs]

    def id(self, seq: int) -> str:
        return f"{self._epochs[bisect_right(self._firsts, seq) - 1]}.{seq}"

    def seq(self, message_id: str) -> int | None:
        """None for what is no id, or not one of this database."""
        epoch, _, digits = message_id.partition(".")
        if not digits.isdecimal() or len(digits) > 16 or epoch not in self._epochs:
            return None
        seq = int(digits)
        return seq if seq and self.id(seq) == message_id else None


def renew(connection: Connection) -> str:
    """Another epoch, of whatever comes now: what was stored behind this place, in the old one, is not known here."""
    epoch = secrets.token_hex(8)
    meta.put(connection, "epoch", epoch)
    begin(connection, epoch)
    return epoch


def begin(connection: Connection, epoch: str) -> None:
    """From the next place on. An epoch in which nothing was stored has no ids, and need not be remembered."""
    connection.execute(
        "INSERT INTO epochs (first_seq, epoch) VALUES (?, ?)"
        " ON CONFLICT (first_seq) DO UPDATE SET epoch = excluded.epoch",
        (log.head(connection) + 1, epoch),
    )


def births(connection: Connection) -> Births:
    rows = connection.execute("SELECT first_seq, epoch FROM epochs ORDER BY first_seq").fetchall()
    return Births([(int(first), str(epoch)) for first, epoch in rows])
