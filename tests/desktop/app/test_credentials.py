"""The token's way between network, keyring and settings: which one is used, kept, revoked, and that none is shown."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deskbell_desktop.config import load_kept
from deskbell_desktop.core import events as on
from deskbell_desktop.core.events import Account
from deskbell_desktop.io.results import LoginSucceeded, TokenLoaded
from deskbell_desktop.io.store_file import StoreDamagedError
from deskbell_desktop.qt.login import LoginForm
from tests.desktop.app.test_carrier import World
from tests.fakes import ACCOUNT, BOB, CHEN

OTHER = Account("https://other.example.org", CHEN, "s-2")
FORM = LoginForm("desk.example.org", "maria", "s3cret pass", allow_plain_http=False)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path / "account.db")
    world.tell(on.SignOutRequested())  # its window for signing in is there then
    world.acts.clear()
    yield world
    if world.keeper.store is not None:
        world.keeper.store.close()


def names(world: World, *wanted: str) -> list[tuple[str, Any]]:
    return [act for act in world.acts if act[0] in wanted]


def test_the_form_goes_to_the_network_once(world: World) -> None:
    world.form.sign_in_requested.emit(FORM)
    assert world.acts == [("login", ("desk.example.org", "maria", "s3cret pass", False, {}))]
    world.credentials.submit()
    assert len(world.acts) == 1
    assert world.credentials._form is None, "the password is held no longer than that"


def test_what_the_server_gave_is_used_and_kept_for_the_next_start(world: World) -> None:
    world.form.sign_in_requested.emit(FORM)
    world.credentials.take(LoginSucceeded(OTHER, "t-1", "known-1"))
    order = ("keep", "hide_login", "connect", "welcome")
    assert names(world, *order) == [
        ("keep", (OTHER, "t-1")),
        ("hide_login", None),
        ("connect", (OTHER.server, "t-1")),
        ("welcome", None),
    ]
    kept, damaged = load_kept(world.path.with_name("settings.json"))
    assert (kept.account, kept.known, damaged) == (OTHER, {OTHER.server: "known-1"}, False)
    world.credentials.search(OTHER, "bob")
    assert world.of("search") == [(OTHER.server, "t-1", "bob")]


def test_what_the_keyring_had_is_used_and_not_kept_again(tmp_path: Path) -> None:
    world = World(tmp_path / "account.db")
    world.tell(on.SignOutRequested())
    world.tell(on.Started(ACCOUNT))
    world.acts.clear()
    world.credentials.take(TokenLoaded(ACCOUNT, "t-0"))
    assert world.of("connect") == [(ACCOUNT.server, "t-0")]
    assert names(world, "keep", "forget", "logout", "welcome", "hide_login") == []
    world.store.close()


def test_the_token_of_an_answer_that_comes_too_late_is_logged_out_and_no_other(world: World) -> None:
    world.form.sign_in_requested.emit(FORM)
    world.credentials.take(LoginSucceeded(ACCOUNT, "t-1"))
    world.form.sign_in_requested.emit(FORM)
    world.form.cancelled.emit()
    world.acts.clear()
    world.credentials.take(LoginSucceeded(OTHER, "t-2"))
    assert world.acts == [("logout", (OTHER.server, "t-2"))]
    world.credentials.connect(ACCOUNT)
    assert world.of("connect") == [(ACCOUNT.server, "t-1")]


def test_a_keyring_that_answers_too_late_changes_nothing(world: World) -> None:
    world.tell(on.Started(ACCOUNT))
    world.form.sign_in_requested.emit(FORM)
    world.credentials.take(LoginSucceeded(OTHER, "t-1"))
    world.acts.clear()
    world.credentials.take(TokenLoaded(ACCOUNT, "t-0"))
    world.credentials.take(TokenLoaded(ACCOUNT, None, "Locked."))
    assert world.acts == []
    assert world.credentials._handed == "", "it is held no longer"
    world.tell(on.SignOutRequested())
    assert world.of("logout") == [(OTHER.server, "t-1")]


def test_another_account_forgets_the_token_of_the_first_and_uses_its_own(world: World) -> None:
    world.form.sign_in_requested.emit(FORM)
    world.credentials.take(LoginSucceeded(ACCOUNT, "t-1"))
    world.form.sign_in_requested.emit(FORM)
    world.acts.clear()
    world.credentials.take(LoginSucceeded(OTHER, "t-2"))
    assert names(world, "forget", "keep", "connect", "logout") == [
        ("forget", ACCOUNT),
        ("keep", (OTHER, "t-2")),
        ("connect", (OTHER.server, "t-2")),
    ]


def test_the_form_begins_with_who_signed_in_last(world: World) -> None:
    world.credentials.ask("", "", "")
    assert world.of("ask") == [("https://first.example.org", "", "")]
    world.form.sign_in_requested.emit(FORM)
    world.credentials.take(LoginSucceeded(OTHER, "t-1"))
    world.credentials.ask("", "", "Locked.")
    assert world.of("ask")[-1] == ("https://first.example.org", CHEN.name, "Locked.")


def test_settings_that_cannot_be_written_are_told_and_count_in_this_run(world: World) -> None:
    world.path.with_name("settings.json").mkdir()
    world.form.sign_in_requested.emit(FORM)
    world.credentials.take(LoginSucceeded(OTHER, "t-1"))
    assert "settings.json" in world.of("status")[-1].problem
    assert world.settings.kept.account == OTHER
    world.path.with_name("settings.json").rmdir()
    world.tell(on.QuietToggled(True))
    assert world.of("status")[-1].problem == ""
    assert load_kept(world.path.with_name("settings.json"))[0].quiet


@pytest.mark.parametrize("available", [True, False])
def test_without_a_tray_the_window_comes_up_for_whoever_signs_in(world: World, available: bool) -> None:
    world.available = available
    world.carrier.look_for_tray()
    assert world.acts == [("stay_in_taskbar", not available)]
    world.form.sign_in_requested.emit(FORM)
    world.credentials.take(LoginSucceeded(OTHER, "t-1"))
    assert len(world.of("open")) == (0 if available else 1)


def test_a_store_that_breaks_while_it_is_left_is_no_news_for_the_next_person(tmp_path: Path) -> None:
    world = World(tmp_path / "account.db")
    world.tell(on.Wrote("c1", BOB.id, ("bob",), "of maria"))
    answer = world.log.take(world.of("request")[-1])
    world.tell(answer)
    world.tell(on.LinkDown())
    unbind = world.unbind

    def break_down() -> None:
        unbind()
        world.carrier.mend(StoreDamagedError("found while the drafts were kept"))

    world.unbind = break_down  # type: ignore[method-assign]
    world.credentials.ask("", "", "")
    world.form.sign_in_requested.emit(FORM)
    world.credentials.take(LoginSucceeded(OTHER, "t-2"))
    world.unbind = unbind  # type: ignore[method-assign]
    assert world.of("connect") == [(OTHER.server, "t-2")]
    assert world.store.load().outbox == ()
    world.store.close()
    world.sit_down()
    assert world.store.known([answer.id]) == {answer.id}
    assert world.store.load().outbox == ()
    world.store.close()
