"""Problems of this computer that stop nothing: kept for the status line, and each told once by a popup of its own.

Room 6, beside a message's way: who has only the tray in sight must learn that, say, nothing can be kept.
"""

from deskbell_desktop.core.effects import Effect, ShowPopup, WithdrawPopup
from deskbell_desktop.core.events import Topic
from deskbell_desktop.core.views import Popup
from deskbell_desktop.core.words import Words

NOTICE = "notice"
"""Key of the popup; a click opens the window."""


class Notices:
    def __init__(self, words: Words) -> None:
        self._words = words
        self._problems: dict[Topic, str] = {}
        self._told: dict[Topic, str] = {}
        self._shown = False
        self._mended = False

    @property
    def problems(self) -> tuple[str, ...]:
        return tuple(self._problems.values())

    def seen(self, topic: Topic, problem: str) -> None:
        """The last one of its topic counts; an empty one takes it back."""
        self._problems.pop(topic, None)
        if problem:
            self._problems[topic] = problem
        else:
            self._told.pop(topic, None)

    def mended(self, topic: Topic) -> None:
        """Over by itself, which is told too: the person may still be on their way to mend it."""
        self.seen(topic, "")
        self._mended = True

    def closed(self, key: str) -> None:
        self._shown = self._shown and key != NOTICE

    def tell(self, *, quiet: bool, looking: bool) -> list[Effect]:
        """What is new, together with what still holds. Who looks at the window reads it there."""
        mended, self._mended = self._mended, False
        if mended and not (quiet or looking):
            self._shown = False
            return [ShowPopup(_popup(self._words.store_mended_title(), self._words.store_mended()), ())]
        if not self._problems:
            shown, self._shown = self._shown, False
            return [WithdrawPopup(NOTICE)] if shown else []
        if self._told == self._problems or (quiet and not looking):
            return []
        news = any(self._told.get(topic) != problem for topic, problem in self._problems.items())
        self._told = dict(self._problems)
        if looking or not news:
            return []
        self._shown = True
        return [ShowPopup(_popup(self._words.notice_title(), "\n".join(self._problems.values())), ())]


def _popup(title: str, body: str) -> Popup:
    return Popup(NOTICE, title, body, can_reply=False, can_mark_read=False)
