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

    def closed(self) -> None:
        self._shown = False

    def tell(self, *, quiet: bool, looking: bool) -> list[Effect]:
        """What is new, together with what still holds. Who looks at the window reads it there."""
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
        return [ShowPopup(self._popup(), ())]

    def _popup(self) -> Popup:
        body = "\n".join(self._problems.values())
        return Popup(NOTICE, self._words.notice_title(), body, can_reply=False, can_mark_read=False)
