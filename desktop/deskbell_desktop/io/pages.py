"""The local store as the window shows it: conversations newest first, the last messages of one, search."""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from deskbell_desktop.core import text
from deskbell_desktop.core.events import Outgoing
from deskbell_desktop.core.search import around, folded, searched
from deskbell_desktop.core.views import ConversationView, Delivery, Found, Hit, MessageView
from deskbell_desktop.core.words import Words
from deskbell_desktop.io.store import Store, line_of
from deskbell_protocol import names
from deskbell_protocol.wire import Content, Party

CONVERSATIONS = 500
FOUND = 100
"""Messages that a search shows, the newest."""
SEARCH_STEP = 4000
"""Messages looked through at a time: some 10 ms."""
YOU = len("You: ")
"""So much stands before a line of one's own."""
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

    def conversations(self, named: str = "") -> list[ConversationView]:
        """Newest first; those in whose names `named`, which is folded, occurs."""
        with self._store.reading() as database:
            unread = dict(
                database.execute("SELECT conversation, count(*) FROM messages WHERE unread = 1 GROUP BY conversation")
            )
            waiting = _waiting(database)
            rows = database.execute(
                "SELECT id, parties, last_text, last_mine, at FROM conversations WHERE instr(folded, ?)"
                " ORDER BY at DESC, id LIMIT ?",
                (named, CONVERSATIONS),
            )
            views = [
                self._view(id_, _parties(parties), line, bool(mine), at, unread.get(id_, 0))
                for id_, parties, line, mine, at in rows
            ]
        return [_with_waiting(view, waiting.get(view.id)) for view in views]

    def search(self, search: str) -> Iterator[Found | None]:
        """Each step is short, however much there is to look through; the last one yields what was found."""
        wanted = folded(search.strip())
        hits = self._unsent(wanted)
        with self._store.reading() as database:
            below = database.execute("SELECT coalesce(max(n), 0) + 1 FROM messages").fetchone()[0]
        while below > 1 and len(hits) <= FOUND:
            hits += self._between(max(1, below - SEARCH_STEP), below, wanted)
            below -= SEARCH_STEP
            yield None
        yield Found(wanted, tuple(self.conversations(wanted)), tuple(hits[:FOUND]), more=len(hits) > FOUND)

    def _between(self, first: int, below: int, wanted: str) -> list[Hit]:
        with self._store.reading() as database:
            rows = database.execute(
                # NOT INDEXED: the index on conversations would visit every row in another order than that of the disk
                "SELECT m.id, m.conversation, c.parties, m.sender, m.mine, m.content, m.at"
                " FROM messages m NOT INDEXED JOIN conversations c ON c.id = m.conversation"
                " WHERE m.n >= ? AND m.n < ? AND instr(m.folded, ?) ORDER BY m.n DESC LIMIT ?",
                (first, below, wanted, FOUND + 1),
            ).fetchall()
        return [self._hit((*row[:5], _content(row[5]), row[6]), wanted) for row in rows]

    def _unsent(self, wanted: str) -> list[Hit]:
        with self._store.reading() as database:
            rows = database.execute(
                "SELECT o.item, o.conversation, c.parties FROM outbox o JOIN conversations c ON c.id = o.conversation"
                " ORDER BY o.n DESC"
            ).fetchall()
        items = [(msgspec.json.decode(raw, type=Outgoing), *rest) for raw, *rest in rows]
        return [
            self._hit(
                (item.cid, conversation, parties, "", True, item.content, item.created_at),
                wanted,
                OUTGOING_STATE[item.state],
            )
            for item, conversation, parties in items
            if wanted in searched(item.content)
        ]

    def _hit(self, row: Sequence[Any], wanted: str, waiting: Delivery | None = None) -> Hit:
        key, conversation, raw, sender, mine, content, at = row
        parties = _parties(raw)
        in_group = not mine and parties and parties[0].kind == "group"
        who = msgspec.json.decode(sender, type=Party).label if in_group else ""
        used = YOU if mine else len(who)
        whole = f"{content.title}: {content.body}" if content.title else content.body
        line = text.one_line(around(whole, wanted, used))
        line = self._words.last_in_group(who, line) if who else line
        return Hit(key, replace(self._view(conversation, parties, line, bool(mine), at, 0), waiting=waiting))

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
                "SELECT n, id, sender, mine, content, at FROM messages WHERE conversation = ? ORDER BY n DESC LIMIT ?",
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

    def people(self, fragment: str) -> list[Party]:
        """The people and groups known here, and open to the person, in whose names `fragment` occurs."""
        wanted = folded(fragment)
        found: dict[str, Party] = {}
        with self._store.reading() as database:
            rows = database.execute(
                "SELECT parties FROM conversations WHERE instr(folded, ?) ORDER BY at DESC", (wanted,)
            )
            for party in (party for row in rows for party in _parties(row[0])):
                if party.id and wanted in folded(f"{party.name}\n{party.display}") and not self._closed((party,)):
                    found.setdefault(party.id, party)
        return list(found.values())

    def draft(self, conversation: str) -> str:
        with self._store.reading() as database:
            row = database.execute("SELECT text FROM drafts WHERE conversation = ?", (conversation,)).fetchone()
            return "" if row is None else str(row[0])

    def _view(
        self, id_: str, parties: tuple[Party, ...], line: str, mine: bool, at: int, unread: int
    ) -> ConversationView:
        title = self._words.conversation_title([text.one_line(party.label, 60) for party in parties])
        return ConversationView(id_, parties, title, line, mine, at, unread, closed=self._closed(parties))

    def _closed(self, parties: tuple[Party, ...]) -> str:
        group = next((party for party in parties if party.kind == "group"), None)
        if group is None or self._store.groups is None or group.id in self._store.groups:
            return ""
        everyone = group.id == names.EVERYONE
        return self._words.everyone_closed() if everyone else self._words.group_closed(text.one_line(group.label, 60))

    def _outgoing(self, item: Outgoing) -> MessageView:
        return MessageView(
            key=item.cid,
            sender=self._me,
            mine=True,
            content=item.content,
            at=item.created_at,
            state=OUTGOING_STATE[item.state],
            problem=item.problem and self._words.not_sent(item.problem),
            to=item.to if len(item.to) > 1 else (),
        )


def _waiting(database: sqlite3.Connection) -> dict[str, Outgoing]:
    """Per conversation the last of what was not sent, or else of what waits."""
    items = [
        msgspec.json.decode(row[0], type=Outgoing) for row in database.execute("SELECT item FROM outbox ORDER BY n")
    ]
    found = {item.conversation: item for item in items if item.state == "queued"}
    return found | {item.conversation: item for item in items if item.state == "failed"}


def _with_waiting(view: ConversationView, item: Outgoing | None) -> ConversationView:
    if item is None:
        return view
    return replace(view, last_text=line_of(item.content), last_mine=True, waiting=OUTGOING_STATE[item.state])


def _parties(raw: str) -> tuple[Party, ...]:
    return msgspec.json.decode(raw, type=tuple[Party, ...])


def _content(raw: str) -> Content:
    return msgspec.json.decode(raw, type=Content)


def _message(row: Sequence[Any]) -> MessageView:
    _, id_, sender, mine, content, at = row
    state = Delivery.SENT if mine else Delivery.RECEIVED
    return MessageView(id_, msgspec.json.decode(sender, type=Party), bool(mine), _content(content), at, state)


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
    return MessageView(f"gap:{n}:{at}", DESKBELL, False, Content(body=note), at, Delivery.RECEIVED)
