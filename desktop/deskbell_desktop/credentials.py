"""The token and whatever else opens something, beside the session that knows only of it: carries out what is wanted.

Room 7. The password of the sign-in window and the token pass through here alone, between window, network and keyring.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from deskbell_desktop.config import SettingsFile
from deskbell_desktop.core import account as of
from deskbell_desktop.core.events import Account
from deskbell_desktop.io import results
from deskbell_desktop.io.network import Network
from deskbell_desktop.io.secrets import Secrets

if TYPE_CHECKING:
    from deskbell_desktop.qt.login import LoginDialog, LoginForm


class Credentials:
    """`server` is what the sign-in window begins with; the window is made at its first use."""

    def __init__(
        self,
        tell: Callable[[of.AccountEvent], None],
        network: Network,
        secrets: Secrets,
        settings: SettingsFile,
        server: str,
        make_dialog: "Callable[[], LoginDialog]",
    ) -> None:
        self._tell = tell
        self._network = network
        self._secrets = secrets
        self._settings = settings
        self._server = server
        self._make_dialog = make_dialog
        self._dialog: LoginDialog | None = None
        self._form: LoginForm | None = None
        self._token = ""
        self._handed = ""
        """The token that came last, until the session says what becomes of it."""
        self._known = ""
        """What the server said with it, for the next login there."""

    # -- what comes in --------------------------------------------------------------------------------------------

    def take(self, result: results.LoginSucceeded | results.TokenLoaded) -> None:
        match result:
            case results.LoginSucceeded(account, token, known):
                self._handed, self._known = token, known
                self._tell(of.SignInAccepted(account))
            case results.TokenLoaded(_, None, problem):
                self._tell(of.TokenMissing(problem))
            case results.TokenLoaded(account, str(token)):
                self._handed = token
                self._tell(of.TokenFound(account))

    def _on_submitted(self, form: "LoginForm") -> None:
        self._form = form
        self._tell(of.SignInSubmitted())

    # -- the token ------------------------------------------------------------------------------------------------

    def load(self, account: Account) -> None:
        self._secrets.load(account)

    def use(self) -> None:
        self._token, self._handed = self._handed, ""

    def refuse(self, account: Account, *, revoke: bool) -> None:
        token, self._handed = self._handed, ""
        if revoke:
            self._network.logout(account.server, token)

    def keep(self, account: Account) -> None:
        self._secrets.keep(account, self._token)
        self._settings.keep(self._settings.kept.signed_in(account, self._known))

    def forget(self, account: Account, *, revoke: bool) -> None:
        if revoke:
            self._network.logout(account.server, self._token)
        self._token = ""
        self._secrets.forget(account)

    def connect(self, account: Account) -> None:
        self._network.open(account.server, self._token)

    def search(self, account: Account, query: str) -> None:
        """Ask the server for people."""
        if self._token:
            self._network.search(account.server, self._token, query)

    # -- the sign-in window ---------------------------------------------------------------------------------------

    def ask(self, server: str, name: str, problem: str) -> None:
        user = self._settings.kept.user
        self._login.show_form(server or self._server, name or (user.name if user else ""), problem)

    def submit(self) -> None:
        form, self._form = self._form, None
        if form is not None:
            kept = self._settings.kept
            plain = form.allow_plain_http or kept.allow_plain_http
            self._network.login(form.server, form.name, form.password, allow_plain_http=plain, known=kept.known)

    def cancel(self) -> None:
        self._network.cancel_login()

    def show_problem(self, problem: str, *, at_server: bool) -> None:
        self._login.show_problem(problem, at_server=at_server)

    def hide(self) -> None:
        if self._dialog is not None:
            self._dialog.hide()

    @property
    def _login(self) -> "LoginDialog":
        if self._dialog is None:
            self._dialog = self._make_dialog()
            self._dialog.sign_in_requested.connect(self._on_submitted)
            self._dialog.cancelled.connect(lambda: self._tell(of.SignInCancelled()))
        return self._dialog
