"""The local store as the window shows it: conversations newest first, the last messages of one, search."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec

from deskbell_desktop.core import text
from deskbell_desktop.core.events import Outgoing
from deskbell_desktop.core.views import ConversationView, Delivery, MessageView
from deskbell_desktop.core.words import Words
from deskbell_desktop.io.store import Store
from deskbell_protocol.wire import Party

CONVERSATIONS = 500
DESKBELL = Party("", "deskbell", "Deskbell", "app")
"""Who tells of a hole in the history."""
OUTGOING_STATE = {"queued": Delivery.SENDING, "sent": Delivery.SENT, "failed": Delivery.FAILED}


@dataclass(frozen=True)
class Page:
    """The end of a conversation, oldest first."""

    messages: tuple[MessageView, ...]
    has_older: bool


class Pages:
    """Reads of one store. All methods raise `StoreError`."""

    def __init__(self, store: Store, me: Party, words: Words) -> None:
        self._words = words
        self._store = store
        self._me = me

    def conversations(self, search: str = "") -> list[ConversationView]:
        """All, or those in whose names or messages `search` occurs; then the line shown is the newest that has it."""
        wanted = search.strip().casefold()
        with self._store.reading() as database:
            unread = dict(
                database.execute("SELECT conversation, count(*) FROM messages WHERE unread = 1 GROUP BY conversation")
            )
            hits = _hits(database, wanted) if wanted else {}
            waiting = _waiting(database)
            rows = database.execute(
                "SELECT id, parties, last_text, last_mine, at, folded FROM conversations ORDER BY at DESC, id"
            )
            views = []
            for id_, parties, last_text, last_mine, at, folded in rows:
                if wanted and id_ not in hits and wanted not in folded:
                    continue
                line, mine, when = hits.get(id_, (last_text, bool(last_mine), at))
                view = self._view(id_, _parties(parties), line, mine, when, unread.get(id_, 0))
                if id_ in waiting and id_ not in hits:
                    item = waiting[id_]
                    line, state = text.one_line(item.body), OUTGOING_STATE[item.state]
                    view = replace(view, last_text=line, last_mine=True, waiting=state)
                views.append(view)
                if len(views) == CONVERSATIONS:
                    break
            return views

    def conversation(self, id_: str) -> ConversationView | None:
        with self._store.reading() as database:
            row = database.execute(
                "SELECT parties, last_text, last_mine, at FROM conversations WHERE id = ?", (id_,)
            ).fetchone()
            if row is None:
                return None
            unread = database.execute(
                "SELECT count(*) FROM messages WHERE conversation = ? AND unread = 1", (id_,)
            ).fetchone()[0]
            return self._view(id_, _parties(row[0]), row[1], bool(row[2]), row[3], unread)

    def messages(self, conversation: str, limit: int) -> Page:
        """The last `limit` messages, the marks of holes between them, and after them what was not sent yet."""
        with self._store.reading() as database:
            rows = database.execute(
                "SELECT n, id, sender, mine, title, body, at, priority FROM messages"
                " WHERE conversation = ? ORDER BY n DESC LIMIT ?",
                (conversation, limit + 1),
            ).fetchall()
            gaps = database.execute("SELECT n, at, note FROM gaps ORDER BY n, at").fetchall()
            outbox = database.execute(
                "SELECT item FROM outbox WHERE conversation = ? ORDER BY n", (conversation,)
            ).fetchall()
        has_older = len(rows) > limit
        rows = rows[limit - 1 :: -1] if has_older else rows[::-1]
        views = _with_gaps([(row[0], _message(row)) for row in rows], gaps, whole=not has_older)
        written = (msgspec.json.decode(row[0], type=Outgoing) for row in outbox)
        return Page((*views, *(self._outgoing(item) for item in written)), has_older)

    def unread(self, conversation: str) -> tuple[str, ...]:
        """Ids of the conversation's unread messages, oldest first."""
        with self._store.reading() as database:
            rows = database.execute(
                "SELECT id FROM messages WHERE conversation = ? AND unread = 1 ORDER BY n", (conversation,)
            )
            return tuple(row[0] for row in rows)

    def depth(self, conversation: str, message: str) -> int:
        """How many of the conversation's last messages one must show to see `message`; 0 when it is not there."""
        with self._store.reading() as database:
            return int(
                database.execute(
                    "SELECT count(*) FROM messages WHERE conversation = ?1"
                    " AND n >= (SELECT n FROM messages WHERE conversation = ?1 AND id = ?2)",
                    (conversation, message),
                ).fetchone()[0]
            )

    def last_received(self, conversation: str) -> str | None:
        """What an answer in this conversation answers to."""
        with self._store.reading() as database:
            row = database.execute(
                "SELECT id FROM messages WHERE conversation = ? AND mine = 0 ORDER BY n DESC LIMIT 1", (conversation,)
            ).fetchone()
            return None if row is None else str(row[0])

    def parties_named(self, names: Sequence[str]) -> list[Party] | None:
        """The known people and groups with these names; None when one of them is not known here."""
        wanted = {name.casefold() for name in names}
        found: dict[str, Party] = {}
        with self._store.reading() as database:
            for (raw,) in database.execute("SELECT parties FROM conversations"):
                for party in _parties(raw):
                    if party.id and party.name.casefold() in wanted:
                        found[party.name.casefold()] = party
        return list(found.values()) if len(found) == len(wanted) else None

    def draft(self, conversation: str) -> str:
        with self._store.reading() as database:
            row = database.execute("SELECT text FROM drafts WHERE conversation = ?", (conversation,)).fetchone()
            return "" if row is None else str(row[0])

    def _view(
        self, id_: str, parties: tuple[Party, ...], line: str, mine: bool, at: int, unread: int
    ) -> ConversationView:
        title = self._words.conversation_title([text.one_line(party.label, 60) for party in parties])
        return ConversationView(id_, parties, title, line, mine, at, unread)

    def _outgoing(self, item: Outgoing) -> MessageView:
        return MessageView(
            key=item.cid,
            sender=self._me,
            mine=True,
            title=item.title,
            body=item.body,
            at=item.created_at,
            state=OUTGOING_STATE[item.state],
            priority=item.priority,
            problem=item.problem and self._words.not_sent(item.problem),
        )


def _waiting(database: sqlite3.Connection) -> dict[str, Outgoing]:
    """Per conversation the last of what was not sent, or else of what waits."""
    items = [
        msgspec.json.decode(row[0], type=Outgoing) for row in database.execute("SELECT item FROM outbox ORDER BY n")
    ]
    found = {item.conversation: item for item in items if item.state == "queued"}
    return found | {item.conversation: item for item in items if item.state == "failed"}


def _hits(database: sqlite3.Connection, wanted: str) -> dict[str, tuple[str, bool, int]]:
    """Per conversation the newest message with `wanted` in it: line, mine, at."""
    rows = database.execute(
        # NOT INDEXED: the index on conversations would visit every row in another order than that of the disk
        "SELECT conversation, title, body, mine, at, max(n) FROM messages NOT INDEXED"
        " WHERE instr(folded, ?) GROUP BY conversation",
        (wanted,),
    )
    return {row[0]: (_around(row[1], row[2], wanted), bool(row[3]), row[4]) for row in rows}


def _around(title: str, body: str, wanted: str) -> str:
    """The line of a hit, beginning so that the hit can be seen."""
    whole = f"{title} {body}" if title else body
    start = max(whole.casefold().find(wanted) - 30, 0)
    return ("…" if start else "") + text.one_line(whole[start:])


def _parties(raw: str) -> tuple[Party, ...]:
    return msgspec.json.decode(raw, type=tuple[Party, ...])


def _message(row: Sequence[object]) -> MessageView:
    _, id_, sender, mine, title, body, at, priority = row
    assert isinstance(sender, str)
    return msgspec.convert(
        {
            "key": id_,
            "sender": msgspec.json.decode(sender),
            "mine": bool(mine),
            "title": title,
            "body": body,
            "at": at,
            "state": Delivery.SENT if mine else Delivery.RECEIVED,
            "priority": priority,
        },
        MessageView,
    )


def _with_gaps(
    messages: Sequence[tuple[int, MessageView]], gaps: Sequence[tuple[int, int, str]], *, whole: bool
) -> list[MessageView]:
    """Each hole is shown once, after the last message from before it; only where the page reaches back to it."""
    views: list[MessageView] = []
    left = [gap for gap in gaps if whole or (messages and gap[0] >= messages[0][0])]
    for n, view in messages:
        while left and left[0][0] < n:
            views.append(_gap(*left.pop(0)))
        views.append(view)
    return [*views, *(_gap(*gap) for gap in left)]


def _gap(n: int, at: int, note: str) -> MessageView:
    return MessageView(f"gap:{n}:{at}", DESKBELL, mine=False, title="", body=note, at=at, state=Delivery.RECEIVED)
