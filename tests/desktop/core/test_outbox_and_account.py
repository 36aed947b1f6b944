"""What the person writes and reads, and who they are: the outbox, read marks, signing in and out."""

from dataclasses import replace

import pytest

from deskbell_desktop.core import effects as do
from deskbell_desktop.core import events as on
from deskbell_desktop.core import refusals
from deskbell_desktop.core.session import Session
from deskbell_desktop.core.unsent import UNSENT
from deskbell_desktop.core.views import Link
from deskbell_desktop.core.words import Words
from deskbell_protocol import limits, wire
from deskbell_protocol.errors import FATAL, FINAL, Code
from tests.fakes import ACCOUNT, BOB, CHEN, ME, START, Bench, of

DAY_S = 86400.0
YEAR_MS = 365 * 86_400_000


def wrote(cid: str, body: str = "Yes", conversation: str = BOB.id, reply_to: str | None = None) -> on.Wrote:
    return on.Wrote(cid, conversation, ("bob",), body, reply_to)


def sent(effects: list[do.Effect]) -> list[str]:
    return [effect.cid for effect in of(effects, do.SendMessage)]


def state(bench: Bench, cid: str = "c1") -> str:
    return str(bench.store.outbox[cid].state)


# -- the outbox ---------------------------------------------------------------------------------------------------


def test_what_is_written_is_kept_before_it_is_sent_and_gone_with_its_echo() -> None:
    bench = Bench()
    bench.online()
    effects = bench.tell(wrote("c1"))
    assert [type(effect) for effect in effects[:2]] == [do.KeepOutgoing, do.SendMessage]
    answer = bench.log.take(of(effects, do.SendMessage)[0])
    bench.tell(answer)
    assert bench.store.outbox["c1"].state == "sent"
    assert bench.store.outbox["c1"].message_id == answer.id
    bench.push(bench.log.events[-1])
    assert bench.store.outbox == {}
    assert bench.store.messages[answer.id].mine


def test_the_echo_may_come_before_the_answer() -> None:
    bench = Bench()
    bench.online()
    answer = bench.log.take(of(bench.tell(wrote("c1")), do.SendMessage)[0])
    bench.push(bench.log.events[-1])
    assert bench.store.outbox == {}
    assert bench.tell(answer) == []
    assert sent(bench.tell(wrote("c2"))) == ["c2"]


def test_order_is_kept_within_a_conversation_and_others_do_not_wait() -> None:
    bench = Bench()
    bench.online()
    assert sent(bench.tell(wrote("c1"))) == ["c1"]
    assert sent(bench.tell(wrote("c2"))) == []
    assert sent(bench.tell(wrote("c3", conversation=CHEN.id))) == ["c3"]
    assert sent(bench.tell(on.SendAnswered("c1", "m1"))) == ["c2"]


def test_what_is_written_without_a_connection_goes_out_with_it() -> None:
    bench = Bench()
    bench.sit_down()
    assert sent(bench.tell(wrote("c1"))) == []
    assert sent(bench.tell(on.LinkUp())) == ["c1"]
    bench.tell(on.LinkDown())  # the answer was lost
    assert sent(bench.tell(on.LinkUp())) == ["c1"]


def test_the_outbox_outlives_the_program() -> None:
    bench = Bench()
    bench.sit_down()
    bench.tell(wrote("c1"))
    bench.tell(wrote("c2"))
    again = Bench(bench.clock, bench.store)
    again.sit_down()
    assert sent(again.tell(on.LinkUp())) == ["c1"]
    assert sent(again.tell(on.SendAnswered("c1", "m1"))) == ["c2"]


@pytest.mark.parametrize("code", sorted(FINAL))
def test_a_final_refusal_is_shown_and_lets_the_next_one_go(code: str) -> None:
    bench = Bench()
    bench.online()
    bench.tell(wrote("c1"))
    bench.tell(wrote("c2"))
    effects = bench.tell(on.SendFailed("c1", code))
    assert bench.store.outbox["c1"].state == "failed"
    assert bench.store.outbox["c1"].problem == refusals.sentence(Words(), code, ["bob"], size=3)
    assert sent(effects) == ["c2"]
    assert BOB.id in of(effects, do.Changed)[0].conversations


@pytest.mark.parametrize("code", [*sorted({*Code} - FINAL - FATAL), ""])
def test_any_other_refusal_is_tried_again_later_in_order(code: str) -> None:
    bench = Bench()
    bench.online()
    bench.tell(wrote("c1"))
    bench.tell(wrote("c2"))
    assert sent(bench.tell(on.SendFailed("c1", code))) == []
    assert sent(bench.wait(3)) == ["c1"]
    assert bench.store.outbox["c1"].state == "queued"


def test_the_servers_own_wait_is_kept() -> None:
    bench = Bench()
    bench.online()
    bench.tell(wrote("c1"))
    bench.tell(on.SendFailed("c1", Code.RATE_LIMITED, (), 20.0))
    assert sent(bench.wait(19)) == []
    assert sent(bench.wait(2)) == ["c1"]


def test_after_three_days_it_fails_visibly_and_can_be_tried_again() -> None:
    bench = Bench()
    bench.sit_down()
    bench.tell(wrote("c1"))
    bench.wait(limits.OUTBOX_LIFE_S - 10)
    before = bench.store.outbox["c1"]
    bench.wait(20)
    after = bench.store.outbox["c1"]
    assert (before.state, before.problem) == ("queued", "")
    assert (after.state, after.problem) == ("failed", Words().expired())
    assert sent(bench.tell(on.LinkUp())) == []
    assert sent(bench.tell(on.RetryRequested("c1"))) == ["c1"]
    bench.tell(on.LinkDown())
    bench.wait(DAY_S)
    assert bench.store.outbox["c1"].state == "queued"


def test_three_days_pass_while_the_program_is_off_also_in_parts() -> None:
    bench = Bench()
    bench.sit_down()
    bench.tell(wrote("c1"))
    bench.wait(DAY_S)
    bench.clock.pass_(DAY_S)
    again = Bench(bench.clock, bench.store)
    again.sit_down()
    assert of(again.wait(DAY_S - 10), do.KeepOutgoing)[-1].item.state == "queued"
    assert of(again.wait(20), do.KeepOutgoing)[-1].item.state == "failed"


def test_however_long_the_program_was_off_it_is_tried_for_a_minute_before_it_is_given_up() -> None:
    bench = Bench()
    bench.sit_down()
    bench.tell(wrote("c1"))
    bench.clock.pass_(4 * DAY_S)
    again = Bench(bench.clock, bench.store)
    again.sit_down()
    again.wait(DAY_S)
    assert sent(again.tell(on.LinkUp())) == ["c1"], "nobody could take it before"
    again.tell(on.SendFailed("c1", Code.UNAVAILABLE))
    assert of(again.wait(50), do.KeepOutgoing) == []
    again.tell(on.LinkDown())
    assert of(again.wait(20), do.KeepOutgoing)[-1].item.state == "failed"


@pytest.mark.parametrize("off", [0, 4])
def test_without_a_connection_it_is_not_kept_for_longer_than_the_server_would_know_it(off: float) -> None:
    bench = Bench()
    bench.sit_down()
    bench.tell(wrote("c1"))
    bench.clock.pass_(off * DAY_S)
    again = Bench(bench.clock, bench.store)
    again.sit_down()
    left = limits.OUTBOX_LIFE_S if not off else limits.IDEMPOTENCY_LIFE_S - (1 + off) * DAY_S
    assert of(again.wait(left - 10), do.KeepOutgoing)[-1].item.state == "queued"
    assert of(again.wait(20), do.KeepOutgoing)[-1].item.state == "failed"


@pytest.mark.parametrize(("days", "left"), [(5, DAY_S), (20, 60)])
@pytest.mark.parametrize("restarts", [False, True])
def test_who_tries_again_does_not_make_the_server_remember_for_longer(days: float, left: float, restarts: bool) -> None:
    bench = Bench()
    bench.online()
    assert sent(bench.tell(wrote("c1"))) == ["c1"]
    bench.tell(on.LinkDown())
    bench.wait(days * DAY_S)
    bench.tell(on.RetryRequested("c1"))
    if restarts:
        bench = Bench(bench.clock, bench.store)
        bench.sit_down()
    bench.wait(left - 10)
    assert state(bench) == "queued"
    assert of(bench.wait(20), do.KeepOutgoing)[-1].item.state == "failed"
    bench.tell(on.LinkUp())
    assert sent(bench.tell(on.RetryRequested("c1"))) == ["c1"]


def test_what_the_server_may_have_stored_and_forgotten_is_not_sent_again_by_itself() -> None:
    bench = Bench()
    bench.online()
    assert sent(bench.tell(wrote("c1"))) == ["c1"]
    bench.clock.pass_(limits.IDEMPOTENCY_LIFE_S)
    again = Bench(bench.clock, bench.store)
    assert sent(again.online()) == []
    assert bench.store.outbox["c1"].state == "failed"


@pytest.mark.parametrize("years", [-20, -0.1, 0.1, 20])
@pytest.mark.parametrize("restarts", [False, True])
def test_a_clock_that_is_set_makes_nothing_too_old_and_nothing_young(years: float, restarts: bool) -> None:
    bench = Bench()
    bench.sit_down()
    bench.tell(wrote("c1"))
    bench.clock.set_wall(bench.clock.now.wall + int(years * YEAR_MS))
    bench.wait(DAY_S)
    if restarts:
        bench = Bench(bench.clock, bench.store)
        bench.sit_down()
    assert of(bench.wait(2 * DAY_S - 1000), do.KeepOutgoing)[-1].item.state == "queued"
    assert of(bench.wait(2000), do.KeepOutgoing)[-1].item.state == "failed"


@pytest.mark.parametrize(("wrong", "right"), [(0, -20), (-20, 0)])
def test_a_clock_that_was_wrong_until_the_restart_says_nothing(wrong: int, right: int) -> None:
    bench = Bench()
    bench.sit_down()
    now = bench.clock.now.wall
    bench.clock.set_wall(now + wrong * YEAR_MS)
    bench.tell(wrote("c1"))
    bench.clock.set_wall(now + right * YEAR_MS)
    again = Bench(bench.clock, bench.store)
    again.sit_down()
    assert sent(again.tell(on.LinkUp())) == ["c1"]


@pytest.mark.parametrize("days", [61, 400])
def test_what_waited_for_months_waits_for_its_writer(days: int) -> None:
    bench = Bench()
    bench.sit_down()
    bench.tell(wrote("c1"))
    bench.clock.pass_(days * DAY_S)
    again = Bench(bench.clock, bench.store)
    assert sent(again.online()) == []
    assert bench.store.outbox["c1"].state == "failed"


@pytest.mark.parametrize("code", [*Code])
def test_every_code_of_the_protocol_has_a_sentence_of_its_own(code: str) -> None:
    assert refusals.sentence(Words(), code, ["bob"]) != Words().refused()


@pytest.mark.parametrize(
    ("code", "whom", "said"),
    [
        (Code.UNKNOWN_RECIPIENT, ("bbo",), "Nobody here is called “bbo”."),
        (Code.UNKNOWN_RECIPIENT, tuple("abcdef"), "Nobody here is called “a”, “b”, “c”, “d”, “e”…."),
        (Code.FORBIDDEN, ("bob", "@everyone"), Words().everyone_closed()),
        (Code.FORBIDDEN, ("@ops",), "Only members write to “@ops”."),
        ("of_a_newer_server", (), Words().refused()),
    ],
)
def test_a_refusal_names_whom_it_speaks_of(code: str, whom: tuple[str, ...], said: str) -> None:
    bench = Bench()
    bench.online()
    bench.tell(on.Wrote("c1", BOB.id, whom, "Yes"))
    assert refusals.sentence(Words(), code, whom) == said
    if code in FINAL:
        bench.tell(on.SendFailed("c1", code))
        assert bench.store.outbox["c1"].problem == said


def test_only_what_failed_can_be_discarded() -> None:
    bench = Bench()
    bench.online()
    bench.tell(wrote("c1"))
    assert of(bench.tell(on.DiscardRequested("c1")), do.DropOutgoing) == []
    bench.tell(on.SendFailed("c1", Code.FORBIDDEN))
    effects = bench.tell(on.DiscardRequested("c1"))
    assert of(effects, do.DropOutgoing) == [do.DropOutgoing("c1")]
    assert of(effects, do.Changed)[0].conversations == {BOB.id}


@pytest.mark.parametrize("body", ["", " \n\t ", "x" * (limits.BODY_BYTES + 1), "陈" * 6000])
def test_what_cannot_be_sent_is_kept_and_says_why(body: str) -> None:
    bench = Bench()
    bench.online()
    effects = bench.tell(wrote("c1", body))
    assert sent(effects) == []
    item = bench.store.outbox["c1"]
    assert (item.state, item.content.body) == ("failed", body)
    assert item.problem in (Words().empty(), Words().too_long(len(body.encode())))


def test_half_a_character_is_no_crash() -> None:
    bench = Bench()
    bench.online()
    assert of(bench.tell(wrote("c1", "half \ud83d")), do.SendMessage)[0].content.body == "half ?"


def test_an_answer_to_what_a_restored_server_lost_goes_to_the_people() -> None:
    bench = Bench()
    bench.online()
    effects = bench.tell(wrote("c1", reply_to="m-lost"))
    assert of(effects, do.SendMessage)[0].reply_to == "m-lost"
    effects = bench.tell(on.SendFailed("c1", Code.NOT_FOUND))
    again = of(effects, do.SendMessage)[0]
    assert (again.cid, again.reply_to, again.to) == ("c1", None, ("bob",))
    bench.tell(on.SendFailed("c1", Code.NOT_FOUND))
    assert bench.store.outbox["c1"].state == "failed"


def test_what_a_restored_server_had_confirmed_is_said_again() -> None:
    bench = Bench()
    bench.online()
    bench.push(bench.log.message())
    bench.tell(bench.log.take(of(bench.tell(wrote("c1")), do.SendMessage)[0]))
    bench.tell(on.LinkDown())
    bench.log.restore(kept=1)
    effects = bench.tell(on.LinkUp())
    assert sent(effects) == []
    effects = bench.answer(effects)
    assert sent(effects) == ["c1"]


@pytest.mark.parametrize("placed", [True, False])
def test_what_was_sent_and_pruned_before_its_echo_was_read_does_not_wait_for_ever(placed: bool) -> None:
    bench = Bench()
    bench.online()
    answer = bench.log.take(of(bench.tell(wrote("c1")), do.SendMessage)[0])
    bench.tell(answer)
    bench.tell(on.LinkDown())
    bench.log.message()
    bench.log.prune(1)
    effects = bench.tell(on.LinkUp())
    effects += bench.answer(effects)
    again = bench.log.take(of(effects, do.SendMessage)[0])
    assert again == answer
    if not placed:  # the server does not know any more where it stood
        again = replace(again, seq=None)
    assert of(bench.tell(again), do.SettleOutgoing) == [do.SettleOutgoing("c1", ME)]
    assert bench.store.outbox == {}


def test_read_marks_that_came_back_by_themselves_are_not_retried() -> None:
    bench = Bench()
    bench.online()
    event = bench.log.message()
    bench.push(event)
    bench.tell(on.PopupRead(BOB.id))
    bench.push(bench.log.read(event.id))
    bench.tell(on.ReadFailed((event.id,), Code.UNAVAILABLE))
    assert of(bench.wait(60), do.SendRead) == []
    assert bench.session.due is None


# -- what was not sent, where only the tray is in sight -------------------------------------------------------------


def refuse(bench: Bench, cid: str, conversation: str = BOB.id) -> list[do.Effect]:
    return bench.tell(wrote(cid, conversation=conversation)) + bench.tell(on.SendFailed(cid, Code.UNKNOWN_RECIPIENT))


def unsent(bench: Bench) -> str:
    return str(of(bench.done, do.ShowStatus)[-1].status.unsent)


def test_what_was_not_sent_has_a_popup_of_its_own_and_a_click_opens_it() -> None:
    bench = Bench()
    bench.online()
    (shown,) = of(refuse(bench, "c1"), do.ShowPopup)
    popup = shown.popup
    assert (popup.key, popup.can_reply, popup.can_mark_read, shown.covers) == (UNSENT, False, False, ())
    assert (popup.title, popup.body) == ("Not sent to bob", "Nobody here is called “bob”.\nYes")
    assert unsent(bench) == "1 message was not sent"
    assert of(bench.tell(on.PopupOpened(UNSENT)), do.ShowConversation) == [do.ShowConversation(BOB.id, "c1")]
    (_, several) = of(refuse(bench, "c2") + refuse(bench, "c3", CHEN.id), do.ShowPopup)
    assert (several.popup.title, unsent(bench)) == ("2 messages were not sent", "3 messages were not sent")


def test_what_was_not_sent_is_found_again() -> None:
    bench = Bench()
    bench.online()
    assert bench.tell(on.UnsentRequested()) == [do.ShowConversation(None)]
    refuse(bench, "c1")
    refuse(bench, "c2", CHEN.id)
    assert bench.tell(on.UnsentRequested()) == [do.ShowConversation(CHEN.id, "c2")]


@pytest.mark.parametrize("mended", [on.RetryRequested, on.DiscardRequested])
def test_the_popup_goes_when_nothing_of_it_is_left(mended: type[on.RetryRequested | on.DiscardRequested]) -> None:
    bench = Bench()
    bench.online()
    refuse(bench, "c1")
    refuse(bench, "c2", CHEN.id)
    assert of(bench.tell(mended("c1")), do.WithdrawPopup) == []
    assert of(bench.tell(mended("c2")), do.WithdrawPopup) == [do.WithdrawPopup(UNSENT)]
    assert unsent(bench) == ""


def test_who_looks_at_the_message_needs_no_popup() -> None:
    bench = Bench()
    bench.online()
    bench.tell(on.Looking(BOB.id, at_end=True))
    assert of(refuse(bench, "c1"), do.ShowPopup) == []
    bench.tell(on.Looking(None))
    assert of(refuse(bench, "c2", CHEN.id), do.ShowPopup)[0].popup.message_key == "c2"
    effects = bench.tell(on.Looking(CHEN.id, at_end=True))
    assert of(effects, do.WithdrawPopup) == [do.WithdrawPopup(UNSENT)]
    assert unsent(bench) == "2 messages were not sent"


def test_do_not_disturb_keeps_it_for_later() -> None:
    bench = Bench(quiet=True)
    bench.online()
    assert of(refuse(bench, "c1"), do.ShowPopup) == []
    assert len(of(bench.tell(on.QuietToggled(False)), do.ShowPopup)) == 1


def test_after_a_restart_the_sign_is_there_and_the_popup_is_not_repeated() -> None:
    bench = Bench()
    bench.online()
    refuse(bench, "c1")
    again = Bench(bench.clock, bench.store)
    assert of(again.online(), do.ShowPopup) == []
    assert unsent(again) == "1 message was not sent"
    again.tell(on.RetryRequested("c1"))
    assert len(of(again.tell(on.SendFailed("c1", Code.FORBIDDEN)), do.ShowPopup)) == 1


def test_signing_out_takes_it_away() -> None:
    bench = Bench()
    bench.online()
    refuse(bench, "c1")
    effects = bench.tell(on.SignOutRequested())
    assert do.WithdrawPopup(UNSENT) in effects
    assert of(effects, do.AskLogin)[0].problem == "You are signed out.", "it does not go out by itself"
    assert unsent(bench) == ""


# -- reading ------------------------------------------------------------------------------------------------------


def test_reading_without_a_connection_is_told_later_and_once() -> None:
    bench = Bench()
    bench.online()
    event = bench.log.message()
    bench.push(event)
    bench.tell(on.LinkDown())
    effects = bench.tell(on.Looking(BOB.id, seen=(event.id,)))
    assert of(effects, do.SendRead) == []
    assert bench.store.untold == {event.id: None}
    again = Bench(bench.clock, bench.store)
    again.sit_down()
    effects = again.tell(on.LinkUp())
    assert of(effects, do.SendRead) == [do.SendRead((event.id,))]
    again.tell(on.ReadAnswered((event.id,)))
    assert again.store.untold == {}
    again.tell(on.LinkDown())
    assert of(again.tell(on.LinkUp()), do.SendRead) == []


def test_many_read_marks_go_in_batches_one_after_the_other() -> None:
    bench = Bench()
    bench.online()
    bench.push(*[bench.log.message() for _ in range(450)])
    effects = bench.tell(on.ReadRequested(BOB.id))
    sizes = []
    while asked := of(effects, do.SendRead):
        sizes.append(len(asked[0].ids))
        effects = bench.tell(on.ReadAnswered(asked[0].ids))
    assert sizes == [200, 200, 50]
    assert bench.store.untold == {}


def test_a_read_mark_that_the_server_cannot_use_is_not_told_for_ever() -> None:
    bench = Bench()
    bench.online()
    event = bench.log.message()
    bench.push(event)
    bench.tell(on.ReadRequested(BOB.id))
    assert of(bench.tell(on.ReadFailed((event.id,), Code.UNAVAILABLE)), do.ForgetUntold) == []
    assert len(of(bench.wait(11), do.SendRead)) == 1
    bench.tell(on.ReadFailed((event.id,), Code.NOT_FOUND))
    assert bench.store.untold == {}
    assert of(bench.wait(60), do.SendRead) == []


# -- the account --------------------------------------------------------------------------------------------------


def test_a_later_start_asks_the_keyring_and_then_connects() -> None:
    session = Session(Words())
    assert of(session.handle(on.Started(ACCOUNT), START), do.LoadToken) == [do.LoadToken(ACCOUNT)]
    effects = session.handle(on.SignedIn(ACCOUNT, on.Stored()), START)
    assert of(effects, do.Connect) == [do.Connect(ACCOUNT)]
    status = of(effects, do.ShowStatus)[0].status
    assert (status.link, status.account, status.server) == (Link.CONNECTING, ME.label, ACCOUNT.server)


@pytest.mark.parametrize("code", [Code.UNAUTHORIZED, Code.REVOKED])
def test_a_revoked_token_hides_everything_and_asks_again_and_the_outbox_stays(code: str) -> None:
    bench = Bench()
    bench.online()
    bench.push(bench.log.message(CHEN))
    bench.tell(wrote("c1"))
    effects = bench.tell(on.Refused(code, "gone", fatal=True))
    assert effects[:2] == [do.WithdrawPopup(CHEN.id), do.HideWindow()]
    status = of(effects, do.ShowStatus)[0].status
    assert (status.account, status.unread, status.problem) == ("", 0, Words().sign_in_again())
    assert of(effects, do.ForgetToken) == [do.ForgetToken(ACCOUNT, revoke=False)]
    assert of(effects, do.AskLogin)[0].name == "maria"
    assert of(effects, do.ShowStatus)[0].status.link is Link.SIGNED_OUT
    bench.sit_down()
    assert sent(bench.tell(on.LinkUp())) == ["c1"]
    assert len(bench.store.load().unread) == 1


def test_a_program_too_old_says_so_and_keeps_its_token() -> None:
    bench = Bench()
    bench.online()
    effects = bench.tell(on.Refused(Code.UPGRADE_REQUIRED, "", fatal=True))
    assert of(effects, do.ForgetToken) == of(effects, do.AskLogin) == []
    assert "too old" in of(effects, do.ShowStatus)[0].status.problem


def test_a_refusal_that_may_pass_is_only_waited_for() -> None:
    bench = Bench()
    bench.online()
    effects = bench.tell(on.Refused(Code.BUSY, "The server is busy.", fatal=False))
    assert of(effects, do.AskLogin) == of(effects, do.Disconnect) == []
    assert of(effects, do.ShowStatus)[0].status.away == "The server is busy."


def test_signing_out_leaves_nothing_in_sight_and_says_what_stays() -> None:
    bench = Bench()
    bench.online()
    bench.push(bench.log.message())
    bench.tell(on.LinkDown())
    bench.tell(wrote("c1", conversation=CHEN.id))
    effects = bench.tell(on.SignOutRequested())
    assert of(effects, do.WithdrawPopup) == [do.WithdrawPopup(BOB.id)]
    assert of(effects, do.ForgetToken) == [do.ForgetToken(ACCOUNT, revoke=True)]
    assert do.Disconnect() in effects
    assert do.HideWindow() in effects
    assert "1 message that was not sent stays" in of(effects, do.AskLogin)[0].problem
    assert bench.store.outbox["c1"].state == "queued"
    assert of(effects, do.ShowStatus)[0].status.unread == 0


def test_late_news_after_signing_out_change_nothing() -> None:
    bench = Bench()
    bench.online()
    event = bench.log.message()
    bench.tell(on.SignOutRequested())
    late: list[on.Event] = [
        on.FramesPushed((event,)),
        on.FramesPushed((wire.Head("e1", 1, 1),)),
        on.LinkDown("x"),
        on.LinkUp(),
        on.SendAnswered("c", "m"),
        on.PopupOpened(BOB.id),
        on.Ticked(),
    ]
    assert [effect for news in late for effect in bench.tell(news)] == []
    assert bench.session.due is None


def test_the_status_line_is_told_only_when_it_changes() -> None:
    bench = Bench()
    bench.online()
    assert of(bench.tell(on.FramesPushed((wire.Head("e1", 0, 0),))), do.ShowStatus) == []
    assert of(bench.tell(on.LinkDown("Nothing listens at desk.example.org.")), do.ShowStatus) != []
    assert of(bench.tell(on.LinkDown("Nothing listens at desk.example.org.")), do.ShowStatus) == []
    assert of(bench.tell(on.ProblemSeen("store", "Also this.")), do.ShowStatus)[0].status.problem.endswith("Also this.")


@pytest.mark.parametrize(
    ("news", "problem", "away"),
    [
        (on.LinkDown("Nothing listens."), "", "Nothing listens."),
        (on.LinkDown("It cannot prove who it is.", grave=True), "It cannot prove", "It cannot prove"),
        (on.Refused(Code.BUSY, "The server is busy.", fatal=False), "", "The server is busy."),
        (on.Refused(Code.UPGRADE_REQUIRED, "Too old.", fatal=True), "This version of Deskbell is too old", ""),
    ],
)
def test_why_nobody_is_there_is_told_where_waiting_helps_and_said_where_it_does_not(
    news: on.Event, problem: str, away: str
) -> None:
    bench = Bench()
    bench.online()
    bench.tell(on.LinkDown("Some other failure.", grave=True))
    status = of(bench.tell(news), do.ShowStatus)[-1].status
    assert (status.problem[: len(problem)], status.away[: len(away)]) == (problem, away)
    assert bool(status.problem) == bool(problem)
    assert bool(status.away) == bool(away)
    (back,) = of(bench.tell(on.LinkUp()), do.ShowStatus)
    assert back.status.away == ""


def test_quiet_is_remembered_from_the_last_run() -> None:
    bench = Bench(quiet=True)
    bench.online()
    assert of(bench.done, do.ShowStatus)[-1].status.quiet
    assert of(bench.push(bench.log.message()), do.ShowPopup) == []


def test_an_idle_session_wants_no_clock() -> None:
    bench = Bench()
    bench.online()
    bench.push(bench.log.message())
    bench.wait(30)
    assert bench.session.due is None


def test_another_person_at_the_same_desk_starts_clean() -> None:
    bench = Bench()
    bench.online()
    bench.push(bench.log.message())
    effects = bench.tell(on.SignedIn(replace(ACCOUNT, user=CHEN), on.Stored()))
    assert of(effects, do.WithdrawPopup) == [do.WithdrawPopup(BOB.id)]
    assert of(effects, do.ShowStatus)[0].status.unread == 0
