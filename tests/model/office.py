"""The model's server: the real services of two processes on one real SQLite file, without sockets or threads."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from deskbell_protocol import names
from deskbell_protocol.ids import new_id, now_ms
from deskbell_protocol.wire import Event, Head
from deskbell_server.clock import Ages, Clock
from deskbell_server.delivery import feed
from deskbell_server.delivery.delivery import Delivery
from deskbell_server.delivery.presence import Presence
from deskbell_server.limiter import Limiter, Rate
from deskbell_server.messaging.messages import Messages
from deskbell_server.messaging.reading import Reading
from deskbell_server.people.groups import Groups
from deskbell_server.principals import Principal
from deskbell_server.store import backup, births, channels, log, marks, migrate, users, workers
from deskbell_server.store.database import Connection
from deskbell_server.upkeep.retention import Pruning, RetentionPolicy
from tests.model.played import Killed, NotPushedError, PlayedDatabase

GROUP = "@team"
PROCESSES = 2
BEHIND_MAX = 5
"""So far behind, the model's processes jump; what they look at takes two entries at a time."""

Heard = Callable[[int, int, Event | Head], None]
"""Of which process, the person's number, and what is pushed to them."""


class Seen(NamedTuple):
    """An entry as a person sees it."""

    kind: str
    id: str
    channel: int
    mine: bool
    publish: str
    """The id of its publish's first part."""
    content: str


class Rooms:
    """Stands for the transport: the one method of it that delivery uses for pushes."""

    def __init__(self, process: "Process", heard: Heard) -> None:
        self._process = process
        self._heard = heard

    def fan_out(self, event: str, heads: Iterable[tuple[str, bytes]], tail: bytes, more: Sequence[bytes] = ()) -> None:
        fate = self._process.database.fate
        if fate.push_fails:
            raise NotPushedError
        for number, (room, head) in enumerate(heads):
            if fate.rooms_pushed is not None and number >= fate.rooms_pushed:
                raise Killed
            for sent in (head + tail, *more):
                is_event = event == names.EVENT
                push = msgspec.json.decode(sent, type=Event) if is_event else msgspec.json.decode(sent, type=Head)
                self._heard(self._process.number, int(room.removeprefix("u:")), push)


class Process:
    """One server process, as the composition root makes it."""

    def __init__(self, number: int, path: Path, heard: Heard) -> None:
        self.number = number
        self.database = PlayedDatabase(path)
        place = self.database.read(log.end)
        transport: Any = Rooms(self, heard)
        self.delivery = Delivery(transport, Presence(), place)
        followed = feed.Feed(place)
        self.database.follow(followed.own, followed.look, self.delivery.passed)
        self.messages = Messages(self.database, Limiter(Rate(0, 1)))
        self.reading = Reading(self.database, Limiter(Rate(0, 1)), now_ms, self.delivery.synced)
        self.groups = Groups(self.database)

    def tell_heads(self, people: Iterable[int]) -> None:
        self.delivery.head(self.delivery.connected(people))

    def prune(self, keep: int) -> None:
        """Retention: in each channel the newest `keep` entries stay."""
        Pruning(self.database, Ages(Clock())).prune(RetentionPolicy(days=None, events=keep), "model")


@dataclass(frozen=True)
class Key:
    """What a stored publish was asked under."""

    id: str
    sender: int
    cid: str


class Office:
    """`heard` is where pushes go. After `Killed`, and after `kill`, call `start`."""

    def __init__(self, path: Path, heard: Heard) -> None:
        self._heard = heard
        self._path = path
        self.lives = 0
        self.processes = [self._process(number) for number in range(PROCESSES)]
        self._keeper = PlayedDatabase(path)
        self.people = {user.name: self._principal(user) for user in self._keeper.read(users.everyone)}

    def _process(self, number: int) -> Process:
        self.lives += 1
        return Process(number, self._path, self._heard)

    def _principal(self, user: users.User) -> Principal:
        number = self._keeper.read(lambda connection: users.numbers(connection, [user.id])[user.id])
        query = "SELECT from_seq FROM members WHERE person = ? AND channel = ?"
        from_seq = self._ask(query, number, channels.EVERYONE)[0][0]
        device = f"device of {user.name}"
        return Principal(user.id, user.name, "", device, "model", False, False, number, from_seq)

    def start(self, number: int) -> None:
        self.processes[number] = self._process(number)

    def kill(self, number: int) -> None:
        self.processes[number].database.close()

    def close(self) -> None:
        for process in self.processes:
            process.database.close()
        self._keeper.close()

    # -- what its keeper does -----------------------------------------------------------------------------------------

    def back_up(self, target: Path) -> None:
        with backup.written_whole(target) as draft:
            backup.save_sqlite(self._path, draft)

    def restore(self, source: Path) -> None:
        """Everything is replaced as the command does it, and the log begins another life."""
        self._keeper.write(lambda connection: backup.load_rows(connection, source))

    # -- what is true -------------------------------------------------------------------------------------------------

    @property
    def end(self) -> log.LogEnd:
        return self._keeper.read(log.end)

    def view(self, user: str) -> dict[int, Seen]:
        """By place. Asked in words of its own: the store's would prove themselves."""
        query = (
            "SELECT l.seq, l.kind, l.channel, l.sender, l.part, coalesce(l.content, w.content)"
            " FROM members m JOIN log l ON l.channel = m.channel LEFT JOIN log w ON w.seq = l.seq - l.part"
            " WHERE m.person = ? AND l.seq BETWEEN m.from_seq AND m.to_seq"
        )
        me = self.people[user].number
        rows, ids = self._ask(query, me), self._keeper.read(births.births)
        return {
            seq: Seen(kind, ids.id(seq), channel, sender == me, ids.id(seq - part), content)
            for seq, kind, channel, sender, part, content in rows
        }

    def floors(self) -> dict[int, int]:
        return dict(self._ask("SELECT channel, up_to FROM floors"))

    def places(self) -> list[int]:
        """All that were ever given out, in order: of none is the row gone before a week."""
        return [row[0] for row in self._ask("SELECT seq FROM log ORDER BY seq")]

    def standing(self) -> dict[int, list[int]]:
        """By channel, the places of what was not forgotten."""
        found: dict[int, list[int]] = {}
        for seq, channel in self._ask("SELECT seq, channel FROM log WHERE channel >= 0 ORDER BY seq"):
            found.setdefault(channel, []).append(seq)
        return found

    def keyed(self) -> list[Key]:
        ids = self._keeper.read(births.births)
        rows = self._ask("SELECT seq, sender, cid FROM log WHERE cid IS NOT NULL")
        return [Key(ids.id(seq), sender, cid) for seq, sender, cid in rows]

    def unread(self, user: str) -> set[str]:
        me, seqs = self.people[user].number, list(self.view(user))

        def job(connection: Connection) -> set[str]:
            ids = births.births(connection)
            rows = [row for row in log.visible(connection, me, seqs) if row.kind == "message"]
            return {ids.id(row.seq) for row in marks.unread(connection, me, rows)}

        return self._keeper.read(job)

    @property
    def changes(self) -> tuple[int, int]:
        """Another value after every commit."""
        commits = sum(process.database.commits for process in self.processes)
        return self.lives, commits + self._keeper.commits

    def _ask(self, query: str, *values: int) -> list[Any]:
        return self._keeper.read(lambda connection: connection.execute(query, values).fetchall())


def make_small(patch: pytest.MonkeyPatch) -> None:
    """So that a process is soon far behind, reads in pieces, and asks a lost database again at once."""
    patch.setattr(feed, "AT_ONCE", 2)
    patch.setattr(feed, "BEHIND_MAX", BEHIND_MAX)
    patch.setattr(workers, "OPEN_EVERY_S", 0.0)


def make_template(path: Path) -> None:
    """A database with alice, bob and carol, who are all in @team. Copied for every run: migrations take their time."""
    migrate.prepare(path)
    database = PlayedDatabase(path)
    for name in ("alice", "bob", "carol"):
        user = users.User(new_id(), name, "", "-", False, True, None)
        assert database.write(partial(users.add, user=user, name_key=name, display_key=name, at=now_ms()))
    Groups(database).add(GROUP, ["alice", "bob", "carol"])
    database.close()
