"""What the session wants done, the outputs of `Session.handle`. `carrier.py` carries them out; nothing else acts."""

from dataclasses import dataclass

from deskbell_desktop.core.events import Account, Outgoing, Ring
from deskbell_desktop.core.views import Popup, StatusView
from deskbell_protocol.wire import Content, Message, Party

# -- the local store: each is one commit --------------------------------------------------------------------------


@dataclass(frozen=True)
class Arrived:
    """A message as it enters the store. `ring` is there when a popup has to follow: the row waits for it."""

    id: str
    seq: int
    at: int
    conversation: str
    message: Message
    mine: bool
    unread: bool
    ring: Ring | None = None


@dataclass(frozen=True)
class ApplyEvents:
    """Messages, reads and the cursor in one commit: after it, these events never come again."""

    epoch: str
    cursor: int
    messages: tuple[Arrived, ...] = ()
    read: tuple[str, ...] = ()


@dataclass(frozen=True)
class StartOver:
    """The log is another one now: forget its numbers, keep the messages, and show `note` where the hole may be."""

    epoch: str
    cursor: int
    note: str


@dataclass(frozen=True)
class SilenceRings:
    """No popup will follow for these."""

    ids: tuple[str, ...]


@dataclass(frozen=True)
class MarkRead:
    """Read here; remembered until the server knows it too."""

    ids: tuple[str, ...]


@dataclass(frozen=True)
class ForgetUntold:
    ids: tuple[str, ...]


@dataclass(frozen=True)
class KeepGroups:
    """Ids of the groups that the person may write to; None: all."""

    groups: tuple[str, ...] | None


@dataclass(frozen=True)
class KeepOutgoing:
    """New, or changed."""

    item: Outgoing


@dataclass(frozen=True)
class SettleOutgoing:
    """The server has it, but its echo is in a part of the log that is gone: it becomes a message as it stands."""

    cid: str
    sender: Party


@dataclass(frozen=True)
class DropOutgoing:
    cid: str


@dataclass(frozen=True)
class KeepQuiet:
    quiet: bool


# -- the connection -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Connect:
    account: Account


@dataclass(frozen=True)
class Disconnect:
    pass


@dataclass(frozen=True)
class RequestSync:
    """Known by its identity: another one that asks the same is another one."""

    epoch: str | None
    after: int


@dataclass(frozen=True)
class SendAck:
    epoch: str
    seq: int


@dataclass(frozen=True)
class SendMessage:
    cid: str
    to: tuple[str, ...]
    reply_to: str | None
    content: Content


@dataclass(frozen=True)
class SendRead:
    ids: tuple[str, ...]


# -- the account: the token, and what was typed, are with the carrier ----------------------------------------------


@dataclass(frozen=True)
class LoadToken:
    account: Account


@dataclass(frozen=True)
class UseToken:
    """The one that was handed over last counts from now on."""


@dataclass(frozen=True)
class RefuseToken:
    """Nobody needs the one that was handed over last; `revoke` also tells the server so."""

    account: Account
    revoke: bool


@dataclass(frozen=True)
class ForgetToken:
    """Out of the keyring; `revoke` also tells the server to forget this device."""

    account: Account
    revoke: bool


@dataclass(frozen=True)
class KeepSignIn:
    """For the next start: the token in use into the keyring, whose it is into the settings."""

    account: Account


@dataclass(frozen=True)
class OpenStore:
    """Then `SignedIn` follows. `before`: the address by which the same person's server was called until now."""

    account: Account
    before: str


@dataclass(frozen=True)
class SubmitLogin:
    """Send what was typed."""


@dataclass(frozen=True)
class CancelLogin:
    pass


# -- what the person sees -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ShowPopup:
    """Show, then note in the store that `covers` (message ids) have rung."""

    popup: Popup
    covers: tuple[str, ...]


@dataclass(frozen=True)
class WithdrawPopup:
    key: str


@dataclass(frozen=True)
class ShowStatus:
    status: StatusView


@dataclass(frozen=True)
class Changed:
    """These conversations look different now."""

    conversations: frozenset[str]


@dataclass(frozen=True)
class UnreadChanged:
    """Other messages are unread now; what is written in the bubbles is the same."""


@dataclass(frozen=True)
class ShowConversation:
    """Bring the window up, at that message. None: the window as it was."""

    conversation: str | None
    message: str | None = None


@dataclass(frozen=True)
class AskLogin:
    server: str = ""
    name: str = ""
    problem: str = ""


@dataclass(frozen=True)
class ShowLoginProblem:
    problem: str
    at_server: bool


@dataclass(frozen=True)
class HideLogin:
    pass


@dataclass(frozen=True)
class Welcome:
    """Somebody has just signed in."""


@dataclass(frozen=True)
class HideWindow:
    """Nothing of the account stays in sight."""


StoreEffect = (
    ApplyEvents
    | StartOver
    | SilenceRings
    | MarkRead
    | ForgetUntold
    | KeepGroups
    | KeepOutgoing
    | SettleOutgoing
    | DropOutgoing
    | KeepQuiet
)
LinkEffect = Connect | Disconnect | RequestSync | SendAck | SendMessage | SendRead
AccountEffect = LoadToken | UseToken | RefuseToken | ForgetToken | KeepSignIn | OpenStore | SubmitLogin | CancelLogin
ViewEffect = (
    ShowPopup
    | WithdrawPopup
    | ShowStatus
    | Changed
    | UnreadChanged
    | ShowConversation
    | AskLogin
    | ShowLoginProblem
    | HideLogin
    | Welcome
    | HideWindow
)
Effect = StoreEffect | LinkEffect | AccountEffect | ViewEffect
