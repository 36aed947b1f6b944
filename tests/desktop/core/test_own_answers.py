"""Only what a device asked last is answered: another answer, or a failure of another request, changes nothing."""

from deskbell_desktop.core import effects as do
from deskbell_desktop.core import events as on
from deskbell_desktop.core.events import Outgoing
from deskbell_protocol.wire import Content
from tests.fakes import BOB, START, Bench, MemoryStore, of


def begin_anew(bench: Bench) -> do.RequestSync:
    """In a new store, in which there is nothing yet."""
    bench.store = MemoryStore()
    request: do.RequestSync
    (request,) = of(bench.tell(on.StoreReplaced(bench.store.load(), "Put aside.")), do.RequestSync)
    return request


def far_along() -> Bench:
    bench = Bench()
    bench.online()
    bench.push(bench.log.message(), bench.log.message())
    return bench


def test_a_new_store_does_not_begin_where_the_old_one_stood() -> None:
    bench = far_along()
    (old,) = of(bench.tell(on.Woke()), do.RequestSync)
    bench.log.message()
    late = bench.log.sync(old)
    new = begin_anew(bench)
    assert bench.tell(on.SyncAnswered(old, late)) == []
    assert (bench.store.epoch, bench.store.cursor) == (None, 0)
    bench.answer([new])
    assert bench.store.order == [1, 2, 3]
    assert bench.tell(on.SyncAnswered(old, late)) == []


def test_what_another_request_came_to_does_not_end_the_one_that_is_under_way() -> None:
    bench = far_along()
    (old,) = of(bench.tell(on.Woke()), do.RequestSync)
    new = begin_anew(bench)
    assert bench.tell(on.SyncFailed(old, 1.0)) == []
    assert of(bench.tell(on.Woke()) + bench.wait(10), do.RequestSync) == []
    bench.answer([new])
    assert bench.store.order == [1, 2]


def test_what_asks_the_same_twice_is_answered_twice() -> None:
    """The answer to an earlier one is older than what was asked meanwhile."""
    bench = far_along()
    first, second = begin_anew(bench), begin_anew(bench)
    assert first == second
    assert bench.tell(on.SyncAnswered(first, bench.log.sync(first))) == []
    bench.answer([second])
    assert bench.store.order == [1, 2]


def test_a_new_store_says_again_what_was_confirmed_in_a_log_that_it_does_not_know() -> None:
    """The server may have been restored meanwhile; if not, it answers as the first time."""
    bench = far_along()
    sent = Outgoing("c1", BOB.id, (BOB.name,), Content(body="Yes"), START.wall, state="sent", message_id="m", seq=2)
    bench.store = MemoryStore(outbox={"c1": sent})
    effects = bench.tell(on.StoreReplaced(bench.store.load(), "Put aside."))
    assert [effect.cid for effect in of(effects, do.SendMessage)] == ["c1"]
    assert bench.store.outbox["c1"].message_id is None
