"""Accounts with a device each, written into a new database through the server's own store; tokens go to a file.

Run with the server's Python: `python -m benchmarks.speed.accounts DATABASE TOKENS_FILE COUNT`. Logging ten thousand
people in would take argon2 many minutes and is not what is measured; every row is as a login leaves it. The first is an
administrator.
"""

import secrets
import sys
from pathlib import Path
from typing import NamedTuple

from benchmarks.speed.names import account_name


class Made(NamedTuple):
    name: str
    token: str


def fill(database: Path, count: int) -> list[Made]:
    """Makes the database with `count` accounts in one transaction."""
    from deskbell_protocol.ids import new_id, now_ms
    from deskbell_server.people.devices import token_hash
    from deskbell_server.store import devices, migrate, sqlite, users

    migrate.prepare(database)
    connection = sqlite.connect(database)
    connection.execute("BEGIN IMMEDIATE")
    made = []
    for number in range(count):
        name, user_id, token, at = account_name(number), new_id(), secrets.token_urlsafe(32), now_ms()
        user = users.User(user_id, name, f"Bench {number}", "-", number == 0, number == 0, None)
        users.add(connection, user, name, user.display.casefold(), at)
        devices.add(connection, new_id(), user_id, "benchmark", token_hash(token), at)
        made.append(Made(name, token))
    connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return made


def main(database: str, tokens: str, count: str) -> None:
    made = fill(Path(database), int(count))
    Path(tokens).write_text("".join(f"{name} {token}\n" for name, token in made))


if __name__ == "__main__":
    main(*sys.argv[1:])
