"""Who may write to a group, as the server says it: no answer is offered where it would be refused."""

import pytest

from deskbell_desktop.core import effects as do
from deskbell_desktop.core import events as on
from deskbell_protocol import names, wire
from deskbell_protocol.errors import Code
from tests.fakes import BOB, OPS, Bench, of


@pytest.mark.parametrize(
    ("groups", "can_reply"), [(None, True), ([OPS.id], True), ([], False), (["another group"], False)]
)
def test_a_popup_offers_an_answer_only_where_one_may_write(groups: list[str] | None, can_reply: bool) -> None:
    bench = Bench()
    bench.log.groups = groups
    bench.online()
    bench.push(bench.log.message(BOB, to=(OPS,)), bench.log.message(BOB))
    assert {shown.popup.key: shown.popup.can_reply for shown in bench.popups()} == {OPS.id: can_reply, BOB.id: True}


def test_rights_are_kept_and_shown_when_they_change() -> None:
    bench = Bench()
    bench.log.groups = ["b", "a"]
    effects = bench.online()
    assert of(effects, do.KeepGroups) == [do.KeepGroups(("a", "b"))]
    again = Bench(bench.clock, bench.store)
    again.log.groups = ["a", "b"]
    assert of(again.online(), do.KeepGroups) == []
    again.log.groups = ["a"]
    effects = again.answer(again.tell(on.RightsDoubted()))
    assert of(effects, do.KeepGroups) == [do.KeepGroups(("a",))]
    assert do.Changed(frozenset()) in effects


def test_a_refusal_asks_what_one_may() -> None:
    bench = Bench()
    bench.online()
    bench.tell(on.Wrote("c1", OPS.id, (OPS.name,), "Yes"))
    bench.log.groups = []
    effects = bench.answer(bench.tell(on.SendFailed("c1", Code.FORBIDDEN)))
    assert of(effects, do.KeepGroups) == [do.KeepGroups(())]


@pytest.mark.parametrize("joined", [True, False])
def test_who_comes_into_a_group_or_leaves_it_asks_what_one_may(joined: bool) -> None:
    bench = Bench()
    bench.log.groups = [] if joined else [OPS.id]
    bench.online()
    bench.log.groups = [OPS.id] if joined else []
    effects = bench.push(bench.log.add(names.KIND_MEMBER, wire.plain(wire.Membership(OPS, joined))))
    assert of(effects, do.RequestSync) == [do.RequestSync("e1", 1)]
    effects = bench.answer(effects)
    assert of(effects, do.KeepGroups) == [do.KeepGroups(tuple(bench.log.groups))]
    assert (bench.store.cursor, bench.store.messages) == (1, {})


def test_memberships_of_an_answer_ask_nothing_more() -> None:
    bench = Bench()
    bench.log.add(names.KIND_MEMBER, wire.plain(wire.Membership(OPS)))
    effects = bench.online()
    assert of(effects, do.RequestSync) == [do.RequestSync(None, 0)]
    assert bench.store.cursor == 1
