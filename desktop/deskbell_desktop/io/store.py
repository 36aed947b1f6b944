"""What this device keeps of one account: each change is one commit, made by the thread that owns the session."""

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from deskbell_desktop.core import effects as do
from deskbell_desktop.core import text
from deskbell_desktop.core.events import Outgoing, Ring, Stored, Unread
from deskbell_desktop.core.search import folded, searched
from deskbell_desktop.core.words import Words
from deskbell_desktop.io import store_file
from deskbell_desktop.io.store_file import StoreError, StoreUnwritableError
from deskbell_protocol.conversations import party_of
from deskbell_protocol.wire import Content, Message, Party, narrowed, saying

REPLACED_MAX = 2


class Store:
    """`problem` says to the person what was wrong with the file, if anything. All methods raise `StoreError`."""

    def __init__(self, path: Path, me: str, words: Words) -> None:
        self._words = words
        self._path = path
        self._replaced = 0
        self._me = me
        self.groups: tuple[str, ...] | None = None
        """Ids of those that the person may write to; None: all, or not known."""
        self._open(store_file.open_file(path, words))

    def _open(self, opened: store_file.Opened) -> None:
        self.database, self.problem = opened.database, opened.problem
        self.in_memory, self._whole = opened.in_memory, opened.whole
        self._in_file = self._unsent() if self.in_memory else frozenset()

    def close(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            self.database.execute("INSERT OR REPLACE INTO meta VALUES ('clean', '1')")
        self.database.close()

    def replace(self, reason: StoreError) -> bool:
        """Begin anew in place of a file that cannot be used; whether it goes on where it was, for only the disk takes
        nothing. A disk that breaks everything is not used for long."""
        same = isinstance(reason, StoreUnwritableError) and not self.in_memory
        self._replaced += not same
        if self._replaced > REPLACED_MAX:
            reason = StoreUnwritableError(str(reason))
        with contextlib.suppress(sqlite3.Error):
            self.database.close()
        self._open(store_file.replace_file(self._path, reason, self._words))
        return same and self._whole

    def come_back(self) -> bool:
        """From memory to the file, with all that was kept meanwhile; whether the session knows all that is in it."""
        memory, whole = self.database, self._whole
        self._open(store_file.Opened(store_file.bring_back(memory, self._path, self._words, whole=whole)))
        memory.close()
        return whole

    # -- reading what the session needs ---------------------------------------------------------------------------

    def load(self) -> Stored:
        with self.reading() as database:
            unread = database.execute("SELECT id, seq, conversation FROM messages WHERE unread = 1 ORDER BY seq, n")
            rings = database.execute("SELECT ring FROM messages WHERE ring IS NOT NULL ORDER BY n")
            outbox = database.execute("SELECT item FROM outbox ORDER BY n")
            untold = database.execute("SELECT id FROM untold")
            meta = dict(database.execute("SELECT key, value FROM meta"))
            self.groups = msgspec.json.decode(meta.get("groups", "null"), type=tuple[str, ...] | None)
            return Stored(
                epoch=meta.get("epoch"),
                cursor=int(meta.get("cursor", 0)),
                unread=tuple(Unread(*row) for row in unread),
                rings=tuple(msgspec.json.decode(row[0], type=Ring) for row in rings),
                outbox=tuple(msgspec.json.decode(row[0], type=Outgoing) for row in outbox),
                untold=tuple(row[0] for row in untold),
                groups=self.groups,
            )

    def holds_unsent(self) -> bool:
        """Whether the person wrote something that is neither in the file nor at the server."""
        return not self._unsent() <= self._in_file

    def waiting(self) -> int:
        """How many messages go out by themselves."""
        with self.reading() as database:
            query = "SELECT count(*) FROM outbox WHERE json_extract(item, '$.state') = 'queued'"
            return int(database.execute(query).fetchone()[0])

    def _unsent(self) -> frozenset[tuple[str, str]]:
        query = (
            "SELECT cid, item FROM outbox WHERE json_extract(item, '$.state') <> 'sent' UNION ALL SELECT * FROM drafts"
        )
        with self.reading() as database:
            return frozenset(database.execute(query))

    def known(self, ids: Iterable[str]) -> frozenset[str]:
        """Those of `ids` that are here already."""
        with self.reading() as database:
            return frozenset(
                id_ for id_ in ids if database.execute("SELECT 1 FROM messages WHERE id = ?", (id_,)).fetchone()
            )

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        try:
            yield self.database
        except sqlite3.DatabaseError as error:
            raise store_file.translated(error) from error
        except msgspec.MsgspecError as error:
            raise store_file.StoreDamagedError(str(error)) from error

    # -- the log --------------------------------------------------------------------------------------------------

    def apply(self, effect: do.ApplyEvents) -> None:
        with self._commit() as database:
            for item in effect.messages:
                self._insert(database, item)
            _each(database, "UPDATE messages SET unread = 0, ring = NULL WHERE id = ?", effect.read)
            self._put(database, "epoch", effect.epoch)
            self._put(database, "cursor", str(effect.cursor))
            changed = {item.conversation: item for item in effect.messages}
            for conversation, item in changed.items():
                self._touch(database, conversation, [party_of(item.message, self._me)])

    def start_over(self, effect: do.StartOver, at: int) -> None:
        with self._commit() as database:
            last = database.execute("SELECT coalesce(max(n), 0) FROM messages").fetchone()[0]
            database.execute("INSERT INTO gaps VALUES (?, ?, ?)", (last, at, effect.note))
            database.execute("UPDATE messages SET seq = 0")
            self._put(database, "epoch", effect.epoch)
            self._put(database, "cursor", str(effect.cursor))

    def silence(self, ids: Sequence[str]) -> None:
        """Their popups were shown, or never will be."""
        with self._commit() as database:
            _each(database, "UPDATE messages SET ring = NULL WHERE id = ?", ids)

    def mark_read(self, ids: Sequence[str]) -> None:
        with self._commit() as database:
            _each(database, "UPDATE messages SET unread = 0, ring = NULL WHERE id = ?", ids)
            _each(database, "INSERT OR IGNORE INTO untold VALUES (?)", ids)

    def forget_untold(self, ids: Sequence[str]) -> None:
        with self._commit() as database:
            _each(database, "DELETE FROM untold WHERE id = ?", ids)

    def keep_groups(self, groups: tuple[str, ...] | None) -> None:
        with self._commit() as database:
            self._put(database, "groups", msgspec.json.encode(groups).decode())
        self.groups = groups

    # -- what the person writes -----------------------------------------------------------------------------------

    def keep(self, item: Outgoing) -> None:
        raw = msgspec.json.encode(item).decode()
        with self._commit() as database:
            database.execute(
                "INSERT INTO outbox (cid, conversation, item) VALUES (?, ?, ?)"
                " ON CONFLICT (cid) DO UPDATE SET item = excluded.item",
                (item.cid, item.conversation, raw),
            )
            self._touch(database, item.conversation, [Party("", name) for name in item.to[:1]])

    def settle(self, cid: str, me: Party) -> None:
        """What was sent becomes a message, though the log does not have it any more."""
        with self._commit() as database:
            row = database.execute("SELECT item FROM outbox WHERE cid = ?", (cid,)).fetchone()
            if row is None:
                return
            item = msgspec.json.decode(row[0], type=Outgoing)
            message = saying(Message, item.content, sender=me, to=[], cid=cid)
            id_, at = item.message_id or cid, item.created_at
            self._insert(database, do.Arrived(id_, 0, at, item.conversation, message, mine=True, unread=False))
            self._touch(database, item.conversation, [])

    def drop(self, cid: str) -> None:
        with self._commit() as database:
            self._drop(database, cid)

    def keep_draft(self, conversation: str, draft: str) -> None:
        with self._commit() as database:
            if draft:
                database.execute("INSERT OR REPLACE INTO drafts VALUES (?, ?)", (conversation, draft))
            else:
                database.execute("DELETE FROM drafts WHERE conversation = ?", (conversation,))

    def place(self) -> tuple[str, str]:
        """Where the window was, and the conversation in it; empty at first."""
        with self.reading() as database:
            meta = dict(database.execute("SELECT key, value FROM meta WHERE key IN ('window', 'conversation')"))
            return meta.get("window", ""), meta.get("conversation", "")

    def keep_place(self, window: str, conversation: str) -> None:
        with self._commit() as database:
            self._put(database, "window", window)
            self._put(database, "conversation", conversation)

    # -- the rows -------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _commit(self) -> Iterator[sqlite3.Connection]:
        with self.reading() as database:
            database.execute("BEGIN IMMEDIATE")
            try:
                yield database
                database.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    database.execute("ROLLBACK")
                raise

    def _insert(self, database: sqlite3.Connection, item: do.Arrived) -> None:
        """A message that is here already (the log started over) only gets its new number."""
        message = item.message
        database.execute(
            "INSERT INTO messages (id, seq, conversation, sender, mine, content, at, unread, ring, folded)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET seq = excluded.seq",
            (
                item.id,
                item.seq,
                item.conversation,
                msgspec.json.encode(message.sender).decode(),
                item.mine,
                msgspec.json.encode(narrowed(Content, message)).decode(),
                item.at,
                item.unread,
                None if item.ring is None else msgspec.json.encode(item.ring).decode(),
                searched(message),
            ),
        )
        if item.mine and message.cid is not None:
            self._drop(database, message.cid, unless=item.conversation)

    def _drop(self, database: sqlite3.Connection, cid: str, unless: str = "") -> None:
        row = database.execute("DELETE FROM outbox WHERE cid = ? RETURNING conversation", (cid,)).fetchone()
        if row is not None and row[0] != unless:
            self._touch(database, row[0], [])

    def _touch(self, database: sqlite3.Connection, conversation: str, parties: Sequence[Party]) -> None:
        """Bring the conversation's row up to date with what is in it; without anything in it, it goes."""
        last = database.execute(
            "SELECT mine, sender, content, at FROM messages WHERE conversation = ? ORDER BY n DESC LIMIT 1",
            (conversation,),
        ).fetchone()
        written = database.execute(
            "SELECT item FROM outbox WHERE conversation = ? ORDER BY n DESC LIMIT 1", (conversation,)
        ).fetchone()
        if last is None and written is None:
            database.execute("DELETE FROM conversations WHERE id = ?", (conversation,))
            return
        if written is not None:
            item = msgspec.json.decode(written[0], type=Outgoing)
            mine, line, at = True, line_of(item.content), item.created_at
        else:
            mine, at = bool(last[0]), last[3]
            line = line_of(msgspec.json.decode(last[2], type=Content))
            if not mine and parties and parties[0].kind == "group":
                line = self._words.last_in_group(msgspec.json.decode(last[1], type=Party).label, line)
        self._put_conversation(database, conversation, parties, line, mine, at)

    def _put_conversation(
        self,
        database: sqlite3.Connection,
        conversation: str,
        parties: Sequence[Party],
        line: str,
        mine: bool,
        at: int,
    ) -> None:
        known = database.execute("SELECT parties FROM conversations WHERE id = ?", (conversation,)).fetchone()
        if known is not None and not (parties and all(party.id for party in parties)):
            parties = msgspec.json.decode(known[0], type=list[Party])
        names = folded("\n".join(f"{party.name}\n{party.display}" for party in parties))
        database.execute(
            "INSERT OR REPLACE INTO conversations VALUES (?, ?, ?, ?, ?, ?)",
            (conversation, msgspec.json.encode(list(parties)).decode(), line, mine, at, names),
        )

    def _put(self, database: sqlite3.Connection, key: str, value: str) -> None:
        database.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))


def _each(database: sqlite3.Connection, query: str, ids: Sequence[str]) -> None:
    database.executemany(query, [(id_,) for id_ in ids])


def line_of(content: Content) -> str:
    """All that a list has room for."""
    return text.one_line(content.title) or text.one_line(content.body)
