"""Starts the real server; with TORTURE_FAILPOINTS in the environment it dies, or fails, at named places of its walk.

The product knows nothing of this: the places are wrapped here, before its own `main` runs. The text is a list of
`place:chance`, such as `before_commit:0.002,handler:0.01`; a chance of 1 is certain. For TORTURE_CLOCK see
`clock`. While the file that TORTURE_HANG names is there, commits wait, as on a disk that hangs.
"""

import os
import random
import signal
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from deskbell_protocol import names
from deskbell_server.__main__ import main
from deskbell_server.delivery.delivery import Delivery
from deskbell_server.ingest.socket import SocketDoor
from deskbell_server.messaging.messages import Messages
from deskbell_server.store.postgres import PostgresSession
from deskbell_server.transport.native import Native
from tests.torture.clock import bend_own_clock

PLACES = ("before_commit", "after_commit", "before_emit", "mid_emit", "after_emit", "handler")
APPENDS = "INSERT INTO log "
"""How the statement begins by which something gets its place in the log."""


class Failpoints:
    def __init__(self, text: str) -> None:
        parts = (part.partition(":") for part in text.split(",") if part)
        self._chances = {name: float(chance) for name, _, chance in parts}
        unknown = set(self._chances) - set(PLACES)
        assert not unknown, f"there are no such failpoints: {unknown}"

    def hit(self, place: str) -> bool:
        return random.random() < self._chances.get(place, 0.0)

    def die(self, place: str) -> None:
        if self.hit(place):
            _die()

    def fail(self, place: str) -> None:
        if self.hit(place):
            _fail(place)

    def arm(self) -> None:
        self._arm_commits()
        self._arm_delivery()
        for name in ("on_sync", "on_read", "on_ack", "on_send"):
            _replace(SocketDoor, name, self._failing(getattr(SocketDoor, name)))
        for name in ("publish", "publish_soon"):
            _replace(Messages, name, self._failing(getattr(Messages, name)))

    def _arm_commits(self) -> None:
        failpoints, connect = self, sqlite3.connect

        class Dying(Connection):
            points = failpoints

        sqlite3.connect = partial(connect, factory=Dying)  # type: ignore[assignment]
        self._arm_postgres()

    def _arm_postgres(self) -> None:
        """Its sessions commit by a method; whether they hold an entry of the log, the statements tell."""
        execute, begin, commit = PostgresSession.execute, PostgresSession.begin, PostgresSession.commit
        holding: set[int] = set()

        def executed(session: PostgresSession, sql: str, *parameters: Any) -> Any:
            if sql.startswith(APPENDS):
                holding.add(id(session))
            return execute(session, sql, *parameters)

        def begun(session: PostgresSession) -> None:
            holding.discard(id(session))
            begin(session)

        def committed(session: PostgresSession) -> None:
            if id(session) not in holding:
                commit(session)
                return
            self.die("before_commit")
            commit(session)
            self.die("after_commit")

        _replace(PostgresSession, "execute", executed)
        _replace(PostgresSession, "begin", begun)
        _replace(PostgresSession, "commit", committed)

    def _arm_delivery(self) -> None:
        fan_out = Native.fan_out

        def around(passed: Callable[..., None]) -> Callable[..., None]:
            def passed_on(*arguments: Any) -> None:
                self.die("before_emit")
                passed(*arguments)
                self.die("after_emit")

            return passed_on

        def fanned_out(
            transport: Native, event: str, heads: Iterable[tuple[str, bytes]], tail: bytes, more: Sequence[bytes] = ()
        ) -> None:
            if event == names.EVENT and self.hit("mid_emit"):
                all_of_them = list(heads)
                fan_out(transport, event, all_of_them[: (len(all_of_them) + 1) // 2], tail, more)
                _die()
            fan_out(transport, event, heads, tail, more)

        _replace(Delivery, "_pass", around(Delivery._pass))
        _replace(Delivery, "_pass_joined", around(Delivery._pass_joined))
        _replace(Native, "fan_out", fanned_out)

    def _failing(self, handler: Callable[..., Any]) -> Callable[..., Any]:
        def handle(*arguments: Any) -> Any:
            self.fail("handler")
            return handler(*arguments)

        return handle


class Connection(sqlite3.Connection):
    """One around whose COMMIT of an entry of the log the process may end."""

    points: Failpoints
    holds_entry = False

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        if sql.startswith("BEGIN"):
            self.holds_entry = False
        self.holds_entry |= sql.startswith(APPENDS)
        hang = os.environ.get("TORTURE_HANG", "")
        if sql != "COMMIT" or not (self.holds_entry or hang):
            return super().execute(sql, *parameters)
        self.points.die("before_commit")
        while hang and Path(hang).exists():
            time.sleep(0.02)
        done = super().execute(sql)
        self.points.die("after_commit")
        return done


def _replace(owner: type, name: str, function: Callable[..., Any]) -> None:
    assert hasattr(owner, name), f"{owner.__name__}.{name} is no more: this place has moved"
    setattr(owner, name, function)


def _die() -> NoReturn:
    """As `kill -9` would."""
    os.kill(os.getpid(), signal.SIGKILL)
    while True:
        signal.pause()


def _fail(place: str) -> NoReturn:
    raise RuntimeError(f"failpoint {place}")


if __name__ == "__main__":
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the log is a file too, and must not be what the full disk stops
    bend_own_clock()
    text = os.environ.get("TORTURE_FAILPOINTS", "")
    if text or os.environ.get("TORTURE_HANG"):
        Failpoints(text).arm()
    main()
