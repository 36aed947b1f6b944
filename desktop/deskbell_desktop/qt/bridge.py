"""The only crossing between threads: what connection and keyring post comes out on the Qt thread, in order."""

import threading
import time
from collections import deque
from typing import Final

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

SLICE_S: Final = 0.008
"""A burst is handed over in slices of this length, so that the window stays alive between them."""


class Bridge(QObject):
    """`post` from any thread; `event_posted` on the thread that made the bridge, in the order of posting."""

    event_posted = Signal(object)
    _woken = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._events: deque[object] = deque()
        self._lock = threading.Lock()
        self._awake = False
        self._woken.connect(self._on_woken, Qt.ConnectionType.QueuedConnection)

    def post(self, event: object) -> None:
        with self._lock:
            self._events.append(event)
            if self._awake:
                return
            self._awake = True
        self._woken.emit()

    @Slot()
    def _on_woken(self) -> None:
        end = time.monotonic() + SLICE_S
        while True:
            with self._lock:
                if not self._events:
                    self._awake = False
                    return
                event = self._events.popleft()
            try:
                self.event_posted.emit(event)
            finally:
                late = time.monotonic() >= end
            if late:
                QTimer.singleShot(0, self, self._on_woken)
                return
