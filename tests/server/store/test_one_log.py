"""The one log beside a reference in memory: whatever happens, both answer the same and everybody sees the same.

Source: LOG.md.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.server.store.acts import EVERYONE, WEEK_MS, Outcome, Seen, Wish
from tests.server.store.one_log import OneLog, opened
from tests.server.store.reference import Reference

PEOPLE = ("ann", "bob", "cid", "dan")
"""`ann` is an admin, `bob` may write to everyone."""
GROUPS = ("@ops", "@dev")
STEPS = 120
MANY = 1_000


class Histories:
    """One history at random, put into both."""

    def __init__(self, log: OneLog, seed: int, exceptions_max: int) -> None:
        self.log, self.reference = log, Reference(exceptions_max)
        self.chance = random.Random(seed)
        self.people: list[str] = []
        self.disabled: set[str] = set()
        self.wishes: list[Wish] = []
        self.at = 0
        for name in PEOPLE:
            self.add_person(name)
        for group in GROUPS:
            self._both("change_group", "add", group, PEOPLE[:3])

    def step(self) -> None:
        self.passes(1_000)
        acts: list[tuple[int, Callable[[], None]]] = [
            (40, self.publish),
            (8, self.publish_again),
            (15, self.publish_together),
            (15, self.read),
            (12, self.change_group),
            (6, self.deliver),
            (4, self.cancel),
            (3, self.disable),
            (1, self.newcomer),
            (4, self.let_a_key_end),
            (4, self.prune),
        ]
        self.chance.choices([act for _, act in acts], [weight for weight, _ in acts])[0]()
        assert self.log.head() == self.reference.head

    def check(self, name: str) -> None:
        assert self.log.view(name, self.chance) == self.reference.view(name), name
        self._both("resets", name, self.chance.sample(range(self.reference.head), min(5, self.reference.head)))

    def passes(self, ms: int) -> None:
        self.at += ms
        self.log.now = self.reference.now = self.at

    def add_person(self, name: str) -> None:
        self.people.append(name)
        self._both("add_person", name, name == "ann", name == "bob")

    def publish(self) -> None:
        self._both("publish", self._wish())

    def publish_again(self) -> None:
        if wish := self._again():
            self._both("publish", wish)

    def publish_together(self) -> None:
        self._together([self._any_wish() for _ in range(self.chance.randint(2, 8))])

    def read(self) -> None:
        """Mostly what others said; or whatever stands there, or nothing."""
        name = self._somebody()
        places = [seen.seq for seen in self._seen_by(name) if seen.sender != name]
        if not places or self.chance.random() < 0.1:
            places = [self._any_place() for _ in range(3)]
        if self.chance.random() < 0.3:
            end = self.reference.head
            self._both("read", name, self.chance.choice([*places, end, end + 1]), ())
        else:
            self._both("read", name, None, tuple(self.chance.sample(places, min(len(places), 3))))

    def change_group(self) -> None:
        """Often right behind a message to the group, and right before one."""
        group = self.chance.choice([*GROUPS, *GROUPS, EVERYONE])
        self._perhaps_say_to(group)
        names = tuple(self.chance.sample([*PEOPLE, *PEOPLE, "nobody"], self.chance.choice([1, 1, 1, 2])))
        act = self.chance.choices(["add", "remove", "dissolve"], [10, 6, 1])[0]
        if len(set(names)) == len(names):
            self._both("change_group", "add" if act == "add" else "remove", group, names if act != "dissolve" else ())
        self._perhaps_say_to(group)

    def deliver(self) -> None:
        self._both("deliver", self.at)

    def cancel(self) -> None:
        waiting = [wish for wish in self.wishes if wish.deliver_at]
        if waiting:
            wish = self.chance.choice(waiting[-4:])
            who = wish.sender if self.chance.random() < 0.8 else self._somebody()
            self._both("cancel", who, wish.number, self.at)

    def disable(self) -> None:
        """One of those who are there, or it is taken back."""
        back = bool(self.disabled) and (len(self.disabled) > 1 or self.chance.random() < 0.8)
        name = self.chance.choice(sorted(self.disabled) if back else self.people)
        self.disabled = self.disabled - {name} if back else self.disabled | {name}
        self._both("set_disabled", name, not back)

    def newcomer(self) -> None:
        if len(self.people) < 8:
            self._perhaps_say_to(EVERYONE)
            self.add_person(f"new{len(self.people)}")
            self._perhaps_say_to(EVERYONE)

    def let_a_key_end(self) -> None:
        """Just, or nearly."""
        if wish := self._again():
            first = self.chance.choice([w for w in self.wishes if (w.sender, w.key) == (wish.sender, wish.key)][:-1])
            self.passes(max(0, first.at + WEEK_MS - self.at) + self.chance.choice([0, 1]))
            self._both("forget_cancelled", self.at - WEEK_MS)
            self._together([self._repeat(wish) for _ in range(self.chance.choice([1, 2]))])

    def prune(self) -> None:
        """By age, by number, or both."""
        before = self.at - self.chance.choice([5_000, 20_000, 60_000, WEEK_MS])
        by = self.chance.choice(["age", "number", "both"])
        keep = self.chance.randint(1, 8)
        self._both("prune", None if by == "number" else before, None if by == "age" else keep)
        assert self.log.is_dense()

    def _perhaps_say_to(self, group: str) -> None:
        if self.chance.random() < 0.7:
            self._both("publish", self._keep(replace(self._plain(self._somebody(PEOPLE[0])), to=(group,))))

    def _any_wish(self) -> Wish:
        if self.chance.random() < 0.15 and (wish := self._again()):
            return wish
        return self._wish(simple=self.chance.random() < 0.5)

    def _wish(self, *, simple: bool = False) -> Wish:
        wish = self._plain(self._somebody())
        if simple:
            return self._keep(wish)
        answers = self._answerable(wish.sender) if self.chance.random() < 0.2 else None
        deliver_at = self.at + self.chance.randint(-1_000, 20_000) if self.chance.random() < 0.15 else None
        return self._keep(replace(wish, to=self._audience(), answers=answers, deliver_at=deliver_at))

    def _plain(self, sender: str) -> Wish:
        """To one person."""
        number = len(self.wishes)
        title = self.chance.choice(["", "", f"title {number}"])
        to = self.chance.choice(self.people)
        return Wish(number, sender, (to,), f"body {number}", self._key(number), self.at, title)

    def _key(self, number: int) -> str | None:
        """None, a new one, or perhaps another's."""
        kind = self.chance.choices(["none", "new", "any"], [3, 6, 1])[0]
        return None if kind == "none" else f"key-{number if kind == 'new' else self.chance.randint(0, number)}"

    def _again(self) -> Wish | None:
        """The same with the same key, or something else with it."""
        keyed = [wish for wish in self.wishes if wish.key and wish.sender not in self.disabled]
        if not keyed:
            return None
        later = [wish for wish in keyed if wish.deliver_at] if self.chance.random() < 0.4 else []
        wish = self.chance.choice(later or keyed)
        if self.chance.random() < 0.3:
            others: list[dict[str, Any]] = [
                {"body": wish.body + "!"},
                {"title": wish.title + "!"},
                {"to": (*wish.to, "ann")},
                {"deliver_at": self.at + 5_000},
                {"answers": self._any_place()},
            ]
            wish = replace(wish, **self.chance.choice(others))
        return self._repeat(wish)

    def _repeat(self, wish: Wish) -> Wish:
        return self._keep(replace(wish, number=len(self.wishes), at=self.at))

    def _keep(self, wish: Wish) -> Wish:
        self.wishes.append(wish)
        return wish

    def _audience(self) -> tuple[str, ...]:
        kinds = ["one", "several", "several", "group", "group", "mixed", "mixed", "everyone", "all", "twice", "nobody"]
        one, two, three = self.chance.sample(self.people, 3)
        group = self.chance.choice(GROUPS)
        found = {
            "one": [one],
            "several": [one, two, three],
            "group": [group],
            "mixed": self.chance.sample([group, one, two], 3),
            "everyone": [EVERYONE],
            "all": [EVERYONE, group, one],
            "twice": [one.upper(), two, EVERYONE, one, EVERYONE.upper()],
            "nobody": ["nobody", "ann"],
        }
        return tuple(found[self.chance.choice(kinds)])

    def _somebody(self, rather: str = "") -> str:
        enabled = [name for name in self.people if name not in self.disabled]
        return rather if rather in enabled else self.chance.choice(enabled)

    def _seen_by(self, name: str) -> list[Seen]:
        return [seen for seen in self.reference.view(name) if isinstance(seen, Seen)]

    def _answerable(self, sender: str) -> int:
        """Mostly something that the sender sees, of whatever part."""
        seen = self._seen_by(sender)
        return self.chance.choice(seen).seq if seen and self.chance.random() < 0.9 else self._any_place()

    def _any_place(self) -> int:
        """Perhaps one that nothing ever stands at."""
        return self.chance.choice([10**6, *[self.chance.randint(1, self.reference.head) for _ in range(5)]])

    def _together(self, wishes: list[Wish]) -> None:
        """Those of one sender stay in their order; between senders it is the log's choice."""
        outcomes = self.log.publish_together(wishes)
        for wish, outcome in _in_order(wishes, outcomes):
            assert outcome == self.reference.publish(wish), wishes

    def _both(self, act: str, *arguments: Any) -> None:
        assert getattr(self.log, act)(*arguments) == getattr(self.reference, act)(*arguments), (act, arguments)


def _in_order(wishes: list[Wish], outcomes: list[Outcome]) -> list[tuple[Wish, Outcome]]:
    """By the places that they took; what took none behind what went before it of the same sender."""
    last: dict[str, int] = defaultdict(int)
    places = []
    for wish, outcome in zip(wishes, outcomes, strict=True):
        match outcome:
            case (False, _, int(place), None):
                last[wish.sender] = max(last[wish.sender], place)
        places.append(last[wish.sender])
    return [(wishes[number], outcomes[number]) for number in sorted(range(len(wishes)), key=places.__getitem__)]


@pytest.fixture
def one_log(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[OneLog]:
    with opened(tmp_path, database_url) as log:
        monkeypatch.setattr("deskbell_server.people.groups.now_ms", lambda: log.now)
        yield log


@pytest.mark.parametrize("seed", range(8))
def test_everybody_sees_the_same_whatever_happens(one_log: OneLog, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    exceptions_max = 2 if seed % 4 == 3 else MANY
    monkeypatch.setattr("deskbell_server.store.marks.EXCEPTIONS", exceptions_max)
    if seed % 2:  # every question walks in many steps
        monkeypatch.setattr("deskbell_server.store.log.RANGE", 3)
        monkeypatch.setattr("deskbell_server.store.log.WIDER", 2)
        monkeypatch.setattr("deskbell_server.upkeep.retention.AT_ONCE", 3)
    histories = Histories(one_log, seed, exceptions_max)
    for step in range(STEPS):
        histories.step()
        if step % 4 == 3:
            histories.check(histories.chance.choice(histories.people))
    for name in histories.people:
        histories.check(name)
        histories._both("resets", name, list(range(histories.reference.head)))
    assert one_log.is_dense()


def test_what_the_reference_forgets_nobody_sees() -> None:
    reference = Reference(MANY)
    for name in PEOPLE:
        reference.add_person(name, is_admin=name == "ann", may_announce=False)
    for number, to in enumerate(["bob", "cid", "bob", "cid"]):
        reference.publish(Wish(number, "ann", (to,), "x", str(number), number))

    def places() -> list[int]:
        return [seen.seq for seen in reference.view("ann") if isinstance(seen, Seen)]

    assert reference.prune(1, None) == 1
    assert places() == [2, 3, 4]
    assert reference.prune(None, 1) == 1
    assert places() == [3, 4]
    assert reference.resets("ann", [0, 1, 2]) == [True, True, False]
    assert reference.resets("bob", [0, 1]) == [True, False]
    assert reference.publish(Wish(9, "ann", ("bob",), "x", "0", 0)) == (True, 1, 1, None)
