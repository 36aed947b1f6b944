"""How somebody comes to their desk: what the keyring and the server say to it, and in what order that may come.

Room 6, before the first message. No token is ever here: whoever carries out holds it, and tells that there is one.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import assert_never

from deskbell_desktop.core import effects as do
from deskbell_desktop.core.effects import Effect
from deskbell_desktop.core.events import Account, Moment
from deskbell_desktop.core.notices import Notices
from deskbell_desktop.core.words import Words

KEYRING_PATIENCE_S = 2.0


@dataclass(frozen=True)
class TokenFound:
    """The keyring had one; it was handed over."""

    account: Account


@dataclass(frozen=True)
class TokenMissing:
    """The keyring has none for us; `reason` is a sentence where that is not simply the first start."""

    reason: str = ""


@dataclass(frozen=True)
class TokenKept:
    """Or not: with a `problem` the person will be asked again at the next start."""

    problem: str = ""


@dataclass(frozen=True)
class SignInWanted:
    """To be asked for name and password."""


@dataclass(frozen=True)
class SignInSubmitted:
    """The form is filled in; it was handed over, for there is a password in it."""


@dataclass(frozen=True)
class SignInCancelled:
    """Nobody waits for the server's answer any more."""


@dataclass(frozen=True)
class SignInAccepted:
    """The server gave a token; it was handed over."""

    account: Account


@dataclass(frozen=True)
class SignInFailed:
    problem: str
    at_server: bool
    """The mistake is in the address, or on the way there; else in the name or the password."""


AccountEvent = (
    TokenFound
    | TokenMissing
    | TokenKept
    | SignInWanted
    | SignInSubmitted
    | SignInCancelled
    | SignInAccepted
    | SignInFailed
)


class Keyring(Enum):
    """What it was asked last, as long as it has not answered."""

    IDLE = auto()
    LOOKING = auto()
    KEEPING = auto()


class SignIn:
    """What is told to the person beside the sign-in window goes to `notices`."""

    def __init__(self, words: Words, notices: Notices) -> None:
        self._words = words
        self._notices = notices
        self._last: Account | None = None
        """Whoever signed in last, in this run or before it."""
        self._keyring = Keyring.IDLE
        self._slow_at: float | None = None
        self._submitted = False
        self._welcome = False

    @property
    def dues(self) -> list[float]:
        return [] if self._slow_at is None else [self._slow_at]

    def started(self, account: Account | None, now: Moment) -> list[Effect]:
        self._last = account
        if account is None:
            return [do.AskLogin()]
        self._wait_for(Keyring.LOOKING, now)
        return [do.LoadToken(account)]

    def handle(self, event: AccountEvent, now: Moment) -> list[Effect]:
        match event:
            case TokenFound() | TokenMissing():
                return self._looked(event)
            case TokenKept(problem):
                self._answered()
                self._notices.seen("keyring", problem)
                return []
            case SignInWanted():
                return [do.AskLogin()]
            case SignInSubmitted():
                self._submitted = True
                return [do.SubmitLogin()]
            case SignInCancelled():
                self._submitted = False
                return [do.CancelLogin()]
            case SignInAccepted(account):
                return self._accepted(account, now)
            case SignInFailed(problem, at_server):
                waited, self._submitted = self._submitted, False
                return [do.ShowLoginProblem(problem, at_server)] if waited else []
            case _:
                assert_never(event)

    def sat_down(self) -> list[Effect]:
        """At the desk, after everything else was begun: who has just typed a password looks at the screen."""
        if self._keyring is Keyring.LOOKING:
            self._answered()
        welcome, self._welcome = self._welcome, False
        return [do.Welcome()] if welcome else []

    def tick(self, now: Moment) -> None:
        if self._slow_at is not None and self._slow_at <= now.mono:
            self._slow_at = None
            self._notices.seen("keyring", self._words.keyring_waits())

    def _looked(self, event: TokenFound | TokenMissing) -> list[Effect]:
        if self._keyring is not Keyring.LOOKING:  # the person has signed in meanwhile
            return [do.RefuseToken(event.account, revoke=False)] if isinstance(event, TokenFound) else []
        self._answered()
        self._notices.seen("keyring", "")
        if isinstance(event, TokenMissing):
            return [do.AskLogin(problem=event.reason)]
        return [do.UseToken(), do.OpenStore(event.account, event.account.server)]

    def _accepted(self, account: Account, now: Moment) -> list[Effect]:
        if not self._submitted:  # given up while the answer was on its way: nobody will use this token
            return [do.RefuseToken(account, revoke=True)]
        self._submitted, self._welcome = False, True
        self._wait_for(Keyring.KEEPING, now)
        before, self._last = self._last, account
        forget = [do.ForgetToken(before, revoke=False)] if before is not None and before != account else []
        same = before is not None and before.user.id == account.user.id
        address = before.server if before is not None and same else account.server
        return [*forget, do.UseToken(), do.KeepSignIn(account), do.HideLogin(), do.OpenStore(account, address)]

    def _wait_for(self, keyring: Keyring, now: Moment) -> None:
        self._keyring, self._slow_at = keyring, now.mono + KEYRING_PATIENCE_S

    def _answered(self) -> None:
        self._keyring, self._slow_at = Keyring.IDLE, None
