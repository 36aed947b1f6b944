"""What every way of showing a popup has in common, and the chain that falls to the next way when one fails."""

import logging
from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal, SignalInstance

from deskbell_desktop.core.views import Popup

log = logging.getLogger(__name__)


class Notifier(QObject):
    """Shows popups by key, a later one replacing an earlier. `activation_token`, set before `opened` and
    `reply_requested`, is the desktop's permission to raise a window, empty where it gave none.
    """

    opened = Signal(str)
    read_requested = Signal(str)
    reply_requested = Signal(str)
    """Reply was chosen, but this desktop has no field for it: ask for the text in a window."""
    replied = Signal(str, str)
    left = Signal(str, str)
    """The popup went while this answer was being written on it."""
    closed = Signal(str)
    """Gone from the screen: dismissed or withdrawn. One that only expired may still stand in a history."""

    failed = Signal(str, object)
    """This way works no more: why, and the popups (a tuple) that were taken but not shown."""
    recovered = Signal()

    activation_token: str = ""

    def show(self, popup: Popup) -> None:
        raise NotImplementedError

    def withdraw(self, key: str) -> None:
        """Take it off the screen; nothing happens when it is not there."""
        raise NotImplementedError

    def close(self) -> None:
        """Take everything off the screen and let go of the desktop."""
        raise NotImplementedError


class NullNotifier(Notifier):
    """The end of the chain where there is no screen: says it in the log, so that a failed popup is never a crash."""

    def show(self, popup: Popup) -> None:
        log.warning("no popup could be shown for %s", popup.key)

    def withdraw(self, key: str) -> None:
        pass

    def close(self) -> None:
        pass


class NotifierChain(Notifier):
    """The first candidate that works shows the popup. One that recovers is used again from then on."""

    def __init__(self, candidates: Sequence[Notifier], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._candidates = list(candidates)
        self._broken: set[Notifier] = set()
        for candidate in self._candidates:
            candidate.setParent(self)
            self._listen(candidate)

    def _listen(self, candidate: Notifier) -> None:
        candidate.opened.connect(lambda key: self._on_raised(candidate, self.opened, key))
        candidate.reply_requested.connect(lambda key: self._on_raised(candidate, self.reply_requested, key))
        candidate.read_requested.connect(self.read_requested)
        candidate.replied.connect(self.replied)
        candidate.left.connect(self.left)
        candidate.closed.connect(self.closed)
        candidate.failed.connect(lambda reason, popups: self._on_failed(candidate, reason, popups))
        candidate.recovered.connect(lambda: self._on_recovered(candidate))

    @property
    def current(self) -> Notifier:
        """The way that the next popup takes; the last one is used whether it works or not."""
        return next((c for c in self._candidates if c not in self._broken), self._candidates[-1])

    def show(self, popup: Popup) -> None:
        current = self.current
        for other in self._candidates:
            if other is not current:
                other.withdraw(popup.key)  # an older popup of this conversation may stand there
        current.show(popup)

    def withdraw(self, key: str) -> None:
        for candidate in self._candidates:
            candidate.withdraw(key)

    def close(self) -> None:
        for candidate in self._candidates:
            candidate.close()

    def _on_raised(self, candidate: Notifier, signal: SignalInstance, key: str) -> None:
        self.activation_token, candidate.activation_token = candidate.activation_token, ""
        signal.emit(key)

    def _on_failed(self, candidate: Notifier, reason: str, popups: tuple[Popup, ...]) -> None:
        self._broken.add(candidate)
        log.warning("%s shows no popups: %s; using %s", type(candidate).__name__, reason, type(self.current).__name__)
        if self.current is not candidate:
            for popup in popups:
                self.current.show(popup)

    def _on_recovered(self, candidate: Notifier) -> None:
        if candidate in self._broken:
            self._broken.discard(candidate)
            log.info("%s shows popups again", type(candidate).__name__)


def make_notifier(candidates: Sequence[Notifier], parent: QObject | None = None) -> Notifier:
    """`candidates`, best first, as one notifier that owns them."""
    return NotifierChain(candidates, parent)
