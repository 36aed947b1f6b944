"""Payloads of the wire as frozen structs. `parse` is the only way in: strict types, unknown keys refused.

Shapes and their meaning: DESIGN of the protocol in `docs/protocol.md`; examples in `tests/protocol/golden/`.
Times (`at`) are milliseconds since the epoch, UTC. Ids are opaque.
"""

from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct, field

from deskbell_protocol import limits
from deskbell_protocol.characters import can_be_seen

Priority = Literal["low", "normal", "high", "urgent"]
PartyKind = Literal["person", "app", "group"]

Key = Annotated[str, Meta(min_length=1, max_length=limits.KEY_CHARS)]
Id = Annotated[str, Meta(min_length=3, max_length=limits.ID_CHARS)]
Seq = Annotated[int, Meta(ge=0, lt=2**53)]
Text = Annotated[str, Meta(min_length=1)]
Title = Annotated[str, Meta(max_length=limits.TITLE_CHARS)]
Url = Annotated[str, Meta(max_length=limits.URL_CHARS, pattern=r"^(https?://[^\s/@\\]+([/?#]\S*)?)?$")]
To = Annotated[
    list[Annotated[str, Meta(min_length=1, max_length=limits.NAME_CHARS + 1)]],
    Meta(min_length=1, max_length=limits.RECIPIENTS),
]


class Incoming(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Base of what a client sends: an unknown key is refused, so that a typing error is not silently ignored. A default
    is left out, so that an older server does not meet a key without need.
    """


class Outgoing(Struct, frozen=True, omit_defaults=True):
    """Base of what the server sends: a client ignores keys that it does not know."""


class Content(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What a message says: the same in a publish, a message, an outbox and a view, and one document where it is stored.
    A new field is a line here; what it may hold is said in `Said`.
    """

    body: str
    title: str = ""
    priority: Priority = "normal"
    url: str = ""
    """What it is about, on the web."""


class Party(Outgoing, frozen=True):
    """Somebody who writes or is written to. `name` is what one types into `to`; a group's begins with `@`."""

    id: str
    name: str
    display: str = ""
    kind: PartyKind = "person"

    @property
    def label(self) -> str:
        return self.display if can_be_seen(self.display) else self.name


# -- client to server ---------------------------------------------------------------------------------------------


class ConnectAuth(Incoming, frozen=True):
    """`auth` of the Socket.IO CONNECT. The token names the device; `client` and `device` are only for the log."""

    v: int
    token: Annotated[str, Meta(min_length=1, max_length=256)]
    client: Annotated[str, Meta(max_length=100)]
    device: Annotated[str, Meta(max_length=100)] = ""


class Sync(Incoming, frozen=True):
    """Give me the events after `after`. A first-time client sends `epoch: null, after: 0`."""

    epoch: str | None
    after: Seq
    limit: Annotated[int, Meta(ge=1, le=limits.SYNC_EVENTS)] = limits.SYNC_EVENTS


class Ack(Incoming, frozen=True):
    """All events up to `seq` are in the client's own store; those up to `shown` were shown."""

    epoch: str
    seq: Seq
    shown: Seq | None = None


class Read(Incoming, frozen=True):
    """Messages that the person has read: all up to a `seq` of the log of this `epoch`, or some by message id."""

    up_to: Seq | None = None
    ids: Annotated[list[Id], Meta(max_length=limits.READ_IDS)] | None = None
    epoch: str | None = None


class Said(Content, Incoming, frozen=True, kw_only=True):
    """Content as a client may send it."""

    body: Text
    title: Title = ""
    url: Url = ""


class Publish(Said, frozen=True, kw_only=True):
    """The body of `POST /api/v1/messages`: exactly one of `to` and `reply_to`."""

    to: To | None = None
    reply_to: Id | None = None
    deliver_at: Seq | None = None
    """Not before then (milliseconds); the message waits on the server and can be cancelled."""


class Send(Publish, frozen=True, kw_only=True):
    """`send` on the socket: a publish with its idempotency key."""

    cid: Key


class Login(Incoming, frozen=True):
    """The body of `POST /api/v1/login`; `device` is the name under which the person finds this login in their list."""

    username: Annotated[str, Meta(max_length=limits.NAME_CHARS)]
    password: Annotated[str, Meta(max_length=limits.PASSWORD_CHARS_MAX)]
    device: Annotated[str, Meta(min_length=1, max_length=100)]
    known: Annotated[str, Meta(max_length=300)] = ""
    """What the last answer to a login from this device said."""


def _yes() -> bool:
    """A default as a factory: what equals a plain default would be left out of an answer, which needs it."""
    return True


def _no() -> bool:
    return False


# -- server to client ---------------------------------------------------------------------------------------------


class Message(Content, Outgoing, frozen=True, kw_only=True):
    """`data` of an event of kind `message`. `to` holds the parties as addressed, a group as one.

    `cid` only for its sender. What goes to several is a message to each, and `publish` the id of the first of
    them, in the others: whoever gets more than one of a publish is rung for once.
    """

    sender: Party = field(name="from")
    to: list[Party]
    reply_to: str | None = None
    cid: str | None = None
    publish: str | None = None


class ReadMark(Outgoing, frozen=True):
    """`data` of an event of kind `read`: the same shape as the request that caused it."""

    up_to: int | None = None
    ids: list[str] | None = None


class Membership(Outgoing, frozen=True):
    """`data` of an event of kind `member`: from here on the person sees what is written to the group, or no more."""

    group: Party
    joined: bool = field(default_factory=_yes)


class Frame(Outgoing, frozen=True):
    """A place in the log: of what this person may see nothing lies between `prev` and `seq`, and `prev` < `seq`."""

    epoch: str
    prev: int
    seq: int


class Event(Frame, frozen=True):
    """One entry of the log, pushed as `event` and listed in sync answers."""

    kind: str
    id: str
    at: int
    data: dict[str, Any]


class Head(Frame, frozen=True):
    """An event that brings nothing but the place: the log goes to `seq` now, and `prev` may be the same."""


class Bye(Outgoing, frozen=True, omit_defaults=False):
    """The server is about to close: come back after `after_ms` plus jitter, unless fatal."""

    code: str
    fatal: bool = False
    after_ms: int = 0


class SyncAnswer(Outgoing, frozen=True, kw_only=True):
    """One snapshot: all that the person may see in (`after`, `upto`], oldest first; more follows while `upto` < `head`.
    With `reset` something before is missing: it is another log, which begins at `after`, or was dropped from this one.
    """

    ok: bool = field(default_factory=_yes)
    epoch: str
    after: int
    upto: int
    head: int
    events: list[Event]
    reset: bool = False
    groups: list[str] | None = None
    """Ids of the groups that the person may write to; absent: all."""


class SendAnswer(Outgoing, frozen=True, kw_only=True):
    """`seq` is the place of the first message; null while it waits for its time."""

    ok: bool = field(default_factory=_yes)
    id: str
    seq: int | None
    duplicate: bool


class Refusal(Outgoing, frozen=True, kw_only=True):
    """A failed answer on the socket. `message` is for the log; `names` are those that it speaks of, if any."""

    ok: bool = field(default_factory=_no)
    code: str
    message: str
    retry_after_s: float | None = None
    names: list[str] = []


class LoginAnswer(Outgoing, frozen=True):
    """`token` is shown this once."""

    token: str
    user: Party
    device: "Device"
    server: "Server"
    known: str = ""
    """To be sent with the next login: this device is then not slowed by guesses that others make."""


class Server(Outgoing, frozen=True):
    """Which server answers, under whatever address: `id` is made with its database and kept over a restore."""

    id: str


class Device(Outgoing, frozen=True):
    """One signed-in client."""

    id: str
    name: str
    created_at: int = 0
    last_used_at: int = 0
    current: bool = False


T = TypeVar("T")
S = TypeVar("S", bound=Struct)
C = TypeVar("C", bound=Content)


def narrowed(type_: type[S], whole: S) -> S:
    """What the base `type_` has of `whole`: the content of a message, the publish in a `send`."""
    return msgspec.convert(whole, type_, from_attributes=True)


def saying(type_: type[C], content: Content, **envelope: Any) -> C:
    """A `type_` with this content, and in its other fields what is given."""
    for name in Content.__struct_fields__:
        envelope[name] = getattr(content, name)
    return type_(**envelope)


def parse(type_: type[T], raw: object) -> T:
    """`raw`, already-decoded JSON, as `type_`. Raises `msgspec.ValidationError`, whose text names the field."""
    return msgspec.convert(raw, type_, strict=True)


def plain(struct: Struct) -> Any:
    """`struct` as dicts and lists, ready for any JSON encoder."""
    return msgspec.to_builtins(struct)
