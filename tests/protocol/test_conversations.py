"""Which conversation a message belongs to, seen by each of those who have it."""

from deskbell_protocol.conversations import conversation_of, parties_of
from deskbell_protocol.wire import Message, Party

ALEX, MARIA, CHEN = (
    Party(id=letter * 36, name=name) for letter, name in (("a", "alex"), ("m", "maria"), ("c", "陈晓明"))
)
OPS = Party(id="g" * 36, name="@ops", kind="group")


def message(sender: Party, *to: Party) -> Message:
    return Message(sender=sender, to=list(to), body="hi")


def test_between_two_it_is_the_other_person() -> None:
    sent = message(MARIA, ALEX)
    assert conversation_of(sent, ALEX.id) == MARIA.id
    assert conversation_of(sent, MARIA.id) == ALEX.id
    assert parties_of(sent, ALEX.id) == [MARIA]
    assert parties_of(sent, MARIA.id) == [ALEX]


def test_to_a_group_it_is_the_group_for_all() -> None:
    sent = message(MARIA, OPS)
    assert {conversation_of(sent, me.id) for me in (ALEX, MARIA, CHEN)} == {OPS.id}
    assert parties_of(sent, ALEX.id) == [OPS]


def test_several_named_singly_do_not_see_each_other() -> None:
    sent = message(MARIA, CHEN, ALEX)
    assert conversation_of(sent, ALEX.id) == MARIA.id
    assert parties_of(sent, CHEN.id) == [MARIA]


def test_for_the_sender_their_order_does_not_matter() -> None:
    one, other = message(MARIA, CHEN, ALEX), message(MARIA, ALEX, CHEN)
    assert conversation_of(one, MARIA.id) == conversation_of(other, MARIA.id) == f"{ALEX.id}+{CHEN.id}"


def test_a_note_to_oneself_is_a_conversation_with_oneself() -> None:
    note = message(ALEX, ALEX)
    assert conversation_of(note, ALEX.id) == ALEX.id
    assert parties_of(note, ALEX.id) == [ALEX]
