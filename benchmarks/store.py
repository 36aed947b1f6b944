"""What a person's questions cost the store, among a million messages: `python -m benchmarks.store [--rows 1000000]`.

A database is made in which one person has 5, another 50 and a third 500 channels; each question is asked of a warm
cache, again and again, on the connection that a reader has. Medians of many, in milliseconds.
"""

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from deskbell_protocol.wire import Sync
from deskbell_server.messaging import viewing
from deskbell_server.principals import Principal
from deskbell_server.store import births, channels, log, members, migrate, users
from deskbell_server.store.database import Connection
from deskbell_server.store.log import Entry
from deskbell_server.store.sqlite import SqliteSession, connect
from deskbell_server.store.users import User

PEOPLE = 2_000
CHANNELS = (5, 50, 500)
"""Of the first people."""
SHARE = 0.02
"""Of the messages those of each of them."""
BATCH = 512
TIMES = 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory(dir=Path.home()) as folder:
        path = Path(folder) / "deskbell.db"
        migrate.prepare(path)
        session = SqliteSession(connect(path), lambda _changes: None)
        session.execute("PRAGMA synchronous=OFF")
        people = _fill(session, rows)
        print(f"{rows} messages, {path.stat().st_size / rows:.0f} bytes each in the file")
        for person, count in zip(people, CHANNELS, strict=False):
            _report(session, person, count)
        session.close()


def _fill(session: SqliteSession, rows: int) -> list[Principal]:
    session.begin()
    for number in range(1, PEOPLE + 1):
        name = f"person{number}"
        users.add(session, User(f"id-{number}", name, "", "-", False, False, None), name, "", 0)
    births.renew(session)
    session.commit()
    chance = random.Random(1)
    pairs = iter(_pairs(chance))
    for start in range(0, rows, BATCH):
        entries = [_entry(next(pairs), start + place) for place in range(min(BATCH, rows - start))]
        session.begin()
        log.append(session, entries)
        members.open_pairs(session, sorted({entry.channel for entry in entries}))
        session.commit()
        session.memory.appended.clear()
    session.execute("ANALYZE")
    return [Principal(f"id-{n}", f"person{n}", "", "d", "", False, False, n) for n in range(1, len(CHANNELS) + 1)]


def _pairs(chance: random.Random) -> Iterator[tuple[int, int]]:
    """Who writes to whom: those who are asked about to so many, the others to anybody."""
    first = len(CHANNELS) + 1
    while True:
        which = chance.random() / SHARE
        if which < len(CHANNELS):
            one = int(which) + 1
            yield one, first + chance.randrange(CHANNELS[one - 1])
        else:
            yield tuple(chance.sample(range(first, PEOPLE + 1), 2))  # type: ignore[misc]


def _entry(people: tuple[int, int], number: int) -> Entry:
    content = '{"body":"%s"}' % ("x" * 300)
    pair = channels.pair(*people)
    return Entry(
        channel=pair, kind="message", sender=people[0], at=number, cid=f"{number:032x}", recipients=1, content=content
    )


def _report(session: SqliteSession, person: Principal, count: int) -> None:
    head = log.head(session)
    epoch = log.end(session).epoch
    me = person.number
    seen = [row.seq for row in log.after(session, me, 0, head, 10**9)[0]]
    behind = seen[-201]
    questions: dict[str, Callable[[Connection], object]] = {
        "sync of 200, in the store": lambda c: log.after(c, me, behind, head, 200),
        "sync of 200, as answered": lambda c: viewing.snapshot(c, person, Sync(epoch, behind)),
        "nothing new, in the store": lambda c: log.after(c, me, seen[-1], head, 200),
        "nothing new, as answered": lambda c: viewing.snapshot(c, person, Sync(epoch, head)),
        "a page of history, in the store": lambda c: log.before(c, me, None, seen[-300], 50),
        "a page of a conversation": lambda c: log.before(c, me, _busiest(c, me), head + 1, 50),
    }
    for name, ask in questions.items():
        print(f"  {count:4} channels, {len(seen):6} seen: {name:34} {_median_ms(session, ask):7.3f} ms")


def _busiest(connection: Connection, me: int) -> int:
    return int(connection.execute("SELECT max(channel) FROM members WHERE person = ?", (me,)).fetchone()[0])


def _median_ms(session: SqliteSession, ask: Callable[[Connection], object]) -> float:
    took = []
    for _ in range(TIMES):
        session.begin_reading()
        began = time.perf_counter()
        ask(session)
        took.append(time.perf_counter() - began)
        session.rollback()
    return statistics.median(took) * 1000


if __name__ == "__main__":
    main()
