"""A clock that somebody sets: what has an age keeps it, and nothing is forgotten because a clock was wrong."""

import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deskbell_server.clock import BELIEVE_MS, CATCH_UP, Ages, Clock
from deskbell_server.people.people import People
from deskbell_server.people.tickets import KEY_BYTES, Tickets
from tests.desk.processes import wait_for
from tests.desk.server import Login, Server
from tests.server.conftest import PASSWORDS
from tests.server.wires import Wire

LAUNCH = [sys.executable, "-m", "tests.torture.launch"]
DAY_S = 86_400
DAY_MS = DAY_S * 1000


class Machine:
    def __init__(self) -> None:
        self.running = 5_000
        self.wrong_by = 0

    def wall(self) -> int:
        return 1_800_000_000_000 + self.running + self.wrong_by

    def clock(self) -> Clock:
        return Clock(self.wall, lambda: self.running)

    def ages(self) -> Ages:
        return Ages(self.clock(), lambda: self.running)


@pytest.mark.parametrize("leap", [8 * DAY_MS, -7 * DAY_MS, 31_000])
def test_a_leap_is_not_believed_until_it_has_lasted(leap: int) -> None:
    machine = Machine()
    clock = machine.clock()
    right = machine.wall()
    machine.wrong_by = leap
    assert (clock.now(), clock.has_leapt) == (right, True)
    machine.running += BELIEVE_MS - 1
    assert clock.now() == right + BELIEVE_MS - 1
    machine.running += 1
    assert (clock.now(), clock.has_leapt) == (machine.wall(), False)


def test_another_leap_has_its_own_time_to_last() -> None:
    machine = Machine()
    clock = machine.clock()
    machine.wrong_by = DAY_MS
    assert clock.has_leapt
    machine.running += BELIEVE_MS - 1
    machine.wrong_by = -DAY_MS
    right = machine.wall() + DAY_MS
    assert (clock.now(), clock.has_leapt) == (right, True)
    machine.running += BELIEVE_MS - 1
    assert clock.now() == right + BELIEVE_MS - 1


def test_a_leap_and_back_was_none_and_a_small_step_is_followed() -> None:
    machine = Machine()
    clock = machine.clock()
    machine.wrong_by = 8 * DAY_MS
    assert clock.has_leapt
    machine.running += BELIEVE_MS - 1
    machine.wrong_by = 29_000
    assert (clock.now(), clock.has_leapt) == (machine.wall(), False)


def test_a_ticket_lives_as_long_as_was_said() -> None:
    machine = Machine()
    tickets = Tickets(bytes(KEY_BYTES), machine.clock().now)
    ticket = tickets.make("socket", "subject", 60.0)
    for machine.wrong_by in (7 * DAY_MS, -7 * DAY_MS):
        assert tickets.subject("socket", ticket) == "subject"
    machine.running += 60_000
    assert tickets.subject("socket", ticket) is None


def test_time_does_not_go_back_over_a_restart() -> None:
    machine = Machine()
    was = machine.wall()
    machine.wrong_by = -7 * DAY_MS
    clock = machine.clock()
    clock.not_before(was)
    assert (clock.now(), clock.has_leapt) == (was, True)


def test_ages_never_leap_and_catch_up_slowly(people: People) -> None:
    machine = Machine()
    advance = people.database.write
    ages = machine.ages()
    first = advance(ages.advance)
    machine.running += 60_000
    assert advance(ages.advance) == first + 60_000
    machine.wrong_by = 40 * DAY_MS  # a restart with a wrong clock, which nobody can know to be wrong
    again = machine.ages()
    assert advance(again.advance) == first + 60_000
    machine.running += 60_000
    assert advance(again.advance) == first + 60_000 + CATCH_UP * 60_000
    machine.wrong_by = -40 * DAY_MS
    assert advance(machine.ages().advance) == machine.wall()


def test_what_is_new_is_not_old_because_the_clock_was_wrong_before(people: People) -> None:
    machine = Machine()
    ages = machine.ages()
    machine.wrong_by = 40 * DAY_MS
    for _ in range(600):
        machine.running += 60_000
        people.database.write(ages.advance)
    machine.wrong_by = 0
    for _ in range(12):
        machine.running += 60_000
        last = people.database.write(ages.advance)
    assert last == machine.wall()


def test_several_processes_catch_up_no_faster_than_one(people: People) -> None:
    machine = Machine()
    advance = people.database.write
    first = advance(machine.ages().advance)
    machine.wrong_by = 40 * DAY_MS
    processes = [machine.ages() for _ in range(4)]
    for _ in range(10):
        machine.running += 60_000
        last = max(advance(process.advance) for process in processes)
    assert first + 9 * CATCH_UP * 60_000 <= last <= first + (10 + len(processes)) * CATCH_UP * 60_000
    for _ in range(10):  # the one that moved it ends, and another goes on
        machine.running += 60_000
        onward = max(advance(process.advance) for process in processes[1:])
    assert last + 9 * CATCH_UP * 60_000 <= onward <= last + 11 * CATCH_UP * 60_000


def test_set_back_a_little_the_clock_stands() -> None:
    machine = Machine()
    clock = machine.clock()
    before = clock.now()
    machine.wrong_by = -20_000
    assert (clock.now(), clock.has_leapt) == (before, False)
    machine.running += 20_000 + 5_000
    assert clock.now() == machine.wall() == before + 5_000


# -- on a running server -----------------------------------------------------------------------------------------------


@pytest.fixture
def wrong(folder: Path) -> Path:
    """The file that says by how many seconds the server's clock is wrong."""
    return folder / "wrong by"


@pytest.fixture
def house(folder: Path, furnished: Path, wrong: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("TORTURE_CLOCK", str(wrong))
    with Server(folder, "--retention-days", "30") as server:
        shutil.copytree(furnished, server.data)
        server.program = LAUNCH
        yield server.start()


@pytest.fixture
def alice(house: Server) -> Login:
    return house.login("alice", PASSWORDS["alice"])


def publish(house: Server, alice: Login, key: str) -> tuple[int, str]:
    body = {"to": ["bob"], "body": "once"}
    answer = house.ask("POST", "/api/v1/messages", body, alice.token, Idempotency_Key=key)
    return answer.status, answer.body["id"]


@pytest.mark.parametrize("days", [8, 40, -7])
def test_a_leap_forgets_nothing_doubles_nothing_and_is_said(
    house: Server, alice: Login, wrong: Path, days: int
) -> None:
    before = publish(house, alice, "before")
    wrong.write_text(str(days * DAY_S))
    wait_for(lambda: house.ask("GET", "/healthz").body.get("clock") == "leapt", "the leap to be said")
    during = publish(house, alice, "during")
    house.stop()
    house.start()  # keys are looked through at the start
    wait_for(lambda: "clock" in dict(house.rows("SELECT key, value FROM meta")), "ages to be kept")
    wrong.write_text("0")
    assert publish(house, alice, "before") == (200, before[1])
    assert publish(house, alice, "during") == (200, during[1])
    assert len(house.rows("SELECT id FROM messages")) == 2


def test_all_of_a_log_is_dated_by_one_clock(house: Server, alice: Login, wrong: Path) -> None:
    wrong.write_text(str(8 * DAY_S))
    wait_for(lambda: house.ask("GET", "/healthz").body.get("clock") == "leapt", "the leap to be said")
    message = publish(house, alice, "during")[1]
    bob = house.login("bob", PASSWORDS["bob"])
    with Wire(house.url, bob.token) as wire:
        assert wire.ask("read", {"ids": [message]})["ok"]
    dates = [row[0] for row in house.rows("SELECT at FROM log ORDER BY seq")]
    assert len(dates) == 2
    assert max(dates) - min(dates) < DAY_MS


def test_what_is_scheduled_comes_though_the_clock_went_back(house: Server, alice: Login, wrong: Path) -> None:
    due = round((time.time() + 1.5) * 1000)
    asked = {"to": ["bob"], "body": "later", "deliver_at": due}
    assert house.ask("POST", "/api/v1/messages", asked, alice.token).status == 201
    wrong.write_text(str(-7 * DAY_S))
    wait_for(lambda: house.rows("SELECT id FROM messages"), "it to be delivered")
