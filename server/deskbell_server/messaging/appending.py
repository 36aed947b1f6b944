"""A publish into the log: once per key, all of it or nothing. The store behind it is `store/log.py`.

Several people addressed singly are as many entries, one after the other, each in its pair's channel; the first one
has what they share. Source: LOG.md 1 and 7.
"""

from collections.abc import Mapping, Sequence

import msgspec

from deskbell_protocol import names
from deskbell_protocol.errors import Code
from deskbell_protocol.wire import Content, Party, Publish, narrowed
from deskbell_server.errors import LimitedError, RefusedError
from deskbell_server.messaging import viewing
from deskbell_server.messaging.addressing import Audience, resolve
from deskbell_server.messaging.publishes import Request, Stored
from deskbell_server.people import texts
from deskbell_server.people.groups import EVERYONE
from deskbell_server.principals import Principal
from deskbell_server.store import births, channels, doors, groups, known, log, members, users
from deskbell_server.store.database import Connection, Memory
from deskbell_server.store.doors import ScheduledRow
from deskbell_server.store.known import Account
from deskbell_server.store.log import Entry
from deskbell_server.store.members import Window

SCHEDULED_MAX = 1_000
"""Messages that one user may have waiting."""


def store(connection: Connection, request: Request) -> Stored:
    """RefusedError as `resolve`, and `idempotency_conflict` for a key that was used for something else."""
    viewing.number_of(connection, request.principal)
    first = first_answer(connection, request)
    if first is not None:
        return first
    audience = resolve(connection, request.principal, request.draft)
    if request.is_later:
        check_room(connection, request.principal.user_id)
        return schedule(connection, request, audience)
    stored = append(connection, request, audience)
    if request.announced_by:
        detail = f"{stored.recipients} recipients"
        doors.audit(connection, request.at, request.announced_by, "announce", stored.id, detail)
    return stored


def deliver(connection: Connection, writer: Principal, row: ScheduledRow, at: int) -> Stored | None:
    """What waited for its time, under the key with which it was asked for. None when it was cancelled meanwhile."""
    draft = msgspec.json.decode(row.draft, type=Publish)
    request = Request(writer, draft, row.cid, row.id, at)
    audience = resolve(connection, writer, draft)
    return append(connection, request, audience) if doors.take_scheduled(connection, row.id) else None


def append(connection: Connection, request: Request, audience: Audience) -> Stored:
    me = request.principal.number
    to = _channels(connection, me, audience.parties)
    ids = births.births(connection)
    entries = _entries(request, to, audience.recipients, ids.seq(request.draft.reply_to or ""))
    first = log.append(connection, entries)
    _open(connection, me, to, first)
    return Stored(ids.id(first), request.at, first, audience.recipients, duplicate=False)


def store_together(connection: Connection, requests: list[Request]) -> list[Stored | None]:
    """Of many requests those to one person, or to everyone, with keys of their own, at once; None for any other, and
    for what follows it from the same sender: it is to be stored by itself, after these.
    """
    memory = known.checked(connection)
    chosen = _chosen(connection, requests, _channels_of_one(connection, memory, requests))
    together = [place for place, channel in enumerate(chosen) if channel is not None]
    stored: list[Stored | None] = [None] * len(requests)
    if not together:
        return stored
    entries = []
    for place in together:
        channel = chosen[place] or channels.EVERYONE
        recipients = 1 if channel else known.count(connection, memory) - 1
        entries += _entries(requests[place], [channel], recipients)
    first = log.append(connection, entries)
    known.open_pairs(connection, memory, [entry.channel for entry in entries if entry.channel])
    ids = births.births(connection)
    for seq, (place, entry) in enumerate(zip(together, entries, strict=True), first):
        stored[place] = Stored(ids.id(seq), entry.at, seq, entry.recipients, duplicate=False)
    return stored


def _chosen(connection: Connection, requests: list[Request], to: list[int | None]) -> list[int | None]:
    """Of these channels those of what can be stored at once."""
    used = _used_keys(
        connection, [request for request, channel in zip(requests, to, strict=True) if channel is not None]
    )
    left_alone: set[int] = set()
    """Senders of what is stored afterwards, and takes a place: so must be what follows it."""
    chosen: list[int | None] = []
    for request, channel in zip(requests, to, strict=True):
        me = request.principal.number
        if channel is None or me in left_alone:
            left_alone.add(me)
            channel = None
        elif request.key is not None:
            key = (me, request.key)
            channel = None if key in used else channel
            used.add(key)
        chosen.append(channel)
    return chosen


def _channels_of_one(connection: Connection, memory: Memory, requests: list[Request]) -> list[int | None]:
    """By request: the one channel to which it goes, which is a person's or everyone's."""
    wanted = [_one(request) for request in requests]
    people = known.by_name(connection, memory, {name for name in wanted if name})
    senders = known.by_id(connection, memory, {request.principal.user_id for request in requests})
    return [
        _channel(request, senders.get(request.principal.user_id), name, people)
        for request, name in zip(requests, wanted, strict=True)
    ]


def _one(request: Request) -> str | None:
    """How the one is called to whom it goes, now, or everyone."""
    to = request.draft.to
    if to is None or len(to) != 1 or request.is_later or request.announced_by:
        return None
    name = texts.folded(to[0])
    return None if name.startswith(names.GROUP_SIGN) and name != names.EVERYONE else name


def _channel(request: Request, sender: Account | None, name: str | None, people: Mapping[str, Account]) -> int | None:
    if sender is None or sender.number != request.principal.number or name is None:
        return None
    if name == names.EVERYONE:
        return channels.EVERYONE if sender.may_announce else None
    person = people.get(name)
    return None if person is None else channels.pair(sender.number, person.number)


def _used_keys(connection: Connection, requests: list[Request]) -> set[tuple[int, str | None]]:
    """Those of their keys that something has which was stored, waits for its time or was cancelled."""
    keyed = [(request.principal, request.key) for request in requests if request.key is not None]
    if not keyed:
        return set()
    used: set[tuple[int, str | None]] = set()
    used.update(log.claimed(connection, [(principal.number, key) for principal, key in keyed]))
    waiting = doors.scheduled_keys(connection, [key for _, key in keyed])
    used.update((principal.number, key) for principal, key in keyed if (principal.user_id, key) in waiting)
    return used


def first_answer(connection: Connection, request: Request) -> Stored | None:
    """What was answered to the same request under the same key; without `seq` while it waits for its time, and when it
    was cancelled.
    """
    if request.key is None:
        return None
    key = (request.principal.number, request.key)
    claim = log.claimed(connection, [key]).get(key)
    if claim is not None:
        message_id = births.births(connection).id(claim.seq)
        return _same(request, claim.request_hash, Stored(message_id, claim.at, claim.seq, claim.recipients, True))
    waiting = doors.scheduled_with(connection, request.principal.user_id, request.key)
    if waiting is None:
        return None
    first = Stored(waiting.id, waiting.created_at, None, waiting.recipients, True)
    return _same(request, waiting.request_hash, first)


def check_room(connection: Connection, user_id: str) -> None:
    """LimitedError when no more of this user's messages may wait."""
    if doors.scheduled_count(connection, user_id) >= SCHEDULED_MAX:
        raise LimitedError("too many messages are waiting for their time", 60.0, Code.TOO_MANY)


def schedule(connection: Connection, request: Request, audience: Audience) -> Stored:
    deliver_at = request.draft.deliver_at
    assert deliver_at is not None
    row = ScheduledRow(
        id=request.id,
        user_id=request.principal.user_id,
        draft=request.document.decode(),
        cid=request.key,
        recipients=audience.recipients,
        deliver_at=deliver_at,
        created_at=request.at,
        problem=None,
        request_hash=request.digest,
    )
    doors.schedule(connection, row)
    return Stored(request.id, request.at, None, row.recipients, duplicate=False, deliver_at=deliver_at)


def _same(request: Request, request_hash: bytes, first: Stored) -> Stored:
    if request_hash != request.digest:
        raise RefusedError(Code.IDEMPOTENCY_CONFLICT, "this key was used for another message")
    return first


def _channels(connection: Connection, me: int, parties: Sequence[Party]) -> list[int]:
    """In the order of `parties`."""
    people = users.numbers(connection, [party.id for party in parties if party.kind == "person"])
    found = groups.numbers(connection, [party.id for party in parties if party.kind == "group"])
    found[EVERYONE.id] = channels.EVERYONE
    return [
        channels.group(found[party.id]) if party.kind == "group" else channels.pair(me, people[party.id])
        for party in parties
    ]


def _entries(request: Request, to: Sequence[int], recipients: int, reply_to: int | None = None) -> list[Entry]:
    me = request.principal.number
    whole = Entry(
        channel=to[0],
        kind=names.KIND_MESSAGE,
        sender=me,
        at=request.at,
        cid=request.key,
        request_hash=request.digest if request.key is not None else None,
        recipients=recipients,
        reply_to=reply_to,
        content=msgspec.json.encode(narrowed(Content, request.draft)).decode(),
    )
    parts = [
        Entry(channel=channel, kind=whole.kind, sender=me, at=whole.at, part=part)
        for part, channel in enumerate(to[1:], start=1)
    ]
    return [whole, *parts]


def _open(connection: Connection, me: int, to: Sequence[int], first: int) -> None:
    """The windows of pairs that write for the first time; and of one who may write to a group without being in it, for
    this one message.
    """
    known.open_pairs(connection, known.checked(connection), [channel for channel in to if channels.pair_of(channel)])
    windows = []
    for place, channel in enumerate(to, start=first):
        if channels.group_of(channel) is not None and not members.is_open(connection, me, channel):
            windows.append(Window(me, channel, place, place))
    members.open_windows(connection, windows)
