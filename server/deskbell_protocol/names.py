"""Event names and kinds, each spelled once for both programs."""

from typing import Final

# Socket.IO, namespace "/": client to server
SYNC: Final = "sync"
ACK: Final = "ack"
READ: Final = "read"
SEND: Final = "send"

# Socket.IO, namespace "/": server to client
EVENT: Final = "event"
HEAD: Final = "head"
BYE: Final = "bye"

CLIENT_EVENTS: Final = frozenset({SYNC, ACK, READ, SEND})
SERVER_EVENTS: Final = frozenset({EVENT, HEAD, BYE})

# `kind` of an event. A client applies (and skips over) kinds it does not know.
KIND_MESSAGE: Final = "message"
KIND_READ: Final = "read"
KIND_MEMBER: Final = "member"

EVERYONE: Final = "@everyone"
GROUP_SIGN: Final = "@"
