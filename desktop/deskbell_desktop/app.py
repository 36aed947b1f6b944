"""The composition root of the tray program: puts the parts together in the order a person sees them, and ends them.

The Qt thread owns the session and the store. The network and the keyring have a thread each, and post to the bridge.
"""

import dataclasses
import logging
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QApplication

from deskbell_desktop import clock, config
from deskbell_desktop.carrier import Carrier
from deskbell_desktop.config import SavedSettings, Settings
from deskbell_desktop.core import events as on
from deskbell_desktop.core.events import Account
from deskbell_desktop.core.session import Session
from deskbell_desktop.core.views import StatusView
from deskbell_desktop.garbage import search_seldom
from deskbell_desktop.io import results
from deskbell_desktop.io.intake import Intake
from deskbell_desktop.io.network import Network
from deskbell_desktop.io.secrets import Secrets
from deskbell_desktop.io.store_file import StoreError
from deskbell_desktop.logs import begin_log
from deskbell_desktop.notify.candidates import make_popups
from deskbell_desktop.presenter import Presenter
from deskbell_desktop.qt import language
from deskbell_desktop.qt.bridge import Bridge
from deskbell_desktop.qt.core_words import TranslatedWords
from deskbell_desktop.qt.instance import SingleInstance
from deskbell_desktop.qt.loss import is_accepted
from deskbell_desktop.qt.tray import Tray
from deskbell_desktop.qt.unix_signals import UnixSignals
from deskbell_desktop.qt.waking import Waking
from deskbell_desktop.safekeeping import Safekeeping

if TYPE_CHECKING:
    from deskbell_desktop.qt.login import LoginDialog, LoginForm
    from deskbell_desktop.qt.reply_popup import ReplyPopup
    from deskbell_desktop.qt.window import MainWindow

log = logging.getLogger(__name__)

KEYRING_PATIENCE_MS = 2000
UNUSED = ("aio_pika", "eventlet", "kafka", "kombu", "redis", "requests", "sanic", "tornado", "valkey", "websocket")
"""python-socketio loads these for its servers and its synchronous client wherever it finds them: 20 MiB for nothing."""
TICK_MS = 10
"""Not sooner: a mistake in a deadline must not keep the processor busy."""
NO_TRAY_MS = 3000
"""At login the panel may start after us: only then it is certain that there is none."""


def run(settings: Settings, say: Callable[[str], None]) -> int | str:
    """The whole program, from the first icon to the last thread: its exit code, or what it had to lose."""
    for name in UNUSED:
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]  # an import of it fails, as if it were not there
    application = QApplication(["deskbell"])
    application.setApplicationName("Deskbell")
    application.setDesktopFileName("deskbell")
    application.setQuitOnLastWindowClosed(False)
    language.apply(application)
    instance = SingleInstance(settings.profile, settings.folder, settings.screens)
    other = instance.claim(settings.activation_token)
    if other is not None:
        return other.tell(say)
    begin_log(settings.log_file)
    app = App(application, settings, instance)
    search_seldom()
    return_code = application.exec()
    app.close()
    return " ".join(app.lost) or return_code


class App(QObject):
    """Owns every part. The tray stands when it is made; everything else comes after."""

    def __init__(self, application: QApplication, settings: Settings, instance: SingleInstance) -> None:
        super().__init__()
        self._application = application
        self._settings = settings
        self._kept = settings.kept
        self._instance = instance
        self._token = ""
        self._asking_keyring = False
        self._keeping = False
        self._signing_in = False
        self._begun = False
        self.lost: list[str] = []
        self._dialog: LoginDialog | None = None
        self._answer: ReplyPopup | None = None
        self._words = TranslatedWords(str(settings.path))
        self._session = Session(self._words)
        self._signals = UnixSignals(self)
        self._tray = Tray(self)
        log.info("tray icon made")
        self._bridge = Bridge(self)
        self._bridge.event_posted.connect(self._on_posted)
        self._clock = QTimer(self, singleShot=True)
        self._clock.timeout.connect(lambda: self.tell(on.Ticked()))
        self._signals.ended.connect(self._end)
        QTimer.singleShot(0, self, self._begin)

    def _begin(self) -> None:
        """Everything heavy: after the icon, and the network's libraries beside the rest on their own thread."""
        settings, words = self._settings, self._words
        self._intake = Intake(self._bridge.post)
        self._network = Network(
            self._bridge.post,
            self._intake,
            words,
            client=settings.client,
            device=settings.device,
            ca_file=settings.ca_file,
        )
        self._secrets = Secrets(self._bridge.post, settings.profile, words, in_file=self._kept.token_in_file)
        self._network.warm()
        self._presenter = presenter = Presenter(self._make_window, self.tell, self._later, self._on_store_error)
        self._popups = make_popups(self._application, self._kept.theme, self)
        self._carrier = Carrier(self, self._network, self._popups, presenter)
        self._keeper = Safekeeping(self._carrier, presenter, settings.profile, words, self._later, self.lost.append)
        self._listen()
        self._begun = True
        damaged = words.settings_damaged(str(settings.path)) if settings.damaged else ""
        self.tell(on.ProblemSeen("settings", damaged))
        self.tell(on.ProblemSeen("program", self._instance.problem))
        self.tell(on.Started(self._kept.account, self._kept.quiet))
        self._later(NO_TRAY_MS, self._look_for_tray)

    def _listen(self) -> None:
        tray, popups = self._tray, self._popups
        tray.open_requested.connect(self._on_open)
        tray.compose_requested.connect(lambda: self._presenter.compose())
        tray.quiet_toggled.connect(lambda quiet: self.tell(on.QuietToggled(quiet)))
        tray.sign_out_requested.connect(self._on_sign_out)
        tray.quit_requested.connect(self._quit)
        tray.availability_changed.connect(lambda _available: self._look_for_tray())
        popups.opened.connect(lambda key: self.tell(on.PopupOpened(key)))
        popups.read_requested.connect(lambda key: self.tell(on.PopupRead(key)))
        popups.replied.connect(self._on_replied)
        popups.reply_requested.connect(self._on_reply_wanted)
        popups.left.connect(self._presenter.add_draft)
        popups.closed.connect(lambda key: self.tell(on.PopupClosed(key)))
        self._instance.raise_requested.connect(self._on_raise)
        self._waking = Waking(self)
        self._waking.woken.connect(self._on_woken)

    def close(self) -> None:
        """In the reverse order of their making; nothing of the program runs after it."""
        self._clock.stop()
        self._tray.close()
        if self._begun:
            self._begun = False
            self._popups.close()
            self.leave_account()
            self._presenter.close()
            self._network.close()
            self._secrets.close()
        self._instance.close()
        self._signals.close()
        log.info("ended")

    # -- the session ----------------------------------------------------------------------------------------------

    def tell(self, event: on.Event) -> None:
        """The one door into the session; closed when the program ends."""
        if not self._begun:
            return
        self._carrier.carry_out(self._session.handle(event, clock.now()))
        self._keeper.watch()
        due = self._session.due
        if due is None:
            self._clock.stop()
        else:
            self._clock.start(max(TICK_MS, int((due - clock.steady()) * 1000) + 1))

    def _on_posted(self, event: object) -> None:
        match event:
            case results.PushesWaiting():
                for taken in self._intake.take():
                    self.tell(taken)
            case on.SyncAnswered():
                self.tell(dataclasses.replace(event, known=self._known(event)))
            case results.LoginSucceeded(account, token, known):
                self._on_login(account, token, known)
            case results.LoginFailed():
                self._on_login_failed(event)
            case results.TokenLoaded(account, token, problem):
                self._on_token(account, token, problem)
            case results.TokenKept(problem):
                self._keeping = False
                self.tell(on.ProblemSeen("keyring", problem))
            case results.PeopleFound(query, people):
                self._presenter.show_people(query, people, self._session.account)
            case _:
                self.tell(event)  # type: ignore[arg-type]  # the network posts the session's own events

    def _known(self, event: on.SyncAnswered) -> frozenset[str]:
        store = self._carrier.store
        try:
            return store.known(found.id for found in event.answer.events) if store is not None else frozenset()
        except StoreError as error:
            self._on_store_error(error)
            return frozenset()

    def _on_store_error(self, error: StoreError) -> None:
        self._carrier.mend(error)

    # -- the account ----------------------------------------------------------------------------------------------

    def load_token(self, account: Account) -> None:
        self._asking_keyring = True
        self._secrets.load(account)
        self._later(KEYRING_PATIENCE_MS, self._on_keyring_slow)

    def _on_keyring_slow(self) -> None:
        if self._asking_keyring or self._keeping:
            self.tell(on.ProblemSeen("keyring", self._words.keyring_waits()))

    def _on_token(self, account: Account, token: str | None, problem: str) -> None:
        if not self._asking_keyring:  # the person has signed in meanwhile
            return
        self._asking_keyring = False
        self.tell(on.ProblemSeen("keyring", ""))
        if token is None:
            self.tell(on.TokenMissing(problem))
        else:
            self._token = token
            self._sit_down(account, account.server)

    def ask_login(self, server: str, name: str, problem: str) -> None:
        user = self._kept.user
        self._login.show_form(server or self._settings.server, name or (user.name if user else ""), problem)

    @property
    def _login(self) -> "LoginDialog":
        """Made at its first use."""
        if self._dialog is None:
            from deskbell_desktop.qt.login import LoginDialog

            self._dialog = LoginDialog()
            self._dialog.sign_in_requested.connect(self._on_sign_in)
            self._dialog.cancelled.connect(self._on_sign_in_cancelled)
        return self._dialog

    def _on_sign_in(self, form: "LoginForm") -> None:
        self._signing_in = True
        plain, known = form.allow_plain_http or self._kept.allow_plain_http, self._kept.known
        self._network.login(form.server, form.name, form.password, allow_plain_http=plain, known=known)

    def _on_login_failed(self, failed: results.LoginFailed) -> None:
        if self._signing_in:
            self._signing_in = False
            self._login.show_problem(failed.problem, at_server=failed.at_server)

    def _on_sign_in_cancelled(self) -> None:
        self._signing_in = False
        self._network.cancel_login()

    def _on_login(self, account: Account, token: str, known: str) -> None:
        if not self._signing_in:  # given up while the answer was on its way: nobody will use this token
            self._network.logout(account.server, token)
            return
        self._signing_in = False
        self._asking_keyring = False
        self._token = token
        self._keeping = True
        before = self._kept.account
        address = before.server if before is not None and before.user.id == account.user.id else account.server
        if before not in (None, account):
            self._secrets.forget(before)
        self._secrets.keep(account, token)
        self._later(KEYRING_PATIENCE_MS, self._on_keyring_slow)
        self._keep(self._kept.signed_in(account, known))
        if self._dialog is not None:
            self._dialog.hide()
        self._sit_down(account, address)
        self._presenter.welcome()
        self._look_for_tray()

    def _sit_down(self, account: Account, before: str) -> None:
        """Open the account's own store, and go on where it was."""
        self.tell(on.SignedIn(account, self._keeper.open(account, before)))
        store = self._carrier.store
        self.tell(on.ProblemSeen("store", store.problem if store is not None else ""))

    def connect_account(self, account: Account) -> None:
        self._network.open(account.server, self._token)

    def forget_token(self, account: Account, *, revoke: bool) -> None:
        if revoke:
            self._network.logout(account.server, self._token)
        self._token = ""
        self._secrets.forget(account)

    def leave_account(self) -> None:
        self._presenter.hide()
        if self._answer is not None:
            self._answer.forget()
        self._keeper.close()

    # -- what the person does ---------------------------------------------------------------------------------------

    def _on_open(self) -> None:
        if self._session.account is None:
            self.ask_login("", "", "")
        else:
            self._presenter.open()

    def _on_raise(self, token: str) -> None:
        config.offer_activation(token)
        self._on_open()

    def _on_sign_out(self) -> None:
        if self._may_leave():
            self.tell(on.SignOutRequested())

    def _on_replied(self, key: str, body: str) -> None:
        popup = self._carrier.popup(key)
        self._presenter.reply(key, body, popup.message_key if popup else None)

    def _on_reply_wanted(self, key: str) -> None:
        popup = self._carrier.popup(key)
        if popup is None:
            return
        if self._answer is None:
            from deskbell_desktop.qt.reply_popup import ReplyPopup

            self._answer = ReplyPopup()
            self._answer.reply_requested.connect(self._presenter.reply)
            self._answer.left.connect(self._presenter.add_draft)
        config.offer_activation(self._popups.activation_token)
        self._popups.withdraw(key)
        self._answer.ask(popup)

    def _make_window(self) -> "MainWindow":
        from deskbell_desktop.qt.window import MainWindow

        window = MainWindow()
        window.people_search_requested.connect(self._on_search_people)
        window.sign_in_requested.connect(lambda: self.ask_login("", "", ""))
        window.try_requested.connect(self._network.hurry)
        window.quiet_toggled.connect(lambda quiet: self.tell(on.QuietToggled(quiet)))
        window.sign_out_requested.connect(self._on_sign_out)
        window.quit_requested.connect(self._quit)
        return window

    def _on_search_people(self, query: str) -> None:
        account = self._session.account
        if account is not None and self._token:
            self._network.search(account.server, self._token, query)

    # -- the desktop around it --------------------------------------------------------------------------------------

    def show_status(self, status: StatusView) -> None:
        self._tray.show_status(status)
        self._presenter.show_status(status)

    def keep_quiet(self, quiet: bool) -> None:
        self._keep(msgspec.structs.replace(self._kept, quiet=quiet))

    def _keep(self, kept: SavedSettings) -> None:
        if kept == self._kept:
            return
        self._kept = kept
        try:
            config.save_kept(self._settings.path, kept)
        except OSError as error:
            problem = self._words.settings_not_kept(str(self._settings.path), str(error.strerror))
            self.tell(on.ProblemSeen("settings", problem))
        else:
            self.tell(on.ProblemSeen("settings", ""))

    def _look_for_tray(self) -> None:
        """Without a tray the window is the only way in: it minimises instead of hiding."""
        self._presenter.stay_in_taskbar(not self._tray.available)
        if not self._tray.available and self._session.account is not None:
            self._presenter.open()

    def _quit(self) -> None:
        if self._may_leave():
            self._end()

    def _may_leave(self) -> bool:
        loss = self._keeper.loss() if self._begun else ""
        return not loss or is_accepted(loss)

    def _end(self) -> None:
        self._application.exit(0)  # `quit` asks the windows first, and ours refuse to close

    def _on_woken(self) -> None:
        self._network.hurry()
        self.tell(on.Woke())

    def _later(self, milliseconds: int, call: Callable[[], None]) -> None:
        QTimer.singleShot(milliseconds, self, call)
