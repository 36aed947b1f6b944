"""The reading window's other half: gives it the views of the store, and tells the session what the person did there."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from deskbell_desktop.core import events as on
from deskbell_desktop.core import text
from deskbell_desktop.core.views import Found, Link, StatusView
from deskbell_desktop.io.pages import Pages
from deskbell_desktop.io.store import Store
from deskbell_desktop.io.store_file import StoreError
from deskbell_protocol.ids import new_id
from deskbell_protocol.wire import Party

if TYPE_CHECKING:
    from deskbell_desktop.qt.window import MainWindow

log = logging.getLogger(__name__)

PAGE = 50
UNREAD_DEPTH = 2000
"""So far back at most a conversation is opened at its first unread message."""
REFRESH_MS = 30
DRAFT_MS = 1000

Later = Callable[[int, Callable[[], None]], None]


class Presenter:
    """The window is made at its first use. `later(ms, call)` calls once, on this thread."""

    def __init__(
        self,
        make_window: "Callable[[], MainWindow]",
        tell: Callable[[on.Event], None],
        later: Later,
        on_store_error: Callable[[StoreError], None],
    ) -> None:
        self._make_window = make_window
        self._tell = tell
        self._later = later
        self._on_store_error = on_store_error
        self._window: MainWindow | None = None
        self._store: Store | None = None
        self._pages: Pages | None = None
        self._status = StatusView(Link.SIGNED_OUT)
        self._current: str | None = None
        self._limit = PAGE
        self._search = ""
        self._seeking: Iterator[Found | None] | None = None
        self._drafts: dict[str, str] = {}
        self._keeping = False
        self._refreshing = False
        self._looked: str | None = None
        self._closed = False
        """The conversation on the right is a group that the person may not write to."""
        self._stale: set[str] | None = set()  # conversations whose messages changed; None: all
        self._in_taskbar = False

    # -- whose desk it is -----------------------------------------------------------------------------------------

    def bind(self, store: Store, pages: Pages) -> None:
        self.unbind()
        self._store, self._pages = store, pages
        self._mark(None)

    def unbind(self) -> None:
        """Nothing of the account stays in sight."""
        self.keep_drafts()
        self._drafts.clear()
        self._keep_place()
        self._store = self._pages = None
        self._current, self._search, self._limit = None, "", PAGE
        self._seeking = None
        if self._window is not None:
            self._window.forget()

    def hide(self) -> None:
        if self._window is not None:
            self._window.hide()

    def close(self) -> None:
        self.keep_drafts()
        if self._window is not None:
            self._window.hide()
            self._window.deleteLater()
            self._window = None

    # -- what it is told ------------------------------------------------------------------------------------------

    def show_status(self, status: StatusView) -> None:
        self._status = status
        if self._window is not None:
            self._window.show_status(status)

    def stay_in_taskbar(self, stay: bool) -> None:
        self._in_taskbar = stay
        if self._window is not None:
            self._window.stay_in_taskbar = stay

    def changed(self, conversations: frozenset[str]) -> None:
        """An empty set: everything."""
        self._mark(set(conversations) or None)

    def unread_changed(self) -> None:
        self._mark(set())

    def show_people(self, query: str, people: tuple[Party, ...] | None, me: on.Account | None) -> None:
        """Whom the server found; where it could not be asked (None), whom this desk knows. Oneself only by the name."""
        if self._window is None or self._pages is None:
            return
        with self._guarded():
            found = self._pages.people(query) if people is None else people
            others = [
                party
                for party in found
                if me is None or party.id != me.user.id or text.folded(party.name) == text.folded(query)
            ]
            self._window.set_people(query, others, asked=people is not None)

    def welcome(self) -> None:
        """At an account's first sign-in on this computer, which has no place kept for its window."""
        with self._guarded():
            if self._store is not None and not self._store.place()[0]:
                self._shown_window().welcome()
                self.open()

    def open(self, conversation: str | None = None, message: str | None = None, token: str = "") -> None:
        """Bring the window up; with a conversation, at that message."""
        window = self._shown_window()
        conversation = conversation or (None if self._current else self._kept_conversation())
        if conversation is not None:
            self._select(conversation, message)
        else:
            self._refresh(messages=window.current_conversation() is not None)
        window.open(focus_reply=True, activation_token=token)
        log.info("window shown")
        if message is not None:
            log.info("opened %s", message)

    def compose(self) -> None:
        window = self._shown_window()
        self._refresh(messages=False)
        window.compose()
        window.open(focus_reply=False)

    def reply(self, conversation: str, body: str, shown: str | None = None) -> None:
        """An answer to the message that was `shown` on a popup, or else to whoever wrote last there, or its people."""
        with self._guarded():
            pages = self._pages
            view = pages.conversation(conversation) if pages is not None else None
            if pages is None or view is None:
                return
            names = tuple(party.name for party in view.parties)
            reply_to = shown or pages.last_received(conversation)
            self._tell(on.Wrote(new_id(), conversation, names, body, reply_to, on_popup=shown is not None))

    # -- what the person does -------------------------------------------------------------------------------------

    def _shown_window(self) -> "MainWindow":
        if self._window is None:
            self._window = window = self._make_window()
            window.stay_in_taskbar = self._in_taskbar
            window.show_status(self._status)
            with self._guarded():
                window.go_back_to(self._store.place()[0] if self._store else "")
            window.put_away.connect(self._keep_place)
            window.conversation_selected.connect(self._select)
            window.reply_requested.connect(self._on_reply)
            window.compose_requested.connect(self._on_composed)
            window.retry_requested.connect(lambda cid: self._tell(on.RetryRequested(cid)))
            window.unsent_requested.connect(lambda: self._tell(on.UnsentRequested()))
            window.discard_requested.connect(lambda cid: self._tell(on.DiscardRequested(cid)))
            window.older_requested.connect(self._on_older)
            window.search_changed.connect(self._on_search)
            window.found_chosen.connect(lambda conversation, key: self._select(conversation, key or None))
            window.looked.connect(self._on_looked)
            window.read_requested.connect(lambda conversation: self._tell(on.ReadRequested(conversation)))
            window.draft_changed.connect(self._on_draft)
            window.draft_wanted.connect(self._show_draft)
        return self._window

    def _on_looked(self, looking: on.Looking) -> None:
        self._tell(looking)
        before, self._looked = self._looked, looking.conversation
        if looking.conversation not in (None, before) and self._stale != set():
            self._mark(set())
        if looking.conversation not in (None, before) and self._closed:
            self._tell(on.RightsDoubted())

    def _select(self, conversation: str, message: str | None = None) -> None:
        self.keep_drafts()
        with self._guarded():
            here = self._limit if conversation == self._current else PAGE
            self._limit = max(here, self._depth(conversation, message))
            self._current = conversation
            self._refresh(messages=True, focus=message)
            self._show_draft(conversation)

    def _depth(self, conversation: str, message: str | None) -> int:
        """How many messages to show so that `message`, or the first unread one, is among them."""
        if self._pages is None:
            return 0
        if message is not None:
            return self._pages.depth(conversation, message) + 5
        unread = self._pages.unread(conversation)
        return min(self._pages.depth(conversation, unread[0]) + 5, UNREAD_DEPTH) if unread else 0

    def _on_reply(self, conversation: str, body: str) -> None:
        self._drafts[conversation] = ""
        self.reply(conversation, body)
        self.keep_drafts()

    def _on_composed(self, parties: tuple[Party, ...], body: str) -> None:
        """What goes to several waits with the first of them, until it stands with each."""
        conversation = parties[0].id
        with self._guarded():
            self._tell(on.Wrote(new_id(), conversation, tuple(party.name for party in parties), body))
            self._select(conversation)

    def _on_older(self, conversation: str) -> None:
        if conversation == self._current:
            self._limit += PAGE
            self._refresh(messages=True)

    def _on_search(self, search: str) -> None:
        self._search = text.storable(search)
        self._seek()

    def _seek(self) -> None:
        """Look for what is in the search field, between other things: there may be much to look through."""
        self._seeking = self._pages.search(self._search) if self._search and self._pages is not None else None
        self._seek_on(self._seeking)

    def _seek_on(self, steps: Iterator[Found | None] | None) -> None:
        if steps is None or steps is not self._seeking or self._window is None:
            return
        with self._guarded():
            found = next(steps)
            if found is None:
                self._later(0, lambda: self._seek_on(steps))
            else:
                self._seeking = None
                self._window.show_found(found)

    def _on_draft(self, conversation: str, draft: str) -> None:
        self._drafts[conversation] = text.storable(draft)
        self._keep_drafts_soon()

    def _show_draft(self, conversation: str) -> None:
        with self._guarded():
            if self._window is not None:
                self._window.show_draft(conversation, self._draft(conversation))

    def _draft(self, conversation: str) -> str:
        kept = self._pages.draft(conversation) if self._pages is not None else ""
        return self._drafts.get(conversation, kept)

    def add_draft(self, conversation: str, text_: str) -> None:
        """What was begun on a popup comes behind what stands in the box."""
        with self._guarded():
            parts = (self._draft(conversation), text_)
            self._on_draft(conversation, "\n".join(part for part in parts if part))

    def keep_drafts(self) -> None:
        """What the disk does not take is kept by the store that goes on in its place."""
        for _attempt in range(2):
            with self._guarded():
                while self._drafts:
                    conversation, draft = next(iter(self._drafts.items()))
                    if self._store is not None:
                        self._store.keep_draft(conversation, draft)
                    del self._drafts[conversation]
        if self._drafts:
            self._keep_drafts_soon()

    def _keep_drafts_soon(self) -> None:
        if not self._keeping:
            self._keeping = True
            self._later(DRAFT_MS, self._on_keeping)

    def _on_keeping(self) -> None:
        self._keeping = False
        self.keep_drafts()

    def _keep_place(self) -> None:
        """For the next start; what was never shown has no place."""
        with self._guarded():
            if self._window is not None and self._store is not None:
                self._store.keep_place(self._window.place(), self._current or self._store.place()[1])

    def _kept_conversation(self) -> str | None:
        with self._guarded():
            if self._store is not None and self._pages is not None:
                kept = self._store.place()[1]
                return kept if self._pages.conversation(kept) else None
        return None

    # -- what is shown --------------------------------------------------------------------------------------------

    def _mark(self, conversations: set[str] | None) -> None:
        """Soon: a burst is drawn once, and not at all while nobody looks."""
        self._stale = None if conversations is None or self._stale is None else self._stale | conversations
        if not self._refreshing:
            self._refreshing = True
            self._later(REFRESH_MS, self._on_stale)

    def _on_stale(self) -> None:
        self._refreshing = False
        if self._window is not None and self._window.isVisible():
            shown = self._window.current_conversation()
            self._refresh(messages=shown is not None and (self._stale is None or shown in self._stale))
            if self._seeking is None:
                self._seek()

    def _refresh(self, *, messages: bool, focus: str | None = None) -> None:
        window, pages = self._window, self._pages
        if window is None or pages is None:
            return
        if messages:
            self._stale = set()
        elif self._stale:
            self._stale &= {self._current or ""}  # to be drawn when it comes to sight
        with self._guarded():
            window.show_conversations(pages.conversations(), self._current)
            unread = pages.unread(self._current) if self._current else ()
            view = pages.conversation(self._current) if self._current and messages else None
            if view is None:
                window.show_unread(unread)
            else:
                page = pages.messages(view.id, self._limit)
                self._closed = bool(view.closed)
                window.show_messages(view, page.messages, has_older=page.has_older, unread=unread, focus=focus)

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except StoreError as error:
            self._on_store_error(error)
