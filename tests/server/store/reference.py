"""A store in memory, as plain as the rules allow: what the differential test holds the one log to. Source: LOG.md.

Nothing here is taken from the server's store or services: a rule that both had from one place would be wrong in both.
"""

from dataclasses import dataclass, field, replace

from deskbell_protocol.errors import Code
from tests.server.store.acts import DONE, EVERYONE, WEEK_MS, Outcome, Seen, Told, Wish

OPEN = 2**60
"""End of a window that has none."""


class RefusedError(Exception):
    def __init__(self, code: Code) -> None:
        self.code = code


@dataclass(eq=False)
class Person:
    """`mark` and `marks`, by channel, are places up to which all is read; `exceptions` were read above them."""

    name: str
    is_admin: bool
    may_announce: bool
    enabled: bool = True
    mark: int = 0
    marks: dict["Channel", int] = field(default_factory=dict)
    exceptions: dict[int, "Channel"] = field(default_factory=dict)


@dataclass(eq=False)
class Group:
    """`windows` of each person: the first and the last place that they see."""

    name: str
    exists: bool = True
    members: set[Person] = field(default_factory=set)
    windows: dict[Person, list[tuple[int, int]]] = field(default_factory=dict)

    def open(self, person: Person, first: int, last: int = OPEN) -> None:
        self.windows.setdefault(person, []).append((first, last))

    def close(self, person: Person, last: int) -> None:
        self.windows[person] = [(low, last if high == OPEN else high) for low, high in self.windows[person]]


Channel = frozenset[Person] | Group | Person
"""Two people, or one and their notes; a group, everyone among them; one person's own."""


@dataclass(frozen=True)
class Message:
    """An entry of the log that is said, in a part of a publish."""

    seq: int
    channel: Channel
    part: int
    sender: Person
    to: Person | Group
    wish: Wish

    @property
    def at(self) -> int:
        return self.wish.at


@dataclass(frozen=True)
class Note:
    """An entry that is told to one person's devices."""

    seq: int
    channel: Person
    told: Told
    at: int


@dataclass
class Accepted:
    """A request and its first answer; `state` is stored, waiting, failed (waiting in vain) or cancelled, `at` when
    it was stored or cancelled.
    """

    wish: Wish
    at: int
    recipients: int = 0
    place: int | None = None
    state: str = "waiting"

    def answer(self, *, duplicate: bool) -> Outcome:
        return duplicate, self.recipients, self.place, self.wish.number if self.place is None else None


class Reference:
    """`exceptions_max` messages of one channel may be read by themselves above its mark; `now` is what time it is."""

    def __init__(self, exceptions_max: int) -> None:
        self._exceptions_max = exceptions_max
        self._people: dict[str, Person] = {}
        self._groups: dict[str, Group] = {}
        self._everyone = Group(EVERYONE)
        self._log: list[Message | Note] = []
        self._accepted: list[Accepted] = []
        self._floors: dict[Channel, int] = {}
        self.head = 0
        self.now = 0

    # -- people and groups

    def add_person(self, name: str, is_admin: bool, may_announce: bool) -> None:
        person = self._people[name] = Person(name, is_admin, may_announce)
        self._everyone.open(person, self.head + 1)

    def set_disabled(self, name: str, disabled: bool) -> None:
        self._people[name].enabled = not disabled

    def change_group(self, act: str, name: str, members: tuple[str, ...]) -> Outcome:
        """`add` makes the group if need be; `remove` without members removes it."""
        people = [self._people[member] for member in members if member in self._people]
        if len(people) < len(members):
            return (Code.NOT_FOUND,)
        if name != EVERYONE:
            return self._join(name, people) if act == "add" else self._leave(name, people)
        for person in people:
            person.may_announce = act == "add"
        return DONE if people or act == "add" else (Code.INVALID,)

    def _join(self, name: str, people: list[Person]) -> Outcome:
        group = self._groups.setdefault(name, Group(name))
        for person in people:
            if person not in group.members:
                group.members.add(person)
                group.open(person, self._tell(person, "member", (name, True)))
        return DONE

    def _leave(self, name: str, people: list[Person]) -> Outcome:
        group = self._groups.get(name)
        if group is None or not group.members.issuperset(people):
            return (Code.NOT_FOUND,)
        for person in people or list(group.members):
            group.members.remove(person)
            group.close(person, self._tell(person, "member", (name, False)))
        if not people:
            group.exists = False
            del self._groups[name]
        return DONE

    # -- publishing

    def publish(self, wish: Wish) -> Outcome:
        first = self._first_answer(wish)
        if first is not None:
            same = first.wish.asked == wish.asked
            return first.answer(duplicate=True) if same else (Code.IDEMPOTENCY_CONFLICT,)
        try:
            return self._accept(Accepted(wish, wish.at))
        except RefusedError as refused:
            return (refused.code,)

    def deliver(self, at: int) -> list[Outcome]:
        due = [(a.wish.deliver_at or 0, a.wish.number, a) for a in self._accepted if a.state == "waiting"]
        return [self._deliver(a, at) for deliver_at, _, a in sorted(due) if deliver_at <= at]

    def cancel(self, who: str, number: int, at: int) -> bool:
        for a in self._accepted:
            if a.state in ("waiting", "failed") and (a.wish.sender, a.wish.number) == (who, number):
                a.state, a.at = "cancelled", at
                return True
        return False

    def forget_cancelled(self, before: int) -> None:
        self._accepted = [a for a in self._accepted if a.state != "cancelled" or a.at >= before]

    def _first_answer(self, wish: Wish) -> Accepted | None:
        """A key lives for a week once its message is stored, and for as long as it waits."""
        for a in reversed(self._accepted):
            is_over = a.state == "stored" and wish.at - a.at > WEEK_MS
            if wish.key is not None and not is_over and (a.wish.sender, a.wish.key) == (wish.sender, wish.key):
                return a
        return None

    def _accept(self, new: Accepted) -> Outcome:
        parties = self._parties(new.wish)
        new.recipients = self._count(new.wish, parties)
        self._accepted.append(new)
        if not new.wish.is_later:
            new.place, new.state = self._append(new.wish, parties), "stored"
        return new.answer(duplicate=False)

    def _deliver(self, waiting: Accepted, at: int) -> Outcome:
        self._accepted.remove(waiting)
        try:
            if not self._people[waiting.wish.sender].enabled:
                raise RefusedError(Code.FORBIDDEN)
            return self._accept(Accepted(replace(waiting.wish, at=at), at))
        except RefusedError as refused:
            self._accepted.append(replace(waiting, state="failed"))
            return (refused.code,)

    def _append(self, wish: Wish, parties: list[Person | Group]) -> int:
        """A row for each party, one after the other."""
        sender, first = self._people[wish.sender], self.head + 1
        for part, to in enumerate(parties):
            channel = to if isinstance(to, Group) else frozenset([sender, to])
            self._log.append(Message(first + part, channel, part, sender, to, wish))
            if isinstance(to, Group) and not _sees_within(sender, to, first + part, first + part):
                to.open(sender, first + part, first + part)
        self.head += len(parties)
        return first

    def _tell(self, person: Person, kind: str, what: object) -> int:
        self.head += 1
        self._log.append(Note(self.head, person, Told(kind, what), self.now))
        return self.head

    # -- to whom

    def _parties(self, wish: Wish) -> list[Person | Group]:
        sender = self._people[wish.sender]
        if wish.answers is not None:
            return [self._answered(sender, wish.answers)]
        found = {name.lower(): self._named(sender, name.lower()) for name in wish.to}
        known = [party for party in found.values() if party is not None]
        if len(known) < len(found):
            raise RefusedError(Code.UNKNOWN_RECIPIENT)
        return known

    def _named(self, sender: Person, name: str) -> Person | Group | None:
        """A group that is closed to the sender is as unknown as one that is not there."""
        if name == EVERYONE:
            return self._everyone
        if group := self._groups.get(name):
            return group if _may_write(sender, group) else None
        person = self._people.get(name)
        return person if person and person.enabled else None

    def _answered(self, sender: Person, place: int) -> Person | Group:
        """To the group; else to the other of the two, whoever wrote."""
        for row in self._messages(sender, (place,)):
            party = row.to if isinstance(row.to, Group) or row.sender is sender else row.sender
            if not (party.exists if isinstance(party, Group) else party.enabled):
                raise RefusedError(Code.UNKNOWN_RECIPIENT)
            if isinstance(party, Group) and party is not self._everyone and not _may_write(sender, party):
                raise RefusedError(Code.FORBIDDEN)
            return party
        raise RefusedError(Code.NOT_FOUND)

    def _count(self, wish: Wish, parties: list[Person | Group]) -> int:
        """The recipients, each once: the sender only when named singly."""
        sender, found = self._people[wish.sender], set()
        for party in parties:
            if party is self._everyone and not (sender.enabled and (sender.is_admin or sender.may_announce)):
                raise RefusedError(Code.FORBIDDEN)
            if isinstance(party, Group):
                all_of_it = self._people.values() if party is self._everyone else party.members
                found |= {person for person in all_of_it if person.enabled and person is not sender}
        return len(found.union(party for party in parties if isinstance(party, Person)))

    # -- reading

    def view(self, name: str) -> list[Seen | Told]:
        person = self._people[name]
        seen = [row for row in self._log if _is_visible(person, row)]
        return [row.told if isinstance(row, Note) else _seen(person, row) for row in seen]

    def read(self, name: str, up_to: int | None, places: tuple[int, ...]) -> Outcome:
        """Whether it says something new."""
        person = self._people[name]
        return self._read_places(person, places) if up_to is None else self._read_up_to(person, up_to)

    def prune(self, before: int | None, keep: int | None) -> int:
        """All that is older than `before` goes, and of each conversation all but the newest `keep`. Keys outlive it."""
        count = len(self._log)
        if before is not None:
            self._forget({row.seq for row in self._log if row.at < before})
        if keep is not None:
            said = [row for row in self._log if isinstance(row, Message)]
            for channel in {row.channel for row in said}:
                self._forget({row.seq for row in [row for row in said if row.channel == channel][:-keep]})
        return count - len(self._log)

    def resets(self, name: str, places: list[int]) -> list[bool]:
        """Whether a device that is as far as that is told: something is gone of what its person could see behind it."""
        person, floors = self._people[name], self._floors.items()
        return [
            any(_sees_within(person, channel, after + 1, floor) for channel, floor in floors if floor > after)
            for after in places
        ]

    def _forget(self, gone: set[int]) -> None:
        self._floors |= {row.channel: row.seq for row in self._log if row.seq in gone}
        self._log = [row for row in self._log if row.seq not in gone]

    def _read_up_to(self, person: Person, up_to: int) -> Outcome:
        if up_to > self.head:
            return (Code.INVALID,)
        is_new = up_to > person.mark
        if is_new:
            person.mark = up_to
            self._tell(person, "read", up_to)
        return (is_new,)

    def _read_places(self, person: Person, places: tuple[int, ...]) -> Outcome:
        rows = self._messages(person, places)
        if not rows:
            return (Code.NOT_FOUND,)
        unread = [row for row in rows if _is_unread(person, row)]
        for row in unread:
            person.exceptions[row.seq] = row.channel
        read = {row.seq for row in unread}.union(
            *(self._bound(person, channel) for channel in {r.channel for r in unread})
        )
        if unread:
            self._tell(person, "read", tuple(sorted(read)))
        return (bool(unread),)

    def _bound(self, person: Person, channel: Channel) -> set[int]:
        """Of too many exceptions the oldest fall to the mark; what else is read by that. Before what is unread first
        there are none: the mark covers it.
        """
        rows = [row for row in self._log if row.channel == channel and _is_visible(person, row)]
        unread = [row.seq for row in rows if isinstance(row, Message) and _is_unread(person, row)]
        first = min(unread, default=OPEN)
        kept = sorted(seq for seq, of in person.exceptions.items() if of == channel and seq > first)
        if len(kept) <= self._exceptions_max:
            return set()
        oldest = kept[-self._exceptions_max - 1]
        told = [seq for seq in unread if seq <= oldest][: self._exceptions_max + 1]
        person.marks[channel] = oldest if len(told) <= self._exceptions_max else told.pop() - 1
        return set(told)

    def _messages(self, person: Person, places: tuple[int, ...]) -> list[Message]:
        rows = [row for row in self._log if row.seq in places and _is_visible(person, row)]
        return [row for row in rows if isinstance(row, Message)]


def _may_write(person: Person, group: Group) -> bool:
    return person.is_admin or person in group.members


def _is_visible(person: Person, row: Message | Note) -> bool:
    return _sees_within(person, row.channel, row.seq, row.seq)


def _sees_within(person: Person, channel: Channel, first: int, last: int) -> bool:
    """Whether some of these places lie in what they see of the channel."""
    if isinstance(channel, Group):
        return any(low <= last and first <= high for low, high in channel.windows.get(person, []))
    return channel is person if isinstance(channel, Person) else person in channel


def _is_unread(person: Person, row: Message) -> bool:
    """Of one's own only a note to oneself."""
    read_to = max(person.mark, person.marks.get(row.channel, 0))
    is_note = row.channel == frozenset({person})
    return (row.sender is not person or is_note) and row.seq > read_to and row.seq not in person.exceptions


def _seen(person: Person, row: Message) -> Seen:
    wish, first = row.wish, row.seq - row.part
    cid = wish.key if row.sender is person and row.part == 0 else None
    unread = _is_unread(person, row)
    return Seen(row.seq, first, wish.sender, row.to.name, wish.title, wish.body, wish.answers, cid, unread)
