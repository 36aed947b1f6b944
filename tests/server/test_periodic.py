"""What goes on again and again, whatever happens to it."""

import logging
from collections.abc import Callable

import gevent
import pytest
from gevent.event import Event

from deskbell_server import periodic
from deskbell_server.errors import OutcomeUnknownError, UnavailableError
from deskbell_server.periodic import Periodic


class Turns:
    """Each turn does what was given for it, the last one again and again; each rest is noted, and then turns end."""

    def __init__(self, *turns: Callable[[], float | None]) -> None:
        self._turns = list(turns)
        self.rests: list[float] = []

    def turn(self) -> float | None:
        return self._turns.pop(0)()

    def rest(self, seconds: float) -> None:
        self.rests.append(seconds)
        if not self._turns:
            raise gevent.GreenletExit


def failing(problem: Exception) -> Callable[[], None]:
    def turn() -> None:
        raise problem

    return turn


def test_it_goes_on_whatever_happens_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    away = [failing(UnavailableError()), failing(OutcomeUnknownError())]
    turns = Turns(lambda: None, lambda: 0.5, failing(ValueError("of ours")), *away, lambda: None, *away[:1])
    loop = Periodic("sweeping", turns.turn, 60.0, first_s=3.0, rest=turns.rest)
    with caplog.at_level(logging.INFO), pytest.raises(gevent.GreenletExit):
        loop.run()
    assert turns.rests == [3.0, 60.0, 0.5, *[60.0] * 5]
    assert [record.getMessage() for record in caplog.records] == [
        "sweeping failed",
        "sweeping waits for the database",
        "sweeping waits for the database",
    ]
    assert not loop.is_well


def test_a_turn_that_hangs_is_not_well(monkeypatch: pytest.MonkeyPatch) -> None:
    goes_on = Event()
    loop = Periodic("sweeping", lambda: 0.0 if goes_on.wait() else None, 60.0)
    running = gevent.spawn(loop.run)
    gevent.sleep(0.001)
    seen = [loop.is_well]
    monkeypatch.setattr(periodic, "HANGS_S", 0.0)
    assert [*seen, loop.is_well] == [True, False]
    running.kill()
