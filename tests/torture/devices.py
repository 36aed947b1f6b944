"""The device processes of a run, and what their files say afterwards."""

import contextlib
import os
import signal
import sqlite3
import sys
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from deskbell_protocol.wire import Party
from tests.desk.processes import Child
from tests.torture.device import APPLIED, COUNTED, HUSH, POPUPS, STEPS, STORE, WRITTEN, Seat
from tests.torture.relay import Relay


@dataclass(frozen=True)
class Applied:
    """One commit of a device: when, and how far its log was then."""

    at: float
    epoch: str
    cursor: int
    ids: tuple[str, ...]


@dataclass
class Desk:
    """One device: its folder, its process, its way to the server."""

    name: str
    user: Party
    relay: Relay
    seat: Seat
    program: str = "tests.torture.device"
    kills: int = 0
    env: dict[str, str] = field(default_factory=dict)
    disturbed: list[tuple[float, float]] = field(default_factory=list)
    """From when to when something was done to it or its way to the server."""
    _child: Child | None = None

    @property
    def folder(self) -> Path:
        return Path(self.seat.folder)

    # -- its process --------------------------------------------------------------------------------------------------

    def start(self, *, calm: bool = False) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        seat = msgspec.structs.replace(self.seat, crash_chance=0.0) if calm else self.seat
        path = self.folder / "seat.json"
        path.write_bytes(msgspec.json.encode(seat))
        command = [sys.executable, "-m", self.program, str(path)]
        self._child = Child(command, self.folder / "program.log", env={**os.environ, **self.env})

    @property
    def child(self) -> Child:
        assert self._child, "not started"
        return self._child

    @property
    def is_dead(self) -> bool:
        return self.child.exit_code is not None

    def kill(self) -> None:
        self.child.signal(signal.SIGKILL)
        self.child.wait()
        self.kills += 1

    def pause(self, paused: bool) -> None:
        if not self.is_dead:
            self.child.signal(signal.SIGSTOP if paused else signal.SIGCONT)

    def hush(self) -> None:
        (self.folder / HUSH).touch()

    def end(self) -> None:
        if self._child is not None and not self.is_dead:
            self.child.signal(signal.SIGKILL)
            self.child.wait()

    # -- its files ----------------------------------------------------------------------------------------------------

    def position(self) -> int:
        rows = self._rows("SELECT value FROM meta WHERE key = 'cursor'")
        return int(rows[0][0]) if rows else 0

    def is_idle(self) -> bool:
        """Everything it wrote has come back, and every popup was shown."""
        waiting = self._rows("SELECT (SELECT count(*) FROM outbox), (SELECT count(*) FROM messages WHERE ring NOTNULL)")
        return bool(waiting) and waiting[0] == (0, 0)

    def messages(self) -> list[tuple[int, str, str, bool]]:
        """(seq, id, body, mine) in the order of arrival."""
        return [
            (row[0], row[1], row[2], bool(row[3]))
            for row in self._rows("SELECT seq, id, content ->> 'body', mine FROM messages ORDER BY n")
        ]

    def outbox(self) -> list[str]:
        return [f"{cid}: {item}" for cid, item in self._rows("SELECT cid, item FROM outbox")]

    def popups(self) -> list[tuple[str, ...]]:
        return [tuple(line.split()) for line in self._lines(POPUPS) if not line.startswith(COUNTED)]

    def counted(self) -> set[str]:
        """What rang as one of many: gathered before a popup that came in the end."""
        counted: set[str] = set()
        waiting: list[str] = []
        for line in self._lines(POPUPS):
            if line.startswith(COUNTED):
                waiting += line.split()[1:]
            else:
                counted.update(waiting)
                waiting.clear()
        return counted

    def steps(self) -> list[tuple[float, float]]:
        """Seconds for each of which its window would have stood still, and how many of them it had the processor."""
        return [(float(wall), float(busy)) for wall, busy in map(str.split, self._lines(STEPS))]

    def written(self) -> list[tuple[str, str]]:
        """(cid, to whom) of what was in the outbox."""
        return [(words[0], words[1]) for words in map(str.split, self._lines(WRITTEN))]

    def applied(self) -> list[Applied]:
        found = []
        for at, epoch, cursor, *ids in map(str.split, self._lines(APPLIED)):
            found.append(Applied(float(at), epoch, int(cursor), tuple(ids)))
        return found

    def _lines(self, name: str) -> list[str]:
        path = self.folder / name
        return path.read_text().splitlines() if path.exists() else []

    def _rows(self, query: str) -> list[tuple]:  # type: ignore[type-arg]
        path = self.folder / STORE
        with contextlib.suppress(sqlite3.OperationalError), closing(sqlite3.connect(path, timeout=10)) as connection:
            return connection.execute(query).fetchall()
        return []
