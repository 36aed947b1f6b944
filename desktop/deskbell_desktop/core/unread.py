"""What the person has not seen yet, and what of their reading the server does not know yet."""

from collections.abc import Iterable

from deskbell_desktop.core.effects import Effect, SendRead
from deskbell_desktop.core.events import Moment, Unread
from deskbell_protocol import limits, wire

RETRY_S = 10.0


class UnreadMessages:
    """In the order of the log, those of a log that was given up (`seq` 0) before them."""

    def __init__(self, unread: Iterable[Unread]) -> None:
        self._items = {item.id: item for item in unread}

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, message_id: str) -> bool:
        return message_id in self._items

    def add(self, item: Unread) -> None:
        self._items.pop(item.id, None)
        self._items[item.id] = item

    def start_over(self) -> None:
        self._items = {item.id: Unread(item.id, 0, item.conversation) for item in self._items.values()}

    def of(self, conversation: str) -> tuple[str, ...]:
        return tuple(item.id for item in self._items.values() if item.conversation == conversation)

    def meant(self, mark: wire.ReadMark) -> list[Unread]:
        """The unread messages that `mark` speaks of."""
        found = [self._items[id_] for id_ in mark.ids or () if id_ in self._items]
        if mark.up_to is not None:
            found += self._up_to(mark.up_to)
        return list({item.id: item for item in found}.values())

    def _up_to(self, seq: int) -> list[Unread]:
        found = []
        for item in self._items.values():
            if item.seq > seq:
                break
            if item.seq:
                found.append(item)
        return found

    def remove(self, ids: Iterable[str]) -> frozenset[str]:
        """The conversations they were in."""
        removed = [self._items.pop(id_, None) for id_ in ids]
        return frozenset(item.conversation for item in removed if item is not None)


class ReadReports:
    """Read marks on their way to the server: one batch at a time, kept until it has them."""

    def __init__(self, untold: Iterable[str]) -> None:
        self._untold = dict.fromkeys(untold)
        self._online = False
        self._asking = False
        self._retry_at: float | None = None

    def up(self) -> list[Effect]:
        self._online, self._asking, self._retry_at = True, False, None
        return self.send()

    def down(self) -> None:
        self._online, self._asking, self._retry_at = False, False, None

    def add(self, ids: Iterable[str]) -> list[Effect]:
        self._untold.update(dict.fromkeys(ids))
        return self.send()

    def send(self) -> list[Effect]:
        if not self._online or self._asking or not self._untold:
            return []
        self._asking, self._retry_at = True, None
        return [SendRead(tuple(self._untold)[: limits.READ_IDS])]

    def told(self, ids: Iterable[str]) -> tuple[str, ...]:
        """Those of `ids` that were still to be told."""
        told = tuple(id_ for id_ in ids if id_ in self._untold)
        for id_ in told:
            self._untold.pop(id_, None)
        return told

    def answered(self) -> list[Effect]:
        self._asking = False
        return self.send()

    def failed(self, now: Moment) -> None:
        self._asking = False
        if self._online:
            self._retry_at = now.mono + RETRY_S

    def tick(self, now: Moment) -> list[Effect]:
        if self._retry_at is None or self._retry_at > now.mono:
            return []
        self._retry_at = None
        return self.send()

    @property
    def dues(self) -> list[float]:
        return [] if self._retry_at is None else [self._retry_at]
