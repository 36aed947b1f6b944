"""What each person is told, in which frames, and what they notice. Source: LOG.md 11, 13 to 15."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import pytest

from deskbell_server.delivery.delivery import Delivery
from deskbell_server.delivery.feed import Passed, Push
from deskbell_server.delivery.presence import Presence
from deskbell_server.principals import Principal
from deskbell_server.store.log import LogEnd

ANN, BOB = (Principal(f"id-{n}", f"u{n}", "", f"d{n}", "", False, False, n) for n in (1, 2))
Frame = tuple[str, str, dict[str, Any]]


class Sent:
    """The one method of a transport that is called here; `fails` once."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self.fails = False

    def fan_out(self, event: str, rooms: Iterable[tuple[str, bytes]], tail: bytes, more: Sequence[bytes] = ()) -> None:
        if self.fails:
            self.fails = False
            raise OSError
        for room, head in rooms:
            self.frames += [(event, room, msgspec.json.decode(value)) for value in (head + tail, *more)]

    def take(self) -> list[tuple[str, str, str, int, int]]:
        found, self.frames = self.frames, []
        return [(event, room, frame["epoch"], frame["prev"], frame["seq"]) for event, room, frame in found]


@pytest.fixture
def sent() -> Sent:
    return Sent()


@pytest.fixture
def delivery(sent: Sent) -> Delivery:
    """At place 10 of epoch `a`, with both connected."""
    transport: Any = sent
    made = Delivery(transport, Presence(), LogEnd("a", 10))
    made.arrived(ANN)
    made.arrived(BOB)
    return made


def push(seq: int, *people: int, everyone: bool = False, sender: int = 0, own: bytes | None = None) -> Push:
    return Push(seq, None if everyone else people, b',"for":"others"}', sender, own)


def passed(after: int, *pushes: Push, epoch: str = "a", is_jump: bool = False, to: int = 0) -> Passed:
    end = pushes[-1].seq if pushes else to
    return Passed(LogEnd(epoch, after), LogEnd(epoch, end), pushes, is_jump)


def test_prev_is_what_that_person_was_told_before(delivery: Delivery, sent: Sent) -> None:
    delivery.passed(passed(10, push(11, 1, 2), push(12, 2), push(13, 3), push(14, everyone=True)))
    assert sent.take() == [
        ("event", "u:1", "a", 10, 11),
        ("event", "u:2", "a", 10, 11),
        ("event", "u:2", "a", 11, 12),
        ("event", "u:1", "a", 11, 14),
        ("event", "u:2", "a", 12, 14),
    ]
    delivery.head([1, 2, 3])
    assert sent.take() == [("head", "u:1", "a", 14, 14), ("head", "u:2", "a", 14, 14)]


def test_a_head_leads_from_what_was_told_to_where_the_process_is(delivery: Delivery, sent: Sent) -> None:
    delivery.passed(passed(10, push(11, 1), push(12, 3)))
    sent.take()
    delivery.head([1, 2])
    assert sent.take() == [("head", "u:1", "a", 11, 12), ("head", "u:2", "a", 10, 12)]


def test_who_sent_it_is_told_something_else(delivery: Delivery, sent: Sent) -> None:
    delivery.passed(passed(10, push(11, 1, 2, sender=1, own=b',"for":"sender"}')))
    assert {room: frame["for"] for _, room, frame in sent.frames} == {"u:1": "sender", "u:2": "others"}


def test_what_cannot_be_sent_is_noticed_with_the_next(delivery: Delivery, sent: Sent) -> None:
    sent.fails = True
    delivery.passed(passed(10, push(11, 1), push(12, 1)))
    assert sent.take() == [("event", "u:1", "a", 11, 12)], "prev lies beyond what the client has"


def test_who_comes_again_begins_where_the_process_is(delivery: Delivery, sent: Sent) -> None:
    delivery.left(BOB)
    delivery.passed(passed(10, push(11, 1, 2), push(12, 1, 2)))
    delivery.arrived(BOB)
    delivery.arrived(ANN)
    sent.take()
    delivery.passed(passed(12, push(13, 1, 2)))
    assert sent.take() == [("event", "u:1", "a", 12, 13), ("event", "u:2", "a", 12, 13)]


def test_an_account_sees_nothing_from_before_it_was_made(delivery: Delivery, sent: Sent) -> None:
    delivery.arrived(Principal("id-3", "new", "", "d3", "", False, False, 3, from_seq=13))
    delivery.passed(passed(10, push(11, everyone=True), push(12, everyone=True), push(13, everyone=True)))
    assert [frame for frame in sent.take() if frame[1] == "u:3"] == [("event", "u:3", "a", 12, 13)]


def test_a_jump_is_a_head_before_which_something_lies(delivery: Delivery, sent: Sent) -> None:
    delivery.passed(passed(10, is_jump=True, to=90_000))
    assert sent.take() == [("head", "u:1", "a", 90_000, 90_000), ("head", "u:2", "a", 90_000, 90_000)]


def test_what_was_lost_on_the_way_is_not_passed_silently(delivery: Delivery, sent: Sent) -> None:
    delivery.passed(passed(12, push(13, 1)))
    assert sent.take() == [("head", "u:1", "a", 13, 13), ("head", "u:2", "a", 13, 13)]
    delivery.passed(passed(13, push(14, 1)))
    assert sent.take() == [("event", "u:1", "a", 13, 14)]


def test_an_epoch_that_a_sync_told_of_early_goes_on(delivery: Delivery, sent: Sent) -> None:
    """Two restores, and the second one is heard of before the first."""
    delivery.synced(LogEnd("c", 3))
    delivery.passed(Passed(LogEnd("a", 10), LogEnd("b", 3), (), is_jump=True))
    delivery.passed(Passed(LogEnd("b", 3), LogEnd("c", 3), (), is_jump=True))
    sent.take()
    delivery.passed(passed(3, push(4, 2), epoch="c"))
    assert sent.take() == [("event", "u:2", "c", 3, 4)]


def test_another_epoch_is_told_at_once_and_the_old_one_never_comes_back(delivery: Delivery, sent: Sent) -> None:
    delivery.synced(LogEnd("b", 3))
    assert sent.take() == [("head", "u:1", "b", 3, 3), ("head", "u:2", "b", 3, 3)]
    delivery.synced(LogEnd("a", 11))
    delivery.passed(passed(10, push(11, 1)))
    assert sent.take() == []
    delivery.passed(passed(10, epoch="b", is_jump=True, to=3))
    sent.take()
    delivery.passed(passed(3, push(4, 2), epoch="b"))
    assert sent.take() == [("event", "u:2", "b", 3, 4)]


def test_announcements_that_wait_together_are_one_write_to_each(delivery: Delivery, sent: Sent) -> None:
    writes: list[int] = []
    fan_out = sent.fan_out

    def counted(event: str, rooms: Iterable[tuple[str, bytes]], tail: bytes, more: Sequence[bytes] = ()) -> None:
        rooms = list(rooms)
        writes.append(len(rooms))
        fan_out(event, rooms, tail, more)

    sent.fan_out = counted  # type: ignore[method-assign]
    delivery.passed(passed(10, *[push(seq, everyone=True) for seq in (11, 12, 13)]))
    assert writes == [2]
    assert sent.take() == [("event", f"u:{n}", "a", seq - 1, seq) for n in (1, 2) for seq in (11, 12, 13)]


def test_who_wrote_an_announcement_is_told_it_with_its_key_and_in_order(delivery: Delivery, sent: Sent) -> None:
    own = b',"for":"its sender"}'
    delivery.passed(
        passed(
            10,
            push(11, everyone=True, sender=2, own=own),
            push(12, everyone=True, sender=1, own=own),
            push(13, everyone=True, sender=2, own=own),
        )
    )
    for person, whose in (("u:1", ["others", "its sender", "others"]), ("u:2", ["its sender", "others", "its sender"])):
        told = [frame for _, room, frame in sent.frames if room == person]
        assert [(frame["prev"], frame["seq"]) for frame in told] == [(10, 11), (11, 12), (12, 13)]
        assert [frame["for"] for frame in told] == whose


def test_who_was_told_of_some_announcements_gets_the_rest(delivery: Delivery, sent: Sent) -> None:
    delivery._told[2] = 12
    delivery.passed(passed(10, *[push(seq, everyone=True) for seq in (11, 12, 13)]))
    assert [frame for frame in sent.take() if frame[1] == "u:2"] == [("event", "u:2", "a", 12, 13)]


@pytest.mark.parametrize("failing", [1, 2, 3])
@pytest.mark.parametrize("everyone", [False, True])
def test_whatever_cannot_be_sent_everybody_notices_it(
    delivery: Delivery, sent: Sent, everyone: bool, failing: int
) -> None:
    """Nothing is passed silently: `prev` of the next frame lies beyond what did not come."""
    own, calls, fan_out = b',"for":"its sender"}', 0, sent.fan_out

    def fails_once(event: str, rooms: Iterable[tuple[str, bytes]], tail: bytes, more: Sequence[bytes] = ()) -> None:
        nonlocal calls
        calls += 1
        sent.fails = calls == failing
        fan_out(event, rooms, tail, more)

    sent.fan_out = fails_once  # type: ignore[method-assign]
    people = () if everyone else (1, 2)
    delivery.passed(passed(10, *[push(seq, *people, everyone=everyone, sender=1, own=own) for seq in (11, 12)]))
    delivery.head([1, 2])
    assert calls > failing
    for event, _, frame in sent.frames:
        last = frame["seq"] + (event == "head")
        assert not [seq for seq in (11, 12) if frame["prev"] < seq < last], "both see both"
