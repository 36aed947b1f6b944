"""Many messages from one person to one other, stored at once: a handful of statements for all of them.

What is not as simple as that, or is refused, is left to the ordinary way (`messages.store`), one by one; and so is
what follows it from the same sender, because nobody's messages may overtake each other.
"""

from collections import Counter

from deskbell_protocol import names
from deskbell_protocol.wire import Message, Party, saying
from deskbell_server.messaging.publishes import Announcement, Request, Stored
from deskbell_server.people import texts
from deskbell_server.store import batches, users
from deskbell_server.store.database import Connection


def store_together(connection: Connection, requests: list[Request]) -> list[Stored | None]:
    """For each request what became of it, or None: that one was left alone."""
    found = _recipients(connection, requests)
    claims = [
        (r.principal.user_id, r.key, r.digest, r.id, r.at) for r in requests if r.id in found and r.key is not None
    ]
    claimed = batches.claim(connection, claims) if claims else set()
    taken = [r for r in requests if r.id in found and (r.key is None or r.id in claimed)]
    stored = _append(connection, taken, found)
    return [stored.get(request.id) for request in requests]


def _recipients(connection: Connection, requests: list[Request]) -> dict[str, Party]:
    """By request: the one to whom it goes, where it and all before it of the same sender are that simple."""
    wanted: dict[str, str] = {}
    for request in requests:
        to = request.draft.to
        if to is not None and len(to) == 1 and not to[0].startswith(names.GROUP_SIGN) and not request.is_later:
            wanted[request.id] = texts.folded(to[0])
    known = users.parties_by_key(connection, sorted(set(wanted.values()))) if wanted else {}
    found: dict[str, Party] = {}
    waiting: set[str] = set()  # senders of what was left alone, which is stored afterwards: so is what follows it
    for request in requests:
        recipient = known.get(wanted.get(request.id, ""))
        if recipient is None or request.principal.user_id in waiting:
            waiting.add(request.principal.user_id)
        else:
            found[request.id] = recipient
    return found


def _append(connection: Connection, requests: list[Request], found: dict[str, Party]) -> dict[str, Stored]:
    logs = {request.id: {request.principal.user_id, found[request.id].id} for request in requests}
    counts = Counter(user_id for pair in logs.values() for user_id in pair)
    heads = batches.raise_heads(connection, sorted(counts.items())) if counts else {}
    place = {user_id: heads[user_id] - count for user_id, count in counts.items()}
    stored: dict[str, Stored] = {}
    rows: list[batches.MessageRow] = []
    events: list[batches.Values] = []
    for request in requests:
        sender, recipient = request.principal.party, found[request.id]
        seqs = {}
        for user_id in logs[request.id]:
            seqs[user_id] = place[user_id] = place[user_id] + 1
            other = recipient.id if user_id == sender.id else sender.id
            events.append((user_id, seqs[user_id], names.KIND_MESSAGE, request.id, other, request.at))
        message = saying(Message, request.draft, sender=sender, to=[recipient], cid=request.key)
        rows.append((request.id, message, 1, request.at))
        announcement = Announcement(names.KIND_MESSAGE, request.id, request.at, seqs, message)
        stored[request.id] = Stored(request.id, request.at, seqs[sender.id], 1, False, announcement)
    batches.insert_messages(connection, rows)
    batches.insert_events(connection, events)
    return stored
