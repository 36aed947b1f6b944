"""What the network and the keyring hand to the owner thread besides the session's own events."""

from dataclasses import dataclass, field

from deskbell_desktop.core.events import Account
from deskbell_protocol.wire import Party


@dataclass(frozen=True)
class LoginSucceeded:
    account: Account
    token: str = field(repr=False)
    known: str = field(default="", repr=False)
    """For the next login at this server."""


@dataclass(frozen=True)
class PeopleFound:
    """`people` is None where the server could not be asked."""

    query: str
    people: tuple[Party, ...] | None


@dataclass(frozen=True)
class TokenLoaded:
    """`token` is None when there is none; `problem` says why the keyring could not be asked."""

    account: Account
    token: str | None = field(repr=False)
    problem: str = ""


@dataclass(frozen=True)
class PushesWaiting:
    """There is something to take from the intake."""
