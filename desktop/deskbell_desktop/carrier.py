"""Carries the session's effects out, in their order: commits, popups, requests. Room 7 of a message's way."""

import logging
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from deskbell_desktop.core import effects as do
from deskbell_desktop.core import events as on
from deskbell_desktop.core.events import Account
from deskbell_desktop.core.views import Popup, StatusView
from deskbell_desktop.io.network import Network
from deskbell_desktop.io.store import Store
from deskbell_desktop.io.store_file import StoreError
from deskbell_desktop.presenter import Presenter
from deskbell_protocol.ids import now_ms

log = logging.getLogger(__name__)


class Popups(Protocol):
    """What the carrier needs of a notifier."""

    activation_token: str

    def show(self, popup: Popup) -> None: ...
    def withdraw(self, key: str) -> None: ...


class Host(Protocol):
    """What only the composition root can do: the account, its token, the tray, the settings."""

    def tell(self, event: on.Event) -> None: ...
    def connect_account(self, account: Account) -> None: ...
    def load_token(self, account: Account) -> None: ...
    def forget_token(self, account: Account, *, revoke: bool) -> None: ...
    def ask_login(self, server: str, name: str, problem: str) -> None: ...
    def show_status(self, status: StatusView) -> None: ...
    def keep_quiet(self, quiet: bool) -> None: ...
    def leave_account(self) -> None: ...


class Carrier:
    """`store` is there while an account is at its desk."""

    def __init__(self, host: Host, network: Network, popups: Popups, presenter: Presenter) -> None:
        self.store: Store | None = None
        self._host = host
        self._network = network
        self._popups = popups
        self._presenter = presenter
        self._queue: deque[do.Effect] = deque()
        self._busy = False
        self._shown: dict[str, Popup] = {}
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
            do.KeepQuiet: lambda effect: host.keep_quiet(effect.quiet),
            do.Connect: lambda effect: host.connect_account(effect.account),
            do.Disconnect: lambda _effect: network.shut(),
            do.RequestSync: network.request,
            do.SendAck: network.request,
            do.SendMessage: network.request,
            do.SendRead: network.request,
            do.LoadToken: lambda effect: host.load_token(effect.account),
            do.ForgetToken: lambda effect: host.forget_token(effect.account, revoke=effect.revoke),
            do.ShowPopup: self._show_popup,
            do.WithdrawPopup: self._withdraw_popup,
            do.ShowStatus: lambda effect: host.show_status(effect.status),
            do.Changed: lambda effect: presenter.changed(effect.conversations),
            do.UnreadChanged: lambda _effect: presenter.unread_changed(),
            do.ShowConversation: self._show_conversation,
            do.AskLogin: lambda effect: host.ask_login(effect.server, effect.name, effect.problem),
            do.HideWindow: lambda _effect: host.leave_account(),
        }

    def popup(self, key: str) -> Popup | None:
        """The last one shown under `key`."""
        return self._shown.get(key)

    def forget(self) -> None:
        self._shown.clear()

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

    def mend(self, error: StoreError, failed: do.Effect | None = None) -> None:
        """Go on in memory where the disk takes nothing; else begin a new store. What follows from a commit that did
        not happen must not happen either."""
        if self.store is None:
            return
        if self.store.replace(error):
            if failed is not None:
                self._queue.appendleft(failed)
            self._host.tell(on.ProblemSeen("store", self.store.problem))
            return
        left = [effect for effect in (failed, *self._queue) if isinstance(effect, do.KeepOutgoing)]
        self._queue.clear()
        for effect in left:
            self.store.keep(effect.item)
        self._host.tell(on.StoreReplaced(self.store.load(), self.store.problem))

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
        self._host.tell(on.StoreMended(None if whole else store.load()))
        return True

    @property
    def _kept(self) -> Store:
        assert self.store is not None, "an account's effect without an account"
        return self.store

    def _show_popup(self, effect: do.ShowPopup) -> None:
        """Shown first, noted then: a crash between the two rings once more, and never once less."""
        self._shown[effect.popup.key] = effect.popup
        self._popups.show(effect.popup)
        log.info("popup %s shown", effect.popup.message_key or effect.popup.key)
        if effect.covers:
            self._kept.silence(effect.covers)

    def _withdraw_popup(self, effect: do.WithdrawPopup) -> None:
        self._shown.pop(effect.key, None)
        self._popups.withdraw(effect.key)

    def _show_conversation(self, effect: do.ShowConversation) -> None:
        self._presenter.open(effect.conversation, effect.message, self._popups.activation_token)
