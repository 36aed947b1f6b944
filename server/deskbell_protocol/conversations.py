"""Which conversation a message belongs to, in the eyes of one user. The same rule on both sides of the wire."""

from deskbell_protocol.wire import Message, Party


def conversation_of(message: Message, me: str) -> str:
    """The conversation's id for user id `me`: the group's, the other person's, or of all I addressed, joined by `+`.

    Several people addressed at once do not see each other: to each of them it is a conversation with the sender.
    """
    if len(message.to) == 1 and message.to[0].kind == "group":
        return message.to[0].id
    if message.sender.id == me:
        return "+".join(sorted(party.id for party in message.to))
    return message.sender.id


def parties_of(message: Message, me: str) -> list[Party]:
    """Whom a reply in that conversation goes to."""
    if len(message.to) == 1 and message.to[0].kind == "group":
        return message.to
    return message.to if message.sender.id == me else [message.sender]
