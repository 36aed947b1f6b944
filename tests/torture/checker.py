"""What went in must come out: compares what was promised with the server's logs and with every device's store."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from tests.torture.databases import Records
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

    def _promises(self) -> dict[str, set[str]]:
        """The mark that a message's body begins with → in whose logs it must stand."""
        promised = {
            acked.key: self._audience(publisher.name, acked.to)
            for publisher in self._publishers
            for acked in publisher.acked
        }
        for desk in self._desks:
            promised |= {cid: self._audience(desk.user.name, (to,)) for cid, to in desk.written()}
        return promised

    def _audience(self, sender: str, to: Iterable[str]) -> set[str]:
        everyone = set(self._logs) if TEAM in to else set()
        return everyone | {name for name in to if name != TEAM} | {sender}

    def _check_log(self, user: str, found: Verdict) -> None:
        marks = Counter(body.split(" ", 1)[0] for _, _, body in self._logs[user])
        due = [mark for mark, users in self._promised.items() if user in users]
        found.lost += found.find("promised, but not in the log of", user, [mark for mark in due if not marks[mark]])
        found.duplicated += found.find("stored twice for", user, [mark for mark, count in marks.items() if count > 1])

    def _check_desk(self, desk: Desk, found: Verdict) -> None:
        log = self._logs[desk.user.name]
        here = desk.messages()
        have, expected = Counter(row[1] for row in here), {id_ for _, id_, _ in log}
        found.lost += found.find("not on", desk.name, [id_ for _, id_, _ in log if not have[id_]])
        twice = [id_ for id_, count in have.items() if count > 1] + desk.twice()
        found.duplicated += found.find("twice on", desk.name, twice)
        found.foreign += found.find("somebody else's on", desk.name, [id_ for id_ in have if id_ not in expected])
        found.misordered += found.find("out of order on", desk.name, self._swaps(here))
        found.unsent += found.find("still in the outbox of", desk.name, desk.outbox())
        self._check_popups(desk, found)

    def _swaps(self, here: list[tuple[int, str, str, bool]]) -> list[str]:
        """By the log's numbers, and by what each writer sent to each one, in its own count."""
        swaps = [f"{a[0]}, {b[0]}" for a, b in pairwise(here) if a[0] >= b[0]]
        last: dict[str, int] = {}
        for _, _, body, _ in here:
            _, source, number, *_ = body.split(" ")
            if int(number) <= last.get(source, 0):
                swaps.append(f"{source} {number}")
            last[source] = int(number)
        return swaps

    def _check_popups(self, desk: Desk, found: Verdict) -> None:
        """Each message that is not the person's own rang; a popup came again at most once for each crash."""
        popups = desk.popups()
        rang = {id_ for popup in popups for id_ in popup} | desk.counted()
        silent = [id_ for _, id_, _, mine in desk.messages() if not mine and id_ not in rang]
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
        found.lost += found.find("not on", desk.name, [id_ for _, id_, _ in log if id_ not in have])
