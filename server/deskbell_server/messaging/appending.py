"""A publish into the log: once per key, all of it or nothing. The store behind it is `store/log.py`.

Several people addressed singly are as many entries, one after the other, each in its pair's channel; the first one
has what they share. Source: LOG.md 1 and 7.
"""

from collections.abc import Sequence

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
from deskbell_server.store import births, channels, doors, groups, log, members, users
from deskbell_server.store.database import Connection
from deskbell_server.store.doors import ScheduledRow
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
    """Of many requests those from one person to one other, with keys of their own, at once; None for any other, and for
    what follows it from the same sender: it is to be stored by itself, after these.
    """
    chosen = _chosen(connection, requests)
    if not chosen:
        return [None] * len(requests)
    entries = [entry for request, channel in chosen for entry in _entries(request, [channel], 1)]
    first = log.append(connection, entries)
    members.open_windows(connection, sorted({w for _, channel in chosen for w in _pair_windows(channel)}, key=_key))
    ids = births.births(connection)
    stored = {
        request.id: Stored(ids.id(place), request.at, place, 1, duplicate=False)
        for place, (request, _) in enumerate(chosen, start=first)
    }
    return [stored.get(request.id) for request in requests]


def _chosen(connection: Connection, requests: list[Request]) -> list[tuple[Request, int]]:
    """Those that can be stored at once, each with its channel."""
    to = _single_recipients(connection, requests)
    used = _used_keys(connection, [request for request in requests if request.id in to])
    left_alone: set[int] = set()
    """Senders of what is stored afterwards, and takes a place: so must be what follows it."""
    chosen = []
    for request in requests:
        me, key = request.principal.number, (request.principal.number, request.key)
        if request.id not in to or me in left_alone:
            left_alone.add(me)
        elif key not in used:
            used |= {key} if request.key is not None else set()
            chosen.append((request, channels.pair(me, to[request.id])))
    return chosen


def _single_recipients(connection: Connection, requests: list[Request]) -> dict[str, int]:
    """By request: the number of the one person to whom it goes."""
    wanted = {}
    for request in requests:
        to = request.draft.to
        if to is not None and len(to) == 1 and not to[0].startswith(names.GROUP_SIGN) and not request.is_later:
            wanted[request.id] = texts.folded(to[0])
    known = users.numbers_by_key(connection, sorted(set(wanted.values())))
    senders = users.numbers(connection, {request.principal.user_id for request in requests})
    return {
        request.id: known[wanted[request.id]]
        for request in requests
        if wanted.get(request.id) in known and senders.get(request.principal.user_id) == request.principal.number
    }


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
    windows = [window for channel in to for window in _pair_windows(channel)]
    for place, channel in enumerate(to, start=first):
        if channels.group_of(channel) is not None and not members.is_open(connection, me, channel):
            windows.append(Window(me, channel, place, place))
    members.open_windows(connection, windows)


def _pair_windows(channel: int) -> list[Window]:
    return [Window(person, channel) for person in channels.pair_of(channel) or ()]


def _key(window: Window) -> tuple[int, int]:
    return window.person, window.channel
