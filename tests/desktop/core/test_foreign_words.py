"""What a hostile server says, through every way in: a short clean line wherever it is shown."""

import logging
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from deskbell_desktop.core import events as on
from deskbell_desktop.core import foreign, text
from deskbell_desktop.logs import OneLine
from deskbell_protocol import wire
from deskbell_protocol.errors import Code
from tests.fakes import BOB, OPS, Bench

HOSTILE = "\u202e<b>evil</b>\x07 & \u3164\r\nsecond line \u2066" + "x" * 10_000
HOSTILES = [HOSTILE, HOSTILE[::-1], "\u202e" * 10_000, "\u3164", ""]


def words_in(shown: Any) -> Iterator[str]:
    """Every text within what is handed on, a message's body apart."""
    if isinstance(shown, str):
        yield shown
    elif isinstance(shown, dict):
        for name, value in shown.items():
            yield from words_in(value) if name != "body" else ()
    elif isinstance(shown, list | tuple | set | frozenset):
        for value in shown:
            yield from words_in(value)


def assert_clean(shown: object) -> None:
    found = list(words_in(msgspec.to_builtins(shown)))
    assert [word for word in found if text.clean(word) != word or "\n" in word or len(word) > 1000] == []


@pytest.mark.parametrize("said", HOSTILES)
def test_people_groups_and_titles(said: str) -> None:
    bench = Bench()
    bench.online()
    sender, group = replace_all(BOB, said), replace_all(OPS, said)
    for to in ((), (group,), (group, sender)):
        for effect in bench.push(bench.log.message(sender, "Lunch?", to, title=said)):
            assert_clean(effect)
    (shown, *_more) = bench.store.messages.values()
    assert shown.message.sender.label
    assert shown.message.body == "Lunch?"


def replace_all(party: wire.Party, said: str) -> wire.Party:
    return msgspec.structs.replace(party, name=said, display=said)


@pytest.mark.parametrize("said", HOSTILES)
@pytest.mark.parametrize("code", [Code.UNKNOWN_RECIPIENT, Code.FORBIDDEN, HOSTILE])
def test_refusals(code: str, said: str) -> None:
    bench = Bench()
    bench.online()
    bench.tell(on.Wrote("c1", "", ("bob",), "Lunch?"))
    for effect in bench.tell(on.SendFailed("c1", code, (said, said), None)):
        assert_clean(effect)


def test_what_is_good_stays_as_it_is() -> None:
    wales = "\U0001f3f4\U000e0067\U000e0062\U000e0077\U000e006c\U000e0073\U000e007f"
    chen = wire.Party("u", "陈晓明", f"晓明 {wales} 👩\u200d👧 ❤\ufe0f")
    for party in (BOB, OPS, chen, wire.Party("u", "x" * 64, "y" * 100)):
        assert foreign.party(party) == party
    assert foreign.sentence("Nobody here is called “bob”.") == "Nobody here is called “bob”."


def test_no_word_looks_like_a_line_of_the_log() -> None:
    record = logging.makeLogRecord({"msg": "event %s received", "args": ("1\r\n2026 INFO all is well",)})
    assert OneLine("%(message)s").format(record) == r"event 1\r\n2026 INFO all is well received"
