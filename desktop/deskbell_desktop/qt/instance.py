"""One running program per profile: a second start tells the first to show itself, and ends."""

import hashlib
import logging
import tempfile
import time
from pathlib import Path
from typing import Final

from PySide6.QtCore import QLockFile, QObject, QStandardPaths, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

log = logging.getLogger(__name__)

CLAIM_S: Final = 2.0
CONNECT_MS: Final = 200
LINE_BYTES: Final = 1024
HELLO: Final = b"raise "


class SingleInstance(QObject):
    """`claim` once at the start. The lock decides who is first (a dead owner is noticed), the socket tells."""

    raise_requested = Signal(str)
    """A second start asks to be shown; the text is its activation token, possibly empty."""

    def __init__(self, profile: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        base = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.RuntimeLocation) or tempfile.gettempdir()
        digest = hashlib.sha256(str(profile.resolve()).encode("utf-8", "surrogateescape")).hexdigest()[:16]
        self._path = str(Path(base) / f"deskbell-{digest}")
        self._lock = QLockFile(f"{self._path}.lock")
        self._lock.setStaleLockTime(0)
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._on_connection)

    def claim(self, activation_token: str = "") -> bool:
        """True for the first of this profile. False when another one runs, which was asked to show itself."""
        end = time.monotonic() + CLAIM_S
        while True:
            if self._lock.tryLock(0):
                return self._listen()
            if self._ask(activation_token):
                return False
            if time.monotonic() >= end:
                log.warning("another Deskbell of this profile runs, but does not answer")
                return False

    def close(self) -> None:
        self._server.close()
        self._lock.unlock()

    def _listen(self) -> bool:
        QLocalServer.removeServer(self._path)  # left behind by one that was killed
        if not self._server.listen(self._path):
            log.warning("a second start cannot reach this one: %s", self._server.errorString())
        return True

    def _ask(self, token: str) -> bool:
        socket = QLocalSocket()
        socket.connectToServer(self._path)
        if not socket.waitForConnected(CONNECT_MS):
            return False
        socket.write(HELLO + token.encode("ascii", "ignore")[: LINE_BYTES - 16] + b"\n")
        sent = socket.waitForBytesWritten(CONNECT_MS)
        socket.disconnectFromServer()
        return sent

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
        line = bytes(socket.readLine(LINE_BYTES).data()).strip()
        socket.abort()
        if line.startswith(HELLO.strip()):
            token = line[len(HELLO) :].decode("ascii", "ignore")
            self.raise_requested.emit(token if token.isprintable() else "")
