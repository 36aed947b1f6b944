"""Problems that stop nothing: each told once by a popup, kept in the status line, taken back when they are mended."""

import pytest

from deskbell_desktop.core import effects as do
from deskbell_desktop.core import events as on
from deskbell_desktop.core.notices import NOTICE
from deskbell_desktop.core.words import Words
from deskbell_protocol.errors import FATAL, Code
from tests.fakes import BOB, Bench, of

UNKEPT = on.ProblemSeen("keyring", "Your sign-in could not be kept.")
FULL = on.ProblemSeen("store", "Deskbell cannot write.")


def notices(effects: list[do.Effect]) -> list[str]:
    return [effect.popup.body for effect in of(effects, do.ShowPopup) if effect.popup.key == NOTICE]


def online() -> Bench:
    bench = Bench()
    bench.online()
    return bench


def test_a_problem_is_shown_once_as_a_popup_that_cannot_be_answered() -> None:
    bench = online()
    shown = of(bench.tell(UNKEPT), do.ShowPopup)[0]
    assert (shown.popup.key, shown.popup.body, shown.popup.priority) == (NOTICE, UNKEPT.problem, "normal")
    assert not shown.popup.can_reply
    assert not shown.popup.can_mark_read
    assert shown.covers == ()
    assert notices(bench.tell(UNKEPT)) == []
    assert notices(bench.wait(3600)) == []


def test_a_second_problem_stands_beside_the_first() -> None:
    bench = online()
    bench.tell(UNKEPT)
    assert notices(bench.tell(FULL)) == [f"{UNKEPT.problem}\n{FULL.problem}"]
    status = of(bench.done, do.ShowStatus)[-1].status
    assert UNKEPT.problem in status.problem
    assert FULL.problem in status.problem


def test_one_that_is_mended_takes_only_itself_back() -> None:
    bench = online()
    bench.tell(UNKEPT)
    bench.tell(FULL)
    effects = bench.tell(on.ProblemSeen("store", ""))
    assert notices(effects) == []
    assert of(effects, do.ShowStatus)[0].status.problem == UNKEPT.problem
    assert of(bench.tell(on.ProblemSeen("keyring", "")), do.WithdrawPopup) == [do.WithdrawPopup(NOTICE)]
    assert notices(bench.tell(FULL)) == [FULL.problem]  # it is back: that is news


def test_a_click_opens_the_window_and_a_closed_one_is_not_withdrawn() -> None:
    bench = online()
    bench.tell(UNKEPT)
    assert of(bench.tell(on.PopupOpened(NOTICE)), do.ShowConversation) == [do.ShowConversation(None)]
    assert of(bench.tell(on.ProblemSeen("keyring", "")), do.WithdrawPopup) == []


def test_before_anybody_is_signed_in_a_click_asks_for_that() -> None:
    bench = Bench()
    assert notices(bench.tell(on.ProblemSeen("settings", "Not read."))) == ["Not read."]
    assert of(bench.tell(on.PopupOpened(NOTICE)), do.AskLogin) == [do.AskLogin()]


def test_who_looks_at_the_window_reads_it_there() -> None:
    bench = online()
    bench.tell(on.Looking(BOB.id))
    assert notices(bench.tell(UNKEPT)) == []
    assert notices(bench.tell(on.Looking(None))) == []


def test_do_not_disturb_puts_it_off() -> None:
    bench = online()
    bench.tell(on.QuietToggled(True))
    assert notices(bench.tell(UNKEPT)) == []
    assert notices(bench.tell(on.QuietToggled(False))) == [UNKEPT.problem]


def test_a_store_that_had_to_be_replaced_is_told() -> None:
    bench = online()
    assert notices(bench.tell(on.StoreReplaced(on.Stored(), "Put aside."))) == ["Put aside."]


@pytest.mark.parametrize("code", [Code.INVALID, Code.NOT_FOUND, Code.UPGRADE_REQUIRED])
def test_a_server_that_never_takes_this_program_is_no_reason_to_throw_the_sign_in_away(code: Code) -> None:
    bench = online()
    effects = bench.tell(on.Refused(code, "client is missing", fatal=True))
    assert of(effects, do.ForgetToken) == []
    assert of(effects, do.AskLogin) == []
    assert of(effects, do.Disconnect)
    words = Words()
    said = words.upgrade() if code in FATAL else words.not_accepted()
    assert notices(effects) == [said]
    assert of(effects, do.ShowStatus)[0].status.problem == said
    bench.tell(on.SignOutRequested())
    assert of(bench.done, do.ShowStatus)[-1].status.problem == ""


@pytest.mark.parametrize("end", [on.SignOutRequested(), on.Refused(Code.REVOKED, "signed out", fatal=True)])
def test_what_could_not_be_kept_is_no_problem_once_it_is_gone(end: on.Event) -> None:
    bench = online()
    bench.tell(UNKEPT)
    effects = bench.tell(end)
    assert of(effects, do.WithdrawPopup) == [do.WithdrawPopup(NOTICE)]
    assert UNKEPT.problem not in of(effects, do.ShowStatus)[0].status.problem
