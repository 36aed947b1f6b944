"""What a publish asks of the database: it does not grow with the people there are, and hardly with a batch."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from deskbell_protocol.wire import Publish
from deskbell_server.delivery.feed import Feed
from deskbell_server.messaging import appending
from deskbell_server.messaging.publishes import Request
from deskbell_server.principals import Principal
from deskbell_server.store import devices, log, users
from deskbell_server.store.database import Connection, Cursor, Database
from deskbell_server.store.opening import open_database
from deskbell_server.store.sqlite import Commits

BATCH = 64


class Counted:
    """A connection: how many statements were executed on it, and how many rows were read."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.statements = self.rows = 0

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> "CountedRows":
        self.statements += 1
        return CountedRows(self._connection.execute(sql, parameters), self)

    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]], /) -> Cursor:
        all_of_them = list(parameters)
        self.statements += len(all_of_them)
        return self._connection.executemany(sql, all_of_them)


class CountedRows:
    def __init__(self, cursor: Cursor, counted: Counted) -> None:
        self._cursor = cursor
        self._counted = counted

    @property
    def rowcount(self) -> int:
        return self._cursor.rowcount

    def fetchone(self) -> Any:
        row = self._cursor.fetchone()
        self._counted.rows += row is not None
        return row

    def fetchall(self) -> list[Any]:
        rows = self._cursor.fetchall()
        self._counted.rows += len(rows)
        return rows


@pytest.fixture
def database(tmp_path: Path, database_url: str) -> Iterator[Database]:
    with closing(open_database(tmp_path / "a.db", database_url, Commits("normal"))) as opened:
        yield opened


def add_people(database: Database, first: int, last: int) -> list[Principal]:
    """The first of all is an admin."""

    def job(connection: Connection) -> list[Principal]:
        found = []
        for number in range(first, last):
            name = f"p{number}"
            users.add(connection, users.User(f"id-{name}", name, "", "-", number == 0, False, None), name, "", 0)
            found.append(devices.writer(connection, f"id-{name}"))
        return [person for person in found if person]

    return database.write(job)


def cost(database: Database, requests: list[Request]) -> tuple[Counted, Counted]:
    """Of storing them at once, and of the look that tells of them."""

    def store(connection: Connection) -> tuple[Counted, Feed]:
        feed, counted = Feed(log.end(connection)), Counted(connection)
        if len(requests) == 1 and requests[0].draft.to == ["@everyone"]:
            appending.store(counted, requests[0])
        else:
            assert all(appending.store_together(counted, requests))
        return counted, feed

    def look(connection: Connection) -> Counted:
        counted = Counted(connection)
        found = feed.look(counted, True)
        assert found
        assert len(found[0].pushes) == len(requests)
        return counted

    stored, feed = database.write(store)
    return stored, database.read(look)


def test_a_batch_costs_hardly_more_than_one_message(database: Database) -> None:
    to, *senders = add_people(database, 0, BATCH + 1)

    def requests(text: str) -> list[Request]:
        return [Request(me, Publish(to=[to.name], body=text), text, f"{text}-{me.name}", 1) for me in senders]

    cost(database, requests("the pairs write for the first time"))
    one, one_told = cost(database, requests("a")[:1])
    many, many_told = cost(database, requests("b"))
    assert many.statements <= one.statements + 2 < 20
    assert many_told.statements <= one_told.statements < 10
    assert many.rows + many_told.rows <= one.rows + one_told.rows + 4 * BATCH


def test_an_announcement_costs_the_same_whatever_the_accounts(database: Database) -> None:
    admin, *_ = add_people(database, 0, 10)

    def costs(key: str) -> list[tuple[int, int]]:
        request = Request(admin, Publish(to=["@everyone"], body="b"), key, key, 1, announced_by="p0")
        return [(counted.statements, counted.rows) for counted in cost(database, [request])]

    few = costs("few")
    add_people(database, 10, 1_000)
    assert costs("many") == few
