"""One person's view of the one log: what a device asks for, as it is on one snapshot. Source: LOG.md 16, 17 and 23."""

from collections.abc import Sequence
from typing import Any

import msgspec

from deskbell_protocol import limits, names
from deskbell_protocol.errors import Code
from deskbell_protocol.wire import Content, Event, Message, Party, Read, ReadMark, Sync, SyncAnswer, plain, saying
from deskbell_server.errors import RefusedError
from deskbell_server.people.groups import EVERYONE, writable
from deskbell_server.principals import Principal
from deskbell_server.store import births, channels, floors, groups, log, marks, users
from deskbell_server.store.births import Births
from deskbell_server.store.database import Connection
from deskbell_server.store.log import Entry, Row

FOREIGN = "epoch: not the one of this server's log: sync first"
_content = msgspec.json.Decoder(Content)
_json = msgspec.json.Decoder()


def snapshot(connection: Connection, principal: Principal, request: Sync) -> SyncAnswer:
    """All of the view behind `after`, as far as one answer goes."""
    log_end, me = log.end(connection), number_of(connection, principal)
    is_first = request.epoch is None and request.after == 0
    foreign = (request.epoch != log_end.epoch and not is_first) or request.after > log_end.seq
    after = 0 if foreign else request.after
    rows, upto = log.after(connection, me, after, log_end.seq, request.limit)
    found = _within(events(connection, me, log_end.epoch, after, rows))
    return SyncAnswer(
        epoch=log_end.epoch,
        after=after,
        upto=upto if len(found) == len(rows) else found[-1].seq,
        head=log_end.seq,
        events=found,
        reset=foreign or (not is_first and floors.hides(connection, me, after)),
        groups=writable(connection, principal.user_id),
    )


def history(
    connection: Connection, principal: Principal, conversation: str | None, before: int, limit: int
) -> list[Event]:
    """Messages of a conversation, or of all, that stand before `before`: newest first."""
    me = number_of(connection, principal)
    channel = None if conversation is None else _channel(connection, me, conversation)
    if conversation is not None and channel is None:
        return []
    rows = log.before(connection, me, channel, before, limit)
    return events(connection, me, log.end(connection).epoch, 0, rows[::-1])[::-1]


def read(connection: Connection, principal: Principal, request: Read, at: int) -> int | None:
    """Moves the marks; the place of the entry that says so, None where everything was read already."""
    me = number_of(connection, principal)
    end = log.end(connection)
    if request.epoch not in (None, end.epoch):
        raise RefusedError(Code.INVALID, FOREIGN)
    mark = (
        _marked(connection, me, request)
        if request.up_to is None
        else _marked_to(connection, me, request.up_to, end.seq)
    )
    if mark is None:
        return None
    document = msgspec.json.encode(mark).decode()
    entry = Entry(channel=channels.own(me), kind=names.KIND_READ, sender=me, at=at, content=document)
    return log.append(connection, [entry])


def parties_seen(connection: Connection, principal: Principal, message_id: str) -> tuple[Party, list[Party]] | None:
    """Sender and parties of a message that this user sees."""
    ids = births.births(connection)
    seq = ids.seq(message_id)
    rows = log.visible(connection, principal.number, [seq] if seq else [])
    for message in messages(connection, ids, rows).values():
        return message.sender, message.to
    return None


def events(connection: Connection, me: int, epoch: str, after: int, rows: Sequence[Row]) -> list[Event]:
    """Entries as `me` is told them, in a sync answer and a page of history."""
    ids = births.births(connection)
    said = messages(connection, ids, rows)
    found = []
    for row in rows:
        message = said.get(row.seq)
        data: dict[str, Any] = _json.decode(row.content) if message is None else plain(message)
        if row.sender == me and row.cid is not None:
            data["cid"] = row.cid  # the sender's own business
        found.append(
            Event(epoch=epoch, prev=after, seq=row.seq, kind=row.kind, id=ids.id(row.seq), at=row.at, data=data)
        )
        after = row.seq
    return found


def number_of(connection: Connection, principal: Principal) -> int:
    """What the log calls them. RefusedError `revoked` for one whom a restore took away, and their number with them."""
    if users.numbers(connection, [principal.user_id]).get(principal.user_id) != principal.number:
        raise RefusedError(Code.REVOKED, "this account is no more")
    return principal.number


class Parties:
    """What people and groups are called, by number; each is asked for once."""

    def __init__(self, people: dict[int, Party] | None = None) -> None:
        self.people = {} if people is None else people
        self.groups: dict[int, Party] = {channels.EVERYONE: EVERYONE}

    def learn(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Those of whom these messages speak."""
        rows = [row for row in rows if row.kind == names.KIND_MESSAGE]
        pairs = [channels.pair_of(row.channel) or () for row in rows]
        people = {row.sender for row in rows}.union(*pairs) - self.people.keys()
        of_groups = {channels.group_of(row.channel) or 0 for row in rows} - self.groups.keys()
        if people:
            self.people.update(users.parties_by_number(connection, people))
        if of_groups:
            self.groups.update(groups.parties_by_number(connection, of_groups))

    def to(self, row: Row) -> Party:
        pair = channels.pair_of(row.channel)
        return self.people[sum(pair) - row.sender] if pair else self.groups[channels.group_of(row.channel) or 0]


def messages(connection: Connection, ids: Births, rows: Sequence[Row]) -> dict[int, Message]:
    """Those of these entries that are messages, by place, as all but their senders see them."""
    parties = Parties()
    parties.learn(connection, rows)
    return said(ids, rows, parties)


def said(ids: Births, rows: Sequence[Row], parties: Parties) -> dict[int, Message]:
    """The same, of parties that are known. LookupError where one is not."""
    return {
        row.seq: saying(
            Message,
            _content.decode(row.content),
            sender=parties.people[row.sender],
            to=[parties.to(row)],
            reply_to=None if row.reply_to is None else ids.id(row.reply_to),
            publish=ids.id(row.publish) if row.part else None,
        )
        for row in rows
        if row.kind == names.KIND_MESSAGE
    }


def _within(found: list[Event]) -> list[Event]:
    """As many as an answer holds, but at least one."""
    size = 0
    for count, event in enumerate(found):
        size += len(msgspec.json.encode(event))
        if count and size > limits.SYNC_BYTES:
            return found[:count]
    return found


def _channel(connection: Connection, me: int, conversation: str) -> int | None:
    """Of a conversation by its id: another person's, a group's, everyone's."""
    if conversation == EVERYONE.id:
        return channels.EVERYONE
    person = users.numbers(connection, [conversation]).get(conversation)
    if person is not None:
        return channels.pair(me, person)
    number = groups.numbers(connection, [conversation]).get(conversation)
    return None if number is None else channels.group(number)


def _marked_to(connection: Connection, me: int, up_to: int, head: int) -> ReadMark | None:
    if up_to > head:
        raise RefusedError(Code.INVALID, f"up_to: the log ends at {head}")
    return ReadMark(up_to=up_to) if marks.raise_mark(connection, me, marks.ALL, up_to) else None


def _marked(connection: Connection, me: int, request: Read) -> ReadMark | None:
    ids = births.births(connection)
    seqs = [seq for message_id in request.ids or [] if (seq := ids.seq(message_id))]
    rows = [row for row in log.visible(connection, me, seqs) if row.kind == names.KIND_MESSAGE]
    if request.ids and not rows:
        raise RefusedError(Code.NOT_FOUND, "ids: there are no such messages")
    unread = marks.unread(connection, me, rows)
    if not unread:
        return None
    fallen = marks.read(connection, me, unread)
    return ReadMark(ids=[ids.id(seq) for seq in sorted({row.seq for row in unread} | set(fallen))])
