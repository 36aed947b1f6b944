"""What the log's events mean for one person: messages that are unread or not, and ring or not; reads from elsewhere.

Room 6 of a message's way: turns a stretch of the log into one commit.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import msgspec

from deskbell_desktop.core import foreign, text
from deskbell_desktop.core.effects import ApplyEvents, Arrived
from deskbell_desktop.core.events import Ring, Unread
from deskbell_desktop.core.unread import UnreadMessages
from deskbell_desktop.core.words import Words
from deskbell_protocol import names, wire
from deskbell_protocol.conversations import party_of
from deskbell_protocol.wire import Party, Priority

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Applied:
    """The commit, and what follows from it."""

    commit: ApplyEvents
    rings: tuple[Ring, ...]
    """Those that were read within the stretch, too: what rings as one with them needs no popup any more."""
    read: tuple[str, ...]
    """Now known to be read, whether they were unread here or not."""
    echoes: tuple[tuple[str, str], ...]
    """(cid, conversation) of what came back to its writer."""
    changed: frozenset[str]


class Inbox:
    """Collects one stretch of events; `unread` is kept up to date on the way."""

    def __init__(
        self,
        me: str,
        unread: UnreadMessages,
        words: Words,
        *,
        known: frozenset[str],
        rings: Callable[[str, Priority], bool],
        may_write: Callable[[str], bool],
    ) -> None:
        self._words = words
        self._me = me
        self._unread = unread
        self._known = known
        self._may_ring = rings
        self._may_write = may_write
        self._arrived: dict[str, Arrived] = {}
        self._rings: list[Ring] = []
        self._read: dict[str, None] = {}
        self._echoes: list[tuple[str, str]] = []
        self._changed: set[str] = set()

    def apply(self, events: Iterable[wire.Event], epoch: str, cursor: int) -> Applied:
        for event in events:
            self._take(event)
        arrived = tuple(self._arrived.values())
        commit = ApplyEvents(epoch, cursor, arrived, tuple(self._read))
        return Applied(commit, tuple(self._rings), tuple(self._read), tuple(self._echoes), frozenset(self._changed))

    def _take(self, event: wire.Event) -> None:
        try:
            if event.kind == names.KIND_MESSAGE:
                self._message(event, foreign.message(wire.parse(wire.Message, event.data)))
            elif event.kind == names.KIND_READ:
                self._mark(wire.parse(wire.ReadMark, event.data))
        except msgspec.ValidationError as error:
            # one that cannot be read must not stop the log for ever
            log.warning("event %s (%s) is not understood: %s", event.seq, event.kind, error)

    def _message(self, event: wire.Event, message: wire.Message) -> None:
        mine = message.sender.id == self._me
        party = party_of(message, self._me)
        conversation = party.id
        if event.id in self._known:
            unread, ring = event.id in self._unread, None
        else:
            unread = not mine or any(party.id == self._me for party in message.to)
            rings = unread and self._may_ring(conversation, message.priority)
            ring = self._ring(event, message, party) if rings else None
        self._rings += [ring] if ring else []
        if unread:
            self._unread.add(Unread(event.id, event.seq, conversation))
        if mine and message.cid is not None:
            self._echoes.append((message.cid, conversation))
        self._changed.add(conversation)
        self._arrived[event.id] = Arrived(event.id, event.seq, event.at, conversation, message, mine, unread, ring)

    def _mark(self, mark: wire.ReadMark) -> None:
        read = [item.id for item in self._unread.meant(mark)]
        self._changed |= self._unread.remove(read)
        for id_ in read:
            if id_ in self._arrived:
                self._arrived[id_] = replace(self._arrived[id_], unread=False, ring=None)
        self._read.update(dict.fromkeys([*read, *(mark.ids or ())]))

    def _ring(self, event: wire.Event, message: wire.Message, party: Party) -> Ring:
        """The popup's text, cleaned here once."""
        sender = text.one_line(message.sender.label, 60)
        group = party if party.kind == "group" else None
        label = text.one_line(group.label, 60) if group else sender
        body = text.popup_body(f"{text.one_line(message.title)}\n{message.body}" if message.title else message.body)
        return Ring(
            event.id,
            party.id,
            self._words.in_group(sender, label) if group else sender,
            label,
            body,
            event.at,
            msgspec.structs.replace(message.sender, display=sender),
            message.priority,
            can_reply=group is None or self._may_write(group.id),
            publish=message.publish or "",
        )
