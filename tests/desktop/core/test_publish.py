"""What went to several people: a message with each of them, which rings once for whoever gets more than one."""

from itertools import count

import pytest

from deskbell_desktop.core import effects as do
from deskbell_desktop.core import events as on
from deskbell_desktop.core.rings import SUMMARY, VIEW_S
from deskbell_protocol import wire
from deskbell_protocol.wire import Party, Priority
from tests.fakes import BOB, CHEN, ME, OPS, Bench, of

EPOCH = "00c0ffee00c0ffee"
numbers = count(1)


def to_each(
    bench: Bench, *parties: Party, sender: Party = BOB, cid: str | None = None, priority: Priority = "normal"
) -> list[wire.Event]:
    """A publish as it stands in the log of one who has a message of it with each of these."""
    first = f"{EPOCH}.{next(numbers)}"
    events = []
    for number, party in enumerate(parties):
        message = wire.Message(
            sender=sender,
            to=[party],
            body="Fire drill",
            priority=priority,
            cid=None if number else cid,
            publish=first if number else None,
        )
        id_ = f"{EPOCH}.{next(numbers)}" if number else first
        events.append(bench.log.add("message", wire.plain(message), id_))
    return events


def shown(bench: Bench) -> list[str]:
    return [effect.popup.key for effect in bench.popups()]


def withdrawn(effects: list[do.Effect]) -> list[str]:
    return [effect.key for effect in of(effects, do.WithdrawPopup)]


# -- who writes ---------------------------------------------------------------------------------------------------


def test_what_goes_to_several_stands_with_each_and_waits_no_more() -> None:
    bench = Bench()
    bench.online()
    bench.tell(on.Wrote("c1", BOB.id, ("bob", "陈晓明"), "Fire drill"))
    first, second = to_each(bench, BOB, CHEN, sender=ME, cid="c1")
    bench.push(first)
    assert bench.store.outbox == {}
    bench.push(second)
    bench.tell(on.SendAnswered("c1", first.id, first.seq))
    assert [(item.id, item.conversation) for item in bench.store.messages.values()] == [
        (first.id, BOB.id),
        (second.id, CHEN.id),
    ]
    assert bench.popups() == []


def test_an_echo_in_another_conversation_changes_where_it_waited() -> None:
    bench = Bench()
    bench.online()
    bench.tell(on.Wrote("c1", BOB.id, ("bob", "陈晓明"), "Fire drill"))
    effects = bench.push(*to_each(bench, CHEN, BOB, sender=ME, cid="c1")[:1])
    assert of(effects, do.Changed) == [do.Changed(frozenset({BOB.id, CHEN.id}))]
    assert bench.store.outbox == {}


# -- who is written to --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("together", [True, False])
def test_a_publish_rings_once_and_is_unread_in_each_conversation(together: bool) -> None:
    bench = Bench()
    bench.online()
    events = to_each(bench, OPS, ME)
    for stretch in [events] if together else [[event] for event in events]:
        bench.push(*stretch)
    bench.wait(60)
    assert shown(bench) == [OPS.id]
    assert [item.conversation for item in bench.store.unread.values()] == [OPS.id, BOB.id]
    assert bench.store.rings == {}
    bench.push(*to_each(bench, OPS, ME))
    assert shown(bench) == [OPS.id, OPS.id]
    assert bench.popups()[-1].popup.title.endswith("(2 new)")


def test_a_publish_rings_once_over_a_restart_between_its_messages() -> None:
    bench = Bench()
    bench.online()
    first, second = to_each(bench, OPS, ME)
    bench.tell(on.Woke())  # what rings waits for the answer
    bench.push(first)
    assert list(bench.store.rings) == [first.id]
    again = Bench(bench.clock, bench.store)
    again.log.events = bench.log.events
    again.online()
    assert shown(again) == [OPS.id]
    assert again.store.rings == {}
    assert set(again.store.unread) == {first.id, second.id}


def test_what_was_missed_counts_a_publish_once() -> None:
    bench = Bench()
    for _ in range(3):
        to_each(bench, OPS, ME)
    bench.online()
    assert shown(bench) == [OPS.id]
    to_away = Bench()
    for _ in range(6):
        to_each(to_away, OPS, ME)
    to_each(to_away, ME, sender=CHEN)
    to_away.online()
    (popup,) = to_away.popups()
    assert popup.popup.key == SUMMARY
    assert popup.popup.title.startswith("7 ")
    assert len(popup.covers) == 13
    assert to_away.store.rings == {}


def test_my_own_part_of_what_i_wrote_is_not_the_one_that_rings() -> None:
    bench = Bench()
    bench.online()
    bench.push(*to_each(bench, BOB, ME, sender=ME))
    assert shown(bench) == [ME.id]


# -- what is seen -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [0, 1])
def test_reading_one_of_a_publish_elsewhere_withdraws_its_popup_and_leaves_the_other_unread(number: int) -> None:
    bench = Bench()
    bench.online()
    events = to_each(bench, OPS, ME)
    for event in events:
        bench.push(event)
    effects = bench.push(bench.log.read(events[number].id))
    assert withdrawn(effects) == [OPS.id]
    assert list(bench.store.unread) == [events[1 - number].id]


@pytest.mark.parametrize("number", [0, 1])
def test_one_that_was_read_before_it_could_ring_keeps_the_other_quiet(number: int) -> None:
    bench = Bench()
    events = to_each(bench, OPS, ME)
    bench.log.read(events[number].id)
    bench.online()
    bench.wait(60)
    assert bench.popups() == []
    assert bench.store.rings == {}
    assert list(bench.store.unread) == [events[1 - number].id]


@pytest.mark.parametrize("number", [0, 1])
def test_in_view_in_one_conversation_it_needs_no_popup_in_the_other(number: int) -> None:
    bench = Bench()
    bench.online()
    events = to_each(bench, OPS, ME)
    bench.tell(on.Looking((OPS, BOB)[number].id, at_end=True))
    bench.push(*events)
    bench.tell(on.Looking((OPS, BOB)[number].id, at_end=True, seen=(events[number].id,)))
    bench.wait(60)
    assert bench.popups() == []
    assert bench.store.rings == {}
    assert list(bench.store.unread) == [events[1 - number].id]


def test_expected_in_view_and_not_seen_it_rings_once_where_it_was_expected() -> None:
    bench = Bench()
    bench.online()
    bench.tell(on.Looking(BOB.id, at_end=True))
    bench.push(*to_each(bench, OPS, ME, priority="urgent"))
    bench.wait(VIEW_S)
    assert shown(bench) == [BOB.id]


def test_mark_read_on_the_popup_reads_all_of_the_publish() -> None:
    bench = Bench()
    bench.online()
    events = to_each(bench, OPS, ME)
    for event in events:
        bench.push(event)
    effects = bench.tell(on.PopupRead(OPS.id))
    assert of(effects, do.MarkRead) == [do.MarkRead(tuple(event.id for event in events))]
    assert withdrawn(effects) == [OPS.id]


def test_an_answer_on_the_popup_reads_all_of_the_publish() -> None:
    bench = Bench()
    bench.online()
    events = to_each(bench, OPS, ME)
    bench.push(*events)
    effects = bench.tell(on.Wrote("c1", OPS.id, ("@ops",), "Coming", events[0].id, on_popup=True))
    assert of(effects, do.MarkRead) == [do.MarkRead(tuple(event.id for event in events))]


def test_do_not_disturb_silences_all_of_a_publish() -> None:
    bench = Bench()
    bench.online()
    bench.tell(on.Woke())
    events = to_each(bench, OPS, ME)
    bench.push(*events)
    effects = bench.tell(on.QuietToggled(quiet=True))
    assert of(effects, do.SilenceRings) == [do.SilenceRings(tuple(event.id for event in events))]
    assert bench.store.rings == {}
