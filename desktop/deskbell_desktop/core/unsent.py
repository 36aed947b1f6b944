"""What was not sent, told to who has only the tray in sight: one popup for what is new of it.

Room 6, beside a message's way. It stays until all that it tells of was tried again, discarded or looked at.
"""

from deskbell_desktop.core import text
from deskbell_desktop.core.effects import Effect, ShowConversation, ShowPopup, WithdrawPopup
from deskbell_desktop.core.events import Looking, Outgoing
from deskbell_desktop.core.outbox import Outbox
from deskbell_desktop.core.views import Popup
from deskbell_desktop.core.words import Words

UNSENT = "unsent"
"""Key of the popup; a click opens the last message that it tells of."""


class Unsent:
    def __init__(self, words: Words) -> None:
        self._words = words
        self._shown: tuple[Outgoing, ...] = ()

    def tell(self, outbox: Outbox, looking: Looking, *, quiet: bool) -> list[Effect]:
        """Whoever looks at the message itself needs no popup; what was told once is not told again."""
        unseen = [item for item in outbox.unsent if item.conversation != looking.conversation or not looking.at_end]
        seen = [item for item in outbox.unsent if item not in unseen and not item.told]
        new = [] if quiet else [item for item in unseen if not item.told]
        effects: list[Effect] = []
        cids = {item.cid for item in unseen}
        left = tuple(item for item in self._shown if item.cid in cids)
        if new:
            left = (*left, *new)
            effects.append(ShowPopup(self._popup(left), ()))
        elif self._shown and not left:
            effects.append(WithdrawPopup(UNSENT))
        self._shown = left
        return [*effects, *(outbox.told(item) for item in (*seen, *new))]

    def last(self, outbox: Outbox) -> Effect:
        """The popup stays until that stands in view."""
        unsent = outbox.unsent
        return ShowConversation(unsent[-1].conversation, unsent[-1].cid) if unsent else ShowConversation(None)

    def opened(self) -> Effect:
        """The desktop takes it away with the click."""
        shown, self._shown = self._shown, ()
        return ShowConversation(shown[-1].conversation, shown[-1].cid) if shown else ShowConversation(None)

    def closed(self, key: str) -> None:
        self._shown = () if key == UNSENT else self._shown

    def _popup(self, items: tuple[Outgoing, ...]) -> Popup:
        last, words = items[-1], self._words
        if len(items) == 1:
            title, body = words.unsent_to(", ".join(last.to)), f"{last.problem}\n{text.one_line(last.content.body)}"
        else:
            title, body = words.unsent(len(items)), "\n".join(dict.fromkeys(item.problem for item in items))
        return Popup(
            UNSENT,
            text.one_line(title),
            text.popup_body(body),
            message_key=last.cid,
            can_reply=False,
            can_mark_read=False,
        )
