"""Read means seen: only what stood inside the view is read, and what the person does not see rings."""

import pytest

from deskbell_desktop.core import effects as do
from deskbell_desktop.core import events as on
from deskbell_desktop.core.rings import SUMMARY, VIEW_S
from deskbell_protocol.wire import Priority
from tests.fakes import BOB, CHEN, Bench, of

UP = on.Looking(BOB.id, at_end=False)
"""Scrolled up in Bob's conversation."""
END = on.Looking(BOB.id, at_end=True)
ELSEWHERE = on.Looking(CHEN.id, at_end=True)
NOWHERE = on.Looking(None)


@pytest.fixture
def bench() -> Bench:
    bench = Bench()
    bench.online()
    return bench


def unread(bench: Bench) -> int:
    """What the tray says."""
    return int(of(bench.done, do.ShowStatus)[-1].status.unread)


def seen(*ids: str) -> on.Looking:
    return on.Looking(BOB.id, at_end=True, seen=ids)


@pytest.mark.parametrize("looking", [UP, END, ELSEWHERE, NOWHERE])
@pytest.mark.parametrize("priority", ["normal", "urgent"])
def test_a_message_that_is_not_seen_is_not_read(bench: Bench, looking: on.Looking, priority: Priority) -> None:
    bench.tell(looking)
    event = bench.log.message(priority=priority)
    effects = bench.push(event) + bench.wait(60)
    assert of(effects, do.MarkRead) == of(effects, do.SendRead) == []
    assert set(bench.store.unread) == {event.id}
    assert unread(bench) == 1


@pytest.mark.parametrize(
    ("looking", "priority", "rings"),
    [
        (UP, "normal", 0),  # the window in front says so itself
        (UP, "urgent", 1),
        (END, "normal", 0),  # pushed out of the view by what came with it: the window says so
        (END, "urgent", 1),
        (ELSEWHERE, "normal", 1),
        (ELSEWHERE, "urgent", 1),
        (NOWHERE, "normal", 1),
    ],
)
def test_what_is_not_seen_rings_unless_the_window_in_front_tells_of_it(
    bench: Bench, looking: on.Looking, priority: Priority, rings: int
) -> None:
    bench.tell(looking)
    effects = bench.push(bench.log.message(priority=priority)) + bench.wait(60)
    assert len(of(effects, do.ShowPopup)) == rings
    assert bench.store.rings == {}  # nothing of it rings after a restart


@pytest.mark.parametrize("priority", ["normal", "urgent"])
def test_what_comes_into_view_is_read_and_does_not_ring(bench: Bench, priority: Priority) -> None:
    bench.tell(END)
    event = bench.log.message(priority=priority)
    assert of(bench.push(event), do.ShowPopup) == []
    effects = bench.tell(seen(event.id)) + bench.wait(60)
    assert of(effects, do.ShowPopup) == []
    assert of(effects, do.SendRead) == [do.SendRead((event.id,))]
    assert bench.store.unread == {}
    assert bench.store.rings == {}
    assert bench.session.due is None


def test_only_what_was_seen_of_a_burst_is_read_and_the_rest_is_counted(bench: Bench) -> None:
    bench.tell(END)
    events = [bench.log.message(priority="urgent" if n == 7 else "normal") for n in range(9)]
    bench.push(*events)
    bench.tell(on.Looking(BOB.id, at_end=False, seen=tuple(event.id for event in events[:4])))
    assert set(bench.store.unread) == {event.id for event in events[4:]}
    popups = of(bench.wait(60), do.ShowPopup)
    assert [popup.covers for popup in popups] == [(events[7].id,)]


@pytest.mark.parametrize("where", [NOWHERE, ELSEWHERE])
def test_who_looks_away_before_it_comes_into_view_hears_it(bench: Bench, where: on.Looking) -> None:
    bench.tell(END)
    event = bench.log.message()
    bench.push(event)
    assert [popup.covers for popup in of(bench.tell(where), do.ShowPopup)] == [(event.id,)]


def test_a_crash_before_it_comes_into_view_rings_after_the_restart(bench: Bench) -> None:
    bench.tell(END)
    event = bench.log.message()
    bench.push(event)
    again = Bench(bench.clock, bench.store)
    again.log = bench.log
    assert [popup.covers for popup in of(again.online(), do.ShowPopup)] == [(event.id,)]


def test_do_not_disturb_silences_what_was_about_to_come_into_view(bench: Bench) -> None:
    bench.tell(END)
    bench.push(bench.log.message())
    bench.tell(on.QuietToggled(True))
    assert of(bench.tell(NOWHERE) + bench.wait(VIEW_S), do.ShowPopup) == []


def test_what_is_seen_takes_its_popup_with_it(bench: Bench) -> None:
    first, second = bench.log.message(), bench.log.message()
    bench.push(first)
    bench.push(second)
    assert of(bench.tell(seen(second.id)), do.WithdrawPopup) == []
    assert of(bench.tell(seen(first.id)), do.WithdrawPopup) == [do.WithdrawPopup(BOB.id)]


def test_a_click_on_a_popup_goes_to_its_message_and_reads_nothing_by_itself(bench: Bench) -> None:
    events = [bench.log.message() for _ in range(3)]
    bench.push(*events)
    effects = bench.tell(on.PopupOpened(BOB.id))
    assert of(effects, do.ShowConversation) == [do.ShowConversation(BOB.id, events[-1].id)]
    assert of(effects, do.MarkRead) == []
    assert of(bench.tell(seen(events[-1].id)), do.MarkRead) == [do.MarkRead((events[-1].id,))]
    assert unread(bench) == 2


def test_mark_read_on_a_popup_is_for_what_it_stood_for(bench: Bench) -> None:
    bench.tell(on.QuietToggled(True))
    bench.push(bench.log.message())  # made no popup
    bench.tell(on.QuietToggled(False))
    event = bench.log.message()
    bench.push(event)
    assert of(bench.tell(on.PopupRead(BOB.id)), do.MarkRead) == [do.MarkRead((event.id,))]


def test_a_summary_stands_for_all_that_it_summed_up(bench: Bench) -> None:
    bench.tell(on.LinkDown())
    events = [bench.log.message(sender) for sender in (BOB, CHEN) for _ in range(4)]
    bench.answer(bench.tell(on.LinkUp()))
    assert of(bench.tell(on.PopupOpened(SUMMARY)), do.MarkRead) == []
    again = [bench.log.message(sender) for sender in (BOB, CHEN) for _ in range(4)]
    bench.tell(on.LinkDown())
    bench.answer(bench.tell(on.LinkUp()))
    (read,) = of(bench.tell(on.PopupRead(SUMMARY)), do.MarkRead)
    assert set(read.ids) == {event.id for event in again}
    assert set(bench.store.unread) == {event.id for event in events}


@pytest.mark.parametrize("on_popup", [True, False])
def test_an_answer_reads_the_message_that_its_popup_showed_and_nothing_in_the_window(
    bench: Bench, on_popup: bool
) -> None:
    first, second = bench.log.message(), bench.log.message()
    bench.push(first, second)
    effects = bench.tell(on.Wrote("c1", BOB.id, ("bob",), "Yes", second.id, on_popup))
    assert of(effects, do.MarkRead) == ([do.MarkRead((second.id,))] if on_popup else [])


def test_the_echo_of_ones_own_reading_draws_nothing_anew(bench: Bench) -> None:
    event = bench.log.message()
    bench.push(event)
    assert of(bench.tell(seen(event.id)), do.Changed) == []
    assert of(bench.push(bench.log.read(event.id)), do.Changed) == []


def test_what_is_marked_read_by_hand_is_that_conversation(bench: Bench) -> None:
    events = [bench.log.message(sender) for sender in (BOB, CHEN, BOB)]
    bench.push(*events)
    effects = bench.tell(on.ReadRequested(BOB.id))
    assert of(effects, do.MarkRead) == [do.MarkRead((events[0].id, events[2].id))]
    assert unread(bench) == 1
