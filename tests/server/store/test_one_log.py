"""The one log beside a log per person: whatever happens, everybody sees the same. Source: LOG.md."""

import random
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from deskbell_protocol.wire import Event, Sync
from deskbell_server.errors import RefusedError
from deskbell_server.messaging import viewing
from deskbell_server.people.groups import Groups
from deskbell_server.principals import Principal
from deskbell_server.store import log, users
from deskbell_server.store.database import Connection, Database
from deskbell_server.store.opening import open_database
from deskbell_server.store.sqlite import Commits
from tests.server.store.both import LogEach, OneLog, Wish

PEOPLE = ("ann", "bob", "cid", "dan")
"""`ann` is an admin, `bob` may write to everyone."""
GROUPS = ("@ops", "@dev")
STEPS = 120


class Histories:
    """One history at random, put into both stores."""

    def __init__(self, old: Database, new: Database, seed: int) -> None:
        self.old, self.new = LogEach(old), OneLog(new)
        self.chance = random.Random(seed)
        self.people: list[Principal] = []
        self.wishes: list[Wish] = []
        self.at = 0
        for name in PEOPLE:
            self.add_person(name)

    def add_person(self, name: str) -> None:
        user = users.User(f"id-{name}", name, "", "-", name == "ann", name == "bob", None)
        for database in (self.old.database, self.new.database):
            database.write(lambda connection: users.add(connection, user, name, "", 0))
        self.people.append(Principal(user.id, name, "", "", "", user.is_admin, user.may_announce))

    def step(self) -> None:
        self.at += 1_000
        acts: list[tuple[int, Callable[[], None]]] = [
            (40, self.publish),
            (8, self.publish_again),
            (15, self.publish_together),
            (15, self.read),
            (12, self.change_group),
            (4, self.deliver),
            (3, self.cancel),
            (1, self.newcomer),
        ]
        self.chance.choices([act for _, act in acts], [weight for weight, _ in acts])[0]()

    def publish(self) -> None:
        self._both("publish", self._wish())

    def publish_again(self) -> None:
        """The same with the same key, or something else with it."""
        keyed = [wish for wish in self.wishes if wish.key]
        if keyed:
            wish = self.chance.choice(keyed)
            if self.chance.random() < 0.3:
                wish = Wish(wish.number, wish.sender, wish.to, wish.body + "!", wish.key, self.at, wish.answers)
            self._both("publish", wish)

    def publish_together(self) -> None:
        wishes = [self._wish(simple=True) for _ in range(self.chance.randint(2, 8))]
        if self.chance.random() < 0.3:
            wishes.append(self.chance.choice(wishes))
        self._both("publish_together", wishes)

    def read(self) -> None:
        who = self.chance.choice(self.people)
        others = [seen.wish for seen in self.old.view(who) if seen.sender != who.user_id]
        if others:
            up_to = self.chance.random() < 0.5
            chosen = self.chance.sample(others, 1 if up_to else min(len(others), 3))
            self._both("read", who, chosen, up_to)

    def change_group(self) -> None:
        group, name = self.chance.choice(GROUPS), self.chance.choice(PEOPLE)
        act = self.chance.choices(["add", "remove", "dissolve"], [10, 6, 1])[0]
        outcomes = set()
        for store in (self.old, self.new):
            groups = Groups(store.database)
            try:
                groups.add(group, [name]) if act == "add" else groups.remove(group, [name] if act == "remove" else [])
                outcomes.add("done")
            except RefusedError as refused:
                outcomes.add(refused.code)
        assert len(outcomes) == 1

    def deliver(self) -> None:
        self._both("deliver", self.at)

    def cancel(self) -> None:
        waiting = [wish for wish in self.wishes if wish.deliver_at]
        if waiting:
            wish = self.chance.choice(waiting)
            self._both("cancel", wish.sender, wish.number)

    def newcomer(self) -> None:
        if len(self.people) < 8:
            self.add_person(f"new{len(self.people)}")

    def check(self) -> None:
        for who in self.people:
            assert self.new.view(who) == self.old.view(who), who.name

    def _wish(self, *, simple: bool = False) -> Wish:
        sender, number = self.chance.choice(self.people), len(self.wishes)
        key = f"key-{number}" if self.chance.random() < 0.7 else None
        to = self._audience(simple=simple)
        answers = deliver_at = None
        if not simple and self.chance.random() < 0.2:
            answers = self._answerable(sender)
        elif not simple and self.chance.random() < 0.1:
            deliver_at = self.at + self.chance.randint(1, 20_000)
        wish = Wish(number, sender, to, f"body {number}", key, self.at, answers, deliver_at)
        self.wishes.append(wish)
        return wish

    def _audience(self, *, simple: bool) -> tuple[str, ...]:
        people = [person.name for person in self.people]
        if simple:
            return (self.chance.choice(people),)
        kind = self.chance.choice(["one", "one", "several", "group", "mixed", "everyone", "nobody"])
        found = {
            "one": [self.chance.choice(people)],
            "several": self.chance.sample(people, 3),
            "group": [self.chance.choice(GROUPS)],
            "mixed": [self.chance.choice(GROUPS), *self.chance.sample(people, 2)],
            "everyone": ["@everyone"],
            "nobody": ["nobody", "ann"],
        }
        return tuple(found[kind])

    def _answerable(self, sender: Principal) -> int | None:
        """Where both answer to the same: what went to a group and to people stands in the group's channel now, and what
        one said to several in as many.
        """
        said = {wish.number: wish.to for wish in self.wishes}
        seen = [m for m in self.old.view(sender) if len(said[m.wish]) == 1 or m.sender != sender.user_id]
        seen = [m for m in seen if len(said[m.wish]) == 1 or not any(name in GROUPS for name in said[m.wish])]
        return self.chance.choice(seen).wish if seen else None

    def _both(self, act: str, *arguments: Any) -> None:
        assert getattr(self.new, act)(*arguments) == getattr(self.old, act)(*arguments), (act, arguments)


@pytest.fixture
def databases(tmp_path: Path, database_url: str) -> Iterator[tuple[Database, Database]]:
    """Where the old store is, and where the new one is."""
    with (
        closing(open_database(tmp_path / "old.db", "", Commits("normal"))) as old,
        closing(open_database(tmp_path / "new.db", database_url, Commits("normal"))) as new,
    ):
        yield old, new


@pytest.mark.parametrize("seed", range(6))
def test_everybody_sees_the_same_whatever_happens(databases: tuple[Database, Database], seed: int) -> None:
    histories = Histories(*databases, seed)
    for step in range(STEPS):
        histories.step()
        if step % 20 == 19:
            histories.check()
    _dense(histories.new.database)
    for who in histories.people:
        _walks(histories, who)


def _dense(database: Database) -> None:
    """What was refused or repeated took no place."""
    seqs = database.read(lambda c: [row[0] for row in c.execute("SELECT seq FROM log ORDER BY seq").fetchall()])
    assert seqs == list(range(1, database.read(log.head) + 1))


def _walks(histories: Histories, who: Principal) -> None:
    """Answers of any size lead through the same view, and history backwards through its messages."""

    def job(connection: Connection) -> None:
        rows, upto, head = log.after(connection, viewing.number_of(connection, who), 0, 10**6)
        assert upto == head == log.head(connection)
        walked = _synced(connection, who, histories.chance)
        assert [event.seq for event in walked] == [row.seq for row in rows]
        prev = 0
        for event in walked:
            assert event.prev == prev < event.seq
            prev = event.seq
        said = [event.seq for event in walked if event.kind == "message"]
        assert [event.seq for event in _back(connection, who, None, histories.chance)] == said[::-1]

    histories.new.database.read(job)


def _synced(connection: Connection, who: Principal, chance: random.Random) -> list[Event]:
    found: list[Event] = []
    epoch, cursor = None, 0
    while True:
        answer = viewing.snapshot(connection, who, Sync(epoch, cursor, chance.randint(1, 7)))
        assert not answer.reset
        assert answer.after == cursor
        found += answer.events
        if answer.upto == answer.head:
            return found
        assert answer.upto > cursor
        epoch, cursor = answer.epoch, answer.upto


def _back(connection: Connection, who: Principal, conversation: str | None, chance: random.Random) -> list[Event]:
    found: list[Event] = []
    before = 2**53
    while page := viewing.history(connection, who, conversation, before, chance.randint(1, 5)):
        found += page
        before = page[-1].seq
    return found
