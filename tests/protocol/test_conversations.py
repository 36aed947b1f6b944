"""Which conversation a message belongs to, seen by each of those who have it."""

from deskbell_protocol.conversations import conversation_of, party_of
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
    assert party_of(sent, ALEX.id) == MARIA
    assert party_of(sent, MARIA.id) == ALEX


def test_to_a_group_it_is_the_group_for_all() -> None:
    sent = message(MARIA, OPS)
    assert {conversation_of(sent, me.id) for me in (ALEX, MARIA, CHEN)} == {OPS.id}
    assert party_of(sent, ALEX.id) == OPS


def test_a_note_to_oneself_is_a_conversation_with_oneself() -> None:
    note = message(ALEX, ALEX)
    assert conversation_of(note, ALEX.id) == ALEX.id
    assert party_of(note, ALEX.id) == ALEX


def test_what_was_stored_as_one_message_to_several_is_the_senders_or_with_the_first() -> None:
    sent = message(MARIA, OPS, CHEN, ALEX)
    assert party_of(sent, ALEX.id) == MARIA
    assert party_of(sent, MARIA.id) == OPS
    assert party_of(message(MARIA), MARIA.id) == MARIA
