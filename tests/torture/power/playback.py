"""Plays the records back: what a power cut at some instant could have left on the disk. Pure, but for its `Random`.

Sure is only what was synced. Of what was written since, any part may be there, in any order, torn at 512 bytes; a new
name may be missing and a removed one still there until the folder is synced.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

from msgspec.structs import replace

from tests.torture.power.records import Record

SECTOR = 512
HOWS = ("nothing", "all", "the first", "the last", "some", "sectors", "sectors")


@dataclass
class File:
    """`content`: what is sure of it; `pending`: what was done since, oldest first."""

    content: bytearray = field(default_factory=bytearray)
    pending: list[Record] = field(default_factory=list)

    def sync(self, start: int) -> None:
        """What ended before the sync began is sure afterwards."""
        for record in self.pending:
            if record.end <= start:
                apply(self.content, record)
        self.pending = [record for record in self.pending if record.end > start]

    def left(self, how: str, more: Sequence[Record], random: Random) -> bytes:
        found = bytearray(self.content)
        for record in chosen([*self.pending, *more], how, random):
            apply(found, record)
        return bytes(found)

    @property
    def now(self) -> bytes:
        """As the programs see it."""
        return self.left("all", (), Random(0))


def apply(content: bytearray, record: Record) -> None:
    missing = record.offset - len(content)
    if missing > 0:
        content.extend(bytes(missing))
    if record.op == "cut":
        del content[record.offset :]
    else:
        content[record.offset : record.offset + len(record.data)] = record.data


def chosen(records: Sequence[Record], how: str, random: Random) -> Iterable[Record]:
    """Those of `records` that have reached the disk."""
    place = random.randint(0, len(records))
    match how:
        case "nothing":
            return ()
        case "all":
            return records
        case "the first":
            torn = [part for record in records[place : place + 1] for part in sectors(record)]
            return (*records[:place], *torn[: random.randint(0, len(torn))])
        case "the last":
            return records[place:]
        case "some":
            return (record for record in records if random.random() < 0.5)
        case _:
            return (part for record in records for part in sectors(record) if random.random() < 0.5)


def sectors(record: Record) -> Iterator[Record]:
    """What of it the disk writes whole or not at all."""
    if record.op != "write":
        yield record
        return
    start = 0
    while start < len(record.data):
        end = start + SECTOR - (record.offset + start) % SECTOR
        yield replace(record, offset=record.offset + start, data=record.data[start:end])
        start = end


@dataclass
class Disk:
    """`sure`: the names that are there after a cut; `names`: those that the programs see."""

    sure: dict[str, File] = field(default_factory=dict)
    names: dict[str, File] = field(default_factory=dict)
    has_begun: bool = False

    def take(self, record: Record) -> None:
        self.has_begun |= record.op != "seen"
        match record.op:
            case "seen":
                self._see(record)
            case "create":
                self.names[record.name] = File()
            case "write" | "cut":
                self._file(record.name).pending.append(record)
            case "sync":
                self._file(record.name).sync(record.start)
            case "remove":
                self.names.pop(record.name, None)
            case "sync folder":
                self.sure = dict(self.names)

    def _file(self, name: str) -> File:
        """Made without SQLite where it was not created by it."""
        return self.names.setdefault(name, File())

    def _see(self, record: Record) -> None:
        """What was there before is sure; later, what a killed program did and could not record any more is not."""
        if not self.has_begun:
            self.names[record.name] = self.sure[record.name] = File(bytearray(record.data))
            return
        file = self._file(record.name)
        before = file.now
        parts = sectors(replace(record, op="write", offset=0))
        file.pending += [part for part in parts if before[part.offset : part.offset + len(part.data)] != part.data]
        if len(before) > len(record.data):
            file.pending.append(replace(record, op="cut", offset=len(record.data), data=b""))

    def after_cut(self, random: Random, at_work: Sequence[Record] = ()) -> dict[str, bytes]:
        """The files as they may be; `at_work`: what was being written just then."""
        how = random.choice(HOWS)
        found = {}
        for name in sorted(self.names.keys() | self.sure.keys()):
            file = random.choice([files.get(name) for files in (self.sure, self.names)])
            if file is not None:
                more = [record for record in at_work if record.name == name and file is self.names.get(name)]
                found[name] = file.left(how if random.random() < 0.7 else random.choice(HOWS), more, random)
        return found
