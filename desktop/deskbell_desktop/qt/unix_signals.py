"""The signals that end the program, as one of Qt: Python's own handlers run when Python code does, maybe much later."""

import contextlib
import signal
import socket

from PySide6.QtCore import QObject, QSocketNotifier, Signal

HANDLED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""Not SIGQUIT, which asks for a core of the program as it stands."""


class UnixSignals(QObject):
    """Made on the main thread; `close` gives the signals back. What was ignored before (`nohup`) stays so."""

    ended = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._read, self._write = socket.socketpair()
        self._read.setblocking(False)
        self._write.setblocking(False)
        # first, so that no signal comes between that nobody hears
        self._fd_before = signal.set_wakeup_fd(self._write.fileno(), warn_on_full_buffer=False)
        heard = [number for number in HANDLED if signal.getsignal(number) is not signal.SIG_IGN]
        self._before = {number: signal.signal(number, lambda _number, _frame: None) for number in heard}
        self._notifier = QSocketNotifier(self._read.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._on_readable)

    def close(self) -> None:
        self._notifier.setEnabled(False)
        signal.set_wakeup_fd(self._fd_before)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._read.close()
        self._write.close()

    def _on_readable(self) -> None:
        caught = b""
        with contextlib.suppress(BlockingIOError):
            caught = self._read.recv(64)
        if any(number in self._before for number in caught):
            self.ended.emit()
