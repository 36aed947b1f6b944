"""The model's server: the real services on a real SQLite file, without sockets or threads, to be killed anywhere."""

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from deskbell_protocol.ids import new_id, now_ms
from deskbell_protocol.wire import Ack, Event, Head, Publish, Read, Sync, SyncAnswer
from deskbell_server.clock import Ages, Clock
from deskbell_server.delivery.delivery import Delivery
from deskbell_server.delivery.presence import Presence
from deskbell_server.limiter import Limiter, Rate
from deskbell_server.messaging.messages import Messages, Stored
from deskbell_server.messaging.reading import Reading
from deskbell_server.principals import Principal
from deskbell_server.store import backup, groups, logs, migrate, users
from deskbell_server.store.database import Connection
from deskbell_server.store.wake import Job
from deskbell_server.upkeep.retention import Pruning, RetentionPolicy

T = TypeVar("T")
GROUP = "@team"


class Killed(BaseException):
    """`kill -9` of the server. Not an Exception: nothing in it can catch this."""


class NotPushedError(Exception):
    """The transport fails after the commit."""


@dataclass
class Fate:
    """What will happen to the server within the next call."""

    before_commit: bool = False
    after_commit: bool = False
    rooms_pushed: int | None = None
    """Killed after so many rooms heard of it."""
    push_fails: bool = False
    runs_twice: bool = False


class InlineDatabase:
    """Implements the store's `Database` in the caller's own thread."""

    def __init__(self, path: Path) -> None:
        self.fate = Fate()
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA synchronous=OFF")  # processes die here, not machines
        self._connection.execute("PRAGMA foreign_keys=ON")

    def write(self, job: Callable[[Connection], T]) -> T:
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            if self.fate.runs_twice:
                job(connection)
                connection.execute("ROLLBACK")
                connection.execute("BEGIN IMMEDIATE")
            result = job(connection)
            if self.fate.before_commit:
                raise Killed
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
        if self.fate.after_commit:
            raise Killed
        return result

    def write_soon(self, job: Callable[[Connection], T], done: Callable[[Job], object]) -> None:
        raise NotImplementedError("the model waits for every commit")

    def read(self, job: Callable[[Connection], T]) -> T:
        self._connection.execute("BEGIN")
        try:
            return job(self._connection)
        finally:
            self._connection.execute("ROLLBACK")

    def changed_elsewhere(self) -> bool:
        return False

    @property
    def total_changes(self) -> int:
        return self._connection.total_changes

    def close(self) -> None:
        self._connection.close()


class HintTransport:
    """The one method of the transport that delivery uses for pushes; what it sends lands in `heard`."""

    def __init__(self, office: "Office") -> None:
        self._office = office

    def fan_out(self, event: str, heads: Iterable[tuple[str, bytes]], tail: bytes) -> None:
        fate = self._office.database.fate
        if fate.push_fails:
            raise NotPushedError
        for number, (room, head) in enumerate(heads):
            if fate.rooms_pushed is not None and number >= fate.rooms_pushed:
                raise Killed
            raw = msgspec.json.decode(head + tail)
            push: Event | Head = msgspec.convert(raw, Event) if event == "event" else msgspec.convert(raw, Head)
            self._office.heard(room.removeprefix("u:"), push)


class Office:
    """`heard(user id, push)` is where pushes go. After `Killed`, and after `kill`, call `start`."""

    def __init__(self, path: Path, heard: Callable[[str, Event | Head], None]) -> None:
        self.heard = heard
        self._path = path
        self.people: dict[str, Principal] = {}
        self.lives = 0
        self.start()

    def start(self) -> None:
        self.lives += 1
        self.database = InlineDatabase(self._path)
        self.people = {user.name: _principal(user) for user in self.database.read(users.everyone)}
        transport: Any = HintTransport(self)  # delivery uses no more of a transport than this
        presence = Presence()
        for name, person in self.people.items():
            presence.add(name, person)
        delivery = Delivery(transport, presence, self.epoch)
        self.messages = Messages(self.database, Limiter(Rate(0, 1)), delivery.announce)
        self.reading = Reading(self.database, delivery.announce, Limiter(Rate(0, 1)), now_ms)
        self._delivery = delivery

    def kill(self) -> None:
        self.database.close()

    # -- what clients ask ---------------------------------------------------------------------------------------------

    def publish(self, sender: str, draft: Publish, key: str) -> Stored:
        return self.messages.publish(self.people[sender], draft, key)

    def sync(self, user: str, request: Sync) -> SyncAnswer:
        return self.reading.sync(self.people[user], request)

    def read(self, user: str, request: Read) -> int | None:
        return self.reading.read(self.people[user], request)

    def ack(self, user: str, request: Ack) -> None:
        self.reading.ack(self.people[user], request)

    def tell_heads(self) -> None:
        ids = [person.user_id for person in self.people.values()]
        self._delivery.head(self.database.read(lambda connection: users.heads(connection, ids)))

    # -- what its keeper does -----------------------------------------------------------------------------------------

    def back_up(self, target: Path) -> None:
        with backup.written_whole(target) as draft:
            backup.save_sqlite(self._path, draft)

    def restore(self, source: Path) -> None:
        """The server is stopped, everything replaced as the command does it, and the log begins another life."""
        self.kill()
        database = InlineDatabase(self._path)
        database.write(lambda connection: backup.load_rows(connection, source))
        database.close()
        self.start()

    def prune(self, keep: int) -> None:
        """Retention: of each log the newest `keep` events stay."""
        Pruning(self.database, Ages(Clock())).prune(RetentionPolicy(days=None, events=keep), "model")

    # -- what is true -------------------------------------------------------------------------------------------------

    @property
    def epoch(self) -> str:
        return self.database.read(users.epoch)

    def stream(self, user: str) -> logs.Stream:
        return self.database.read(lambda connection: logs.stream(connection, self.people[user].user_id))

    def log(self, user: str) -> dict[int, tuple[str, str]]:
        """seq → (kind, id)."""
        query = "SELECT seq, kind, id FROM events WHERE user_id = ? ORDER BY seq"
        user_id = self.people[user].user_id
        rows = self.database.read(lambda connection: connection.execute(query, (user_id,)).fetchall())
        return {seq: (kind, id_) for seq, kind, id_ in rows}

    @property
    def changes(self) -> tuple[int, int]:
        """Another value after every commit."""
        return self.lives, self.database.total_changes

    def written(self) -> list[tuple[str, str, str]]:
        """(id, sender's id, key) of all messages."""
        query = "SELECT id, sender_id, cid FROM messages"
        return self.database.read(lambda connection: connection.execute(query).fetchall())

    def unread(self, user: str, ids: list[str]) -> set[str]:
        user_id = self.people[user].user_id
        return set(self.database.read(lambda connection: logs.unread_of(connection, user_id, ids))[1])


def _principal(user: users.User) -> Principal:
    return Principal(user.id, user.name, "", f"device of {user.name}", "model", is_admin=False, may_announce=False)


def make_template(path: Path) -> None:
    """A database with alice, bob and carol, who are all in @team. Copied for every run: migrations take their time."""
    migrate.prepare(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        at = now_ms()
        group = new_id()
        groups.add(connection, group, GROUP, GROUP, "", at)
        for name in ("alice", "bob", "carol"):
            user = users.User(new_id(), name, "", "-", False, False, None)
            assert users.add(connection, user, name, name, at)
            groups.add_member(connection, group, user.id)
