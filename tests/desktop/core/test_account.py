"""Coming to one's desk: keyring, form and server answer in any order, and too late."""

import pytest

from deskbell_desktop.core import effects as do
from deskbell_desktop.core import events as on
from deskbell_desktop.core.account import (
    KEYRING_PATIENCE_S,
    AccountEvent,
    SignInAccepted,
    SignInCancelled,
    SignInFailed,
    SignInSubmitted,
    SignInWanted,
    TokenFound,
    TokenKept,
    TokenMissing,
)
from deskbell_desktop.core.events import Account
from deskbell_desktop.core.session import Session
from deskbell_desktop.core.words import Words
from tests.fakes import ACCOUNT, CHEN, Clock, of

OTHER = Account("https://desk.example.org", CHEN, "s-1")
MOVED = Account("https://new.example.org", ACCOUNT.user, ACCOUNT.server_id)
WAITS = Words().keyring_waits()


class Start:
    """A program that has just started; `account` is who was signed in before."""

    def __init__(self, account: Account | None = ACCOUNT) -> None:
        self.clock = Clock()
        self.session = Session(Words())
        self.done = self.tell(on.Started(account))

    def tell(self, *events: on.Event | AccountEvent) -> list[do.Effect]:
        """What the last of them brings about, without what is only shown."""
        for event in events:
            effects = self.session.handle(event, self.clock.now)
            self.problem = next((e.status.problem for e in of(effects, do.ShowStatus)), getattr(self, "problem", ""))
        return [effect for effect in effects if not isinstance(effect, do.ShowStatus | do.ShowPopup | do.WithdrawPopup)]

    def wait(self, seconds: float) -> None:
        end = self.clock.now.mono + seconds
        while self.session.due is not None and self.session.due <= end:
            self.clock.pass_(self.session.due - self.clock.now.mono)
            self.tell(on.Ticked())
        self.clock.pass_(end - self.clock.now.mono)

    def sign_in(self, account: Account) -> list[do.Effect]:
        return self.tell(SignInSubmitted(), SignInAccepted(account))

    def sit_down(self, account: Account) -> list[do.Effect]:
        return self.tell(on.SignedIn(account, on.Stored()))


# -- the keyring --------------------------------------------------------------------------------------------------


def test_the_first_start_asks_who_is_there() -> None:
    assert Start(None).done == [do.AskLogin()]


def test_a_later_start_goes_on_with_the_token_of_the_keyring() -> None:
    start = Start()
    assert start.done == [do.LoadToken(ACCOUNT)]
    assert start.tell(TokenFound(ACCOUNT)) == [do.UseToken(), do.OpenStore(ACCOUNT, ACCOUNT.server)]
    assert start.sit_down(ACCOUNT) == [do.Connect(ACCOUNT)]  # nobody is welcomed


def test_a_keyring_without_us_asks_for_the_password() -> None:
    assert Start().tell(TokenMissing("Locked.")) == [do.AskLogin(problem="Locked.")]


@pytest.mark.parametrize("late", [TokenFound(ACCOUNT), TokenMissing("Locked."), TokenMissing()])
def test_what_the_keyring_says_after_the_person_signed_in_counts_for_nothing(late: AccountEvent) -> None:
    start = Start()
    start.sign_in(OTHER)
    start.sit_down(OTHER)
    refused = [do.RefuseToken(ACCOUNT, revoke=False)] if isinstance(late, TokenFound) else []
    assert start.tell(late) == refused
    assert start.session.account == OTHER
    start.wait(KEYRING_PATIENCE_S)
    assert start.problem == WAITS, "the new token is still being kept"


def test_the_keyring_may_answer_while_the_server_is_asked() -> None:
    """Whose answer then counts as well: it is what the person asked for last."""
    start = Start()
    start.tell(SignInSubmitted())
    assert do.OpenStore(ACCOUNT, ACCOUNT.server) in start.tell(TokenFound(ACCOUNT))
    start.sit_down(ACCOUNT)
    assert do.OpenStore(OTHER, OTHER.server) in start.tell(SignInAccepted(OTHER))


def test_a_keyring_that_lets_us_wait_is_told_of_until_it_answers() -> None:
    start = Start()
    start.wait(KEYRING_PATIENCE_S - 0.1)
    assert start.problem == ""
    start.wait(0.1)
    assert start.problem == WAITS
    start.tell(TokenFound(ACCOUNT))
    assert start.problem == ""


@pytest.mark.parametrize("answer", [TokenFound(ACCOUNT), TokenMissing()])
def test_a_keyring_that_answers_in_time_is_not_told_of(answer: AccountEvent) -> None:
    start = Start()
    start.tell(answer)
    start.wait(KEYRING_PATIENCE_S * 2)
    assert start.problem == ""


@pytest.mark.parametrize("problem", ["", "Your sign-in could not be kept."])
def test_a_keyring_that_keeps_slowly_is_told_of_and_then_what_it_said(problem: str) -> None:
    start = Start(None)
    start.sign_in(ACCOUNT)
    start.sit_down(ACCOUNT)
    start.wait(KEYRING_PATIENCE_S)
    assert start.problem == WAITS
    start.tell(TokenKept(problem))
    assert start.problem == problem
    start.wait(KEYRING_PATIENCE_S * 2)
    assert start.problem == problem


def test_a_keyring_that_keeps_at_once_is_not_told_of() -> None:
    start = Start(None)
    start.sign_in(ACCOUNT)
    start.tell(TokenKept())
    start.wait(KEYRING_PATIENCE_S * 2)
    assert start.problem == ""
    assert start.session.due is None


# -- signing in ---------------------------------------------------------------------------------------------------


def test_signing_in_keeps_the_token_before_the_desk_is_opened_and_welcomes_after_all_else() -> None:
    start = Start(None)
    assert start.tell(SignInSubmitted()) == [do.SubmitLogin()]
    assert start.tell(SignInAccepted(ACCOUNT)) == [
        do.UseToken(),
        do.KeepSignIn(ACCOUNT),
        do.HideLogin(),
        do.OpenStore(ACCOUNT, ACCOUNT.server),
    ]
    assert start.sit_down(ACCOUNT) == [do.Connect(ACCOUNT), do.Welcome()]
    assert start.sit_down(ACCOUNT) == [do.Connect(ACCOUNT)], "once"


def test_an_answer_after_the_person_gave_up_is_refused_and_its_token_revoked() -> None:
    start = Start(None)
    start.tell(SignInSubmitted())
    assert start.tell(SignInCancelled()) == [do.CancelLogin()]
    assert start.tell(SignInAccepted(ACCOUNT)) == [do.RefuseToken(ACCOUNT, revoke=True)]
    assert start.session.account is None
    start.wait(KEYRING_PATIENCE_S)
    assert start.problem == "", "nothing is being kept"


def test_a_second_answer_to_the_same_form_is_refused() -> None:
    start = Start(None)
    start.sign_in(ACCOUNT)
    assert start.tell(SignInAccepted(OTHER)) == [do.RefuseToken(OTHER, revoke=True)]


def test_a_failed_sign_in_is_said_and_the_next_one_may_come() -> None:
    start = Start(None)
    failed = SignInFailed("Wrong password.", at_server=False)
    assert start.tell(SignInSubmitted(), failed) == [do.ShowLoginProblem("Wrong password.", at_server=False)]
    assert do.KeepSignIn(ACCOUNT) in start.sign_in(ACCOUNT)


def test_a_sign_in_that_fails_after_the_person_gave_up_is_silent() -> None:
    start = Start(None)
    start.tell(SignInSubmitted(), SignInCancelled())
    assert start.tell(SignInFailed("No such server.", at_server=True)) == []


def test_after_giving_up_the_person_may_sign_in() -> None:
    start = Start(None)
    start.tell(SignInSubmitted(), SignInCancelled())
    assert do.KeepSignIn(OTHER) in start.sign_in(OTHER)


@pytest.mark.parametrize("signed_in", [False, True])
def test_the_form_is_shown_to_whoever_wants_it(signed_in: bool) -> None:
    start = Start(None)
    if signed_in:
        start.sit_down(ACCOUNT)
    assert start.tell(SignInWanted()) == [do.AskLogin()]


# -- whose desk it was --------------------------------------------------------------------------------------------


def test_the_token_of_another_account_is_forgotten_first() -> None:
    """Forgetting it also takes it out of use: the new one must come after."""
    start = Start()
    start.tell(TokenMissing())
    effects = start.sign_in(OTHER)
    assert effects[:3] == [do.ForgetToken(ACCOUNT, revoke=False), do.UseToken(), do.KeepSignIn(OTHER)]
    assert effects[-1] == do.OpenStore(OTHER, OTHER.server)


def test_the_same_account_has_nothing_to_forget() -> None:
    start = Start()
    start.tell(TokenMissing())
    assert of(start.sign_in(ACCOUNT), do.ForgetToken) == []


def test_who_comes_by_another_address_keeps_their_store() -> None:
    start = Start()
    start.tell(TokenMissing())
    effects = start.sign_in(MOVED)
    assert of(effects, do.ForgetToken) == [do.ForgetToken(ACCOUNT, revoke=False)], "it is kept by its address"
    assert of(effects, do.OpenStore) == [do.OpenStore(MOVED, ACCOUNT.server)]
    assert of(start.sign_in(MOVED), do.OpenStore) == [do.OpenStore(MOVED, MOVED.server)]


def test_whoever_signed_in_last_is_remembered_after_they_left() -> None:
    start = Start(None)
    start.sign_in(ACCOUNT)
    start.sit_down(ACCOUNT)
    start.tell(on.SignOutRequested())
    assert of(start.sign_in(MOVED), do.OpenStore) == [do.OpenStore(MOVED, ACCOUNT.server)]
