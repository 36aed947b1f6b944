"""SQL of messages and of the one log per user, in which everything stands that the user's devices must see.

`seq` is dense from 1: `head` is raised in the same transaction that inserts the event, so a cursor can miss nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from deskbell_protocol import names
from deskbell_protocol.conversations import conversation_of
from deskbell_protocol.wire import Content, Message, Party, saying
from deskbell_server.store import batches
from deskbell_server.store.database import Connection
from deskbell_server.store.sets import chunks


@dataclass(frozen=True, slots=True)
class EventRow:
    """One entry of a log; `message` for the kind `message`, else `data`."""

    seq: int
    kind: str
    id: str
    at: int
    message: Message | None
    data: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Stream:
    head: int
    floor: int
    read_up_to: int


_EVENTS = (
    "SELECT e.seq, e.kind, e.id, e.at, e.data,"
    " m.content, m.sender, m.parties, m.reply_to, m.cid FROM events e"
    " LEFT JOIN messages m ON m.id = e.id WHERE e.user_id = ?"
)
NEAR = 5_000
"""So many events at the log's end are looked through first."""
SKEW_MS = 35_000
"""By so much, at most, an event may be older than one that stands before it: around a message's time, all that long is
looked through, however much came then."""
_party = msgspec.json.Decoder(Party)
_parties = msgspec.json.Decoder(list[Party])
_content = msgspec.json.Decoder(Content)
_json = msgspec.json.Decoder()


def _event(row: tuple[Any, ...]) -> EventRow:
    message = None
    if row[1] == names.KIND_MESSAGE:
        sender, to = _party.decode(row[6]), _parties.decode(row[7])
        message = saying(Message, _content.decode(row[5]), sender=sender, to=to, reply_to=row[8], cid=row[9])
    return EventRow(row[0], row[1], row[2], row[3], message, _json.decode(row[4]) if row[4] else None)


def stream(connection: Connection, user_id: str) -> Stream:
    row = connection.execute("SELECT head, floor, read_up_to FROM streams WHERE user_id = ?", (user_id,)).fetchone()
    return Stream(*row)


def after(connection: Connection, user_id: str, seq: int, limit: int) -> list[EventRow]:
    """The events after `seq`, oldest first."""
    rows = connection.execute(f"{_EVENTS} AND e.seq > ? ORDER BY e.seq LIMIT ?", (user_id, seq, limit)).fetchall()
    return [_event(row) for row in rows]


def before(connection: Connection, user_id: str, conversation: str | None, seq: int, limit: int) -> list[EventRow]:
    """The messages before `seq`, newest first. A conversation's are found by walking back through the log, which lies
    together: an index would cost a page of its own for each event, half as much again as the message itself."""
    which, values = ("e.kind = 'message'", []) if conversation is None else ("e.conversation = ?", [conversation])
    rows = connection.execute(
        f"{_EVENTS} AND e.seq < ? AND {which} ORDER BY e.seq DESC LIMIT ?", [user_id, seq, *values, limit]
    ).fetchall()
    return [_event(row) for row in rows]


def insert_message(connection: Connection, message_id: str, message: Message, recipients: int, at: int) -> None:
    batches.insert_messages(connection, [(message_id, message, recipients, at)])


def append_message(
    connection: Connection, users: Sequence[str], message_id: str, at: int, message: Message
) -> dict[str, int]:
    """The message into the log of each of `users` (sorted, against deadlocks); their heads."""
    sender = message.sender.id
    to_group = len(message.to) == 1 and message.to[0].kind == "group"
    mine, others = conversation_of(message, sender), message.to[0].id if to_group else sender
    heads: dict[str, int] = {}
    for marks, values in chunks(users):
        heads.update(
            connection.execute(
                f"UPDATE streams SET head = head + 1 WHERE user_id IN ({marks}) RETURNING user_id, head", values
            ).fetchall()
        )
        connection.execute(
            "INSERT INTO events (user_id, seq, kind, id, conversation, at)"
            " SELECT user_id, head, 'message', ?, CASE user_id WHEN ? THEN ? ELSE ? END, ? FROM streams"
            f" WHERE user_id IN ({marks})",
            [message_id, sender, mine, others, at, *values],
        )
    return heads


def append(connection: Connection, user_id: str, kind: str, event_id: str, at: int, data: Any) -> int:
    """Another event into one user's log; its `seq`."""
    seq = connection.execute(
        "UPDATE streams SET head = head + 1 WHERE user_id = ? RETURNING head", (user_id,)
    ).fetchone()[0]
    connection.execute(
        "INSERT INTO events (user_id, seq, kind, id, at, data) VALUES (?, ?, ?, ?, ?, ?)",
        (user_id, seq, kind, event_id, at, msgspec.json.encode(data).decode()),
    )
    return int(seq)


def seen_by(connection: Connection, user_id: str, message_id: str) -> tuple[Party, list[Party]] | None:
    """Sender and parties of a message that stands in this user's log."""
    row = connection.execute("SELECT sender, parties, at FROM messages WHERE id = ?", (message_id,)).fetchone()
    if row is None or not _places(connection, user_id, [(message_id, row[2])]):
        return None
    return _party.decode(row[0]), _parties.decode(row[1])


def seq_of(connection: Connection, user_id: str, message_id: str) -> int | None:
    """The place of a message."""
    row = connection.execute("SELECT at FROM messages WHERE id = ?", (message_id,)).fetchone()
    return _places(connection, user_id, [(message_id, row[0])]).get(message_id) if row else None


def _places(connection: Connection, user_id: str, messages: Sequence[tuple[str, int]]) -> dict[str, int]:
    """Of messages (id and time) that exist, where they stand in the log; without those that do not.

    They are looked for at the log's end, where they mostly stand, then around their time, which is nearly in order. An
    index would have to take up an entry for every recipient of every message, and a walk through a long log would keep
    everybody waiting.
    """
    here = stream(connection, user_id)
    near = max(here.floor, here.head - NEAR)
    ids = [message_id for message_id, _ in messages]
    found = _between(connection, user_id, ids, near + 1, here.head)
    if near > here.floor:
        for message_id, at in messages:
            if message_id not in found:
                first = _first_since(connection, user_id, here.floor + 1, near, at - SKEW_MS)
                last = _first_since(connection, user_id, first, near, at + SKEW_MS)
                found |= _between(connection, user_id, [message_id], first, last)
    return found


def _between(connection: Connection, user_id: str, ids: Sequence[str], first: int, last: int) -> dict[str, int]:
    ((marks, values),) = chunks(ids)
    rows = connection.execute(
        f"SELECT id, seq FROM events WHERE user_id = ? AND seq BETWEEN ? AND ? AND id IN ({marks})",
        [user_id, first, last, *values],
    ).fetchall()
    return {row[0]: int(row[1]) for row in rows}


def _first_since(connection: Connection, user_id: str, low: int, high: int, at: int) -> int:
    """The first place from `low` to `high` that is no older than `at`, by halving; `high` when none is."""
    while low < high:
        middle = (low + high) // 2
        row = connection.execute("SELECT at FROM events WHERE user_id = ? AND seq = ?", (user_id, middle)).fetchone()
        low, high = (middle + 1, high) if row[0] < at else (low, middle)
    return low


def recipients_of(connection: Connection, message_id: str) -> int | None:
    row = connection.execute("SELECT recipients FROM messages WHERE id = ?", (message_id,)).fetchone()
    return int(row[0]) if row else None


def set_read_up_to(connection: Connection, user_id: str, seq: int) -> None:
    connection.execute("UPDATE streams SET read_up_to = ? WHERE user_id = ?", (seq, user_id))


def unread_of(connection: Connection, user_id: str, message_ids: Sequence[str]) -> tuple[int, list[str]]:
    """How many of these messages stand in the user's log, and those that no read mark covers yet."""
    places: dict[str, int] = {}
    read: set[str] = set()
    for marks, values in chunks(message_ids):
        existing = connection.execute(f"SELECT id, at FROM messages WHERE id IN ({marks})", values).fetchall()
        if existing:
            places |= _places(connection, user_id, existing)
        rows = connection.execute(
            f"SELECT message_id FROM reads WHERE user_id = ? AND message_id IN ({marks})", [user_id, *values]
        ).fetchall()
        read.update(row[0] for row in rows)
    up_to = stream(connection, user_id).read_up_to
    unread = sorted((seq, message_id) for message_id, seq in places.items() if seq > up_to and message_id not in read)
    return len(places), [message_id for _, message_id in unread]


def mark_read(connection: Connection, user_id: str, message_ids: Sequence[str], at: int) -> None:
    connection.executemany(
        "INSERT INTO reads (user_id, message_id, at) VALUES (?, ?, ?)", [(user_id, i, at) for i in message_ids]
    )
