"""Carries the session's effects out, in their order: commits, popups, requests. Room 7 of a message's way.

Its parts, each of one topic, stand beside it: `credentials`, `popups`, `safekeeping`.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from deskbell_desktop.config import SettingsFile
from deskbell_desktop.core import effects as do
from deskbell_desktop.core import events as on
from deskbell_desktop.core.views import StatusView
from deskbell_desktop.credentials import Credentials
from deskbell_desktop.io.network import Network
from deskbell_desktop.io.store import Store
from deskbell_desktop.io.store_file import StoreError
from deskbell_desktop.popups import Popups
from deskbell_desktop.presenter import Presenter
from deskbell_desktop.safekeeping import Safekeeping
from deskbell_protocol.ids import now_ms

if TYPE_CHECKING:
    from deskbell_desktop.qt.tray import Tray

log = logging.getLogger(__name__)


class Carrier:
    """Acts by the parts that it is given, and `tell`s the session what came of it."""

    def __init__(
        self,
        tell: Callable[[on.Event], None],
        *,
        network: Network,
        credentials: Credentials,
        keeper: Safekeeping,
        popups: Popups,
        presenter: Presenter,
        settings: SettingsFile,
        tray: "Tray",
    ) -> None:
        self._tell = tell
        self._keeper = keeper
        self._popups = popups
        self._presenter = presenter
        self._tray = tray
        self._queue: deque[do.Effect] = deque()
        self._busy = False
        self._acts: dict[type, Callable[[Any], None]] = {
            do.ApplyEvents: lambda effect: self._kept.apply(effect),
            do.StartOver: lambda effect: self._kept.start_over(effect, now_ms()),
            do.SilenceRings: lambda effect: self._kept.silence(effect.ids),
            do.MarkRead: lambda effect: self._kept.mark_read(effect.ids),
            do.ForgetUntold: lambda effect: self._kept.forget_untold(effect.ids),
            do.KeepGroups: lambda effect: self._kept.keep_groups(effect.groups),
            do.KeepOutgoing: lambda effect: self._kept.keep(effect.item),
            do.SettleOutgoing: lambda effect: self._kept.settle(effect.cid, effect.sender),
            do.DropOutgoing: lambda effect: self._kept.drop(effect.cid),
            do.KeepQuiet: lambda effect: settings.keep_quiet(effect.quiet),
            do.Connect: lambda effect: credentials.connect(effect.account),
            do.Disconnect: lambda _effect: network.shut(),
            do.RequestSync: network.request,
            do.SendAck: network.request,
            do.SendMessage: network.request,
            do.SendRead: network.request,
            do.LoadToken: lambda effect: credentials.load(effect.account),
            do.UseToken: lambda _effect: credentials.use(),
            do.RefuseToken: lambda effect: credentials.refuse(effect.account, revoke=effect.revoke),
            do.ForgetToken: lambda effect: credentials.forget(effect.account, revoke=effect.revoke),
            do.KeepSignIn: lambda effect: credentials.keep(effect.account),
            do.SubmitLogin: lambda _effect: credentials.submit(),
            do.CancelLogin: lambda _effect: credentials.cancel(),
            do.OpenStore: self._open_store,
            do.ShowPopup: self._show_popup,
            do.WithdrawPopup: lambda effect: popups.withdraw(effect.key),
            do.ShowStatus: lambda effect: self._show_status(effect.status),
            do.Changed: lambda effect: presenter.changed(effect.conversations),
            do.UnreadChanged: lambda _effect: presenter.unread_changed(),
            do.ShowConversation: self._show_conversation,
            do.AskLogin: lambda effect: credentials.ask(effect.server, effect.name, effect.problem),
            do.ShowLoginProblem: lambda effect: credentials.show_problem(effect.problem, at_server=effect.at_server),
            do.HideLogin: lambda _effect: credentials.hide(),
            do.Welcome: lambda _effect: self._welcome(),
            do.HideWindow: lambda _effect: self.leave(),
        }

    def carry_out(self, effects: Iterable[do.Effect]) -> None:
        """What an effect sets off meanwhile comes after those that are already waiting."""
        self._queue.extend(effects)
        if self._busy:
            return
        self._busy = True
        try:
            while self._queue:
                self._carry_out(self._queue.popleft())
        finally:
            self._busy = False

    def _carry_out(self, effect: do.Effect) -> None:
        try:
            self._acts[type(effect)](effect)
        except StoreError as error:
            self.mend(error, effect)

    # -- the store ------------------------------------------------------------------------------------------------

    def mend(self, error: StoreError, failed: do.Effect | None = None) -> None:
        """Go on in memory where the disk takes nothing; else begin a new store. What follows from a commit that did
        not happen must not happen either."""
        store = self._keeper.store
        if store is None:
            return
        in_memory = store.replace(error)
        if self._keeper.leaving:  # the session has left this account already: what it wants now is the next one's
            return
        if in_memory:
            if failed is not None:
                self._queue.appendleft(failed)
            self._tell(on.ProblemSeen("store", store.problem))
            return
        left = [effect for effect in (failed, *self._queue) if isinstance(effect, do.KeepOutgoing)]
        self._queue.clear()
        for effect in left:
            store.keep(effect.item)
        self._tell(on.StoreReplaced(store.load(), store.problem))

    def known(self, ids: Iterable[str]) -> frozenset[str]:
        """Those that the store already has."""
        store = self._keeper.store
        try:
            return store.known(ids) if store is not None else frozenset()
        except StoreError as error:
            self.mend(error)
            return frozenset()

    def leave(self) -> None:
        """Nothing of the account stays in sight."""
        self._presenter.hide()
        self._popups.leave()
        self._keeper.close()

    def _open_store(self, effect: do.OpenStore) -> None:
        """Go on where the account was."""
        self._popups.forget()
        self._tell(on.SignedIn(effect.account, self._keeper.open(effect.account, effect.before)))
        self._tell(on.ProblemSeen("store", self._kept.problem))

    @property
    def _kept(self) -> Store:
        assert self._keeper.store is not None, "an account's effect without an account"
        return self._keeper.store

    # -- what the person sees -------------------------------------------------------------------------------------

    def look_for_tray(self) -> None:
        """Without a tray the window is the only way in: it minimises instead of hiding."""
        there = self._tray.available
        self._presenter.stay_in_taskbar(not there)
        if not there and self._keeper.store is not None:
            self._presenter.open()

    def _welcome(self) -> None:
        self._presenter.welcome()
        self.look_for_tray()

    def _show_popup(self, effect: do.ShowPopup) -> None:
        """Shown first, noted then: a crash between the two rings once more, and never once less."""
        self._popups.show(effect.popup)
        log.info("popup %s shown", effect.popup.message_key or effect.popup.key)
        if effect.covers:
            self._kept.silence(effect.covers)

    def _show_status(self, status: StatusView) -> None:
        self._tray.show_status(status)
        self._presenter.show_status(status)

    def _show_conversation(self, effect: do.ShowConversation) -> None:
        self._presenter.open(effect.conversation, effect.message, self._popups.activation_token)
