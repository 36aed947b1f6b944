"""What goes to several people in the local store: with the first of them while it waits, with each once it is sent."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from deskbell_desktop.core import effects as do
from deskbell_desktop.core.events import Outgoing, Ring
from deskbell_desktop.core.views import Delivery
from deskbell_desktop.core.words import Words
from deskbell_desktop.io.pages import Pages
from deskbell_desktop.io.store import Store
from deskbell_protocol.wire import Content, Message, Party
from tests.fakes import BOB, CHEN, ME, START

AT = START.wall
WAITS = Outgoing("c1", BOB.id, ("bob", "陈晓明"), Content(body="Fire drill"), AT)
FIRST = "00c0ffee00c0ffee.9"
OTHER = "00c0ffee00c0ffee.10"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(tmp_path / "account.db", ME.id, Words())) as store:
        yield store


@pytest.fixture
def pages(store: Store) -> Pages:
    return Pages(store, ME, Words())


def echo(id_: str, seq: int, to: Party, cid: str | None = None) -> do.Arrived:
    message = Message(sender=ME, to=[to], body="Fire drill", cid=cid, publish=None if cid else FIRST)
    return do.Arrived(id_, seq, AT, to.id, message, mine=True, unread=False)


def test_it_waits_with_the_first_and_says_whom_else_it_goes_to(store: Store, pages: Pages) -> None:
    store.keep(WAITS)
    (row,) = pages.conversations()
    assert (row.id, row.title, [party.name for party in row.parties]) == (BOB.id, "bob", ["bob"])
    (waiting,) = pages.messages(BOB.id, 10).messages
    assert (waiting.state, waiting.to) == (Delivery.SENDING, ("bob", "陈晓明"))
    store.keep(replace(WAITS, state="failed", problem="No."))
    (failed,) = pages.messages(BOB.id, 10).messages
    assert (failed.state, failed.to) == (Delivery.FAILED, ("bob", "陈晓明"))


def test_what_goes_to_one_says_nothing_of_that(store: Store, pages: Pages) -> None:
    store.keep(replace(WAITS, to=("bob",)))
    (waiting,) = pages.messages(BOB.id, 10).messages
    assert waiting.to == ()


@pytest.mark.parametrize("first", [BOB, CHEN])
def test_once_it_is_sent_it_stands_with_each(store: Store, pages: Pages, first: Party) -> None:
    second = BOB if first is CHEN else CHEN
    store.keep(WAITS)
    store.apply(do.ApplyEvents("e1", 9, (echo(FIRST, 9, first, "c1"),)))
    assert store.load().outbox == ()
    assert [row.id for row in pages.conversations()] == [first.id], "of what waited nothing is left"
    store.apply(do.ApplyEvents("e1", 10, (echo(OTHER, 10, second),)))
    for id_, party in ((FIRST, first), (OTHER, second)):
        view = pages.conversation(party.id)
        assert view is not None
        assert view.parties == (party,)
        assert [(item.key, item.state) for item in pages.messages(party.id, 10).messages] == [(id_, Delivery.SENT)]


def test_what_rings_as_one_comes_back_as_it_was_kept(store: Store) -> None:
    ring = Ring(OTHER, BOB.id, "Bob", "Bob", "Fire drill", AT, BOB, publish=FIRST)
    message = Message(sender=BOB, to=[ME], body="Fire drill", publish=FIRST)
    store.apply(do.ApplyEvents("e1", 10, (do.Arrived(OTHER, 10, AT, BOB.id, message, False, True, ring),)))
    assert store.load().rings == (ring,)


def test_a_conversation_with_several_of_before_can_still_be_read_and_answered(store: Store, pages: Pages) -> None:
    both = f"{BOB.id}+{CHEN.id}"
    message = Message(sender=ME, to=[BOB, CHEN], body="Before")
    store.apply(do.ApplyEvents("e1", 3, (do.Arrived("m3", 3, AT, both, message, mine=True, unread=False),)))
    store.database.execute(
        "UPDATE conversations SET parties = ?", ('[{"id":"b","name":"bob"},{"id":"c","name":"陈晓明"}]',)
    )
    store.keep(replace(WAITS, conversation=both))
    view = pages.conversation(both)
    assert view is not None
    assert [party.name for party in view.parties] == ["bob", "陈晓明"]
    assert [item.content.body for item in pages.messages(both, 10).messages] == ["Before", "Fire drill"]
    store.apply(do.ApplyEvents("e1", 9, (echo(FIRST, 9, BOB, "c1"),)))
    assert [item.content.body for item in pages.messages(both, 10).messages] == ["Before"]
