"""The sign-in window: where, who, and the password, with what went wrong said in place."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from PySide6.QtCore import QCoreApplication, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from deskbell_desktop.core.hosts import host_of, is_loopback
from deskbell_desktop.qt import icons, theme
from deskbell_desktop.qt.controls import CheckBox, Surface, button, label, problem, soft
from deskbell_desktop.qt.front import centre, come_forward, room
from deskbell_protocol import limits

WIDTH = 400

translate = QCoreApplication.translate


@dataclass(frozen=True)
class LoginForm:
    """What was typed. The password is in no other place than this and its field."""

    server: str
    name: str
    password: str
    allow_plain_http: bool

    def __repr__(self) -> str:
        return f"LoginForm(server={self.server!r}, name={self.name!r})"


class LoginDialog(Surface):
    """Emits the filled-in form; whoever owns it shows it busy, with a problem, or closes it."""

    sign_in_requested = Signal(object)
    cancelled = Signal()
    """While it was busy: nobody waits for the answer any more."""

    def __init__(self) -> None:
        super().__init__("Base")
        self.setWindowTitle(translate("Login", "Sign in to Deskbell"))
        self.setWindowIcon(icons.app_icon())
        self._server = _field(translate("Login", "Server"), limits.DISPLAY_CHARS * 5)
        self._server.setPlaceholderText("https://desk.example.org")
        self._server.setInputMethodHints(Qt.InputMethodHint.ImhUrlCharactersOnly)
        self._name = _field(translate("Login", "Name"), limits.NAME_CHARS)
        self._password = _field(translate("Login", "Password"), limits.PASSWORD_CHARS_MAX)
        self._password.setEchoMode(QLineEdit.EchoMode.Password)
        self._plain = CheckBox(translate("Login", "Send my password without encryption"))
        self._plain_why = soft(
            translate("Login", "This address begins with http://. Everyone on the way could read what is sent."),
            wrap=True,
        )
        self._problem = problem()
        self._problem.setContentsMargins(0, 8, 0, 0)
        self._sign_in = button(translate("Login", "Sign in"), primary=True)
        self._sign_in.setDefault(True)
        self._sign_in.setMinimumHeight(40)
        self._cancel = button(translate("Login", "Cancel"))
        self._cancel.setMinimumHeight(40)
        self._cancel.hide()
        self._busy = False
        self._lay_out()
        for field in (self._server, self._name, self._password):
            field.returnPressed.connect(self._on_submit)
            field.textEdited.connect(self._on_edited)
        self._plain.toggled.connect(self._on_edited)
        self._sign_in.clicked.connect(self._on_submit)
        self._cancel.clicked.connect(self._on_cancel)
        self._on_edited()

    def show_form(self, server: str, name: str, problem: str = "") -> None:
        """Fill in what is known, and put the cursor where the person goes on."""
        self._server.setText(server)
        self._name.setText(name)
        self._password.clear()
        self.show_busy(False)
        self._on_edited()
        self.show_problem(problem)
        first = next((f for f in (self._server, self._name) if not f.text()), self._password)
        self._place()
        come_forward(self)
        first.setFocus()

    def show_busy(self, busy: bool) -> None:
        for widget in (self._server, self._name, self._password, self._plain, self._sign_in):
            widget.setEnabled(not busy)
        self._busy = busy
        self._cancel.setVisible(busy)
        self._sign_in.setText(translate("Login", "Signing in…") if busy else translate("Login", "Sign in"))
        if busy:
            self._show_words("")
            self._cancel.setFocus()
        else:
            self._on_edited(keep=True)

    def show_problem(self, problem: str, *, at_server: bool = False) -> None:
        """Say what is wrong and what to do, below the field where the mistake is; the rest stays."""
        field = self._server if at_server else self._password
        self._column.removeWidget(self._problem)
        self._column.insertWidget(self._column.indexOf(field) + 1, self._problem)
        if problem:
            self.show_busy(False)
        self._show_words(problem)
        if problem:
            field.setFocus()
        if problem and not at_server:
            field.selectAll()

    def _show_words(self, text: str) -> None:
        self._problem.setText(text)
        self._problem.setAccessibleName(text)
        self._problem.setVisible(bool(text))
        self._fit()
        QTimer.singleShot(0, self, lambda: self._area.ensureWidgetVisible(self._problem))

    def _fit(self) -> None:
        """As high as what is shown, or as the screen: `adjustSize` would reckon wrapped words at another width."""
        self._column.activate()
        self.setFixedHeight(min(self._column.totalHeightForWidth(WIDTH), room(self).height()))

    def _lay_out(self) -> None:
        form = QWidget()
        self._area = QScrollArea()
        self._area.setWidget(form)
        self._area.setWidgetResizable(True)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        around = QVBoxLayout(self)
        around.setContentsMargins(0, 0, 0, 0)
        around.addWidget(self._area)
        self._column = column = QVBoxLayout(form)
        column.setContentsMargins(32, 32, 32, 32)
        column.setSpacing(0)
        column.addWidget(label(translate("Login", "Sign in to Deskbell"), 20, bold=True))
        column.addSpacing(8)
        column.addWidget(soft(translate("Login", "Messages ring here, at your desk."), theme.TEXT_PX, wrap=True))
        for field in (self._server, self._name, self._password):
            column.addSpacing(16)
            column.addWidget(_caption(field))
            column.addSpacing(4)
            column.addWidget(field)
        notes = QVBoxLayout()
        notes.setContentsMargins(0, 12, 0, 0)
        notes.setSpacing(8)
        notes.addWidget(self._plain)
        notes.addWidget(self._plain_why)
        column.addLayout(notes)
        column.addSpacing(12)
        verbs = QHBoxLayout()
        verbs.setSpacing(8)
        verbs.addWidget(self._cancel)
        verbs.addWidget(self._sign_in, 1)
        column.addLayout(verbs)
        self.setFixedWidth(WIDTH)

    def _place(self) -> None:
        """In the middle of the screen: a window manager need not put it anywhere better than the corner."""
        if not self.isVisible():
            centre(self)

    def closeEvent(self, event: QCloseEvent) -> None:
        super().closeEvent(event)
        self._on_cancel()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self._busy:
            self._on_cancel()
        else:
            super().keyPressEvent(event)

    def _on_cancel(self) -> None:
        if self._busy:
            self.show_busy(False)
            self._password.setFocus()
            self.cancelled.emit()

    def _on_edited(self, _what: object = None, *, keep: bool = False) -> None:
        if not keep:
            self._show_words("")
        plain = is_plain_http(self._server.text())
        self._plain.setVisible(plain)
        self._plain_why.setVisible(plain)
        ready = bool(self._server.text().strip() and self._name.text().strip() and self._password.text())
        self._sign_in.setEnabled(ready and (not plain or self._plain.isChecked()))
        self._fit()

    def _on_submit(self) -> None:
        if not self._sign_in.isEnabled():
            self.focusNextChild()
            return
        plain = is_plain_http(self._server.text()) and self._plain.isChecked()
        form = LoginForm(self._server.text().strip(), self._name.text().strip(), self._password.text(), plain)
        self.show_busy(True)
        self.sign_in_requested.emit(form)


def is_plain_http(server: str) -> bool:
    """Whether what is sent there could be read on the way: http to another machine."""
    try:
        parts = urlsplit(server.strip())
        return parts.scheme == "http" and not is_loopback(host_of(parts.hostname or ""))
    except ValueError:
        return False


def _field(name: str, length: int) -> QLineEdit:
    result = QLineEdit()
    result.setAccessibleName(name)
    result.setMaxLength(2 * length)  # Qt counts UTF-16 units, of which a character takes up to two
    result.setMinimumHeight(40)
    result.setFont(theme.font(result))
    return result


def _caption(field: QLineEdit) -> QLabel:
    result = soft(field.accessibleName())
    result.setBuddy(field)
    return result
