"""How a log's entries look to the user whose log it is: the same in a push, a sync answer and a page of history."""

from typing import Any

import msgspec

from deskbell_protocol.wire import Event, Message, Party, plain
from deskbell_server.store.logs import EventRow


def seen_by(message: Message, me: Party) -> Message:
    """The `cid` is the sender's own business, and those who were addressed singly do not see each other."""
    if message.sender.id == me.id:
        return message
    to = [me] if hides_parties(message) else message.to
    return msgspec.structs.replace(message, to=to, cid=None)


def hides_parties(message: Message) -> bool:
    return len(message.to) > 1


def event(epoch: str, row: EventRow, me: Party) -> Event:
    data: dict[str, Any] = row.data or {}
    if row.message is not None:
        data = plain(seen_by(row.message, me))
    return Event(epoch=epoch, prev=row.seq - 1, seq=row.seq, kind=row.kind, id=row.id, at=row.at, data=data)
