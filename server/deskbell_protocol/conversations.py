"""Which conversation a message belongs to, in the eyes of one user. The same rule on both sides of the wire."""

from deskbell_protocol.wire import Message, Party


def party_of(message: Message, me: str) -> Party:
    """With whom user id `me` exchanges it: its group, the one I wrote it to, or its sender.

    `to` has one party, except in what was stored before each of several had a message of their own.
    """
    to, *more = message.to or [message.sender]
    mine = message.sender.id == me
    return to if mine or (to.kind == "group" and not more) else message.sender


def conversation_of(message: Message, me: str) -> str:
    """The conversation's id for user id `me`: the group's, or the other person's."""
    return party_of(message, me).id
