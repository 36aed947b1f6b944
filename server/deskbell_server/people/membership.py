"""Who sees what is written to a group, from where to where in the log. Source: LOG.md 3."""

import msgspec

from deskbell_protocol import names
from deskbell_protocol.wire import Membership, Party
from deskbell_server.store import channels, groups, log, members, users
from deskbell_server.store.database import Connection
from deskbell_server.store.log import Entry
from deskbell_server.store.members import Window


def join(connection: Connection, group: Party, user_id: str, at: int) -> None:
    """Nothing for one who is in it."""
    person, channel = _numbers(connection, group, user_id)
    if not members.is_open(connection, person, channel):
        seq = _tell(connection, person, Membership(group, joined=True), at)
        members.open_windows(connection, [Window(person, channel, seq)])


def leave(connection: Connection, group: Party, user_id: str, at: int) -> None:
    """Nothing for one who is not in it."""
    person, channel = _numbers(connection, group, user_id)
    if members.is_open(connection, person, channel):
        members.close(connection, person, channel, _tell(connection, person, Membership(group, joined=False), at))


def _numbers(connection: Connection, group: Party, user_id: str) -> tuple[int, int]:
    number = groups.numbers(connection, [group.id])[group.id]
    return users.numbers(connection, [user_id])[user_id], channels.group(number)


def _tell(connection: Connection, person: int, change: Membership, at: int) -> int:
    document = msgspec.json.encode(change).decode()
    entry = Entry(channel=channels.own(person), kind=names.KIND_MEMBER, sender=person, at=at, content=document)
    return log.append(connection, [entry])
