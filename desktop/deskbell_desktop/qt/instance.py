"""One running program per profile: a second start tells the first to show itself, and ends."""

import fcntl
import hashlib
import logging
import os
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PySide6.QtCore import QCoreApplication, QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket
from PySide6.QtWidgets import QMessageBox

log = logging.getLogger(__name__)

PATIENCE_S: Final = 10.0
"""A busy machine may need some of it; a program that hangs never answers."""
PAUSE_S: Final = 0.05
CONNECT_MS: Final = 200
LINE_BYTES: Final = 1024
RAISE: Final = b"raise"
SHOWN: Final = b"shown"
ELSEWHERE: Final = b"elsewhere"

translate = QCoreApplication.translate


@dataclass(frozen=True)
class Other:
    """The program of this profile that runs already: what the person is told, and whether it shows its window."""

    words: str
    shown: bool = False

    def tell(self, say: Callable[[str], None]) -> int:
        """The exit code of this start. Who has no terminal in sight gets a window."""
        say(self.words)
        if not self.shown and not sys.stderr.isatty():
            QMessageBox.warning(None, "Deskbell", self.words)
        return 0 if self.shown else 1


class SingleInstance(QObject):
    """`claim` once at the start. A lock that the kernel takes back with its owner's death decides who is first, and
    the socket beside it tells; both are in `folder`, where only this user may write. `screens` are the displays of
    this start: a program cannot open its window on another.
    """

    raise_requested = Signal(str)
    """A second start asks to be shown; the text is its activation token, possibly empty."""

    def __init__(
        self, profile: Path, folder: Path, screens: Iterable[str] = (), *, patience_s: float = PATIENCE_S
    ) -> None:
        super().__init__()
        digest = hashlib.sha256(str(profile.resolve()).encode("utf-8", "surrogateescape")).hexdigest()[:16]
        self._path = str(folder / f"deskbell-{digest}")
        self._screens = [screen.encode("utf-8", "surrogateescape") for screen in screens]
        self._patience_s = patience_s
        self._lock: int | None = None
        self.problem = ""
        """Why a second start would not be noticed; empty when all is well."""
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._on_connection)

    def claim(self, activation_token: str = "") -> Other | None:
        """None for the first of this profile."""
        end = time.monotonic() + self._patience_s
        while not self._take_lock():
            other = self._ask(activation_token, int((end - time.monotonic()) * 1000))
            if other is not None:
                return other
            if time.monotonic() >= end:
                return Other(
                    translate("Instance", "Deskbell runs already, but does not answer. End it and start again.")
                )
            time.sleep(PAUSE_S)
        if self.problem and (other := self._ask(activation_token, CONNECT_MS)) is not None:
            return other
        self._listen()
        return None

    def close(self) -> None:
        self._server.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _take_lock(self) -> bool:
        """False when another one has it. Where none can be had, everybody is first."""
        try:
            Path(self._path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(f"{self._path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            return self._go_without(error)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(lock)
            return not isinstance(error, BlockingIOError) and self._go_without(error)
        self._lock = lock
        return True

    def _go_without(self, error: OSError) -> bool:
        words = translate("Instance", "Deskbell cannot tell whether it runs already: %1")
        self.problem = words.replace("%1", f"{self._path}.lock: {error.strerror}")
        log.warning("%s", self.problem)
        return True

    def _listen(self) -> None:
        QLocalServer.removeServer(self._path)  # left behind by one that was killed
        if not self._server.listen(self._path):
            log.warning("a second start cannot reach this one: %s", self._server.errorString())

    def _ask(self, token: str, patience_ms: int) -> Other | None:
        """None when nobody answers."""
        socket = QLocalSocket()
        socket.connectToServer(self._path)
        if not socket.waitForConnected(CONNECT_MS):
            return None
        socket.write(b"\t".join([RAISE, token.encode("ascii", "ignore")[: LINE_BYTES // 2], *self._screens]) + b"\n")
        while not socket.canReadLine():
            if not socket.waitForReadyRead(max(CONNECT_MS, patience_ms)):
                return None
        answer, *screens = bytes(socket.readLine(LINE_BYTES).data()).rstrip(b"\n").split(b"\t")
        if answer == SHOWN:
            return Other(translate("Instance", "Deskbell runs already; its window was asked to open."), shown=True)
        words = translate("Instance", "Deskbell runs already, on another screen (%1). Quit it there first.")
        return Other(words.replace("%1", b" ".join(screens).decode("utf-8", "replace")))

    def _on_connection(self) -> None:
        while (socket := self._server.nextPendingConnection()) is not None:
            socket.setParent(self)
            socket.readyRead.connect(lambda s=socket: self._on_readable(s))
            socket.disconnected.connect(socket.deleteLater)
            self._on_readable(socket)

    def _on_readable(self, socket: QLocalSocket) -> None:
        if not socket.canReadLine():
            if socket.bytesAvailable() > LINE_BYTES:
                socket.abort()
            return
        asked, *fields = bytes(socket.readLine(LINE_BYTES).data()).rstrip(b"\n").split(b"\t")
        if asked != RAISE or not fields:
            socket.abort()
            return
        raw, *screens = fields
        here = screens == self._screens or not {*screens}.isdisjoint(self._screens)
        socket.write(b"\t".join([SHOWN] if here else [ELSEWHERE, *self._screens]) + b"\n")
        socket.disconnectFromServer()
        if here:
            token = raw.decode("ascii", "ignore")
            self.raise_requested.emit(token if token.isprintable() else "")
