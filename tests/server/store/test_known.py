"""What the writer remembers between its transactions: nothing that is not true any more. Source: `store/known.py`."""

import inspect
import re
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from functools import partial
from pathlib import Path

import pytest

from deskbell_protocol.wire import Publish
from deskbell_server.messaging.appending import store_together
from deskbell_server.messaging.publishes import Request, Stored
from deskbell_server.principals import Principal
from deskbell_server.store import births, channels, log, users
from deskbell_server.store.database import Connection, Database, memory_of
from deskbell_server.store.opening import open_database
from deskbell_server.store.sqlite import Commits

ANN = Principal("id-ann", "ann", "", "", "", False, False, 1)
BOB, CID = "id-bob", "id-cid"
NAMES = {"id-ann": "ann", BOB: "bob", CID: "cid"}


@pytest.fixture
def both(tmp_path: Path, database_url: str) -> Iterator[tuple[Database, Database]]:
    """The same database, of two processes."""
    with ExitStack() as stack:
        opened = [
            stack.enter_context(closing(open_database(tmp_path / "a.db", database_url, Commits("normal"))))
            for _ in range(2)
        ]
        for id_, name in NAMES.items():
            add(opened[0], id_, name)
        yield opened[0], opened[1]


def add(database: Database, id_: str, name: str) -> None:
    user = users.User(id_, name, "", "-", False, False, None)
    database.write(partial(users.add, user=user, name_key=name, display_key="", at=0))


def say(database: Database, to: str) -> Stored | None:
    request = Request(ANN, Publish(to=[to], body="x"), None, "", 1)
    return database.write(lambda connection: store_together(connection, [request]))[0]


def channel_of(database: Database, stored: Stored | None) -> int:
    assert stored
    assert stored.seq
    rows = database.read(partial(log.everything, after=stored.seq - 1, limit=1))
    return rows[0].channel


@pytest.mark.parametrize("who", ["ann", "bob"])
def test_an_account_that_another_process_disables_is_known_no_longer(both: tuple[Database, Database], who: str) -> None:
    here, elsewhere = both
    assert say(here, "bob")
    elsewhere.write(partial(users.set_disabled, user_id=f"id-{who}", at=1))
    assert say(here, "bob") is None
    elsewhere.write(partial(users.set_disabled, user_id=f"id-{who}", at=None))
    assert say(here, "bob")


def test_who_may_announce_is_asked_again_when_that_changes(both: tuple[Database, Database]) -> None:
    here, elsewhere = both
    assert say(here, "@everyone") is None
    elsewhere.write(partial(users.set_may_announce, user_id="id-ann", allowed=True))
    stored = say(here, "@everyone")
    assert stored
    assert stored.recipients == 2
    add(elsewhere, "id-dee", "dee")
    stored = say(here, "@everyone")
    assert stored
    assert stored.recipients == 3
    elsewhere.write(partial(users.set_may_announce, user_id="id-ann", allowed=False))
    assert say(here, "@everyone") is None


def test_a_name_that_is_anothers_id_is_a_name(both: tuple[Database, Database]) -> None:
    here, _ = both
    assert say(here, "bob")
    add(here, "id-eve", BOB)
    assert channel_of(here, say(here, BOB)) == channels.pair(1, 4)
    assert channel_of(here, say(here, "bob")) == channels.pair(1, 2)


@pytest.mark.parametrize("trouble", ["rolled back", "restored"])
def test_a_pair_whose_windows_are_gone_gets_them_again(both: tuple[Database, Database], trouble: str) -> None:
    here, _ = both

    def spoil(connection: Connection) -> None:
        request = Request(ANN, Publish(to=["cid"], body="x"), None, "", 1)
        store_together(connection, [request])
        raise ValueError

    def restore(connection: Connection) -> None:
        connection.execute("DELETE FROM members WHERE channel = ?", (channels.pair(1, 3),))
        births.renew(connection)

    if trouble == "rolled back":
        with suppress(ValueError):
            here.write(spoil)
    else:
        say(here, "cid")
        here.write(restore)
    assert say(here, "cid")
    sql = "SELECT person FROM members WHERE channel = ? ORDER BY person"
    found = here.read(lambda connection: connection.execute(sql, (channels.pair(1, 3),)).fetchall())
    assert [row[0] for row in found] == [1, 3]


def test_only_the_writer_remembers(both: tuple[Database, Database]) -> None:
    here, _ = both
    say(here, "bob")
    assert here.write(lambda connection: len(memory_of(connection).names)) == 1
    assert here.read(lambda connection: len(memory_of(connection).names)) == 0


def test_each_change_of_an_account_is_counted() -> None:
    """But for a password, which no message asks for. Nobody else writes to that table."""
    changes = re.compile(r"(INSERT INTO|UPDATE|DELETE FROM) users\b(?! SET password_hash)")
    files = Path(users.__file__).parents[1].rglob("*.py")
    assert {file.name for file in files if changes.search(file.read_text())} == {"users.py"}
    writing = [inspect.getsource(one) for one in vars(users).values() if inspect.isfunction(one)]
    writing = [text for text in writing if changes.search(text)]
    assert len(writing) == 3
    assert all("meta.count(connection, meta.ACCOUNTS)" in text for text in writing)
