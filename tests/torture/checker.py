"""What went in must come out: compares what was promised with the server's logs and with every device's store."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from tests.torture.databases import Line, Records
from tests.torture.devices import Desk
from tests.torture.office import TEAM, Staff
from tests.torture.publishers import Publisher

EXAMPLES = 5


@dataclass
class Verdict:
    """Counts, and some words about each finding."""

    acked: int = 0
    lost: int = 0
    duplicated: int = 0
    misordered: int = 0
    popups_missing: int = 0
    popups_repeated: int = 0
    foreign: int = 0
    unsent: int = 0
    problems: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        found = (self.lost, self.duplicated, self.misordered, self.popups_missing, self.popups_repeated)
        return not any((*found, self.foreign, self.unsent, *self.problems))

    def find(self, what: str, where: str, items: Sequence[object]) -> int:
        if items:
            self.words.append(f"{what} {where}: {len(items)}, such as {', '.join(map(str, items[:EXAMPLES]))}")
        return len(items)


class Checker:
    def __init__(self, staff: Staff, records: Records, desks: list[Desk], publishers: list[Publisher]) -> None:
        self._staff = staff
        self._desks = desks
        self._publishers = publishers
        self._records = records
        self._logs = {name: records.log(party.id) for name, party in staff.people.items() if name != TEAM}
        self._promised = self._promises()

    def verdict(self) -> Verdict:
        found = Verdict(acked=len(self._promised))
        found.problems += [problem for publisher in self._publishers for problem in publisher.problems]
        found.problems += [f"the database is damaged: {problem}" for problem in self._records.problems()]
        for user in self._logs:
            self._check_log(user, found)
        for desk in self._desks:
            self._check_desk(desk, found)
        return found

    def _promises(self) -> dict[str, Counter[str]]:
        """The mark that a message's body begins with → in whose logs it must stand, and how often."""
        promised = {
            acked.key: audience(publisher.name, acked.to, self._logs)
            for publisher in self._publishers
            for acked in publisher.acked
        }
        for desk in self._desks:
            promised |= {cid: audience(desk.user.name, (to,), self._logs) for cid, to in desk.written()}
        return promised

    def _check_log(self, user: str, found: Verdict) -> None:
        log = self._logs[user]
        marks = Counter(line.mark for line in log)
        lost = [mark for mark, users in self._promised.items() if marks[mark] < users[user]]
        found.lost += found.find("promised, but not in the log of", user, lost)
        found.duplicated += found.find("stored twice for", user, doubles(log))
        foreign = [mark for mark in marks if mark in self._promised and not self._promised[mark][user]]
        found.foreign += found.find("somebody else's in the log of", user, foreign)

    def _check_desk(self, desk: Desk, found: Verdict) -> None:
        log = self._logs[desk.user.name]
        here = desk.messages()
        have, expected = Counter(row[1] for row in here), {line.id for line in log}
        found.lost += found.find("not on", desk.name, [id_ for id_ in expected if not have[id_]])
        twice = [id_ for id_, count in have.items() if count > 1]
        twice += (Counter(row[2] for row in here) - (Counter(line.body for line in log) | _once(here))).keys()
        found.duplicated += found.find("twice on", desk.name, twice)
        found.foreign += found.find("somebody else's on", desk.name, [id_ for id_ in have if id_ not in expected])
        found.misordered += found.find("out of order on", desk.name, self._swaps(here))
        found.unsent += found.find("still in the outbox of", desk.name, desk.outbox())
        self._check_popups(desk, found)

    def _swaps(self, here: list[tuple[int, str, str, bool]]) -> list[str]:
        """By the log's numbers, and by what each writer sent to each one, in its own count; parts have the same."""
        swaps = [f"{a[0]}, {b[0]}" for a, b in pairwise(here) if a[0] >= b[0]]
        last: dict[str, int] = {}
        for _, _, body, _ in here:
            _, source, number, *_ = body.split(" ")
            if int(number) < last.get(source, 0):
                swaps.append(f"{source} {number}")
            last[source] = int(number)
        return swaps

    def _check_popups(self, desk: Desk, found: Verdict) -> None:
        """Each publish that is not the person's own rang; a popup came again at most once for each crash."""
        popups = desk.popups()
        publish = {line.id: line.publish for line in self._logs[desk.user.name]}
        rang = {publish.get(id_) for id_ in desk.counted().union(*popups)}
        silent = [id_ for _, id_, _, mine in desk.messages() if not mine and publish.get(id_) not in rang]
        found.popups_missing += found.find("no popup on", desk.name, silent)
        seen: set[str] = set()
        again = []
        for popup in popups:
            if not seen.isdisjoint(popup):
                again.append(popup[0])
            seen.update(popup)
        if len(again) > desk.kills:
            found.popups_repeated += found.find(f"popups again after {desk.kills} kills on", desk.name, again)


class ControlChecker(Checker):
    """For clients that keep no popups and write nothing: only what of the server's promises arrived."""

    def _check_desk(self, desk: Desk, found: Verdict) -> None:
        have = {row[1] for row in desk.messages()}
        log = self._logs[desk.user.name]
        found.lost += found.find("not on", desk.name, [line.id for line in log if line.id not in have])


def audience(sender: str, to: Sequence[str], team: Iterable[str]) -> Counter[str]:
    """Each of `to` is a message of its own, also to one who is in the team and named besides; its sender has all."""
    found = Counter(name for name in to if name != TEAM)
    if TEAM in to:
        found.update(iter(team))  # a mapping would be added by its values
    found[sender] = len(to)
    return found


def doubles(log: Iterable[Line]) -> list[str]:
    """Stored again: a writer's mark belongs to one publish, and that stands in each channel once."""
    publishes: defaultdict[str, set[str]] = defaultdict(set)
    parts: Counter[tuple[str, int]] = Counter()
    for line in log:
        publishes[line.mark].add(line.publish)
        parts[line.publish, line.channel] += 1
    again = [mark for mark, ids in publishes.items() if len(ids) > 1]
    return again + [publish for (publish, _), count in parts.items() if count > 1]


def _once(here: Iterable[tuple[int, str, str, bool]]) -> Counter[str]:
    """Bodies, each of which may stand there once whatever else is wrong with it."""
    return Counter({row[2] for row in here})
