"""Each field of a message on its way through the desktop's core and store to what is shown, and from there back."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from deskbell_desktop.core import effects as do
from deskbell_desktop.core.outbox import Outbox
from deskbell_desktop.core.words import Words
from deskbell_desktop.io.pages import Pages
from deskbell_desktop.io.socket import _send
from deskbell_desktop.io.store import Store
from deskbell_desktop.io.store_schema import SCHEMA_VERSION
from deskbell_protocol.wire import Content, narrowed
from tests.desk.whole import CONTENT, FIELDS, left_out
from tests.desktop.io.test_store import outgoing
from tests.fakes import BOB, ME, START, Bench, of

FIRST = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE messages (n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, seq INTEGER NOT NULL, conversation TEXT NOT NULL,
    sender TEXT NOT NULL, mine INTEGER NOT NULL, title TEXT NOT NULL, body TEXT NOT NULL, priority TEXT NOT NULL,
    at INTEGER NOT NULL, unread INTEGER NOT NULL, ring TEXT, folded TEXT NOT NULL);
CREATE INDEX messages_conversation ON messages (conversation, n);
CREATE INDEX messages_unread ON messages (conversation) WHERE unread = 1;
CREATE INDEX messages_ring ON messages (n) WHERE ring IS NOT NULL;
CREATE TABLE conversations (id TEXT PRIMARY KEY, parties TEXT NOT NULL, last_text TEXT NOT NULL,
    last_mine INTEGER NOT NULL, at INTEGER NOT NULL, folded TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX conversations_at ON conversations (at);
CREATE TABLE outbox (n INTEGER PRIMARY KEY AUTOINCREMENT, cid TEXT NOT NULL UNIQUE, conversation TEXT NOT NULL,
    item TEXT NOT NULL, message_id TEXT);
CREATE INDEX outbox_conversation ON outbox (conversation);
CREATE TABLE untold (id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE drafts (conversation TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE gaps (n INTEGER NOT NULL, at INTEGER NOT NULL, note TEXT NOT NULL);
INSERT INTO meta VALUES ('epoch', 'e1'), ('cursor', '1');
INSERT INTO messages VALUES (1, 'm1', 1, 'BOB', '{"id":"BOB","name":"bob"}', 0, '构建', '红了
line two', 'urgent', 5, 1, NULL, '构建');
INSERT INTO conversations VALUES ('BOB', '[{"id":"BOB","name":"bob"}]', '构建', 0, 5, 'bob');
INSERT INTO outbox VALUES (1, 'c1', 'BOB', '{"cid":"c1","conversation":"BOB","to":["bob"],"body":"Yes","created_at":6}',
    NULL);
PRAGMA user_version = 1;
"""
"""A store of the first version, with a message and an answer that waits."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "account.db"


def shown(path: Path) -> list[Content]:
    with closing(Store(path, ME.id, Words())) as store:
        return [view.content for view in Pages(store, ME, Words()).messages(BOB.id, 10).messages]


def test_every_field_is_filled() -> None:
    assert left_out() == set()


def test_every_field_comes_from_the_wire_to_what_is_shown(path: Path) -> None:
    bench = Bench()
    bench.online()
    with closing(Store(path, ME.id, Words())) as store:
        for effect in of(bench.push(bench.log.message(BOB, **FIELDS)), do.ApplyEvents):
            store.apply(effect)
    assert shown(path) == [CONTENT]


def test_every_field_goes_from_what_waits_to_the_wire(path: Path) -> None:
    with closing(Store(path, ME.id, Words())) as store:
        store.keep(outgoing("c1", content=CONTENT))
        box = Outbox(store.load().outbox, Words(), START)
    assert shown(path) == [CONTENT]
    (effect,) = of(box.up(START), do.SendMessage)
    assert narrowed(Content, _send(effect)) == CONTENT
    with closing(Store(path, ME.id, Words())) as store:
        store.settle("c1", ME)
    assert shown(path) == [CONTENT]


def test_a_store_of_the_first_version_is_brought_to_this_one(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.executescript(FIRST.replace("BOB", BOB.id))
    with closing(Store(path, ME.id, Words())) as store:
        assert store.problem == ""
        loaded = store.load()
        assert (loaded.epoch, loaded.cursor, [item.id for item in loaded.unread]) == ("e1", 1, ["m1"])
        assert [(item.cid, item.content) for item in loaded.outbox] == [("c1", Content(body="Yes"))]
    then = Content(body=CONTENT.body, title=CONTENT.title, priority=CONTENT.priority)
    assert shown(path) == [then, Content(body="Yes")]
    fresh = path.with_name("fresh.db")
    Store(fresh, ME.id, Words()).close()
    assert columns(path) == columns(fresh)


@pytest.mark.parametrize("damage", ["a page", "a row"])
def test_what_waits_in_a_damaged_store_of_the_first_version_is_saved(path: Path, damage: str) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.executescript(FIRST.replace("BOB", BOB.id))
        (page,) = database.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'conversations_at'").fetchone()
        if damage == "a row":
            database.execute("INSERT INTO outbox VALUES (2, 'c2', 'BOB', '{\"cid\"', NULL)")
            database.commit()
    if damage == "a page":
        with path.open("r+b") as file:
            file.seek((page - 1) * 4096)
            file.write(bytes(4096))
    with closing(Store(path, ME.id, Words())) as store:
        assert store.problem != ""
        assert [(item.cid, item.content) for item in store.load().outbox] == [("c1", Content(body="Yes"))]


def columns(path: Path) -> dict[str, set[str]]:
    """The columns of each table."""
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return {name: {row[1] for row in database.execute(f"PRAGMA table_info({name})")} for name in tables}
