"""What the desktop does about what happens: `handle(event, now) -> [effects]`, without Qt, clock or I/O.

Room 6 of a message's way: the parts (`log`, `inbox`, `unread`, `rings`, `outbox`) each know one topic, the session lets
them speak in order: commit, then popup, then acknowledge. Effects are carried out in the order given.
"""

from collections.abc import Iterable, Sequence
from typing import assert_never

from deskbell_desktop.core import effects as do
from deskbell_desktop.core import events as on
from deskbell_desktop.core import text
from deskbell_desktop.core.account import AccountEvent, SignIn
from deskbell_desktop.core.effects import Effect
from deskbell_desktop.core.events import Account, Moment, Outgoing
from deskbell_desktop.core.inbox import Applied, Inbox
from deskbell_desktop.core.log import Log
from deskbell_desktop.core.notices import NOTICE, Notices
from deskbell_desktop.core.outbox import Outbox
from deskbell_desktop.core.rights import Rights
from deskbell_desktop.core.rings import SUMMARY, Rings
from deskbell_desktop.core.unread import ReadReports, UnreadMessages
from deskbell_desktop.core.unsent import UNSENT, Unsent
from deskbell_desktop.core.views import Link, StatusView
from deskbell_desktop.core.words import Words
from deskbell_protocol import names, wire
from deskbell_protocol.errors import FINAL, Code
from deskbell_protocol.wire import Content, Priority


class Session:
    """One person's desk. Everything that has to outlive the program is in the effects, and comes back in `SignedIn`."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._account: Account | None = None
        self._link = Link.SIGNED_OUT
        self._link_problem = self._away = ""
        self._notices = Notices(words)
        self._unsent = Unsent(words)
        self._sign_in = SignIn(words, self._notices)
        self._quiet = False
        self._looking = on.Looking(None)
        self._status: StatusView | None = None
        self._begin(on.Stored(), Moment(0, 0.0))

    def _begin(self, stored: on.Stored, now: Moment) -> None:
        self._log = Log(stored.epoch, stored.cursor)
        self._unread = UnreadMessages(stored.unread)
        self._reports = ReadReports(stored.untold)
        self._rights = Rights(stored.groups)
        self._rings = Rings(stored.rings, now, self._words)
        self._outbox = Outbox(stored.outbox, self._words, now)

    def handle(self, event: on.Event | AccountEvent, now: Moment) -> list[Effect]:
        """The effects of `event`, then the status line when it has changed."""
        effects = self._dispatch(event, now)
        effects += self._notices.tell(quiet=self._quiet, looking=self._looking.conversation is not None)
        effects += self._unsent.tell(self._outbox, self._looking, quiet=self._quiet)
        status = self._status_view()
        if status != self._status:
            self._status = status
            effects.append(do.ShowStatus(status))
        return effects

    @property
    def due(self) -> float | None:
        """When (in `mono`) to send `Ticked`; None: never, as things stand."""
        dues = [*self._log.dues, *self._reports.dues, *self._rings.dues, *self._outbox.dues, *self._sign_in.dues]
        return min(dues, default=None)

    @property
    def account(self) -> Account | None:
        return self._account

    def _dispatch(self, event: on.Event | AccountEvent, now: Moment) -> list[Effect]:
        if isinstance(event, AccountEvent):
            return self._sign_in.handle(event, now)
        if isinstance(event, on.ProgramEvent):
            return self._program(event, now)
        if self._account is None:  # late news from before signing out
            return self._signed_out(event)
        if isinstance(event, on.LinkEvent):
            return self._connection(event, now)
        return self._person(event, now)

    def _signed_out(self, event: on.Event) -> list[Effect]:
        match event:
            case on.QuietToggled(quiet):
                return self._quiet_toggled(quiet)
            case on.PopupOpened(key) if key == NOTICE:
                self._notices.closed(key)
                return [do.AskLogin()]
            case _:
                return []

    # -- the program and its account ----------------------------------------------------------------------------

    def _program(self, event: on.ProgramEvent, now: Moment) -> list[Effect]:
        match event:
            case on.Started(account, quiet):
                self._quiet = quiet
                return self._sign_in.started(account, now)
            case on.SignedIn(account, stored):
                return self._signed_in(account, stored, now)
            case on.SignOutRequested():
                return self._sign_out()
            case on.StoreReplaced(stored, problem):
                return self._store_replaced(stored, problem, now)
            case on.StoreMended(stored):
                effects = [] if stored is None else self._store_replaced(stored, "", now)
                self._notices.mended("store")
                return effects
            case on.Ticked():
                return self._ticked(now)
            case on.ProblemSeen(topic, problem):
                self._notices.seen(topic, problem)
                return []
            case _:
                assert_never(event)

    def _signed_in(self, account: Account, stored: on.Stored, now: Moment) -> list[Effect]:
        self._notices.seen("server", "")
        effects = self._rings.withdraw_all()
        self._begin(stored, now)
        self._account, self._link, self._link_problem = account, Link.CONNECTING, ""
        self._looking = on.Looking(None)
        silenced = self._rings.silence() if self._quiet else ()
        effects += [do.SilenceRings(silenced)] if silenced else []
        return [*effects, do.Connect(account), *self._outbox.tick(now), *self._sign_in.sat_down()]

    def _sign_out(self) -> list[Effect]:
        if self._account is None:
            return [do.AskLogin()]
        return self._leave(self._account, self._words.signed_out(self._outbox.waiting), revoke=True)

    def _leave(self, account: Account, why: str, *, revoke: bool) -> list[Effect]:
        """Nothing of the account stays in sight. What was written stays in the store, for the same person."""
        self._notices.seen("server", "")
        self._notices.seen("keyring", "")  # there is nothing to keep any more
        effects = self._rings.withdraw_all()
        self._account, self._link, self._link_problem = None, Link.SIGNED_OUT, "" if revoke else why
        self._looking = on.Looking(None)
        self._begin(on.Stored(), Moment(0, 0.0))
        ask = do.AskLogin(account.server, account.user.name, why)
        return [*effects, do.HideWindow(), do.ForgetToken(account, revoke=revoke), do.Disconnect(), ask]

    def _store_replaced(self, stored: on.Stored, problem: str, now: Moment) -> list[Effect]:
        self._notices.seen("store", problem)
        online = self._log.online
        effects = self._rings.withdraw_all()
        self._begin(stored, now)
        if stored.epoch is None:  # it does not know in which life of the log something was confirmed
            effects += self._outbox.start_over()
        return [*effects, *(self._link_up(now) if online else []), do.Changed(frozenset())]

    def _ticked(self, now: Moment) -> list[Effect]:
        self._sign_in.tick(now)
        acked = self._log.tick(now)
        return [
            *self._rings.tick(now),
            *self._syncing(acked),
            *self._reports.tick(now),
            *self._changed(self._outbox.tick(now)),
        ]

    # -- the connection -----------------------------------------------------------------------------------------

    def _connection(self, event: on.LinkEvent, now: Moment) -> list[Effect]:
        match event:
            case on.LinkTried():
                self._link = Link.CONNECTING
                return []
            case on.LinkUp():
                self._link, self._link_problem = Link.ONLINE, ""
                return self._link_up(now)
            case on.LinkDown(problem, grave):
                self._link, self._link_problem, self._away = Link.OFFLINE, problem if grave else "", problem
                return self._link_down(now)
            case on.Woke() | on.RightsDoubted():
                return self._syncing(self._log.ask())
            case on.Refused(code, message, fatal):
                return self._refused(code, message, fatal=fatal, now=now)
            case on.FramesPushed() | on.SyncAnswered() | on.SyncFailed():
                return self._log_event(event, now)
            case _:
                return self._answered(event, now)

    def _answered(
        self, event: on.SendAnswered | on.SendFailed | on.ReadAnswered | on.ReadFailed, now: Moment
    ) -> list[Effect]:
        match event:
            case on.SendAnswered(cid):
                effects = self._changed(self._outbox.answered(event, now), cid)
                return [*effects, *self._settled()]
            case on.SendFailed(cid):
                doubted = self._syncing(self._log.ask()) if event.code == Code.FORBIDDEN else []
                return [*self._changed(self._outbox.failed(event, now), cid), *doubted]
            case on.ReadFailed(_, code) if code not in FINAL:
                self._reports.failed(now)
                return []
            case on.ReadAnswered(ids) | on.ReadFailed(ids):  # or it has none of these: nobody is left to be told
                return [do.ForgetUntold(self._reports.told(ids)), *self._reports.answered()]

    def _link_up(self, now: Moment) -> list[Effect]:
        return [*self._syncing(self._log.up()), *self._reports.up(), *self._changed(self._outbox.up(now))]

    def _link_down(self, now: Moment) -> list[Effect]:
        self._log.down()
        self._reports.down()
        self._outbox.down()
        self._rings.broke_off(now)
        return []

    def _refused(self, code: str, message: str, *, fatal: bool, now: Moment) -> list[Effect]:
        assert self._account is not None
        if fatal and code in {Code.UNAUTHORIZED, Code.REVOKED}:
            return self._leave(self._account, self._words.sign_in_again(), revoke=False)
        self._link, self._link_problem, self._away = Link.OFFLINE, "", message
        effects = self._link_down(now)
        if not fatal:
            return effects
        upgrade = code == Code.UPGRADE_REQUIRED  # a new sign-in would be refused in the same way
        self._away = ""
        self._notices.seen("server", self._words.upgrade() if upgrade else self._words.not_accepted())
        return [*effects, do.Disconnect()]

    # -- the log ------------------------------------------------------------------------------------------------

    def _log_event(self, event: on.FramesPushed | on.SyncAnswered | on.SyncFailed, now: Moment) -> list[Effect]:
        if isinstance(event, on.SyncAnswered | on.SyncFailed) and not self._log.ended(event.request):
            return []  # of another socket, or asked for a store that is no more
        match event:
            case on.FramesPushed(frames):
                fit, missing = self._log.pushed(frames)
                effects = self._apply(fit, now)
                doubted = any(frame.kind == names.KIND_MEMBER for frame in fit)  # a sync says where one may write
                asked = self._syncing(self._log.ask()) if missing or doubted else []
                return [*effects, *asked, *self._rings.release(now)]
            case on.SyncAnswered(_, answer, known):
                return self._synced(answer, known, now)
            case on.SyncFailed(_, retry_after_s):
                self._log.failed(now, retry_after_s)
                self._rings.broke_off(now)
                return []

    def _synced(self, answer: wire.SyncAnswer, known: frozenset[str], now: Moment) -> list[Effect]:
        epoch, before = self._log.epoch, self._log.cursor
        over, fit = self._log.answered(answer)
        effects = self._rights.answered(answer.groups)
        if over:
            place = fit[0].seq - 1 if fit else self._log.cursor
            effects += self._start_over(place, now, pruned=answer.epoch == epoch or answer.after > 0)
        effects += self._apply(fit, now, known)
        if epoch is None and not fit and not over:
            # an empty log has an epoch too: without it a restored server would look like a first one
            effects.append(do.ApplyEvents(answer.epoch, self._log.cursor))
        effects += self._syncing(self._log.go_on(now, progress=over or self._log.cursor > before))
        return [*effects, *self._settled(), *(self._rings.caught_up(now) if self._log.caught_up else [])]

    def _settled(self) -> list[Effect]:
        """Nothing that was sent waits for an echo which can no longer come."""
        if not self._log.caught_up or self._account is None:
            return []
        effects = self._outbox.settle(self._log.cursor, self._account.user)
        return [*effects, do.Changed(frozenset())] if effects else []

    def _start_over(self, place: int, now: Moment, *, pruned: bool) -> list[Effect]:
        """Before `place` something is missing."""
        assert self._log.epoch is not None
        self._unread.start_over()
        note = self._words.pruned(now.wall) if pruned else self._words.started_over(now.wall)
        again = self._outbox.start_over()
        return [do.StartOver(self._log.epoch, place, note), *again, *self._outbox.send(now)]

    def _apply(self, events: Sequence[wire.Event], now: Moment, known: frozenset[str] = frozenset()) -> list[Effect]:
        """One commit, and then what it set free."""
        if not events:
            return []
        assert self._account is not None
        me, may_write = self._account.user.id, self._rights.may_write
        inbox = Inbox(me, self._unread, self._words, known=known, rings=self._may_ring, may_write=may_write)
        applied = inbox.apply(events, events[-1].epoch, self._log.cursor)
        silent = self._rings.add(applied.rings, self._looking, now)
        self._log.moved(now)
        return [applied.commit, *silent, *self._after(applied, now)]

    def _after(self, applied: Applied, now: Moment) -> list[Effect]:
        effects = self._rings.read(applied.read)
        told = self._reports.told(applied.read)
        if told:
            effects.append(do.ForgetUntold(told))
        changed = set(applied.changed)
        for cid, conversation in applied.echoes:
            item = self._outbox.get(cid)
            effects += self._outbox.echoed(cid, now)
            if item is not None and item.conversation != conversation:
                changed.add(item.conversation)
        return [*effects, do.Changed(frozenset(changed))] if changed else effects

    def _may_ring(self, conversation: str, priority: Priority) -> bool:
        looking = self._looking
        told_there = conversation == looking.conversation and not looking.at_end  # "↓ 3 new"
        return priority == "urgent" or not (self._quiet or told_there)

    def _syncing(self, asked: list[Effect]) -> list[Effect]:
        if any(isinstance(effect, do.RequestSync) for effect in asked):
            self._rings.catching_up()
        return asked

    # -- the person ---------------------------------------------------------------------------------------------

    def _person(self, event: on.PersonEvent, now: Moment) -> list[Effect]:
        match event:
            case on.Looking() | on.ReadRequested() | on.PopupRead():
                return self._reading(event, now)
            case on.Wrote():
                return self._wrote(event, now)
            case on.UnsentRequested():
                return [self._unsent.last(self._outbox)]
            case on.RetryRequested(cid):
                return self._changed(self._outbox.retry(cid, now), cid)
            case on.DiscardRequested(cid):
                item = self._outbox.get(cid)
                return self._changed(self._outbox.discard(cid), conversation=item.conversation if item else None)
            case on.QuietToggled(quiet):
                return self._quiet_toggled(quiet)
            case on.PopupOpened(key):
                return self._popup_opened(key)
            case on.PopupClosed(key):
                for kind in (self._notices, self._unsent, self._rings):
                    kind.closed(key)
                return []
            case _:
                assert_never(event)

    def _reading(self, event: on.Looking | on.ReadRequested | on.PopupRead, now: Moment) -> list[Effect]:
        match event:
            case on.Looking():
                self._looking = event
                return [*self._read(event.seen), *self._rings.looked(event, now)]
            case on.ReadRequested(conversation):
                return self._read(self._unread.of(conversation))
            case on.PopupRead(key):
                return self._read(id_ for ring in self._rings.shown(key) for id_ in ring.ids)

    def _wrote(self, event: on.Wrote, now: Moment) -> list[Effect]:
        content = Content(body=text.storable(event.body))
        item = Outgoing(event.cid, event.conversation, event.to, content, now.wall, event.reply_to)
        effects = self._changed(self._outbox.write(item, now), event.cid)
        return [*effects, *(self._read(self._rings.parts(event.reply_to or "")) if event.on_popup else [])]

    def _popup_opened(self, key: str) -> list[Effect]:
        if key == UNSENT:
            return [self._unsent.opened()]
        rings = self._rings.shown(key)
        self._rings.closed(key)  # the desktop takes it away with the click
        self._notices.closed(key)
        if key in {SUMMARY, NOTICE}:
            return [do.ShowConversation(None)]
        return [do.ShowConversation(key, rings[-1].id if rings else None)]

    def _read(self, ids: Iterable[str]) -> list[Effect]:
        """Read here: gone from the counts and the screen at once, and told to the server when it can be."""
        ids = tuple(id_ for id_ in ids if id_ in self._unread)
        if not ids:
            return []
        self._unread.remove(ids)
        withdrawn = self._rings.read(ids)
        return [do.MarkRead(ids), *withdrawn, *self._reports.add(ids), do.UnreadChanged()]

    def _quiet_toggled(self, quiet: bool) -> list[Effect]:
        self._quiet = quiet
        silenced = self._rings.silence() if quiet else ()
        return [do.KeepQuiet(quiet), *([do.SilenceRings(silenced)] if silenced else [])]

    # -- what is seen -------------------------------------------------------------------------------------------

    def _changed(self, effects: list[Effect], cid: str = "", conversation: str | None = None) -> list[Effect]:
        """`effects`, and the conversations whose bubbles they change."""
        item = self._outbox.get(cid)
        changed = {effect.item.conversation for effect in effects if isinstance(effect, do.KeepOutgoing)}
        changed |= {name for name in (conversation, item.conversation if item else None) if name}
        return [*effects, do.Changed(frozenset(changed))] if effects and changed else effects

    def _status_view(self) -> StatusView:
        account = self._account
        return StatusView(
            link=self._link,
            server=account.server if account else "",
            account=account.user.label if account else "",
            unread=len(self._unread),
            unsent=self._words.unsent(failed) if (failed := len(self._outbox.unsent)) else "",
            quiet=self._quiet,
            away=self._away if self._link is Link.OFFLINE else "",
            problem=" ".join(part for part in (self._link_problem, *self._notices.problems) if part),
        )
