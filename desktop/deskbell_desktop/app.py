"""The composition root of the tray program: puts the parts together in the order a person sees them, and ends them.

The Qt thread owns the session and the store. The network and the keyring have a thread each, and post to the bridge.
"""

import dataclasses
import logging
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QApplication

from deskbell_desktop import clock, config
from deskbell_desktop.carrier import Carrier
from deskbell_desktop.config import Settings, SettingsFile
from deskbell_desktop.core import events as on
from deskbell_desktop.core.account import AccountEvent, SignInWanted
from deskbell_desktop.core.session import Session
from deskbell_desktop.credentials import Credentials
from deskbell_desktop.garbage import search_seldom
from deskbell_desktop.io import results
from deskbell_desktop.io.intake import Intake
from deskbell_desktop.io.network import Network
from deskbell_desktop.io.secrets import Secrets
from deskbell_desktop.logs import begin_log
from deskbell_desktop.notify.candidates import make_popups
from deskbell_desktop.popups import Popups
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
    from deskbell_desktop.qt.login import LoginDialog
    from deskbell_desktop.qt.reply_popup import ReplyPopup
    from deskbell_desktop.qt.window import MainWindow

log = logging.getLogger(__name__)

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
        self._instance = instance
        self._begun = False
        self.lost: list[str] = []
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
        settings, words, kept = self._settings, self._words, self._settings.kept
        self._intake = Intake(self._bridge.post)
        self._network = Network(
            self._bridge.post,
            self._intake,
            words,
            client=settings.client,
            device=settings.device,
            ca_file=settings.ca_file,
        )
        self._secrets = Secrets(self._bridge.post, settings.profile, words, in_file=kept.token_in_file)
        self._network.warm()
        self._presenter = Presenter(self._make_window, self.tell, self._later, lambda error: self._carrier.mend(error))
        notifier = make_popups(self._application, kept.theme, self)
        self._popups = Popups(self.tell, notifier, self._presenter, _make_answer)
        self._carry()
        self._listen()
        self._begun = True
        damaged = words.settings_damaged(str(settings.path)) if settings.damaged else ""
        self.tell(on.ProblemSeen("settings", damaged))
        self.tell(on.ProblemSeen("program", self._instance.problem))
        self.tell(on.Started(kept.account, kept.quiet))
        self._later(NO_TRAY_MS, self._carrier.look_for_tray)

    def _carry(self) -> None:
        """Those that carry the session's effects out."""
        settings, words, presenter = self._settings, self._words, self._presenter
        file = SettingsFile(self.tell, settings.path, settings.kept, words)
        self._keeper = Safekeeping(self.tell, presenter, settings.profile, words, self._later, self.lost.append)
        self._credentials = Credentials(self.tell, self._network, self._secrets, file, settings.server, _make_login)
        self._carrier = Carrier(
            self.tell,
            network=self._network,
            credentials=self._credentials,
            keeper=self._keeper,
            popups=self._popups,
            presenter=presenter,
            settings=file,
            tray=self._tray,
        )

    def _listen(self) -> None:
        tray = self._tray
        tray.open_requested.connect(self._on_open)
        tray.compose_requested.connect(lambda: self._presenter.compose())
        tray.quiet_toggled.connect(lambda quiet: self.tell(on.QuietToggled(quiet)))
        tray.sign_out_requested.connect(self._on_sign_out)
        tray.quit_requested.connect(self._quit)
        tray.availability_changed.connect(lambda _available: self._carrier.look_for_tray())
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
            self._carrier.leave()
            self._presenter.close()
            self._network.close()
            self._secrets.close()
        self._instance.close()
        self._signals.close()
        log.info("ended")

    # -- the session ----------------------------------------------------------------------------------------------

    def tell(self, event: on.Event | AccountEvent) -> None:
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
                known = self._carrier.known(found.id for found in event.answer.events)
                self.tell(dataclasses.replace(event, known=known))
            case results.LoginSucceeded() | results.TokenLoaded():
                self._credentials.take(event)
            case results.PeopleFound(query, people):
                self._presenter.show_people(query, people, self._session.account)
            case _:
                self.tell(event)  # type: ignore[arg-type]  # network and keyring post the session's own events

    # -- what the person does ---------------------------------------------------------------------------------------

    def _on_open(self) -> None:
        if self._session.account is None:
            self.tell(SignInWanted())
        else:
            self._presenter.open()

    def _on_raise(self, token: str) -> None:
        config.offer_activation(token)
        self._on_open()

    def _on_sign_out(self) -> None:
        if self._may_leave():
            self.tell(on.SignOutRequested())

    def _make_window(self) -> "MainWindow":
        from deskbell_desktop.qt.window import MainWindow

        window = MainWindow()
        window.people_search_requested.connect(self._on_search_people)
        window.sign_in_requested.connect(lambda: self.tell(SignInWanted()))
        window.try_requested.connect(self._network.hurry)
        window.quiet_toggled.connect(lambda quiet: self.tell(on.QuietToggled(quiet)))
        window.sign_out_requested.connect(self._on_sign_out)
        window.quit_requested.connect(self._quit)
        return window

    def _on_search_people(self, query: str) -> None:
        if self._session.account is not None:
            self._credentials.search(self._session.account, query)

    # -- the desktop around it --------------------------------------------------------------------------------------

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


def _make_login() -> "LoginDialog":
    from deskbell_desktop.qt.login import LoginDialog

    return LoginDialog()


def _make_answer() -> "ReplyPopup":
    from deskbell_desktop.qt.reply_popup import ReplyPopup

    return ReplyPopup()
