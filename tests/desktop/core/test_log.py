"""Where a device stands in a log whose places are not dense: each rule alone, and all of them against chance."""

from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deskbell_desktop.core import effects as do
from deskbell_desktop.core.events import Moment
from deskbell_desktop.core.log import RETRY_MAX_S, Log
from deskbell_protocol import limits
from deskbell_protocol.wire import Event, Head, SyncAnswer
from tests.fakes import START


def event(prev: int, seq: int, epoch: str = "e1") -> Event:
    return Event(epoch, prev, seq, "message", f"{epoch}.{seq}", 0, {})


def answer(after: int, upto: int, *seqs: int, head: int = 0, epoch: str = "e1", reset: bool = False) -> SyncAnswer:
    events = [event(0, seq, epoch) for seq in seqs]
    return SyncAnswer(epoch=epoch, after=after, upto=upto, head=head or upto, events=events, reset=reset)


def answered(log: Log, found: SyncAnswer) -> tuple[bool, list[Event]]:
    """To the sync under way."""
    assert log.ended(log._request)
    return log.answered(found)


def at(cursor: int, epoch: str | None = "e1") -> Log:
    """Connected, with nothing asked."""
    log = Log(epoch, cursor)
    log.up()
    answered(log, answer(cursor, cursor, epoch=epoch or "e1"))
    return log


def seqs(found: list[Event]) -> list[int]:
    return [one.seq for one in found]


def test_an_event_applies_where_nothing_lies_between() -> None:
    log = at(10)
    fit, missing = log.pushed([event(7, 15), event(15, 16), event(3, 9), event(20, 22)])
    assert (seqs(fit), missing, log.cursor) == ([15, 16], True, 16)
    assert not log.caught_up


def test_a_head_moves_the_cursor_only_from_where_it_leads() -> None:
    log = at(10)
    assert log.pushed([Head("e1", 8, 30)]) == ([], False)
    assert (log.cursor, log.caught_up) == (30, True)
    assert log.pushed([Head("e1", 31, 40)]) == ([], True)
    assert log.cursor == 30


def test_what_came_too_early_is_held_until_the_answer_leads_there() -> None:
    log = at(10)
    assert log.pushed([event(20, 22), event(22, 25)]) == ([], True)
    assert log.ask() == [do.RequestSync("e1", 10)]
    over, fit = answered(log, answer(10, 21, 18, 20))
    assert (over, seqs(fit), log.cursor) == (False, [18, 20, 22, 25], 25)
    assert log.go_on(START, progress=True) == []
    assert log.caught_up


def test_what_is_held_has_an_end_and_is_fetched_then() -> None:
    log = at(10)
    log.pushed([event(number, number + 1) for number in range(20, 20 + limits.SYNC_EVENTS + 5)])
    log.ask()
    _, fit = answered(log, answer(10, 20))
    assert seqs(fit) == list(range(21, 21 + limits.SYNC_EVENTS))
    assert log.go_on(START, progress=True) == [do.RequestSync("e1", 20 + limits.SYNC_EVENTS)]


def test_an_empty_page_goes_on_from_its_end() -> None:
    log = at(0)
    log.ask()
    assert answered(log, answer(0, 200, head=900)) == (False, [])
    assert log.go_on(START, progress=True) == [do.RequestSync("e1", 200)]


def test_what_an_answer_repeats_is_skipped() -> None:
    log = at(10)
    log.ask()
    log.pushed([event(10, 12)])
    over, fit = answered(log, answer(10, 15, 12, 14))
    assert (over, seqs(fit), log.cursor) == (False, [14], 15)
    log.ask()
    log.pushed([event(15, 19)])
    assert (answered(log, answer(15, 17)), log.cursor) == ((False, []), 19)


@pytest.mark.parametrize("wrong", [answer(20, 30, 25), answer(0, 30, 25, epoch="e2")])
def test_an_answer_about_something_else_moves_nothing(wrong: SyncAnswer) -> None:
    log = at(10)
    log.ask()
    assert (answered(log, wrong), log.cursor, log.epoch) == ((False, []), 10, "e1")
    assert log.go_on(START, progress=False) == []
    assert log.dues


def test_another_epoch_never_applies_and_is_asked_for_even_while_an_answer_is_on_its_way() -> None:
    log = at(10)
    assert log.pushed([event(0, 11, "e2")]) == ([], True)
    log.ask()
    log.pushed([event(0, 12, "e2")])
    answered(log, answer(10, 10))
    assert not log.caught_up
    assert log.go_on(START, progress=True) == [do.RequestSync("e1", 10)]
    over, fit = answered(log, answer(0, 12, 11, 12, epoch="e2", reset=True))
    assert (over, seqs(fit), log.epoch, log.cursor) == (True, [11, 12], "e2", 12)


def test_what_was_dropped_is_told_and_the_rest_goes_on_from_the_cursor() -> None:
    log = at(10)
    log.ask()
    over, fit = answered(log, answer(10, 60, 55, reset=True))
    assert (over, seqs(fit), log.cursor) == (True, [55], 60)


def test_what_was_dropped_is_told_once_on_the_way_to_the_end() -> None:
    log = at(10)
    told = []
    for after in (10, 20, 30):
        log.ask()
        told.append(answered(log, answer(after, after + 10, after + 5, head=40, reset=True))[0])
    log.ask()
    told.append(answered(log, answer(40, 50, 45, reset=True))[0])
    assert told == [True, False, False, True]


def test_of_an_answer_only_what_it_covers_counts() -> None:
    log = at(10)
    log.ask()
    wrong = msgspec.structs.replace(answer(10, 20, 12, 25), events=[event(0, 12), event(0, 13, "e2"), event(0, 25)])
    assert seqs(answered(log, wrong)[1]) == [12]


def test_a_log_that_ends_before_the_cursor_begins_again() -> None:
    log = at(90)
    log.ask()
    over, fit = answered(log, answer(0, 5, 3, 5, reset=True))
    assert (over, seqs(fit), log.cursor) == (True, [3, 5], 5)


LATER = Moment(START.wall, START.mono + RETRY_MAX_S)
Synced = tuple[do.RequestSync, SyncAnswer]


class Walk:
    """A server with one person's view of its log, a connection on which frames are lost, doubled and late, a device."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._head = self._told = 0
        self._visible: list[int] = []
        self._air: list[Event | Head | Synced] = []
        self._log = Log("e1", 0)
        self._has: list[int] = []
        self._ask(self._log.up())

    def go(self, steps: int) -> None:
        ways = (self._commit, self._commit, self._say_head, self._deliver, self._deliver, self._trouble)
        for _ in range(steps):
            self._chance.choice(ways)()

    def rest(self) -> None:
        """Nothing new, one `head`, and answers: so much must lead to the end."""
        self._say_head()
        for _ in range(1_000):
            if self._log.caught_up and not self._air:
                break
            self._deliver()
            if not self._air:
                self._ask(self._log.tick(LATER))
        assert self._log.caught_up
        assert self._has == self._visible

    def _commit(self) -> None:
        self._head += 1
        if self._chance.random() < 0.6:
            self._visible.append(self._head)
            self._air.append(event(self._told, self._head))
            self._told = self._head

    def _say_head(self) -> None:
        self._air.append(Head("e1", self._told, self._head))
        self._told = self._head

    def _ask(self, requests: list[do.Effect]) -> None:
        for request in requests:
            assert isinstance(request, do.RequestSync)
            rows = [seq for seq in self._visible if seq > request.after][:3]
            upto = rows[-1] if len(rows) == 3 else self._head
            self._air.append((request, answer(request.after, upto, *rows, head=self._head)))

    def _trouble(self) -> None:
        frames = [frame for frame in self._air if not isinstance(frame, tuple)]
        if frames:
            frame = self._chance.choice(frames)
            what = self._chance.choice(["lost", "doubled", "late"])
            if what != "doubled":
                self._air.remove(frame)
            if what != "lost":
                self._air.append(frame)

    def _deliver(self) -> None:
        if not self._air:
            return
        frame, before = self._air.pop(0), self._log.cursor
        if isinstance(frame, tuple):
            assert self._log.ended(frame[0])
            _, fit = self._log.answered(frame[1])
            asked = self._log.go_on(START, progress=self._log.cursor > before)
        else:
            fit, missing = self._log.pushed([frame])
            asked = self._log.ask() if missing else []
        self._has += seqs(fit)
        assert self._has == [seq for seq in self._visible if seq <= self._log.cursor]
        assert self._log.cursor <= self._head
        self._ask(asked)


@settings(max_examples=300)
@given(st.randoms(use_true_random=False))
def test_whatever_happens_on_the_way_it_has_all_that_it_may_see_in_order_and_once(chance: Random) -> None:
    walk = Walk(chance)
    walk.go(60)
    walk.rest()
