"""From the log to the popup: what is applied, what is asked for, what rings, and in which order."""

import pytest

from deskbell_desktop.core import effects as do
from deskbell_desktop.core import events as on
from deskbell_desktop.core.events import Moment
from deskbell_desktop.core.rings import SUMMARY
from deskbell_protocol import limits, wire
from deskbell_protocol.wire import Priority
from tests.fakes import BOB, CHEN, ME, OPS, Bench, Clock, MemoryStore, of


def types(effects: list[do.Effect]) -> list[type]:
    return [type(effect) for effect in effects]


# -- the log ------------------------------------------------------------------------------------------------------


def test_a_new_message_is_committed_with_its_cursor_then_shown_then_acknowledged() -> None:
    bench = Bench()
    bench.online()
    effects = bench.push(bench.log.message(body="Shall we ship it now?"))
    wanted = (do.ApplyEvents, do.ShowPopup)
    assert [type_ for type_ in types(effects) if type_ in wanted] == list(wanted)
    assert of(effects, do.ApplyEvents)[0].cursor == 1
    assert of(effects, do.SendAck) == []
    assert of(bench.wait(limits.ACK_INTERVAL_S), do.SendAck) == [do.SendAck("e1", 1)]


def test_acknowledgements_are_gathered_for_two_seconds() -> None:
    bench = Bench()
    bench.online()
    effects = []
    for _ in range(10):
        effects += bench.push(bench.log.message())
        effects += bench.wait(0.3)
    effects += bench.wait(5)
    assert [ack.seq for ack in of(effects, do.SendAck)] in ([7, 10], [8, 10])


def test_what_is_already_here_is_dropped() -> None:
    bench = Bench()
    bench.online()
    event = bench.log.message()
    bench.push(event)
    effects = bench.push(event)
    assert of(effects, do.ApplyEvents) == of(effects, do.ShowPopup) == of(effects, do.RequestSync) == []


def test_a_hole_asks_once_and_is_filled_in_order() -> None:
    bench = Bench()
    bench.online()
    first, second, third, fourth = (bench.log.message(body=str(n)) for n in range(4))
    effects = bench.push(third)
    assert of(effects, do.RequestSync) == [do.RequestSync("e1", 0)]
    assert of(bench.push(fourth), do.RequestSync) == []
    bench.answer(effects)
    assert bench.store.order == [1, 2, 3, 4]
    assert [item.message.body for item in bench.store.messages.values()] == ["0", "1", "2", "3"]
    assert {first.id, second.id} <= set(bench.store.messages)


def test_swapped_pushes_of_one_stretch_need_no_sync() -> None:
    bench = Bench()
    bench.online()
    first, second = bench.log.message(), bench.log.message()
    effects = bench.push(second, first)
    assert of(effects, do.RequestSync) == []
    assert bench.store.order == [1, 2]


def test_a_head_beyond_the_cursor_asks_and_one_at_it_does_not() -> None:
    bench = Bench()
    bench.online()
    bench.log.message()
    assert of(bench.tell(on.FramesPushed((wire.Head("e1", 0, 0),))), do.RequestSync) == []
    assert of(bench.tell(on.FramesPushed((wire.Head("e1", 1, 1),))), do.RequestSync) == [do.RequestSync("e1", 0)]
    assert of(bench.tell(on.FramesPushed((wire.Head("e1", 1, 1),))), do.RequestSync) == []


def test_pushes_during_a_sync_are_found_by_the_next_one() -> None:
    bench = Bench()
    bench.sit_down()
    bench.log.message()
    effects = bench.tell(on.LinkUp())
    (request,) = of(effects, do.RequestSync)
    answer = bench.log.sync(request)
    bench.push(bench.log.message())  # too early, its predecessor is in the answer
    effects = bench.tell(on.SyncAnswered(request, answer))
    assert of(effects, do.RequestSync) == [do.RequestSync("e1", 1)]
    bench.answer(effects)
    assert bench.store.order == [1, 2]


def test_a_long_absence_comes_in_pages() -> None:
    bench = Bench()
    for _ in range(450):
        bench.log.message()
    effects = bench.online()
    assert [effect.after for effect in of(effects, do.RequestSync)] == [0, 200, 400]
    assert bench.store.order == list(range(1, 451))
    assert len(bench.popups()) == 1


def test_a_failed_sync_is_tried_again_with_growing_patience() -> None:
    bench = Bench()
    bench.sit_down()
    effects = bench.tell(on.LinkUp())
    waits = []
    for _ in range(7):
        (request,) = of(effects, do.RequestSync)
        bench.tell(on.SyncFailed(request))
        before = bench.clock.now.mono
        for _ in range(100):
            effects = bench.wait(0.5)
            if of(effects, do.RequestSync):
                break
        waits.append(bench.clock.now.mono - before)
    assert waits[0] <= 1.5
    assert waits == sorted(waits)
    assert 29 <= waits[-1] <= 31


def test_a_server_whose_numbers_lead_nowhere_is_not_asked_in_a_circle() -> None:
    bench = Bench()
    bench.sit_down()
    (request,) = of(bench.tell(on.LinkUp()), do.RequestSync)
    liar = wire.SyncAnswer(epoch="e1", after=0, upto=0, head=5, events=[])
    assert of(bench.tell(on.SyncAnswered(request, liar)), do.RequestSync) == []
    assert len(of(bench.wait(1.1), do.RequestSync)) == 1


def test_an_event_that_cannot_be_read_does_not_stop_the_log() -> None:
    bench = Bench()
    bench.online()
    bench.push(
        bench.log.add("message", {"from": 1}), bench.log.add("a kind of tomorrow", {"x": 1}), bench.log.message()
    )
    assert bench.store.cursor == 3
    assert bench.store.order == [3]


def test_waking_asks_whether_the_connection_is_still_one() -> None:
    bench = Bench()
    bench.online()
    assert len(of(bench.tell(on.Woke()), do.RequestSync)) == 1


def test_nothing_is_asked_or_acknowledged_without_a_connection() -> None:
    bench = Bench()
    bench.online()
    bench.push(bench.log.message())
    bench.tell(on.LinkDown("gone"))
    effects = bench.tell(on.FramesPushed((wire.Head("e1", 9, 9),))) + bench.wait(10) + bench.tell(on.Woke())
    assert of(effects, do.RequestSync) == of(effects, do.SendAck) == []


# -- the log begins anew ------------------------------------------------------------------------------------------


def test_a_restored_server_leaves_a_mark_and_rings_nothing_twice() -> None:
    bench = Bench()
    bench.online()
    for n in range(5):
        bench.push(bench.log.message(body=str(n)))
        bench.wait(20)
    rung = len(bench.popups())
    bench.tell(on.LinkDown())
    bench.log.restore(kept=3)
    new = bench.log.message(body="after the restore")
    effects = bench.answer(bench.tell(on.LinkUp()))
    assert bench.store.epoch == "e2"
    assert bench.store.cursor == 4
    assert len(bench.store.gaps) == 1
    assert len(bench.store.messages) == 6  # what the server lost is still here
    assert [popup.covers for popup in of(effects, do.ShowPopup)] == [(new.id,)]
    assert len(bench.popups()) == rung + 1


def test_history_that_the_server_pruned_is_named() -> None:
    bench = Bench()
    bench.online()
    bench.push(bench.log.message())
    bench.tell(on.LinkDown())
    for _ in range(9):
        bench.log.message()
    bench.log.prune(6)
    bench.answer(bench.tell(on.LinkUp()))
    assert bench.store.order == [7, 8, 9, 10]
    assert "no longer on the server" in bench.store.gaps[0]


def test_the_first_sync_of_all_leaves_no_mark() -> None:
    bench = Bench()
    bench.log.message()
    bench.online()
    assert bench.store.gaps == []


# -- popups -------------------------------------------------------------------------------------------------------


def test_a_title_of_several_lines_is_one_line_of_the_popup() -> None:
    bench = Bench()
    bench.online()
    event = bench.log.message(body="Done.", title="Backup\n\n\tof  the\r\nshop\n")
    assert of(bench.push(event), do.ShowPopup)[0].popup.body == "Backup of the shop\nDone."


def test_a_popup_names_its_sender_and_its_message() -> None:
    bench = Bench()
    bench.online()
    event = bench.log.message(body="Hello <b>you</b>\u202e\x07\n\nthere", title="Ship")
    popup = of(bench.push(event), do.ShowPopup)[0].popup
    assert (popup.key, popup.title, popup.message_key) == (BOB.id, "Bob Stone", event.id)
    assert popup.body == "Ship\nHello <b>you</b>\nthere"
    assert popup.can_reply


def test_a_popup_of_a_group_says_who_and_where() -> None:
    bench = Bench()
    bench.online()
    popup = of(bench.push(bench.log.message(CHEN, to=(OPS,))), do.ShowPopup)[0].popup
    assert (popup.key, popup.title) == (OPS.id, "陈晓明 in Operations")


def test_ones_own_message_rings_only_when_one_named_oneself() -> None:
    bench = Bench()
    bench.online()
    assert of(bench.push(bench.log.message(ME, to=(BOB,))), do.ShowPopup) == []
    assert bench.store.unread == {}
    assert len(of(bench.push(bench.log.message(ME, to=(ME,))), do.ShowPopup)) == 1


def test_five_missed_ring_one_by_one_and_six_in_one() -> None:
    few = Bench()
    for n in range(5):
        few.log.message(wire.Party(f"p{n}", f"p{n}"))
    effects = few.online() + few.wait(30)
    assert [popup.popup.key for popup in of(effects, do.ShowPopup)] == [f"p{n}" for n in range(5)]

    many = Bench()
    for n in range(6):
        many.log.message(wire.Party(f"p{n}", f"p{n}"))
    effects = many.online() + many.wait(30)
    popups = of(effects, do.ShowPopup)
    assert [popup.popup.key for popup in popups] == [SUMMARY]
    assert popups[0].popup.title == "6 messages waited for you"
    assert popups[0].popup.message_key is None
    assert not popups[0].popup.can_reply
    assert len(popups[0].covers) == 6


def test_what_is_older_than_ten_minutes_rings_in_one() -> None:
    bench = Bench()
    bench.log.message(BOB, at=bench.clock.now.wall - 11 * 60_000)
    bench.log.message(CHEN)
    assert [popup.popup.key for popup in of(bench.online(), do.ShowPopup)] == [SUMMARY]


def test_what_was_read_elsewhere_meanwhile_does_not_ring() -> None:
    bench = Bench()
    read = [bench.log.message(wire.Party(f"p{n}", f"p{n}")).id for n in range(8)]
    bench.log.read(*read[:4])
    bench.log.read(up_to=6)
    effects = bench.online() + bench.wait(30)
    assert sorted(id_ for popup in of(effects, do.ShowPopup) for id_ in popup.covers) == sorted(read[6:])
    assert set(bench.store.unread) == set(read[6:])


@pytest.mark.parametrize("senders", [1, 3, 100])
@pytest.mark.parametrize("stretch", [1, 37, 1000])
def test_a_thousand_in_a_second_are_at_most_five_popups(senders: int, stretch: int) -> None:
    bench = Bench()
    bench.online()
    events = [bench.log.message(wire.Party(f"p{n % senders}", f"p{n % senders}")) for n in range(1000)]
    for start in range(0, 1000, stretch):
        bench.push(*events[start : start + stretch])
        bench.wait(stretch / 1000)
    bench.wait(30)
    popups = bench.popups()
    assert len(popups) <= 5
    assert sorted(id_ for popup in popups for id_ in popup.covers) == sorted(event.id for event in events)
    assert bench.store.rings == {}
    assert bench.session.due is None
    effects = bench.push(bench.log.read(up_to=1000))
    assert {effect.key for effect in of(effects, do.WithdrawPopup)} == {popup.popup.key for popup in popups}


def test_an_urgent_one_is_not_the_last_of_a_flood() -> None:
    bench = Bench()
    bench.online()
    events = [bench.log.message(wire.Party(f"p{n}", f"p{n}")) for n in range(20)]
    events.append(bench.log.message(CHEN, "The house is on fire", priority="urgent"))
    effects = bench.push(*events)
    assert of(effects, do.ShowPopup)[0].popup.key == CHEN.id
    assert of(effects, do.ShowPopup)[0].popup.priority == "urgent"


@pytest.mark.parametrize(
    ("priorities", "priority", "title"),
    [
        (["normal"], "normal", "Bob Stone"),
        (["low"], "low", "Bob Stone"),
        (["high"], "high", "Important: Bob Stone"),
        (["high", "low"], "high", "Important: Bob Stone (2 new)"),
        (["urgent", "high"], "urgent", "Urgent: Bob Stone (2 new)"),
    ],
)
def test_a_popup_says_how_much_it_matters(priorities: list[Priority], priority: Priority, title: str) -> None:
    bench = Bench()
    bench.online()
    effects = bench.push(*[bench.log.message(priority=one) for one in priorities])
    (popup,) = [effect.popup for effect in of(effects, do.ShowPopup)]
    assert (popup.priority, popup.title) == (priority, title)
    (effect,) = of(bench.push(bench.log.message(priority="low")), do.ShowPopup)
    assert effect.popup.priority == priority, "it stands for the first ones too"


def test_a_wall_clock_that_is_set_changes_nothing_for_live_messages() -> None:
    bench = Bench()
    bench.online()
    for jump in (-86_400_000, 86_400_000, -3_600_000):
        bench.clock.set_wall(bench.clock.now.wall + jump)
        bench.wait(20)
        assert len(of(bench.push(bench.log.message(at=1_800_000_000_000)), do.ShowPopup)) == 1


def test_do_not_disturb_lets_only_the_urgent_through_and_counts_the_rest() -> None:
    bench = Bench()
    bench.online()
    assert of(bench.tell(on.QuietToggled(quiet=True)), do.KeepQuiet) == [do.KeepQuiet(quiet=True)]
    assert of(bench.push(bench.log.message()), do.ShowPopup) == []
    assert of(bench.push(bench.log.message(CHEN, priority="urgent")), do.ShowPopup) != []
    assert of(bench.done, do.ShowStatus)[-1].status.unread == 2
    bench.tell(on.QuietToggled(quiet=False))
    assert of(bench.wait(30), do.ShowPopup) == []


def test_do_not_disturb_silences_what_was_waiting_to_ring() -> None:
    bench = Bench()
    bench.online()
    bench.push(*[bench.log.message(wire.Party(f"p{n}", f"p{n}")) for n in range(10)])
    effects = bench.tell(on.QuietToggled(quiet=True))
    assert len(of(effects, do.SilenceRings)[0].ids) == 6
    assert of(bench.wait(30), do.ShowPopup) == []
    assert bench.store.rings == {}


def test_mark_read_on_the_popup_reads_and_withdraws_and_closing_does_not() -> None:
    bench = Bench()
    bench.online()
    event = bench.log.message()
    bench.push(event)
    effects = bench.tell(on.PopupRead(BOB.id))
    assert of(effects, do.MarkRead) == [do.MarkRead((event.id,))]
    assert of(effects, do.WithdrawPopup) == [do.WithdrawPopup(BOB.id)]
    other = bench.log.message()
    bench.wait(20)
    bench.push(other)
    effects = bench.tell(on.PopupClosed(BOB.id))
    assert of(effects, do.MarkRead) == []
    assert other.id in bench.store.unread


def test_what_a_closed_popup_stood_for_can_still_be_read_from_the_history() -> None:
    bench = Bench()
    bench.online()
    first, second = bench.log.message(), bench.log.message()
    bench.push(first)
    bench.tell(on.PopupClosed(BOB.id))
    bench.wait(20)
    (popup,) = of(bench.push(second), do.ShowPopup)
    assert popup.popup.title == BOB.label  # counted anew
    bench.tell(on.PopupClosed(BOB.id))
    effects = bench.tell(on.PopupRead(BOB.id))
    assert of(effects, do.MarkRead) == [do.MarkRead((second.id,))]
    assert of(effects, do.WithdrawPopup) == [do.WithdrawPopup(BOB.id)]  # the history need not know
    assert bench.store.unread.keys() == {first.id}


def test_read_on_another_device_withdraws_the_popup_and_the_count() -> None:
    bench = Bench()
    bench.online()
    event = bench.log.message()
    bench.push(event)
    effects = bench.push(bench.log.read(event.id))
    assert of(effects, do.WithdrawPopup) == [do.WithdrawPopup(BOB.id)]
    assert of(effects, do.ShowStatus)[0].status.unread == 0


def test_a_popup_stays_while_one_of_its_messages_is_unread() -> None:
    bench = Bench()
    bench.online()
    first, second = bench.log.message(body="1"), bench.log.message(body="2")
    bench.push(first)
    effects = bench.push(second)
    assert of(effects, do.ShowPopup)[0].popup.title == "Bob Stone (2 new)"
    assert of(bench.push(bench.log.read(first.id)), do.WithdrawPopup) == []
    assert of(bench.push(bench.log.read(second.id)), do.WithdrawPopup) == [do.WithdrawPopup(BOB.id)]


def test_a_crash_between_commit_and_popup_rings_after_the_restart() -> None:
    bench = Bench()
    bench.online()
    event = bench.log.message()
    apply = of(bench.session.handle(on.FramesPushed((event,)), bench.clock.now), do.ApplyEvents)[0]
    bench.store.commit(apply)  # and there it died
    again = Bench(bench.clock, bench.store)
    again.log = bench.log
    assert [popup.covers for popup in of(again.online(), do.ShowPopup)] == [(event.id,)]
    assert again.store.rings == {}


def test_a_crash_after_a_popup_of_many_brings_one_popup_back() -> None:
    bench = Bench()
    bench.sit_down()
    for _ in range(3):
        for sender in (BOB, CHEN):
            bench.log.message(sender)
    asked = of(bench.tell(on.LinkUp()), do.RequestSync)[0]
    effects = bench.session.handle(on.SyncAnswered(asked, bench.log.sync(asked)), bench.clock.now)
    bench.store.commit(of(effects, do.ApplyEvents)[0])
    assert len(of(effects, do.ShowPopup)) == 1  # shown, and there it died
    again = Bench(bench.clock, bench.store)
    again.log = bench.log
    effects = again.online() + again.wait(30)
    assert [len(popup.covers) for popup in of(effects, do.ShowPopup)] == [6]


def test_what_was_left_rings_even_when_the_server_is_away() -> None:
    bench = Bench()
    bench.online()
    event = bench.log.message()
    bench.store.commit(of(bench.session.handle(on.FramesPushed((event,)), bench.clock.now), do.ApplyEvents)[0])
    again = Bench(Clock(Moment(bench.clock.now.wall, 5.0)), bench.store)
    assert of(again.sit_down(), do.ShowPopup) == []
    again.tell(on.LinkDown("Nothing listens."))
    assert len(of(again.wait(6), do.ShowPopup)) == 1


def test_a_sync_that_breaks_off_does_not_swallow_its_rings() -> None:
    bench = Bench()
    bench.sit_down()
    for _ in range(250):
        bench.log.message()
    asked = of(bench.tell(on.LinkUp()), do.RequestSync)[0]
    effects = bench.tell(on.SyncAnswered(asked, bench.log.sync(asked)))
    assert of(effects, do.ShowPopup) == []
    bench.tell(on.LinkDown())
    popups = of(bench.wait(6), do.ShowPopup)
    assert [len(popup.covers) for popup in popups] == [200]


def test_a_store_in_memory_that_was_replaced_is_filled_again() -> None:
    bench = Bench()
    bench.online()
    bench.push(bench.log.message())
    bench.store = MemoryStore()
    effects = bench.tell(on.StoreReplaced(bench.store.load(), "Put aside."))
    assert of(effects, do.RequestSync) == [do.RequestSync(None, 0)]
    bench.answer(effects)
    assert bench.store.order == [1]
    assert "Put aside." in of(effects, do.ShowStatus)[0].status.problem
