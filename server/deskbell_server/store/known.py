"""What the writer remembers of accounts and pairs, so that a message asks nothing that the last one asked.

True while `meta` says the same: the epoch, and how often accounts were changed, by whatever process. That is read in
the transaction that relies on it. Of names only those are remembered that there are.
"""

from collections.abc import Collection

import msgspec

from deskbell_protocol.wire import Party
from deskbell_server.store import members, meta, users
from deskbell_server.store.database import Connection, Memory, memory_of
from deskbell_server.store.sets import select

PAIRS_MAX = 200_000
ACCOUNTS_MAX = 50_000
"""So many are remembered; with more it begins anew."""


class Account(msgspec.Struct, frozen=True):
    """One that is enabled."""

    number: int
    party: Party
    may_announce: bool


def checked(connection: Connection) -> Memory:
    """The connection's memory, as far as it is true in this transaction."""
    found = memory_of(connection)
    state = dict(
        connection.execute(f"SELECT key, value FROM meta WHERE key IN ('epoch', '{meta.ACCOUNTS}')").fetchall(),
    )
    if found.state != state or len(found.names) + len(found.ids) > ACCOUNTS_MAX:
        found.forget()
        found.state = state
    return found


def by_name(connection: Connection, known: Memory, name_keys: Collection[str]) -> dict[str, Account]:
    """Those of the enabled accounts that are called so, and whoever else is known."""
    _learn(connection, known, known.names, "name_key", name_keys)
    return known.names


def by_id(connection: Connection, known: Memory, ids: Collection[str]) -> dict[str, Account]:
    """Those of the enabled accounts that have these ids, and whoever else is known."""
    _learn(connection, known, known.ids, "id", ids)
    return known.ids


def _learn(
    connection: Connection, known: Memory, found: dict[str, Account], column: str, wanted: Collection[str]
) -> None:
    sql = (
        f"SELECT {column}, number, id, name, display, is_admin, may_announce FROM users"
        f" WHERE {column} IN ({{}}) AND disabled_at IS NULL"
    )
    for key, number, id_, name, display, *may in select(connection, sql, [key for key in wanted if key not in found]):
        known.parties[number] = party = Party(id=id_, name=name, display=display)
        found[key] = Account(number, party, any(may))


def count(connection: Connection, known: Memory) -> int:
    """Of enabled accounts."""
    if known.count is None:
        known.count = users.count_enabled(connection)
    return known.count


def open_pairs(connection: Connection, known: Memory, pairs: Collection[int]) -> None:
    """The windows of these pairs, where they have none yet."""
    fresh = set(pairs) - known.pairs
    members.open_pairs(connection, list(fresh))
    if len(known.pairs) > PAIRS_MAX:
        known.pairs.clear()
    known.pairs.update(fresh)
