"""The tables of the local store, and how those of an older version become them."""

SCHEMA_VERSION = 2
SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE messages (
    n INTEGER PRIMARY KEY,           -- order of arrival; seq belongs to one epoch only
    id TEXT NOT NULL UNIQUE,
    seq INTEGER NOT NULL,
    conversation TEXT NOT NULL,
    sender TEXT NOT NULL,            -- JSON
    mine INTEGER NOT NULL,
    content TEXT NOT NULL,           -- JSON
    at INTEGER NOT NULL,
    unread INTEGER NOT NULL,
    ring TEXT,                       -- JSON, while its popup was not shown
    folded TEXT NOT NULL             -- what the search looks through
);
CREATE INDEX messages_conversation ON messages (conversation, n);
CREATE INDEX messages_unread ON messages (conversation) WHERE unread = 1;
CREATE INDEX messages_ring ON messages (n) WHERE ring IS NOT NULL;
CREATE TABLE conversations (
    id TEXT PRIMARY KEY,
    parties TEXT NOT NULL,           -- JSON
    last_text TEXT NOT NULL,
    last_mine INTEGER NOT NULL,
    at INTEGER NOT NULL,
    folded TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX conversations_at ON conversations (at);
CREATE TABLE outbox (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    cid TEXT NOT NULL UNIQUE,
    conversation TEXT NOT NULL,
    item TEXT NOT NULL,              -- JSON
    message_id TEXT
);
CREATE INDEX outbox_conversation ON outbox (conversation);
CREATE TABLE untold (id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE drafts (conversation TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE gaps (n INTEGER NOT NULL, at INTEGER NOT NULL, note TEXT NOT NULL);
"""


CONTENT_1 = "json_remove(json_set(item, '$.content', json_object('body', item ->> '$.body')), '$.body')"
"""What waits, of version 1, as it is written now."""
MIGRATIONS = {
    1: f"""
ALTER TABLE messages ADD COLUMN content TEXT NOT NULL DEFAULT '';
UPDATE messages SET content = json_object('body', body, 'title', title, 'priority', priority);
ALTER TABLE messages DROP COLUMN title;
ALTER TABLE messages DROP COLUMN body;
ALTER TABLE messages DROP COLUMN priority;
UPDATE outbox SET item = {CONTENT_1};
""",  # noqa: S608 - nothing of anybody's is in it
}
"""What brings a store of this version to the next one."""

OUTBOX = (
    f"SELECT cid, conversation, CASE WHEN json_valid(item) AND item -> '$.content' IS NULL THEN {CONTENT_1}"  # noqa: S608
    " ELSE item END, message_id FROM outbox ORDER BY n"
)
"""What waits, of any version: a store that is damaged was not brought to this one."""
COLUMNS = "id, seq, conversation, sender, mine, content, at, unread, ring, folded"
MERGE = f"""
BEGIN IMMEDIATE;
INSERT OR IGNORE INTO kept.messages ({COLUMNS}) SELECT {COLUMNS} FROM main.messages ORDER BY n;
UPDATE kept.messages SET unread = 0 WHERE id IN (SELECT id FROM main.messages WHERE unread = 0);
UPDATE kept.messages SET ring = NULL WHERE id IN (SELECT id FROM main.messages WHERE ring IS NULL);
INSERT OR REPLACE INTO kept.conversations SELECT * FROM main.conversations;
DELETE FROM kept.outbox WHERE cid IN (SELECT cid FROM temp.saved);
INSERT OR REPLACE INTO kept.outbox (cid, conversation, item, message_id)
    SELECT cid, conversation, item, message_id FROM main.outbox ORDER BY n;
DELETE FROM kept.drafts WHERE conversation IN (SELECT cid FROM temp.saved);
INSERT OR REPLACE INTO kept.drafts SELECT * FROM main.drafts;
INSERT OR IGNORE INTO kept.untold SELECT * FROM main.untold;
COMMIT;
"""  # noqa: S608 - nothing of anybody's is in it
"""What memory was given while the file could not be read. The cursor stays the file's: the log brings the rest."""
