"""The log as a test reads it, in SQL of either database: `messages`, each publish once, and `views`, what each person
sees, as if these were tables.
"""

_ID = "(SELECT e.epoch FROM epochs e WHERE e.first_seq <= {0} ORDER BY e.first_seq DESC LIMIT 1) || '.' || {0}"

MESSAGES = (
    f"SELECT l.seq, {_ID.format('l.seq')} AS id, u.id AS sender_id, l.channel, l.content, l.at, l.cid,"
    f" CASE WHEN l.reply_to IS NOT NULL THEN {_ID.format('l.reply_to')} END AS reply_to"
    " FROM log l JOIN users u ON u.number = l.sender WHERE l.kind = 'message' AND l.part = 0 AND l.channel >= 0"
)
VIEWS = (
    f"SELECT u.id AS user_id, l.seq, {_ID.format('l.seq')} AS id, l.kind, l.at, l.channel,"
    f" {_ID.format('(l.seq - l.part)')} AS publish,"
    " coalesce(l.content, w.content) AS content, CASE WHEN l.kind = 'message'"
    " AND (l.sender <> u.number OR l.channel = u.number * 4294967297)"
    " AND NOT EXISTS (SELECT 1 FROM marks k"
    " WHERE k.person = u.number AND k.channel IN (-1, l.channel) AND k.up_to >= l.seq)"
    " AND NOT EXISTS (SELECT 1 FROM exceptions x WHERE x.person = u.number AND x.seq = l.seq)"
    " THEN 1 ELSE 0 END AS unread,"
    " CASE WHEN l.sender = u.number THEN 1 ELSE 0 END AS mine"
    " FROM users u JOIN members m ON m.person = u.number"
    " JOIN log l ON l.channel = m.channel AND l.seq BETWEEN m.from_seq AND m.to_seq"
    " LEFT JOIN log w ON w.seq = l.seq - l.part"
)


def with_views(sql: str) -> str:
    """The same question, with these two to ask."""
    asks = "FROM messages" in sql or "FROM views" in sql
    return f"WITH messages AS ({MESSAGES}), views AS ({VIEWS}) {sql}" if asks else sql
