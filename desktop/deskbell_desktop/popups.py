"""The popups on the screen, and what the person does on them: tells the session, answers through the presenter.

Room 7; the way back begins here.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from deskbell_desktop import config
from deskbell_desktop.core import events as on
from deskbell_desktop.core.views import Popup
from deskbell_desktop.presenter import Presenter

if TYPE_CHECKING:
    from deskbell_desktop.notify.notifier import Notifier
    from deskbell_desktop.qt.reply_popup import ReplyPopup


class Popups:
    """The window for answers is made at its first use."""

    def __init__(
        self,
        tell: Callable[[on.Event], None],
        notifier: "Notifier",
        presenter: Presenter,
        make_answer: "Callable[[], ReplyPopup]",
    ) -> None:
        self._notifier = notifier
        self._presenter = presenter
        self._make_answer = make_answer
        self._answer: ReplyPopup | None = None
        self._shown: dict[str, Popup] = {}
        notifier.opened.connect(lambda key: tell(on.PopupOpened(key)))
        notifier.read_requested.connect(lambda key: tell(on.PopupRead(key)))
        notifier.closed.connect(lambda key: tell(on.PopupClosed(key)))
        notifier.replied.connect(self._on_replied)
        notifier.reply_requested.connect(self._on_reply_wanted)
        notifier.left.connect(presenter.add_draft)

    @property
    def activation_token(self) -> str:
        return self._notifier.activation_token

    def show(self, popup: Popup) -> None:
        self._shown[popup.key] = popup
        self._notifier.show(popup)

    def withdraw(self, key: str) -> None:
        self._shown.pop(key, None)
        self._notifier.withdraw(key)

    def forget(self) -> None:
        """Those of another account."""
        self._shown.clear()

    def leave(self) -> None:
        """Nothing of the account stays in sight; an answer that was begun becomes a draft."""
        if self._answer is not None:
            self._answer.forget()
        self.forget()

    def close(self) -> None:
        self._notifier.close()

    def _on_replied(self, key: str, body: str) -> None:
        popup = self._shown.get(key)
        self._presenter.reply(key, body, popup.message_key if popup else None)

    def _on_reply_wanted(self, key: str) -> None:
        popup = self._shown.get(key)
        if popup is None:
            return
        if self._answer is None:
            self._answer = self._make_answer()
            self._answer.reply_requested.connect(self._presenter.reply)
            self._answer.left.connect(self._presenter.add_draft)
        config.offer_activation(self._notifier.activation_token)
        self._notifier.withdraw(key)
        self._answer.ask(popup)
