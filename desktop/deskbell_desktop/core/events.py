"""What can happen to the desktop: the inputs of `Session.handle`, from the connection, from the person, from the clock;
those of signing in stand in `account`.

Room 6 of a message's way. All are facts already; none carries a token.
"""

from dataclasses import dataclass
from typing import Literal

from deskbell_protocol import wire
from deskbell_protocol.wire import Content, Party, Priority


@dataclass(frozen=True)
class Moment:
    """When: `wall` in milliseconds since 1970 UTC, which may jump; `mono` in seconds, by which delays are reckoned."""

    wall: int
    mono: float


@dataclass(frozen=True)
class Account:
    """Who is signed in, and where. Whose it is `server_id` says, for one server has many addresses."""

    server: str
    user: Party
    server_id: str
    """Empty where a sign-in from before servers had one goes on."""


@dataclass(frozen=True)
class Unread:
    """A received message that the person has not seen. `seq` is 0 where it belongs to a log that the server gave up."""

    id: str
    seq: int
    conversation: str


@dataclass(frozen=True)
class Ring:
    """A message that wants a popup and has had none. What went to the person in several conversations rings as one."""

    id: str
    conversation: str
    title: str
    label: str
    body: str
    at: int
    sender: Party
    priority: Priority = "normal"
    can_reply: bool = True
    publish: str = ""
    """Id of the first message of what went to several; empty where that is this one."""
    also: tuple[str, ...] = ()
    """Ids of the others of the publish that the person has."""

    @property
    def rings_as(self) -> str:
        return self.publish or self.id

    @property
    def ids(self) -> tuple[str, ...]:
        return (self.id, *self.also)


@dataclass(frozen=True)
class Outgoing:
    """What the person wrote, until it comes back in their own log. Sent to `reply_to`, else to the names in `to`."""

    cid: str
    conversation: str
    to: tuple[str, ...]
    content: Content
    created_at: int
    reply_to: str | None = None
    state: Literal["queued", "sent", "failed"] = "queued"
    problem: str = ""
    told: bool = False
    """The person knows that it failed."""
    message_id: str | None = None
    """What the server calls it, once it has it."""
    seq: int | None = None
    """Where its echo stands in our own log."""
    waited_ms: int = 0
    """How long it has waited for the server, up to `counted`."""
    before_ms: int = 0
    """And until then: before it was tried again, or beyond what it may wait."""
    counted: Moment = Moment(0, 0.0)


@dataclass(frozen=True)
class Stored:
    """What the local store remembers of an account: all that the session needs to go on where it was."""

    epoch: str | None = None
    cursor: int = 0
    unread: tuple[Unread, ...] = ()
    rings: tuple[Ring, ...] = ()
    outbox: tuple[Outgoing, ...] = ()
    untold: tuple[str, ...] = ()
    """Messages read here, which the server does not know yet."""
    groups: tuple[str, ...] | None = None
    """Ids of the groups that the person may write to; None: all, or not known."""


# -- the program and its account ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Started:
    """The program runs; nobody is known to it yet, or `account` is looked up in the keyring."""

    account: Account | None
    quiet: bool = False


@dataclass(frozen=True)
class SignedIn:
    """There is a token, and the account's store is open."""

    account: Account
    stored: Stored


@dataclass(frozen=True)
class SignOutRequested:
    pass


@dataclass(frozen=True)
class StoreReplaced:
    """The local store was found damaged and a new one begun. `problem` says so to the person."""

    stored: Stored
    problem: str


@dataclass(frozen=True)
class StoreMended:
    """The local store is on the disk again. `stored` where that holds more than the session knows."""

    stored: Stored | None


@dataclass(frozen=True)
class Ticked:
    """It is (about) the moment that `Session.due` asked for."""


Topic = Literal["keyring", "store", "settings", "server", "program"]
"""What a problem is about: a later one about the same takes its place."""


@dataclass(frozen=True)
class ProblemSeen:
    """Something the person should know, which stops nothing. Empty takes it back."""

    topic: Topic
    problem: str


# -- the connection -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LinkTried:
    pass


@dataclass(frozen=True)
class LinkUp:
    pass


@dataclass(frozen=True)
class LinkDown:
    """`problem` is a whole sentence; empty while it is no more than a hiccup."""

    problem: str = ""
    grave: bool = False
    """It does not pass by waiting."""


@dataclass(frozen=True)
class Refused:
    """The server does not want us. Only a fatal refusal ends the attempts."""

    code: str
    message: str
    fatal: bool


@dataclass(frozen=True)
class Woke:
    """The computer slept, or has another network: what looks like a connection may be none."""


@dataclass(frozen=True)
class RightsDoubted:
    """Somebody looks at a group that they may not write to: perhaps they may by now."""


@dataclass(frozen=True)
class FramesPushed:
    """As they came over the wire: perhaps with holes, doubles or swaps."""

    frames: tuple[wire.Event | wire.Head, ...]


@dataclass(frozen=True)
class SyncAnswered:
    """`request` is the very effect that it answers. `known`: those message ids of the answer that the store already has
    (after the server was restored).
    """

    request: object
    answer: wire.SyncAnswer
    known: frozenset[str] = frozenset()


@dataclass(frozen=True)
class SyncFailed:
    request: object
    retry_after_s: float | None = None


@dataclass(frozen=True)
class SendAnswered:
    """`seq` is where the message stands in our own log."""

    cid: str
    id: str
    seq: int | None = None


@dataclass(frozen=True)
class SendFailed:
    """`code` is one of the protocol's, or empty where no answer came; `names` are those that it speaks of."""

    cid: str
    code: str = ""
    names: tuple[str, ...] = ()
    retry_after_s: float | None = None


@dataclass(frozen=True)
class ReadAnswered:
    ids: tuple[str, ...]


@dataclass(frozen=True)
class ReadFailed:
    ids: tuple[str, ...]
    code: str = ""


# -- the person ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Looking:
    """What the person has before their eyes: a conversation in a window that has the focus, or None."""

    conversation: str | None
    at_end: bool = False
    """What arrives next comes into view by itself."""
    seen: tuple[str, ...] = ()
    """Unread messages that stand inside the view."""


@dataclass(frozen=True)
class ReadRequested:
    """All of a conversation, seen or not."""

    conversation: str


@dataclass(frozen=True)
class Wrote:
    """An answer in a conversation, or a new message."""

    cid: str
    conversation: str
    to: tuple[str, ...]
    body: str
    reply_to: str | None = None
    on_popup: bool = False
    """Written on the popup that showed `reply_to`."""


@dataclass(frozen=True)
class RetryRequested:
    cid: str


@dataclass(frozen=True)
class DiscardRequested:
    cid: str


@dataclass(frozen=True)
class QuietToggled:
    quiet: bool


@dataclass(frozen=True)
class PopupOpened:
    """Clicked. That reads nothing yet: what then stands in the view is read."""

    key: str


@dataclass(frozen=True)
class PopupRead:
    """*Mark read*: all that the popup stands for, and nothing else."""

    key: str


@dataclass(frozen=True)
class PopupClosed:
    """Gone from the screen, unread."""

    key: str


@dataclass(frozen=True)
class UnsentRequested:
    """To see what was not sent."""


PersonEvent = (
    Looking
    | UnsentRequested
    | ReadRequested
    | Wrote
    | RetryRequested
    | DiscardRequested
    | QuietToggled
    | PopupOpened
    | PopupRead
    | PopupClosed
)
LinkEvent = (
    LinkTried
    | LinkUp
    | LinkDown
    | Woke
    | RightsDoubted
    | Refused
    | FramesPushed
    | SyncAnswered
    | SyncFailed
    | SendAnswered
    | SendFailed
    | ReadAnswered
    | ReadFailed
)
ProgramEvent = Started | SignedIn | SignOutRequested | StoreReplaced | StoreMended | Ticked | ProblemSeen
Event = PersonEvent | LinkEvent | ProgramEvent
