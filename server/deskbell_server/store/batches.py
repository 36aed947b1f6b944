"""SQL of many small messages at once: several rows in one statement, of a few constant sizes."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from deskbell_protocol.wire import Content, Message, narrowed
from deskbell_server.store.database import Connection

Values = tuple[Any, ...]
MessageRow = tuple[str, Message, int, int]
"""Id, message, number of recipients and time."""

_SIZES = (64, 16, 4, 1)


def claim(connection: Connection, rows: Sequence[Values]) -> set[str]:
    """Takes the keys (principal, key, hash, message, time) that are free; the messages that got theirs."""
    statement = "INSERT INTO idempotency (principal, key, request_hash, message_id, created_at) VALUES {}"
    statement += " ON CONFLICT DO NOTHING RETURNING message_id"
    return {row[0] for row in _run(connection, statement, rows)}


def raise_heads(connection: Connection, counts: Sequence[tuple[str, int]]) -> dict[str, int]:
    """Makes room for so many events in each of these logs; where the logs end then."""
    statement = "WITH moved (who, more) AS (VALUES {}) UPDATE streams SET head = head + moved.more FROM moved"
    statement += " WHERE user_id = moved.who RETURNING user_id, head"
    return dict(_run(connection, statement, counts))


def insert_messages(connection: Connection, rows: Sequence[MessageRow]) -> None:
    statement = (
        "INSERT INTO messages (id, sender_id, sender, parties, content, reply_to, cid, recipients, at) VALUES {}"
    )
    _run(connection, statement, [message_row(*row) for row in rows])


def insert_events(connection: Connection, rows: Sequence[Values]) -> None:
    """User, seq, kind, id, conversation and time of each."""
    statement = "INSERT INTO events (user_id, seq, kind, id, conversation, at) VALUES {}"
    _run(connection, statement, rows)


def message_row(message_id: str, message: Message, recipients: int, at: int) -> Values:
    return (
        message_id,
        message.sender.id,
        msgspec.json.encode(message.sender).decode(),
        msgspec.json.encode(message.to).decode(),
        msgspec.json.encode(narrowed(Content, message)).decode(),
        message.reply_to,
        message.cid,
        recipients,
        at,
    )


def _run(connection: Connection, statement: str, rows: Sequence[Values]) -> list[Any]:
    """All that the statements return; `{}` stands for the rows."""
    found: list[Any] = []
    for part in _parts(rows):
        marks = "(" + ",".join("?" * len(part[0])) + ")"
        text = statement.format(",".join([marks] * len(part)))
        found += connection.execute(text, [value for row in part for value in row]).fetchall()
    return found


def _parts(rows: Sequence[Values]) -> Iterator[Sequence[Values]]:
    start = 0
    for size in _SIZES:
        while len(rows) - start >= size:
            yield rows[start : start + size]
            start += size
