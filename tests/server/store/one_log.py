"""The one log, driven by the acts that its reference knows, too. What the differential test takes from the server is
taken here.
"""

import random
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

from deskbell_protocol import names
from deskbell_protocol.errors import Code
from deskbell_protocol.wire import Event, Publish, Read, Sync
from deskbell_server.clock import Ages, Clock
from deskbell_server.errors import RefusedError
from deskbell_server.messaging import appending, viewing
from deskbell_server.messaging.publishes import Request, Stored
from deskbell_server.people.groups import Groups
from deskbell_server.principals import Principal
from deskbell_server.store import ages, births, devices, doors, log, marks, prune, users
from deskbell_server.store.database import Connection, Database
from deskbell_server.store.opening import open_database
from deskbell_server.store.sqlite import Commits
from deskbell_server.upkeep.retention import DAY_MS, Pruning, RetentionPolicy
from tests.server.store.acts import DONE, Outcome, Seen, Told, Wish


class OneLog:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._people: dict[str, Principal] = {}
        self._week_old = 0
        self.now = 0

    def head(self) -> int:
        return self._database.read(log.head)

    def add_person(self, name: str, is_admin: bool, may_announce: bool) -> None:
        user = users.User(f"id-{name}", name, "", "-", is_admin, may_announce, None)

        def job(connection: Connection) -> Principal | None:
            users.add(connection, user, name, "", 0)
            return devices.writer(connection, user.id)

        person = self._database.write(job)
        assert person is not None
        self._people[name] = person

    def set_disabled(self, name: str, disabled: bool) -> None:
        user_id = self._people[name].user_id
        self._database.write(lambda connection: users.set_disabled(connection, user_id, 1 if disabled else None))

    def change_group(self, act: str, name: str, members: tuple[str, ...]) -> Outcome:
        groups = Groups(self._database)
        try:
            (groups.add if act == "add" else groups.remove)(name, list(members))
        except RefusedError as refused:
            return (refused.code,)
        return DONE

    def publish(self, wish: Wish) -> Outcome:
        return self._told(self._database.write(lambda connection: self._alone(connection, wish)))

    def publish_together(self, wishes: list[Wish]) -> list[Outcome]:
        def job(connection: Connection) -> list[Stored | RefusedError]:
            ages.save(connection, wishes[0].at)
            stored = appending.store_together(connection, [self._request(connection, wish) for wish in wishes])
            return [done or self._alone(connection, wish) for done, wish in zip(stored, wishes, strict=True)]

        return [self._told(done) for done in self._database.write(job)]

    def deliver(self, at: int) -> list[Outcome]:
        rows = self._database.read(lambda connection: doors.due(connection, at, 100))
        return [self._told(self._deliver(row, at)) for row in rows]

    def cancel(self, who: str, number: int, at: int) -> bool:
        user_id = self._people[who].user_id
        return self._database.write(lambda c: doors.cancel_scheduled(c, _waiting_id(number), user_id, at))

    def forget_cancelled(self, before: int) -> None:
        self._database.write(partial(doors.forget_cancelled, before=before, limit=100))

    def read(self, name: str, up_to: int | None, places: tuple[int, ...]) -> Outcome:
        def job(connection: Connection) -> Outcome:
            ids = births.births(connection)
            request = Read(up_to=up_to) if up_to is not None else Read(ids=[ids.id(place) for place in places])
            return (viewing.read(connection, self._people[name], request, self.now) is not None,)

        try:
            return self._database.write(job)
        except RefusedError as refused:
            return (refused.code,)

    def prune(self, before: int | None, keep: int | None) -> int:
        def job(connection: Connection) -> int:
            ages.save(connection, self.now)
            return prune.last_before(connection, self.now - log.KEY_LIFE_MS)

        self._week_old = max(self._week_old, self._database.write(job))
        now = Ages(Clock(lambda: self.now, lambda: 0), lambda: 0)
        days = None if before is None else (self.now - before) / DAY_MS
        return Pruning(self._database, now).prune(RetentionPolicy(days, keep), "-")

    def resets(self, name: str, places: list[int]) -> list[bool]:
        def job(connection: Connection) -> list[bool]:
            me, epoch = self._people[name], log.end(connection).epoch
            return [viewing.snapshot(connection, me, Sync(epoch, after, 1)).reset for after in places]

        return self._database.read(job)

    def view(self, name: str, chance: random.Random) -> list[Seen | Told]:
        """What answers of any size lead through; what is seen singly, and history, show the same."""

        def job(connection: Connection) -> list[Seen | Told]:
            events = self._synced(connection, name, chance)
            me = self._number(connection, name)
            rows = {row.seq: row for row in log.visible(connection, me, [event.seq for event in events])}
            assert list(rows) == [event.seq for event in events]
            unread = {row.seq for row in marks.unread(connection, me, list(rows.values()))}
            said = [event.seq for event in events if event.kind == names.KIND_MESSAGE]
            assert self._back(connection, name, chance) == said[::-1]
            ids = births.births(connection)
            return [
                _seen(ids, event, rows[event.seq].publish, event.seq in unread)
                if event.seq in said
                else _note(ids, event)
                for event in events
            ]

        return self._database.read(job)

    def is_dense(self) -> bool:
        """Whether what was refused or repeated took no place, and nothing younger than a week is missing."""
        sql, first = "SELECT seq FROM log WHERE seq > ? ORDER BY seq", self._week_old
        seqs = self._database.read(lambda c: [row[0] for row in c.execute(sql, (first,)).fetchall()])
        return seqs == list(range(first + 1, self.head() + 1))

    def _synced(self, connection: Connection, name: str, chance: random.Random) -> list[Event]:
        found: list[Event] = []
        epoch, cursor = None, 0
        while True:
            answer = viewing.snapshot(connection, self._people[name], Sync(epoch, cursor, chance.randint(1, 40)))
            assert answer.after == cursor
            for event in answer.events:
                assert event.prev == cursor < event.seq
                cursor = event.seq
            found += answer.events
            if answer.upto == answer.head:
                return found
            assert answer.upto > answer.after
            assert answer.upto >= cursor
            epoch, cursor = answer.epoch, answer.upto

    def _back(self, connection: Connection, name: str, chance: random.Random) -> list[int]:
        found: list[int] = []
        before = 2**53
        while page := viewing.history(connection, self._people[name], None, before, chance.randint(1, 40)):
            found += [event.seq for event in page]
            before = page[-1].seq
        return found

    def _deliver(self, row: doors.ScheduledRow, at: int) -> Stored | RefusedError:
        def job(connection: Connection) -> Stored | None:
            writer = devices.writer(connection, row.user_id)
            if writer is None:
                raise RefusedError(Code.FORBIDDEN, "the account that wrote it is disabled")
            return appending.deliver(connection, writer, row, at)

        try:
            done = self._database.write(job)
        except RefusedError as refused:
            problem = str(refused.code)
            self._database.write(lambda connection: doors.fail_scheduled(connection, row.id, problem))
            return refused
        assert done is not None
        return done

    def _alone(self, connection: Connection, wish: Wish) -> Stored | RefusedError:
        ages.save(connection, wish.at)
        try:
            return appending.store(connection, self._request(connection, wish))
        except RefusedError as refused:
            return refused

    def _request(self, connection: Connection, wish: Wish) -> Request:
        answered = None if wish.answers is None else births.births(connection).id(wish.answers)
        to = list(wish.to) if wish.answers is None else None
        draft = Publish(to=to, reply_to=answered, title=wish.title, body=wish.body, deliver_at=wish.deliver_at)
        return Request(self._people[wish.sender], draft, wish.key, _waiting_id(wish.number), wish.at)

    def _told(self, done: Stored | RefusedError) -> Outcome:
        if isinstance(done, RefusedError):
            return (done.code,)
        if done.seq is None:
            return done.duplicate, done.recipients, None, int(done.id)
        assert self._database.read(births.births).id(done.seq) == done.id
        return done.duplicate, done.recipients, done.seq, None

    def _number(self, connection: Connection, name: str) -> int:
        user_id = self._people[name].user_id
        return users.numbers(connection, [user_id])[user_id]


def _waiting_id(number: int) -> str:
    return f"{number:036d}"


def _seen(ids: births.Births, event: Event, publish: int, unread: bool) -> Seen:
    data = event.data
    assert ids.id(event.seq) == event.id
    [to] = data["to"]
    answers = ids.seq(data["reply_to"]) if "reply_to" in data else None
    said = data.get("title", ""), data["body"]
    return Seen(event.seq, publish, data["from"]["name"], to["name"], *said, answers, data.get("cid"), unread)


def _note(ids: births.Births, event: Event) -> Told:
    data = event.data
    if event.kind == names.KIND_MEMBER:
        return Told(event.kind, (data["group"]["name"], data["joined"]))
    return Told(event.kind, data["up_to"] if "up_to" in data else tuple(ids.seq(i) for i in data["ids"]))


@contextmanager
def opened(folder: Path, url: str) -> Iterator[OneLog]:
    with closing(open_database(folder / "one.db", url, Commits("normal"))) as database:
        yield OneLog(database)
