"""Messages stored together are stored as if one by one: same messages, same logs, same answers."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deskbell_protocol.errors import Code
from deskbell_protocol.wire import Publish
from deskbell_server.errors import RefusedError
from deskbell_server.messaging.messages import Publishing, Request, Stored, store
from deskbell_server.messaging.together import store_together
from deskbell_server.principals import Principal
from deskbell_server.store import groups, migrate, users

PEOPLE = ["ann", "bob", "cid", "dan"]
GROUP = "@pair"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("together") / "template.db"
    migrate.prepare(path)
    with opened(path) as connection:
        for name in PEOPLE:
            users.add(connection, users.User(f"id-{name}", name, "", "-", False, False, None), name, "", 0)
        users.set_disabled(connection, "id-dan", 1)
        groups.add(connection, "id-pair", GROUP, GROUP, "", 0)
        for name in ("ann", "bob"):
            groups.add_member(connection, "id-pair", f"id-{name}")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


@contextmanager
def opened(path: Path | str) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        yield connection


@dataclass(frozen=True)
class Wish:
    """Somebody's message, before it has an id."""

    sender: str
    to: tuple[str, ...]
    key: str | None
    body: str
    later: bool


wishes = st.lists(
    st.builds(
        Wish,
        sender=st.sampled_from(PEOPLE[:3]),
        to=st.sampled_from([("ann",), ("BOB",), ("cid",), ("dan",), ("nobody",), (GROUP,), ("ann", "cid")]),
        key=st.sampled_from([None, None, "k1", "k2", "k3"]),
        body=st.sampled_from(["x", "y"]),
        later=st.sampled_from([False, False, False, True]),
    ),
    min_size=1,
    max_size=90,
)


def requests_of(wanted: list[Wish]) -> list[Request]:
    return [
        Request(
            Principal(f"id-{wish.sender}", wish.sender, "", "d", "", is_admin=False, may_announce=False),
            Publish(to=list(wish.to), body=wish.body, deliver_at=10**13 if wish.later else None),
            wish.key,
            f"m{number:04}",
            1000 + number,
        )
        for number, wish in enumerate(wanted)
    ]


def alone(connection: sqlite3.Connection, request: Request) -> Stored | str:
    try:
        return store(connection, request)
    except RefusedError as refused:
        return refused.code


def log_of(connection: sqlite3.Connection) -> Any:
    """Everything but the order within a log."""
    events = "SELECT user_id, kind, id, conversation, at FROM events ORDER BY user_id, id"
    tables = ("SELECT * FROM messages ORDER BY id", "SELECT * FROM idempotency ORDER BY principal, key", events)
    also = ("SELECT * FROM scheduled ORDER BY id", "SELECT * FROM streams ORDER BY user_id")
    return [connection.execute(sql).fetchall() for sql in (*tables, *also)]


def check_dense(connection: sqlite3.Connection) -> None:
    for user_id, head in connection.execute("SELECT user_id, head FROM streams").fetchall():
        seqs = connection.execute("SELECT seq FROM events WHERE user_id = ? ORDER BY seq", (user_id,)).fetchall()
        assert [seq for (seq,) in seqs] == list(range(1, head + 1))


def check_order(connection: sqlite3.Connection) -> None:
    """In each log, what one person wrote stands in the order of writing: here that of the ids."""
    written = "SELECT e.user_id, m.sender_id, e.id FROM events e JOIN messages m ON m.id = e.id ORDER BY e.seq"
    by_both: dict[tuple[str, str], list[str]] = {}
    for user_id, sender_id, message_id in connection.execute(written).fetchall():
        by_both.setdefault((user_id, sender_id), []).append(message_id)
    assert all(ids == sorted(ids) for ids in by_both.values())


def check_answer(connection: sqlite3.Connection, request: Request, stored: Stored) -> None:
    """The places it names are where the message is."""
    heads = stored.announcement.heads if stored.announcement else {}
    for user_id, seq in heads.items():
        row = connection.execute("SELECT id FROM events WHERE user_id = ? AND seq = ?", (user_id, seq)).fetchone()
        assert row == (stored.id,)
    if heads:
        assert stored.seq == heads[request.principal.user_id]


def same(stored: Stored | str) -> Any:
    """An answer without its places, which depend on the order."""
    if isinstance(stored, str):
        return stored
    told = stored.announcement
    said = (told.kind, told.id, told.at, told.data, sorted(told.heads)) if told else None
    return stored.id, stored.recipients, stored.duplicate, said, stored.deliver_at


@given(wishes)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_together_is_as_one_by_one(
    tmp_path_factory: pytest.TempPathFactory, template: Path, wanted: list[Wish]
) -> None:
    folder = tmp_path_factory.mktemp("copies")
    requests = requests_of(wanted)
    first, second = shutil.copy(template, folder / "a.db"), shutil.copy(template, folder / "b.db")
    with opened(first) as connection:
        results = store_together(connection, requests)
        answers = [result or alone(connection, request) for result, request in zip(results, requests, strict=True)]
        together = log_of(connection)
        check_dense(connection)
        check_order(connection)
        for request, answer in zip(requests, answers, strict=True):
            if isinstance(answer, Stored):
                check_answer(connection, request, answer)
    with opened(second) as connection:
        # those left alone come after the others there, so here too
        order = sorted(range(len(requests)), key=lambda number: results[number] is None)
        expected = {number: alone(connection, requests[number]) for number in order}
        assert [same(answer) for answer in answers] == [same(expected[number]) for number in range(len(requests))]
        assert together == log_of(connection)
    shutil.rmtree(folder)


def test_what_follows_one_left_alone_is_left_alone_too_but_nobody_elses(template: Path, tmp_path: Path) -> None:
    wanted = [Wish("ann", (to,), None, "x", later=False) for to in ("cid", GROUP, "cid", "bob")]
    wanted += [Wish("bob", ("cid",), None, "x", later=False)]
    with opened(shutil.copy(template, tmp_path / "a.db")) as connection:
        results = store_together(connection, requests_of(wanted))
    assert [result is None for result in results] == [False, True, True, True, False]


def test_simple_messages_take_a_handful_of_statements(template: Path, tmp_path: Path) -> None:
    path = shutil.copy(template, tmp_path / "a.db")
    wanted = [Wish("ann", ("bob",), f"k{number}", "x", later=False) for number in range(64)]
    statements: list[str] = []
    with opened(path) as connection:
        connection.set_trace_callback(statements.append)
        results = Publishing.together(connection, [Publishing(request) for request in requests_of(wanted)])
    assert None not in results
    assert len(statements) <= 8


def test_a_refusal_for_too_many_waiting_changes_nothing(
    template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deskbell_server.messaging.messages.SCHEDULED_MAX", 2)
    wanted = [Wish("ann", ("bob",), f"k{number}", "x", later=True) for number in range(3)]
    first, second, third = requests_of(wanted)
    with opened(shutil.copy(template, tmp_path / "a.db")) as connection:
        assert not store(connection, first).duplicate
        assert not store(connection, second).duplicate
        before = connection.total_changes
        assert alone(connection, third) == Code.TOO_MANY
        assert connection.total_changes == before
        assert store(connection, second).duplicate
