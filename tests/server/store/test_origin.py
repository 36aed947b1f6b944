"""A PostgreSQL in which the log was not written last is a restore: a new epoch begins. Source: LOG.md 2."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from deskbell_server.store import log
from deskbell_server.store.database import Connection, Database
from deskbell_server.store.opening import open_database
from deskbell_server.store.sqlite import Commits

Open = Callable[[], Database]


@pytest.fixture
def opened(tmp_path: Path, postgres_url: str) -> Iterator[Open]:
    with ExitStack() as stack:
        yield lambda: stack.enter_context(closing(open_database(tmp_path / "a.db", postgres_url, Commits())))


def origin(connection: Connection) -> str:
    return str(connection.execute("SELECT value FROM meta WHERE key = 'origin'").fetchone()[0])


def say(database: Database, other: str) -> None:
    database.write(lambda connection: connection.execute("UPDATE meta SET value = ? WHERE key = 'origin'", (other,)))


def test_the_same_one_goes_on(opened: Open) -> None:
    first = opened()
    epoch, known = first.read(log.end).epoch, first.read(origin)
    assert len(known.split("/")) == 3
    assert (opened().read(log.end).epoch, first.read(origin)) == (epoch, known)


@pytest.mark.parametrize("part", [0, 1, 2], ids=["timeline", "database", "system"])
def test_another_one_is_a_new_epoch(opened: Open, part: int) -> None:
    first = opened()
    epoch, known = first.read(log.end).epoch, first.read(origin)
    parts = known.split("/")
    parts[part] = "another"
    say(first, "/".join(parts))
    second = opened()
    renewed = second.read(log.end).epoch
    assert renewed != epoch
    assert second.read(origin) == known
    assert opened().read(log.end).epoch == renewed


def test_who_may_not_ask_for_the_system_compares_the_rest(opened: Open) -> None:
    first = opened()
    epoch, known = first.read(log.end).epoch, first.read(origin)
    say(first, known.rsplit("/", 1)[0])
    assert opened().read(log.end).epoch == epoch
