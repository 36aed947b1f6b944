"""Effects carried out on a real store, in their order; and what happens when the store fails in the middle."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from deskbell_desktop.carrier import Carrier
from deskbell_desktop.config import SavedSettings, SettingsFile
from deskbell_desktop.core import effects as do
from deskbell_desktop.core import events as on
from deskbell_desktop.core.account import AccountEvent
from deskbell_desktop.core.notices import NOTICE
from deskbell_desktop.core.session import Session
from deskbell_desktop.core.views import Popup, StatusView
from deskbell_desktop.core.words import Words
from deskbell_desktop.credentials import Credentials
from deskbell_desktop.io.pages import Pages
from deskbell_desktop.io.store import Store
from deskbell_desktop.io.store_file import StoreDamagedError
from deskbell_desktop.presenter import Presenter
from deskbell_desktop.safekeeping import Safekeeping
from tests.fakes import ACCOUNT, BOB, CHEN, ME, Clock, ServerLog

Acts = list[tuple[str, Any]]


class Line:
    """Stands for the network's thread."""

    def __init__(self, acts: Acts) -> None:
        self.acts = acts

    def request(self, effect: do.Effect) -> None:
        self.acts.append(("request", effect))

    def open(self, server: str, token: str) -> None:
        self.acts.append(("connect", (server, token)))

    def shut(self) -> None:
        self.acts.append(("shut", None))

    def login(self, server: str, name: str, password: str, *, allow_plain_http: bool, known: dict[str, str]) -> None:
        self.acts.append(("login", (server, name, password, allow_plain_http, known)))

    def cancel_login(self) -> None:
        self.acts.append(("cancel_login", None))

    def logout(self, server: str, token: str) -> None:
        self.acts.append(("logout", (server, token)))

    def search(self, server: str, token: str, query: str) -> None:
        self.acts.append(("search", (server, token, query)))


class Keyring:
    """Stands for the keyring's thread; what it answers the test tells."""

    def __init__(self, acts: Acts) -> None:
        self.acts = acts

    def load(self, account: on.Account) -> None:
        self.acts.append(("load", account))

    def keep(self, account: on.Account, token: str) -> None:
        self.acts.append(("keep", (account, token)))

    def forget(self, account: on.Account) -> None:
        self.acts.append(("forget", account))


class Signal:
    def __init__(self) -> None:
        self.emit: Callable[..., None]

    def connect(self, call: Callable[..., None]) -> None:
        self.emit = call


class Form:
    """Stands for the sign-in window."""

    def __init__(self, acts: Acts) -> None:
        self.acts = acts
        self.sign_in_requested, self.cancelled = Signal(), Signal()

    def show_form(self, server: str, name: str, problem: str) -> None:
        self.acts.append(("ask", (server, name, problem)))

    def show_problem(self, problem: str, *, at_server: bool) -> None:
        self.acts.append(("login_problem", (problem, at_server)))

    def hide(self) -> None:
        self.acts.append(("hide_login", None))


@dataclass
class World:
    """Everything that the carrier reaches, and the order in which it did; itself popups, window and tray."""

    path: Path
    clock: Clock = field(default_factory=Clock)
    acts: Acts = field(default_factory=list)
    activation_token: str = ""
    available: bool = True
    on_show: Any = None
    log: Any = None

    def __post_init__(self) -> None:
        self.session = Session(Words())
        self.lost: list[str] = []
        self.later: list[tuple[int, Callable[[], None]]] = []
        here: Any = self
        line: Any = Line(self.acts)
        keyring: Any = Keyring(self.acts)
        self.form: Any = Form(self.acts)
        self.settings = SettingsFile(self.tell, self.path.with_name("settings.json"), SavedSettings(), Words())
        self.keeper = self.keeper_of(here)
        self.credentials = Credentials(
            self.tell, line, keyring, self.settings, "https://first.example.org", lambda: self.form
        )
        self.carrier = Carrier(
            self.tell,
            network=line,
            credentials=self.credentials,
            keeper=self.keeper,
            popups=here,
            presenter=here,
            settings=self.settings,
            tray=here,
        )
        self.log = self.log or ServerLog(self.clock)
        self.sit_down()

    def keeper_of(self, presenter: Presenter) -> Safekeeping:
        return Safekeeping(
            self.tell,
            presenter,
            self.path.parent,
            Words(),
            lambda ms, call: self.later.append((ms, call)),
            self.lost.append,
        )

    def sit_down(self) -> None:
        self.keeper.store = Store(self.path, ME.id, Words())
        self.tell(on.SignedIn(ACCOUNT, self.store.load()))
        self.tell(on.LinkUp())
        self.sync()
        self.acts.clear()

    def sync(self) -> None:
        request = [what for what in self.of("request") if isinstance(what, do.RequestSync)][-1]
        answer = self.log.sync(request)
        self.tell(on.SyncAnswered(request, answer, self.store.known(event.id for event in answer.events)))

    @property
    def store(self) -> Store:
        assert self.keeper.store is not None
        return self.keeper.store

    def tell(self, event: on.Event | AccountEvent) -> None:
        self.carrier.carry_out(self.session.handle(event, self.clock.now))

    def of(self, name: str) -> list[Any]:
        return [what for act, what in self.acts if act == name]

    # the popups
    def show(self, popup: Popup) -> None:
        waiting = [ring.id for ring in self.store.load().rings] if self.keeper.store is not None else []
        cursor = self.store.load().cursor if self.keeper.store is not None else 0
        self.acts.append(("show", (popup.key, popup.message_key in waiting, cursor)))
        if self.on_show is not None:
            self.on_show(popup)

    def withdraw(self, key: str) -> None:
        self.acts.append(("withdraw", key))

    def forget(self) -> None:
        """Nothing is shown."""

    def leave(self) -> None:
        self.acts.append(("leave", None))

    # the window, and the tray
    def show_status(self, status: StatusView) -> None:
        self.acts.append(("status", status))

    def stay_in_taskbar(self, stay: bool) -> None:
        self.acts.append(("stay_in_taskbar", stay))

    def changed(self, conversations: frozenset[str]) -> None:
        self.acts.append(("changed", conversations))

    def unread_changed(self) -> None:
        self.acts.append(("unread_changed", None))

    def bind(self, store: Store, _pages: Pages) -> None:
        self.acts.append(("bind", store))

    def unbind(self) -> None:
        self.acts.append(("unbind", None))

    def keep_drafts(self) -> None:
        """A desk without a window has none."""

    def welcome(self) -> None:
        self.acts.append(("welcome", None))

    def hide(self) -> None:
        self.acts.append(("hide", None))

    def open(self, conversation: str | None = None, message: str | None = None, token: str = "") -> None:
        self.acts.append(("open", (conversation, message, token)))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path / "account.db")
    yield world
    if world.keeper.store is not None:
        world.keeper.store.close()


def test_every_effect_has_somebody_who_carries_it_out(world: World) -> None:
    effects = {value for value in vars(do).values() if isinstance(value, type) and value.__module__ == do.__name__}
    assert set(world.carrier._acts) == effects - {do.Arrived}


def test_the_commit_is_on_disk_before_the_popup_and_the_ring_is_noted_after_it(world: World) -> None:
    world.tell(on.FramesPushed((world.log.message(),)))
    assert world.of("show") == [(BOB.id, True, 1)]
    assert world.store.load().rings == ()


def test_what_an_effect_sets_off_comes_after_what_was_waiting(world: World) -> None:
    """A notifier that says at once that its popup was closed and read."""
    world.on_show = lambda popup: world.tell(on.PopupRead(popup.key))
    event = world.log.message()
    world.tell(on.FramesPushed((event,)))
    names = [name for name, _ in world.acts]
    assert names.index("show") < names.index("withdraw")
    assert world.store.load().unread == ()
    assert world.of("request") == [do.SendRead((event.id,))]


def test_a_click_brings_the_desktops_permission_to_the_window(world: World) -> None:
    event = world.log.message()
    world.tell(on.FramesPushed((event,)))
    world.activation_token = "token-of-the-desktop"
    world.tell(on.PopupOpened(BOB.id))
    assert world.of("open") == [(BOB.id, event.id, "token-of-the-desktop")]


def test_a_store_that_breaks_under_a_message_begins_anew_and_shows_no_popup_for_it(world: World) -> None:
    world.tell(on.FramesPushed((world.log.message(body="before"),)))
    world.acts.clear()
    world.store.database.execute("DROP TABLE conversations")
    world.tell(on.FramesPushed((world.log.message(CHEN, "during"),)))
    assert [show[0] for show in world.of("show")] == [NOTICE]
    assert world.of("request") == [do.RequestSync(None, 0)]
    assert "put aside" in world.of("status")[-1].problem
    world.sync()
    assert world.store.load().cursor == 2
    assert len(world.of("show")) >= 2


def test_what_is_being_written_while_the_store_breaks_is_not_lost(world: World) -> None:
    world.tell(on.LinkDown())
    world.tell(on.Wrote("c1", BOB.id, ("bob",), "first"))
    world.store.database.execute("DROP TABLE conversations")
    world.tell(on.Wrote("c2", BOB.id, ("bob",), "second"))
    assert [item.cid for item in world.store.load().outbox] == ["c1", "c2"]
    world.acts.clear()
    world.tell(on.LinkUp())
    assert [what.cid for what in world.of("request") if isinstance(what, do.SendMessage)] == ["c1"]


def test_a_store_that_breaks_again_and_again_ends_in_memory(world: World) -> None:
    for _ in range(4):
        world.carrier.mend(StoreDamagedError("once more"))
    world.sync()
    world.tell(on.FramesPushed((world.log.message(),)))
    assert world.store.load().cursor == 1
    aside = [file for file in world.path.parent.glob("*damaged*") if not file.name.endswith(("-wal", "-shm"))]
    assert len(aside) == 2
    assert "cannot write" in world.of("status")[-1].problem


def test_signing_out_and_in_again_goes_on_where_it_was(world: World) -> None:
    world.tell(on.FramesPushed((world.log.message(),)))
    world.tell(on.Wrote("c1", CHEN.id, ("陈晓明",), "unsent"))
    world.tell(on.SignOutRequested())
    assert world.of("forget") == [ACCOUNT]
    assert [name for name, _ in world.acts if name in ("hide", "leave", "unbind", "logout", "shut", "ask")] == [
        *("hide", "leave", "unbind", "logout", "shut", "ask")
    ]
    assert world.keeper.store is None
    world.sit_down()
    assert [item.cid for item in world.store.load().outbox] == ["c1"]
    assert world.store.load().cursor == 1
