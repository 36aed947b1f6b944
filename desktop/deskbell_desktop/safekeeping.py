"""The store of whoever is at their desk: opened, tried again while its disk takes nothing, and closed. Room 7."""

import contextlib
import logging
from collections.abc import Callable
from pathlib import Path

from deskbell_desktop.core import events as on
from deskbell_desktop.core.events import Account, Stored
from deskbell_desktop.core.words import Words
from deskbell_desktop.io.pages import Pages
from deskbell_desktop.io.store import Store
from deskbell_desktop.io.store_file import StoreError, find_file
from deskbell_desktop.presenter import Later, Presenter

log = logging.getLogger(__name__)

AGAIN_FIRST_MS = 5_000
AGAIN_MAX_MS = 5 * 60_000


class Safekeeping:
    """`store` is there while an account is at its desk. `later(ms, call)` calls once, on this thread; `lost` hears what
    could be kept nowhere.
    """

    def __init__(
        self,
        tell: Callable[[on.Event], None],
        presenter: Presenter,
        profile: Path,
        words: Words,
        later: Later,
        lost: Callable[[str], None],
    ) -> None:
        self.store: Store | None = None
        self.leaving = False
        """The store is being closed: what happens to it is no news for the session any more."""
        self._tell = tell
        self._presenter = presenter
        self._profile = profile
        self._words = words
        self._later = later
        self._lost = lost
        self._waiting = False
        self._wait = AGAIN_FIRST_MS

    def open(self, account: Account, before: str) -> Stored:
        """`before`: the address by which the same person's server was called until now."""
        self.close()
        store = Store(find_file(self._profile, account, before), account.user.id, self._words)
        self.store = store
        self._presenter.bind(store, Pages(store, account.user, self._words))
        try:
            return store.load()
        except StoreError as error:
            store.replace(error)
            return store.load()

    def close(self) -> None:
        self.leaving = True
        try:
            self._presenter.unbind()
            loss = self.loss()
        finally:
            self.leaving = False
        store, self.store = self.store, None
        if store is not None:
            if not loss:
                _tell_waiting(store)
            store.close()
        if loss:
            log.error("%s", loss)
            self._lost(loss)

    def watch(self) -> None:
        """Try a store that is in memory again, each time after twice as long."""
        store = self.store
        if store is not None and store.in_memory and not self._waiting:
            self._waiting = True
            self._later(self._wait, self._on_waited)
            self._wait = min(self._wait * 2, AGAIN_MAX_MS)

    def _on_waited(self) -> None:
        self._waiting = False
        self.come_back()
        self.watch()

    def come_back(self) -> bool:
        """Try the file of a store that is in memory; whether it is there now."""
        store = self.store
        if store is None or not store.in_memory:
            return True
        try:
            whole = store.come_back()
        except StoreError as error:
            log.info("the local store stays in memory: %s", error)
            return False
        log.info("the local store is on the disk again")
        if not self.leaving:
            self._tell(on.StoreMended(None if whole else store.load()))
        return True

    def loss(self) -> str:
        """What would be lost at the end, as a sentence: empty when the disk takes it, now at the latest."""
        self._presenter.keep_drafts()
        if self.come_back() or self.store is None:
            return ""
        return self._words.store_lost() if self.store.holds_unsent() else ""


def _tell_waiting(store: Store) -> None:
    with contextlib.suppress(StoreError):
        if waiting := store.waiting():
            log.info("messages still to be sent, after the next start: %d", waiting)
